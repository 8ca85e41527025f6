/*
 * Principals (applications that ask for tokens) and their client secrets: rows of identity's database. Functions
 * run on a connection, within the caller's transaction. Secrets are kept as hashes only.
 */
#ifndef SR_IDENTITY_PRINCIPAL_H
#define SR_IDENTITY_PRINCIPAL_H

#include "base/text.h"
#include "seal/crypto.h"
#include "seal/database.h"

#include <jansson.h>

enum { SR_PRINCIPAL_NAME_MAX = 120, SR_PRINCIPAL_SECRETS_MAX = 8 };

struct sr_application {
	char object_id[SR_GUID_TEXT_LEN];
	char client_id[SR_GUID_TEXT_LEN];
	char name[SR_PRINCIPAL_NAME_MAX + 1];
	bool is_enabled;
	int64_t created_s;
};

/* Makes a principal with fresh ids. SR_INVALID: no fit name (the message says why); SR_EXISTS: the name is taken. */
SR_MUST struct sr_result sr_application_make(struct sr_connection *connection, const char *name, int64_t now_s,
                                             struct sr_application *ret_application);
/* By object id, client id, or name (case ignored). SR_NOT_FOUND. */
SR_MUST struct sr_result sr_application_find(struct sr_connection *connection, const char *id_or_name,
                                             struct sr_application *ret_application);
/* By client id alone, as a token request names it. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_application_of_client(struct sr_connection *connection, const char *client_id,
                                                  struct sr_application *ret_application);
/* SR_NOT_FOUND if there is no such object id. */
SR_MUST struct sr_result sr_application_enable(struct sr_connection *connection, const char *object_id,
                                               bool is_enabled);
/* Removes the principal with its secrets and assignments. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_application_remove(struct sr_connection *connection, const char *object_id);
SR_MUST struct sr_result sr_application_count(struct sr_connection *connection, int64_t *ret_count);
/* Calls `each` for every principal, by name; an error from it ends the walk. */
SR_MUST struct sr_result
sr_application_each(struct sr_connection *connection,
                    struct sr_result (*each)(const struct sr_application *application, void *context), void *context);

/*
 * Adds a client secret: `ret_text` gets it in clear, for the one answer that shows it; the caller wipes it.
 * `lifetime_s` 0: it does not end. SR_CONFLICT past SR_PRINCIPAL_SECRETS_MAX.
 */
SR_MUST struct sr_result sr_client_secret_make(struct sr_connection *connection, const char *object_id, int64_t now_s,
                                               int64_t lifetime_s, char ret_secret_id[static SR_GUID_TEXT_LEN],
                                               struct sr_buf *ret_text);
/* Tokens that were got by it end. SR_NOT_FOUND if the principal has no such secret. */
SR_MUST struct sr_result sr_client_secret_remove(struct sr_connection *connection, const char *object_id,
                                                 const char *secret_id, int64_t now_s);
/* The secrets' ids and times, without hashes, as an array that the caller owns. */
SR_MUST struct sr_result sr_client_secret_list(struct sr_connection *connection, const char *object_id,
                                               json_t **ret_array);

/* What a presented secret is to an application. */
enum sr_secret_verdict { SR_SECRET_WRONG, SR_SECRET_EXPIRED, SR_SECRET_RIGHT };
/* A principal's hashes, read in a transaction to be compared outside it. */
struct sr_client_secrets {
	struct {
		char id[SR_GUID_TEXT_LEN];
		uint8_t hash[SR_SECRET_HASH_LEN];
		int64_t expires_s; /* INT64_MAX: never */
	} items[SR_PRINCIPAL_SECRETS_MAX];
	size_t count;
};
SR_MUST struct sr_result sr_client_secrets_read(struct sr_connection *connection, const char *object_id,
                                                struct sr_client_secrets *ret_secrets);
/* Compares with each; takes the same time whichever matches, however many there are (none, for an unknown application).
 * `*ret_which` is the position of the one that is right. */
enum sr_secret_verdict sr_client_secrets_judge(const struct sr_client_secrets *secrets, struct sr_bytes presented,
                                               int64_t now_s, size_t *ret_which);

#endif
