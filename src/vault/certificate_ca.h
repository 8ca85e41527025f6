/* The issuing CA of a vault: what signs the certificates of the issuer "Strongroom". It is another than the internal CA
 * that our services trust one another by, and each vault has its own: a customer's certificate opens no door inside. */
#ifndef SR_VAULT_CERTIFICATE_CA_H
#define SR_VAULT_CERTIFICATE_CA_H

#include "seal/certificate.h"
#include "vault/state.h"

/* Opens the vault's issuing CA, or makes it (for ten years) where there is none. The caller frees. */
SR_MUST struct sr_result sr_certificate_ca_open(struct sr_vault_state *state, const char *vault,
                                                struct sr_certificate **ret_ca);

/* Opens one as it is kept and lets it go, for verification. */
SR_MUST struct sr_result sr_certificate_ca_check(struct sr_vault_state *state, const char *vault,
                                                 struct sr_bytes sealed);

#endif
