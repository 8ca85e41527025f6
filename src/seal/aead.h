/*
 * XAES-256-GCM for sealed forms whose layout is fixed (pages, frames): nonce, ciphertext and tag each
 * at a place of the caller's, without allocation. Private to the room; the public face is in seal/crypto.h.
 */
#ifndef SR_SEAL_AEAD_H
#define SR_SEAL_AEAD_H

#include "seal/crypto.h"

/* Seals under a fresh random nonce; `ciphertext` gets plaintext.len bytes and may be where the plaintext is. */
SR_MUST struct sr_result sr_aead_seal_at(struct sr_aead *aead, struct sr_bytes aad, struct sr_bytes plaintext,
                                         uint8_t *ciphertext, uint8_t ret_nonce[static SR_AEAD_NONCE_LEN],
                                         uint8_t ret_tag[static SR_AEAD_TAG_LEN]);
/* Opens into `plaintext` (may be where the ciphertext is). SR_CORRUPT: it does not open, and all written is wiped. */
SR_MUST struct sr_result sr_aead_open_at(struct sr_aead *aead, struct sr_bytes aad,
                                         const uint8_t nonce[static SR_AEAD_NONCE_LEN], struct sr_bytes ciphertext,
                                         const uint8_t tag[static SR_AEAD_TAG_LEN], uint8_t *plaintext);
/* Seals under a given nonce: for known answers alone, since a nonce used twice gives the plaintexts away. */
SR_MUST struct sr_result sr_aead_seal_known(struct sr_aead *aead, const uint8_t nonce[static SR_AEAD_NONCE_LEN],
                                            struct sr_bytes aad, struct sr_bytes plaintext, uint8_t *ciphertext,
                                            uint8_t ret_tag[static SR_AEAD_TAG_LEN]);

#endif
