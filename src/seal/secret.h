/*
 * Secret memory: key bytes live only here. Slots are cut from memfd_secret(2) pages where the
 * kernel has it, else from mlock'ed pages between guard pages; both are out of core dumps and
 * wiped in forked children. A process that cannot protect its secrets does not start.
 * Only src/seal sees the bytes (seal/secret_bytes.h, private to the room). Thread-safe.
 */
#ifndef SR_SEAL_SECRET_H
#define SR_SEAL_SECRET_H

#include "base/bytes.h"

struct sr_secret; /* opaque; wiped as it is freed */

enum { SR_KEY_LEN = 32, SR_SECRET_MAX = 8192 };

/*
 * Once per process, before any other call of this room: prepares secret memory, makes OpenSSL's
 * and SQLite's allocators wipe what they free, and checks the ciphers against known answers.
 * SR_NO_MEMORY where memory cannot be locked (says which limit to raise).
 */
SR_MUST struct sr_result sr_seal_init(void);

/* `len` random bytes (at most SR_SECRET_MAX) from OpenSSL's private generator. The caller frees. */
SR_MUST struct sr_result sr_secret_random(size_t len, struct sr_secret **ret_secret);
/* Copies bytes that came from outside (a key file, a client secret) into secret memory; the caller wipes its copy. */
SR_MUST struct sr_result sr_secret_from_bytes(struct sr_bytes bytes, struct sr_secret **ret_secret);
/* A second owner's copy. */
SR_MUST struct sr_result sr_secret_copy(const struct sr_secret *secret, struct sr_secret **ret_secret);
size_t sr_secret_len(const struct sr_secret *secret);
/* Wipes and frees; NULL is allowed. */
void sr_secret_free(struct sr_secret *secret);
void sr_secret_cleanup(struct sr_secret **secret);
/* Equality in constant time. */
bool sr_secret_equal(const struct sr_secret *a, const struct sr_secret *b);
/* Equality in constant time of bytes outside secret memory (MACs, hashes of secrets); lengths are public. */
bool sr_equal_ct(struct sr_bytes a, struct sr_bytes b);
/* Overwrites bytes so that the compiler cannot leave it out. */
void sr_wipe(void *bytes, size_t len);

#endif
