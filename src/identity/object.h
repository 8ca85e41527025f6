/*
 * Directory objects: whatever a role is given to and a group holds, whichever table has it. Functions run on a
 * connection, within the caller's transaction.
 */
#ifndef SR_IDENTITY_OBJECT_H
#define SR_IDENTITY_OBJECT_H

#include "base/text.h"
#include "seal/database.h"

enum { SR_OBJECT_NAME_MAX = 256 };

enum sr_object_kind { SR_OBJECT_APPLICATION, SR_OBJECT_MANAGED_IDENTITY, SR_OBJECT_PERSON, SR_OBJECT_GROUP };

struct sr_object {
	char id[SR_GUID_TEXT_LEN];
	enum sr_object_kind kind;
	char name[SR_OBJECT_NAME_MAX + 1];
	bool is_enabled;
};

/* "ServicePrincipal", "User" or "Group", as a role assignment's principalType is. Static. */
const char *sr_object_type(enum sr_object_kind kind);
/* A display name: 1 to `max` bytes of UTF-8, no control characters, no spaces at its ends, no GUID. SR_INVALID says
 * what is wrong with `what` ("a group's name"). */
SR_MUST struct sr_result sr_object_check_name(const char *what, const char *name, size_t max);
/*
 * By object id, client id, a managed identity's resource id, or name (case ignored). SR_NOT_FOUND; SR_CONFLICT where
 * several have the name, and only an id tells them apart.
 */
SR_MUST struct sr_result sr_object_find(struct sr_connection *connection, const char *id_or_name,
                                        struct sr_object *ret_object);
/* By object id alone. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_object_get(struct sr_connection *connection, const char *object_id,
                                       struct sr_object *ret_object);
/* Removes what others know of an object that goes: role assignments, memberships. Whoever removes an object calls it.
 */
SR_MUST struct sr_result sr_object_forget(struct sr_connection *connection, const char *object_id);

#endif
