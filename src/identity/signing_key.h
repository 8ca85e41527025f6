/*
 * One key that signs tokens: RSA-2048, RS256, named by its JWK thumbprint (RFC 7638). Counted references; immutable
 * after making, so threads may share it.
 */
#ifndef SR_IDENTITY_SIGNING_KEY_H
#define SR_IDENTITY_SIGNING_KEY_H

#include "seal/keypair.h"

enum { SR_KID_LEN = 44 };

struct sr_signing_key;

/* A new key; takes about 0.1 s unless a pool of keypairs has one. */
SR_MUST struct sr_result sr_signing_key_make(struct sr_signing_key **ret_key);
/* The private half at rest, tied to the key's id. */
SR_MUST struct sr_result sr_signing_key_seal(const struct sr_signing_key *key, struct sr_aead *aead,
                                             struct sr_buf *sealed);
/* SR_CORRUPT if it does not open, or is not the private half of the key that `kid` names. */
SR_MUST struct sr_result sr_signing_key_open(struct sr_aead *aead, struct sr_bytes kid, struct sr_bytes sealed,
                                             struct sr_signing_key **ret_key);

struct sr_signing_key *sr_signing_key_share(struct sr_signing_key *key);
/* Ends one reference; the last wipes. NULL is allowed. */
void sr_signing_key_done(struct sr_signing_key *key);
void sr_signing_key_cleanup(struct sr_signing_key **key);

const char *sr_signing_key_id(const struct sr_signing_key *key);
/* The public numbers as a JWK has them; borrowed. */
struct sr_bytes sr_signing_key_n(const struct sr_signing_key *key);
struct sr_bytes sr_signing_key_e(const struct sr_signing_key *key);
/* Appends the RS256 signature (RFC 7518 3.3) of the bytes. */
SR_MUST struct sr_result sr_signing_key_sign(const struct sr_signing_key *key, struct sr_bytes bytes,
                                             struct sr_buf *signature);

#endif
