/* The keys of an outside issuer (RFC 7517): which of them signed a token. Pure. */
#ifndef SR_IDENTITY_JWKS_H
#define SR_IDENTITY_JWKS_H

#include "base/arena.h"
#include "seal/keypair.h"

#include <jansson.h>

enum { SR_JWKS_TEXT_MAX = 65536, SR_JWKS_KEYS_MAX = 64 };

/* Reads a JWKS and counts the keys that can check RS256, PS256 or ES256; keys of other kinds are passed over.
 * SR_INVALID: no JWKS, one of those keys is malformed, or there is none. */
SR_MUST struct sr_result sr_jwks_check(struct sr_arena *arena, struct sr_bytes text, size_t *ret_count);
/* The public key that `kid` names and that can do `alg`; without a kid ("") the only one that can. SR_NOT_FOUND. The
 * caller frees. */
SR_MUST struct sr_result sr_jwks_find(struct sr_arena *arena, struct sr_bytes text, const char *kid, enum sr_alg alg,
                                      struct sr_keypair **ret_keypair);

#endif
