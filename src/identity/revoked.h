/*
 * Credentials and sign-ins that were taken back: their ids go to the services with the directory, for as long as a
 * token that was got by one may live. Functions run on a connection, within the caller's transaction.
 */
#ifndef SR_IDENTITY_REVOKED_H
#define SR_IDENTITY_REVOKED_H

#include "seal/database.h"

/* No access token lives longer (the setting token-lifetime-s has this limit). */
enum { SR_TOKEN_LIFETIME_MAX_S = 86400 };

/* Takes a credential back; tokens that bear its id are refused from the next revision of the directory on. */
SR_MUST struct sr_result sr_revoke(struct sr_connection *connection, const char *credential_id, int64_t now_s);
/* Forgets those whose tokens have all ended. */
SR_MUST struct sr_result sr_revoked_purge(struct sr_connection *connection, int64_t now_s);
/* Calls `each` with every id. */
SR_MUST struct sr_result sr_revoked_each(struct sr_connection *connection,
                                         struct sr_result (*each)(struct sr_bytes credential_id, void *context),
                                         void *context);

#endif
