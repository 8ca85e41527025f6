/* What the command line asks over the Unix socket, under /_strongroom: status, wrapped KEKs, audit, verification, new
 * vaults, the CA. Reached by nobody else. */
#ifndef SR_VAULT_ADMIN_API_H
#define SR_VAULT_ADMIN_API_H

#include "vault/service.h"

/* True for a request under /_strongroom that came over the Unix socket. */
bool sr_vault_admin_is_for(struct sr_exchange *exchange);
SR_MUST struct sr_result sr_vault_admin_handle(struct sr_exchange *exchange, struct sr_vault *vault);

/* POST /_strongroom/verify: streams its progress (admin_verify.c). */
SR_MUST struct sr_result sr_vault_admin_verify(struct sr_exchange *exchange, struct sr_vault *vault);

#endif
