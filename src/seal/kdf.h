/* HKDF-SHA-256 with the caller's own `info`; private to the room. Named derivations are sr_derive (seal/crypto.h). */
#ifndef SR_SEAL_KDF_H
#define SR_SEAL_KDF_H

#include "seal/crypto.h"

/* `len` (at most 255 · 32) bytes of HKDF-SHA-256 (RFC 5869). */
SR_MUST struct sr_result sr_hkdf_sha256(struct sr_bytes key, struct sr_bytes salt, struct sr_bytes info, size_t len,
                                        struct sr_secret **ret_key);

#endif
