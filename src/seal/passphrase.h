/* Keys from what people remember: scrypt (RFC 7914), at CRYPTO's cost for a root key. Thread-safe. */
#ifndef SR_SEAL_PASSPHRASE_H
#define SR_SEAL_PASSPHRASE_H

#include "seal/secret.h"

enum { SR_PASSPHRASE_SALT_LEN = 32, SR_PASSPHRASE_LOG_N = 17, SR_PASSPHRASE_LOG_N_MOST = 22 };

/* A key of SR_KEY_LEN bytes by scrypt with N = 2^log_n, r = 8, p = 1; takes 128 KiB << (log_n - 7) of memory for as
 * long as it runs. SR_INVALID for a cost below 2^10 or beyond the most. */
SR_MUST struct sr_result sr_passphrase_key(const struct sr_secret *passphrase,
                                           const uint8_t salt[static SR_PASSPHRASE_SALT_LEN], unsigned log_n,
                                           struct sr_secret **ret_key);

#endif
