/* What the vault does with keys by itself, for the table of chores (chores.c): pairs of functions as chore.h says. */
#ifndef SR_VAULT_KEY_CHORES_H
#define SR_VAULT_KEY_CHORES_H

#include "vault/chore.h"

/* key_expiry.c: leases under versions whose time has ended are taken back at once. */
SR_MUST struct sr_result sr_expire_keys_next(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_expire_keys_run(struct sr_vault *vault, int64_t now);

/* key_purge.c: deleted keys whose retention is over are gone for good, and with them what they wrap. */
SR_MUST struct sr_result sr_purge_keys_next(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_purge_keys_run(struct sr_vault *vault, int64_t now);

/* key_tending.c: rotation and notice by the keys' rotation policies. */
SR_MUST struct sr_result sr_tend_keys_next(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_tend_keys_run(struct sr_vault *vault, int64_t now);

#endif
