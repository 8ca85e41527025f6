/*
 * The vault "strongroom": the certificates that our own services show, and the internal CA's, as anyone who may read
 * certificates finds them. Each signature of the CA is a version; private keys stay with their services, in memory. No
 * client writes to this vault.
 */
#ifndef SR_VAULT_SYSTEM_VAULT_H
#define SR_VAULT_SYSTEM_VAULT_H

#include "seal/certificate.h"
#include "vault/state.h"

#define SR_SYSTEM_VAULT "strongroom"
#define SR_SYSTEM_CA    "ca" /* the certificate of the internal CA in it */

/* True for the vault's name, in whatever letters. */
bool sr_is_system_vault(const char *name);
/* May a call of this HTTP method be done in this vault? SR_DENIED "ForbiddenInSystemVault" for all but GET there. */
SR_MUST struct sr_result sr_system_vault_check(const char *vault, const char *method);
/* Makes the vault where there is none; for sr_database_write. */
SR_MUST struct sr_result sr_system_vault_make(struct sr_connection *connection, void *context);

/* Records what the CA signed for a service: a new version and its audit entry, in one durable step. The hundred newest
 * versions of each are kept. */
SR_MUST struct sr_result sr_system_certificate_signed(struct sr_vault_state *state, const char *service,
                                                      struct sr_bytes der, struct sr_bytes ca_der);
/* Shows the CA's certificate; nothing where it is shown already. */
SR_MUST struct sr_result sr_system_certificate_show_ca(struct sr_vault_state *state, struct sr_bytes ca_der);

#endif
