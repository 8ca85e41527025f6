/*
 * The bytes of secrets, for src/seal alone: no other room includes this. Bytes obtained here are
 * borrowed from the secret and must not be copied to memory that outlives the call unless that memory is wiped.
 */
#ifndef SR_SEAL_SECRET_BYTES_H
#define SR_SEAL_SECRET_BYTES_H

#include "seal/secret.h"

/* The bytes of a secret; valid until it is freed. */
struct sr_bytes sr_secret_bytes(const struct sr_secret *secret);
/* A new secret of `len` zero bytes, to be filled through sr_secret_fill. SR_TOO_LARGE past SR_SECRET_MAX. */
SR_MUST struct sr_result sr_secret_new(size_t len, struct sr_secret **ret_secret);
/* Where to write a new secret's bytes; only its maker does so, before it hands the secret on. */
uint8_t *sr_secret_fill(struct sr_secret *secret);
/* Makes a new secret shorter, where its length is known only after it was written; wipes what is cut off. */
void sr_secret_shorten(struct sr_secret *secret, size_t len);

#endif
