/*
 * AES-GCM with nonces that the caller makes unique (a counter, or XAES's derived keys): private
 * to the room. The contexts come from seal/context.h; their key length is that of their cipher.
 */
#ifndef SR_SEAL_GCM_H
#define SR_SEAL_GCM_H

#include "base/bytes.h"

#include <openssl/evp.h>

enum { SR_GCM_NONCE_LEN = 12, SR_GCM_TAG_LEN = 16 };

/* Sets the key of a GCM context. */
SR_MUST struct sr_result sr_gcm_set_key(EVP_CIPHER_CTX *context, const uint8_t *key);
/* Seals: `ciphertext` gets plaintext.len bytes and may be where the plaintext is. */
SR_MUST struct sr_result sr_gcm_seal(EVP_CIPHER_CTX *context, const uint8_t nonce[static SR_GCM_NONCE_LEN],
                                     struct sr_bytes aad, struct sr_bytes plaintext, uint8_t *ciphertext,
                                     uint8_t ret_tag[static SR_GCM_TAG_LEN]);
/* Opens into `plaintext` (which may be where the ciphertext is), or wipes all that was written there and gives false.
 */
SR_MUST bool sr_gcm_open(EVP_CIPHER_CTX *context, const uint8_t nonce[static SR_GCM_NONCE_LEN], struct sr_bytes aad,
                         struct sr_bytes ciphertext, const uint8_t tag[static SR_GCM_TAG_LEN], uint8_t *plaintext);

#endif
