/* The chore that signs the audit log, and its start and stop. */
#ifndef SR_VAULT_CHECKPOINT_H
#define SR_VAULT_CHECKPOINT_H

#include "vault/chore.h"

/* Opens the log's key and signs what an earlier start left unsigned. A log that does not go on where its last
 * checkpoint says is told in the log and recorded, and the vault serves: `strongroom audit verify` says where it is
 * broken. */
SR_MUST struct sr_result sr_vault_checkpoints_open(struct sr_vault *vault, int64_t now);
/* Signs the last entries and closes. */
void sr_vault_checkpoints_close(struct sr_vault *vault, int64_t now);

SR_MUST struct sr_result sr_sign_checkpoint_next(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_sign_checkpoint_run(struct sr_vault *vault, int64_t now);

#endif
