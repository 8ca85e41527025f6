/* AES key wrap with and without padding (RFC 3394, RFC 5649) of bytes of any length; private to the room. */
#ifndef SR_SEAL_WRAP_H
#define SR_SEAL_WRAP_H

#include "seal/context.h"
#include "seal/crypto.h"

/* Room that a wrapping of `len` bytes takes at most. */
static inline size_t sr_aes_wrap_room(size_t len)
{
	return len + 7 + 8;
}
/* Wraps into `to`. `cipher` is one of the KW, KWP kinds and says the key's length. SR_INVALID: a length that cannot be
 * wrapped. */
SR_MUST struct sr_result sr_aes_wrap(enum sr_cipher cipher, const uint8_t *key, struct sr_bytes plaintext, uint8_t *to,
                                     size_t *ret_len);
/* Unwraps into `to`, which has room for the wrapped length; false (and wiped) if it does not open. */
SR_MUST struct sr_result sr_aes_unwrap(enum sr_cipher cipher, const uint8_t *key, struct sr_bytes wrapped, uint8_t *to,
                                       size_t *ret_len, bool *ret_opens);

#endif
