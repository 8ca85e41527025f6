/* Renewing the TLS certificates of our services: the vault's own by the vault, the others' by asking their services to
 * ask for new ones. Connections that are open go on with what they have; those to come get the new certificate. */
#ifndef SR_VAULT_OWN_CERTIFICATE_H
#define SR_VAULT_OWN_CERTIFICATE_H

#include "vault/certificate_store.h"
#include "vault/service.h"

/* The same for any service by its name; waits (at most ten seconds) until the CA has signed. *ret_certificate is what
 * the system vault shows then, in the arena. SR_NOT_FOUND: no service of this name has a certificate; SR_TIMEOUT: it
 * does not ask. */
SR_MUST struct sr_result sr_service_certificate_renew(struct sr_vault *vault, struct sr_arena *arena,
                                                      const char *service,
                                                      struct sr_certificate_record *ret_certificate);

#endif
