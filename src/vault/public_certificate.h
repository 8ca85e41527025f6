/*
 * The certificate that all services show to their clients, where the setting public-certificate names one of a vault:
 * given to each service as it asks for its own, its private key sealed to that service alone, and again whenever it has
 * a new version. Between services the internal CA's certificates stay in use.
 */
#ifndef SR_VAULT_PUBLIC_CERTIFICATE_H
#define SR_VAULT_PUBLIC_CERTIFICATE_H

#include "vault/service.h"

/* For sr_host_set_gift, with the vault as its context. Appends nothing where no certificate is named or the one that is
 * named cannot be shown now (missing, disabled, outside its dates, its key not exportable). */
SR_MUST struct sr_result sr_public_certificate_give(void *vault, const uint8_t receiver[static SR_HANDOVER_PUBLIC_LEN],
                                                    struct sr_buf *parcel);
/* The chore: once the named certificate has another current version, the vault shows it and has the other services ask
 * for it. Each change is audited. */
SR_MUST struct sr_result sr_show_public_certificate(struct sr_vault *vault, int64_t now);

#endif
