/*
 * Public clients: applications that hold no secret (az on somebody's laptop) and in which people sign in. Rows of
 * identity's database; functions run on a connection, within the caller's transaction.
 */
#ifndef SR_IDENTITY_PUBLIC_CLIENT_H
#define SR_IDENTITY_PUBLIC_CLIENT_H

#include "base/text.h"
#include "seal/database.h"

enum { SR_CLIENT_NAME_MAX = 120, SR_CLIENT_RESOURCES_MAX = 1024 };

struct sr_public_client {
	char client_id[SR_GUID_TEXT_LEN];
	char name[SR_CLIENT_NAME_MAX + 1];
	char resources[SR_CLIENT_RESOURCES_MAX + 1]; /* what people may use with it, parted by spaces; "*": every service */
	int64_t created_s;
};

/* Allows a client by its id (GUID, or "az" or "powershell" for Microsoft's own). `name` NULL: the known one's,
 * SR_INVALID where it is not known. An allowed one is changed. */
SR_MUST struct sr_result sr_public_client_allow(struct sr_connection *connection, const char *client_id,
                                                const char *name, const char *resources, int64_t now_s,
                                                struct sr_public_client *ret_client);
/* SR_NOT_FOUND. */
SR_MUST struct sr_result sr_public_client_find(struct sr_connection *connection, const char *client_id,
                                               struct sr_public_client *ret_client);
SR_MUST struct sr_result sr_public_client_remove(struct sr_connection *connection, const char *client_id);
SR_MUST struct sr_result
sr_public_client_each(struct sr_connection *connection,
                      struct sr_result (*each)(const struct sr_public_client *client, void *context), void *context);
/* True if the list has the resource; a trailing slash does not matter. */
bool sr_resources_have(const char *resources, const char *resource);

#endif
