/*
 * Symmetric primitives, all through OpenSSL's EVP with contexts reused per thread:
 * HKDF-SHA-256 (RFC 5869), AES-256-KWP (RFC 5649, SP 800-38F), XAES-256-GCM (C2SP), HMAC, digests.
 * Functions are thread-safe; objects belong to one thread unless said otherwise.
 */
#ifndef SR_SEAL_CRYPTO_H
#define SR_SEAL_CRYPTO_H

#include "base/bytes.h"
#include "base/text.h"
#include "seal/secret.h"

enum {
	SR_SHA256_LEN = 32,
	SR_MD5_LEN = 16,
	SR_CRC64_LEN = 8,
	SR_WRAPPED_KEY_LEN = SR_KEY_LEN + 8, /* a 32-byte key under AES-KWP */
	SR_AEAD_NONCE_LEN = 24,
	SR_AEAD_TAG_LEN = 16,
	SR_AEAD_OVERHEAD = SR_AEAD_NONCE_LEN + SR_AEAD_TAG_LEN
};

/* HKDF with info = "strongroom/v1/" + purpose; `ret_key` has `len` bytes. */
SR_MUST struct sr_result sr_derive(const struct sr_secret *from, struct sr_bytes salt, const char *purpose, size_t len,
                                   struct sr_secret **ret_key);

/* HMAC-SHA-256(key, "strongroom/v1/commit" + identity): ties a ciphertext to one key. */
SR_MUST struct sr_result sr_key_commitment(const struct sr_secret *key, struct sr_bytes identity,
                                           uint8_t ret_commitment[static SR_SHA256_LEN]);

/* AES-256-KWP of a 32-byte key under a 32-byte key. Unwrapping under another key is SR_WRONG_KEY. */
SR_MUST struct sr_result sr_key_wrap(const struct sr_secret *kek, const struct sr_secret *key,
                                     uint8_t ret_wrapped[static SR_WRAPPED_KEY_LEN]);
SR_MUST struct sr_result sr_key_unwrap(const struct sr_secret *kek, struct sr_bytes wrapped,
                                       struct sr_secret **ret_key);

/*
 * XAES-256-GCM under a long-lived 32-byte key, for anything sealed with random 192-bit nonces.
 * Holds a key schedule, so it is a secret: free it at revocation. May be used by many threads at once.
 */
struct sr_aead;
SR_MUST struct sr_result sr_aead_new(const struct sr_secret *key, struct sr_aead **ret_aead);
void sr_aead_free(struct sr_aead *aead);
void sr_aead_cleanup(struct sr_aead **aead);
/* Appends nonce ‖ ciphertext ‖ tag (SR_AEAD_OVERHEAD more than the plaintext). */
SR_MUST struct sr_result sr_aead_seal(struct sr_aead *aead, struct sr_bytes aad, struct sr_bytes plaintext,
                                      struct sr_buf *sealed);
/* Appends the plaintext, or nothing: SR_CORRUPT if it does not open under this key and AAD. */
SR_MUST struct sr_result sr_aead_open(struct sr_aead *aead, struct sr_bytes aad, struct sr_bytes sealed,
                                      struct sr_buf *plaintext);
/* The same for secrets. */
SR_MUST struct sr_result sr_aead_seal_secret(struct sr_aead *aead, struct sr_bytes aad, const struct sr_secret *secret,
                                             struct sr_buf *sealed);
SR_MUST struct sr_result sr_aead_open_secret(struct sr_aead *aead, struct sr_bytes aad, struct sr_bytes sealed,
                                             struct sr_secret **ret_secret);

/* Running digests of public or customer's bytes (Content-MD5, CRC64, SHA-256). */
enum sr_digest_kind {
	SR_DIGEST_SHA256,
	SR_DIGEST_MD5,
	SR_DIGEST_CRC64,
	SR_DIGEST_SHA384,
	SR_DIGEST_SHA512,
	SR_DIGEST_SHA1
};
enum { SR_DIGEST_MAX = 64 };
struct sr_digest;
SR_MUST struct sr_result sr_digest_new(enum sr_digest_kind kind, struct sr_digest **ret_digest);
void sr_digest_update(struct sr_digest *digest, struct sr_bytes bytes);
/* Ends the digest: `ret` gets the kind's length (CRC64: Azure Storage's, the 8 bytes little-endian as the service sends
 * them). */
size_t sr_digest_finish(struct sr_digest *digest, uint8_t ret[static SR_DIGEST_MAX]);
void sr_digest_free(struct sr_digest *digest);
void sr_digest_cleanup(struct sr_digest **digest);
/* In one go; gives the digest's length. */
size_t sr_digest_of(enum sr_digest_kind kind, struct sr_bytes bytes, uint8_t ret[static SR_DIGEST_MAX]);

/* HMAC-SHA-256 under a secret (a storage account's shared key, an audit key). */
SR_MUST struct sr_result sr_hmac_sha256(const struct sr_secret *key, struct sr_bytes bytes,
                                        uint8_t ret_mac[static SR_SHA256_LEN]);

/*
 * A client secret as it is kept: salt ‖ HMAC-SHA-256. For generated secrets of at least 128 bits
 * of entropy only (guessing them is hopeless, so no slow hash is needed); people's passwords take sr_password_*.
 */
enum { SR_SECRET_HASH_LEN = 16 + SR_SHA256_LEN };
SR_MUST struct sr_result sr_secret_hash(struct sr_bytes presented, uint8_t ret_hash[static SR_SECRET_HASH_LEN]);
/* True if `presented` is the secret that was hashed; constant time. */
bool sr_secret_hash_matches(struct sr_bytes presented, const uint8_t hash[static SR_SECRET_HASH_LEN]);
/* `entropy_len` random bytes as base64url text, for a person or client to keep: shown once. */
SR_MUST struct sr_result sr_secret_text_new(size_t entropy_len, struct sr_buf *text);

#endif
