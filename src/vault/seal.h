/* Sealing a running vault by order. */
#ifndef SR_VAULT_SEAL_H
#define SR_VAULT_SEAL_H

#include "vault/grantor.h"

struct sr_vault;

/*
 * Makes the order durable, refuses every further request and lease, records it, and takes back what the services hold:
 * when it returns no service has a key of the vault's, or its lease has run out. The keys in this process go with it:
 * its caller has it restarted, and the next one starts sealed. SR_CONFLICT: it is sealed already.
 */
SR_MUST struct sr_result sr_vault_seal(struct sr_vault *vault, const char *request_id,
                                       struct sr_recall_outcome *ret_outcome);

#endif
