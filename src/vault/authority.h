/* The internal CA: made at the vault's first start, sealed in its database; signs the certificates of our services. */
#ifndef SR_VAULT_AUTHORITY_H
#define SR_VAULT_AUTHORITY_H

#include "seal/certificate.h"
#include "vault/state.h"

struct sr_authority;

/* Opens the CA, or makes it where there is none. Borrows `state`, `dns_names` and `addresses` (each ended by NULL):
 * what certificates for servers bear. */
SR_MUST struct sr_result sr_authority_open(struct sr_vault_state *state, const char *const *dns_names,
                                           const char *const *addresses, struct sr_authority **ret_authority);
void sr_authority_free(struct sr_authority *authority);
/* Opens the CA's record and lets it go, for verification: SR_NOT_FOUND where there is none. */
SR_MUST struct sr_result sr_authority_check(struct sr_vault_state *state);
/* The CA's certificate; borrowed. */
struct sr_certificate *sr_authority_certificate(const struct sr_authority *authority);

/* Signs a service's request for 90 days (appends DER); for sr_host_enrol_as_authority, with the authority as its
 * context. Audited. */
SR_MUST struct sr_result sr_authority_sign(void *authority, const char *service, struct sr_bytes request_der,
                                           struct sr_buf *certificate_der);
/* A certificate with a new key for this process itself. The caller frees. */
SR_MUST struct sr_result sr_authority_issue(struct sr_authority *authority, const char *service,
                                            struct sr_certificate **ret_certificate);

#endif
