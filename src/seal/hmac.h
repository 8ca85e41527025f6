/* HMAC-SHA-256 over bytes in parts, under keys that are not secret objects; private to the room. */
#ifndef SR_SEAL_HMAC_H
#define SR_SEAL_HMAC_H

#include "seal/crypto.h"

/* The MAC of `a` followed by `b`. */
SR_MUST struct sr_result sr_hmac_two(struct sr_bytes key, struct sr_bytes a, struct sr_bytes b,
                                     uint8_t ret_mac[static SR_SHA256_LEN]);

#endif
