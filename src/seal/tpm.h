/*
 * A key as a sealed object of a TPM 2.0 (TCG TPM 2.0 Library; tpm2-tss's ESAPI): its bytes leave the TPM only through a
 * session that encrypts them, and only for who knows the PIN and while the platform's registers are what they were.
 * Works on swtpm as on a chip. Where the program was built without tpm2-tss each call is SR_UNAVAILABLE. Thread-safe.
 */
#ifndef SR_SEAL_TPM_H
#define SR_SEAL_TPM_H

#include "seal/secret.h"

enum { SR_TPM_OBJECT_MAX = 4096 };

/* Once per process, while it has one thread (sr_seal_init calls it): keeps tpm2-tss from writing to standard error. */
void sr_tpm_prepare(void);

/*
 * Seals a secret of at most 128 bytes under the TPM's storage key in the owner hierarchy, and appends the object.
 * `tcti` says how the TPM is reached ("device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321"); `pcrs` ("sha256:0,2,7")
 * names the registers that must be as they are now whenever it is opened, NULL or "" none; `pin` may be NULL.
 * SR_UNAVAILABLE: no TPM is reached; SR_INVALID: `pcrs` names no registers.
 */
SR_MUST struct sr_result sr_tpm_seal(const char *tcti, const char *pcrs, const struct sr_secret *pin,
                                     const struct sr_secret *secret, struct sr_buf *object);
/* Opens it. SR_WRONG_KEY: the PIN is wrong; SR_DENIED: the registers have changed, or the TPM is locked out;
 * SR_CORRUPT: no object, or one of another TPM. */
SR_MUST struct sr_result sr_tpm_unseal(const char *tcti, struct sr_bytes object, const struct sr_secret *pin,
                                       struct sr_secret **ret_secret);
/* True if it opens with a PIN only; false for what is no object. */
bool sr_tpm_needs_pin(struct sr_bytes object);
/* Appends " bound to sha256:0,2,7, with a PIN", as far as it holds. */
void sr_tpm_describe(struct sr_bytes object, struct sr_buf *text);

#endif
