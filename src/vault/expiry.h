/* The timer that takes leases back when a key's `exp` is reached, without anybody asking, and that renews the vault's
 * own certificate in time. */
#ifndef SR_VAULT_EXPIRY_H
#define SR_VAULT_EXPIRY_H

#include "base/result.h"

struct sr_vault;
struct sr_expiry;

/* Starts its thread; borrows the vault. */
SR_MUST struct sr_result sr_expiry_start(struct sr_vault *vault, struct sr_expiry **ret_expiry);
/* A key's time has changed: look again. NULL is allowed. */
void sr_expiry_wake(struct sr_expiry *expiry);
void sr_expiry_stop(struct sr_expiry *expiry);

#endif
