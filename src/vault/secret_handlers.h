/* The handlers of the secrets API, for the table in secret_routes.c, and what they share. One file a group:
 * secret_change.c, secret_lifecycle.c, secret_list.c, secret_backup.c. */
#ifndef SR_VAULT_SECRET_HANDLERS_H
#define SR_VAULT_SECRET_HANDLERS_H

#include "vault/call.h"
#include "vault/secret_store.h"

/* secret_change.c: new versions, what an update changes, and reading */
SR_MUST struct sr_result sr_handle_secret_set(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_secret_update(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_secret_get(struct sr_vault_call *call, struct sr_vault_answer *answer);

/* secret_lifecycle.c: deleting, recovering, purging */
SR_MUST struct sr_result sr_handle_secret_delete(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_deleted_secret_get(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_deleted_secret_recover(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_deleted_secret_purge(struct sr_vault_call *call, struct sr_vault_answer *answer);

/* secret_list.c */
SR_MUST struct sr_result sr_handle_secrets_list(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_deleted_secrets_list(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_secret_versions_list(struct sr_vault_call *call, struct sr_vault_answer *answer);

/* secret_backup.c */
SR_MUST struct sr_result sr_handle_secret_backup(struct sr_vault_call *call, struct sr_vault_answer *answer);
SR_MUST struct sr_result sr_handle_secret_restore(struct sr_vault_call *call, struct sr_vault_answer *answer);

/* The record of the call's secret in a read of its own: the version that the path names, or the current one. `records`
 * opens its value; NULL leaves it sealed. SR_NOT_FOUND "SecretNotFound". */
SR_MUST struct sr_result sr_call_find_secret(struct sr_vault_call *call, struct sr_aead *records,
                                             enum sr_secret_presence presence, struct sr_secret_record *ret_secret);
/* SR_DENIED "SecretManagedByKeyVault" where the secret is a certificate's; `operation` as the message names it. */
SR_MUST struct sr_result sr_secret_check_unmanaged(const struct sr_secret_record *secret, const char *operation);

/* The chore of secret_lifecycle.c, as chore.h says: what was deleted is purged once its retention is over. The first
 * time is sr_vault_secret_next_purge's. */
SR_MUST struct sr_result sr_purge_secrets_run(struct sr_vault *vault, int64_t now);

#endif
