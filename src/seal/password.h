/*
 * Passwords of people as they are kept: scrypt (RFC 7914) with a salt, so that guessing from a stolen copy is slow.
 * Generated secrets take sr_secret_hash (seal/crypto.h). Thread-safe.
 */
#ifndef SR_SEAL_PASSWORD_H
#define SR_SEAL_PASSWORD_H

#include "base/bytes.h"

/* version ‖ log2 N ‖ r ‖ p ‖ salt ‖ hash */
enum { SR_PASSWORD_SALT_LEN = 16, SR_PASSWORD_HASH_LEN = 4 + SR_PASSWORD_SALT_LEN + 32 };

/* Takes about 0.2 s and 32 MiB. */
SR_MUST struct sr_result sr_password_hash(struct sr_bytes password, uint8_t ret_hash[static SR_PASSWORD_HASH_LEN]);
/* *ret_matches tells whether it is the password that was hashed; constant time but for the cost that the hash names.
 * SR_CORRUPT for a hash of another form. */
SR_MUST struct sr_result sr_password_matches(struct sr_bytes password, const uint8_t hash[static SR_PASSWORD_HASH_LEN],
                                             bool *ret_matches);
/* A hash that no password has, of the same cost: for names of nobody, so that they take as long. */
void sr_password_unmatchable(uint8_t ret_hash[static SR_PASSWORD_HASH_LEN]);

#endif
