/*
 * Key Vault's keys: RSA, EC and oct, their operations and their sealed form at rest.
 * A key never leaves in clear: it is made here, sealed here, and used here. An object may be
 * used by many threads at once. Keys whose private part is in a PKCS#11 token (made by seal/hsm.h) are used by the
 * same functions; while the token is away, what needs the private part is SR_UNAVAILABLE.
 */
#ifndef SR_SEAL_KEYPAIR_H
#define SR_SEAL_KEYPAIR_H

#include "base/bytes.h"
#include "seal/crypto.h"

enum sr_key_type { SR_KEY_RSA, SR_KEY_EC, SR_KEY_OCT };
enum sr_curve { SR_CURVE_NONE, SR_CURVE_P256, SR_CURVE_P384, SR_CURVE_P521, SR_CURVE_P256K };

struct sr_key_spec {
	enum sr_key_type type;
	unsigned bits;       /* RSA 2048, 3072, 4096; oct 128, 192, 256; EC 0 */
	enum sr_curve curve; /* EC only */
	bool is_in_token;    /* private part in the PKCS#11 token, never outside (seal/hsm.h) */
};

struct sr_keypair; /* opaque; wiped as it is freed */

/* Makes a key in software; RSA's public exponent is 65537. Takes from the pool below where it has one. SR_INVALID for a
 * spec that does not exist. */
SR_MUST struct sr_result sr_keypair_generate(const struct sr_key_spec *spec, struct sr_keypair **ret_keypair);
/*
 * RSA keys take long to find. A background thread keeps `count` keys of this spec ready, made
 * one at a time at low priority, until the stop. For create and rotate in milliseconds.
 */
SR_MUST struct sr_result sr_keypair_pool_start(const struct sr_key_spec *spec, unsigned count);
/* Ends the thread (a key that it is making is finished first) and frees the keys; nothing where no pool was started.
 * Not while another thread starts or stops pools. */
void sr_keypair_pool_stop(void);

void sr_keypair_free(struct sr_keypair *keypair);
void sr_keypair_cleanup(struct sr_keypair **keypair);
struct sr_key_spec sr_keypair_spec(const struct sr_keypair *keypair);

/* The form at rest: sealed under the vault's master key, tied to `aad` (vault, key name, version). Of a token's key it
 * holds where that is and the public part. */
SR_MUST struct sr_result sr_keypair_seal(const struct sr_keypair *keypair, struct sr_aead *master, struct sr_bytes aad,
                                         struct sr_buf *sealed);
SR_MUST struct sr_result sr_keypair_open(struct sr_aead *master, struct sr_bytes aad, struct sr_bytes sealed,
                                         struct sr_keypair **ret_keypair);

/* Public parts as in a JWK (RFC 7518), big-endian, EC coordinates padded to the field's size. Unused ones are empty. */
struct sr_key_public {
	struct sr_key_spec spec;
	uint8_t n[512], e[8], x[66], y[66];
	size_t n_len, e_len, xy_len;
};
void sr_keypair_public(const struct sr_keypair *keypair, struct sr_key_public *ret_public);
/* A public-only key for verifying; SR_INVALID if the numbers make none (RSA under 2048 bits, a point off the curve). */
SR_MUST struct sr_result sr_keypair_from_public(const struct sr_key_public *public_parts,
                                                struct sr_keypair **ret_keypair);

/*
 * Imported private JWK members, big-endian; oct uses only `k`. SR_INVALID if they do not make one consistent key.
 * The caller wipes its copies.
 */
struct sr_key_private {
	struct sr_key_public public_parts;
	struct sr_bytes d, p, q, dp, dq, qi, k;
};
SR_MUST struct sr_result sr_keypair_import(const struct sr_key_private *parts, struct sr_keypair **ret_keypair);

/* Algorithms by their names in Key Vault and JOSE. */
enum sr_alg {
	SR_ALG_RSA1_5,
	SR_ALG_RSA_OAEP,
	SR_ALG_RSA_OAEP_256,
	SR_ALG_A128KW,
	SR_ALG_A192KW,
	SR_ALG_A256KW,
	SR_ALG_A128GCM,
	SR_ALG_A192GCM,
	SR_ALG_A256GCM,
	SR_ALG_A128CBC,
	SR_ALG_A192CBC,
	SR_ALG_A256CBC,
	SR_ALG_A128CBCPAD,
	SR_ALG_A192CBCPAD,
	SR_ALG_A256CBCPAD,
	SR_ALG_RS256,
	SR_ALG_RS384,
	SR_ALG_RS512,
	SR_ALG_PS256,
	SR_ALG_PS384,
	SR_ALG_PS512,
	SR_ALG_RSNULL,
	SR_ALG_ES256,
	SR_ALG_ES384,
	SR_ALG_ES512,
	SR_ALG_ES256K,
	SR_ALG_COUNT
};
/* By name ("RSA-OAEP-256"); SR_INVALID if there is none. */
SR_MUST struct sr_result sr_alg_by_name(struct sr_bytes name, enum sr_alg *ret_alg);
const char *sr_alg_name(enum sr_alg alg);
bool sr_alg_is_signature(enum sr_alg alg);
bool sr_alg_is_encryption(enum sr_alg alg);
bool sr_alg_is_wrapping(enum sr_alg alg);
/* True if a key of this spec can do this algorithm. */
bool sr_alg_fits(enum sr_alg alg, const struct sr_key_spec *spec);

/* Parameters of symmetric encryption; empty where the algorithm has none. On encryption an empty iv is made and
 * returned. */
struct sr_cipher_parts {
	struct sr_bytes iv, aad, tag;
};
/* Encrypts (or wraps) `plaintext`; appends ciphertext; `ret_iv`/`ret_tag` may be NULL where the algorithm has none.
 * SR_INVALID: does not fit the key, or too long. */
SR_MUST struct sr_result sr_keypair_encrypt(const struct sr_keypair *keypair, enum sr_alg alg,
                                            struct sr_bytes plaintext, const struct sr_cipher_parts *parts,
                                            struct sr_buf *ciphertext, struct sr_buf *ret_iv, struct sr_buf *ret_tag);
/* Decrypts (or unwraps); SR_INVALID if it does not open, without saying how it failed (RSA1_5 stays free of oracles as
 * far as the answer goes). */
SR_MUST struct sr_result sr_keypair_decrypt(const struct sr_keypair *keypair, enum sr_alg alg,
                                            struct sr_bytes ciphertext, const struct sr_cipher_parts *parts,
                                            struct sr_buf *plaintext);
/* Signs a digest of the algorithm's length; EC signatures are r ‖ s (IEEE P1363). */
SR_MUST struct sr_result sr_keypair_sign(const struct sr_keypair *keypair, enum sr_alg alg, struct sr_bytes digest,
                                         struct sr_buf *signature);
SR_MUST struct sr_result sr_keypair_verify(const struct sr_keypair *keypair, enum sr_alg alg, struct sr_bytes digest,
                                           struct sr_bytes signature, bool *ret_valid);

/* Wraps an account's KEK (a secret) under a vault key and opens it again; alg is RSA-OAEP-256 or, for oct, AES-KWP
 * (named by SR_ALG_A256KW). */
SR_MUST struct sr_result sr_keypair_wrap_secret(const struct sr_keypair *keypair, const struct sr_secret *secret,
                                                struct sr_buf *wrapped);
SR_MUST struct sr_result sr_keypair_unwrap_secret(const struct sr_keypair *keypair, struct sr_bytes wrapped,
                                                  struct sr_secret **ret_secret);

#endif
