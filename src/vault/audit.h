/* The vault's audit log: the chain of the room audit, in vault.db. */
#ifndef SR_VAULT_AUDIT_H
#define SR_VAULT_AUDIT_H

#include "audit/chain.h"

#endif
