/* The handlers of the keys API, for the table of routes in routes.c. One file a group: key_change.c, key_lifecycle.c,
 * key_list.c, key_use.c, key_backup.c, key_policy.c. */
#ifndef SR_VAULT_KEY_HANDLERS_H
#define SR_VAULT_KEY_HANDLERS_H

#include "vault/call.h"

/* key_change.c: new versions, and what an update changes */
SR_MUST struct sr_result sr_handle_key_create(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_import(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_rotate(struct sr_vault_call *call, struct sr_vault_answer *answer);
/* The same as of `now`, for the chore that carries rotation policies out. */
SR_MUST struct sr_result sr_key_rotate(struct sr_vault_call *call, int64_t now, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_update(struct sr_vault_call *call, struct sr_vault_answer *answer);

/* key_lifecycle.c: reading, deleting, recovering, purging */
SR_MUST struct sr_result sr_handle_key_get(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_delete(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_deleted_key_get(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_deleted_key_recover(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_deleted_key_purge(struct sr_vault_call *call, struct sr_vault_answer *answer);
/* Within a write: removes a deleted key for good and shreds what it wraps; the caller recalls the leases on
 * `ret_revoked` once that is durable, and folds the log (sr_kek_fold_log). */
SR_MUST struct sr_result sr_key_destroy(struct sr_connection *connection, const struct sr_key_record *key,
                                        struct sr_kek_set *ret_revoked);

/* key_list.c */
SR_MUST struct sr_result sr_handle_keys_list(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_deleted_keys_list(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_versions_list(struct sr_vault_call *call, struct sr_vault_answer *answer);

/* key_use.c: what is done with keys, and random bytes */
SR_MUST struct sr_result sr_handle_key_encrypt(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_decrypt(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_wrap(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_unwrap(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_sign(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_verify(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_release(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_random(struct sr_vault_call *call, struct sr_vault_answer *answer);

/* key_backup.c */
SR_MUST struct sr_result sr_handle_key_backup(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_restore(struct sr_vault_call *call, struct sr_vault_answer *answer);

/* key_policy.c */
SR_MUST struct sr_result sr_handle_key_policy_get(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_key_policy_set(struct sr_vault_call *call, struct sr_vault_answer *answer);

#endif
