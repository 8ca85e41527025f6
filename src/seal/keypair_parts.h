/*
 * What a keypair is made of, and the operations of each type of key; private to the room. The
 * public face is seal/keypair.h, which dispatches by the table of algorithms here.
 */
#ifndef SR_SEAL_KEYPAIR_PARTS_H
#define SR_SEAL_KEYPAIR_PARTS_H

#include "seal/context.h"
#include "seal/keypair.h"

struct sr_keypair_backend;
struct sr_hsm_object; /* seal/pkcs11_parts.h */

struct sr_keypair {
	struct sr_key_spec spec;
	bool is_private;
	const struct sr_keypair_backend *backend;
	EVP_PKEY *pkey;               /* RSA, EC; of a token's key the public part */
	struct sr_secret *oct;        /* oct in software */
	struct sr_hsm_object *object; /* a token's key */
	struct sr_key_public public_parts;
};

/* How an algorithm works, and thereby what it is for. */
enum sr_alg_kind {
	SR_ALG_KIND_RSA_PKCS1,
	SR_ALG_KIND_RSA_OAEP,
	SR_ALG_KIND_KW,
	SR_ALG_KIND_GCM,
	SR_ALG_KIND_CBC,
	SR_ALG_KIND_CBC_PADDED,
	SR_ALG_KIND_SIGN_PKCS1,
	SR_ALG_KIND_SIGN_PSS,
	SR_ALG_KIND_SIGN_EC,
};

struct sr_alg_traits {
	const char *name;
	enum sr_alg_kind kind;
	unsigned bits;             /* of the oct key that it needs */
	enum sr_curve curve;       /* of the EC key that it needs */
	const EVP_MD *(*md)(void); /* of the signature or OAEP; NULL: none */
	unsigned digest_len;       /* what is signed; 0: anything that fits */
	enum sr_cipher cipher;     /* of oct algorithms */
};
/*
 * What is done with the private part, in software (keypair_software.c) or in the token (pkcs11_keypair.c). The caller
 * has checked that the algorithm fits the key. Public operations of RSA and EC are OpenSSL's for both.
 */
struct sr_keypair_backend {
	/* Into `to`, which has the modulus's length; false if it does not open. */
	struct sr_result (*rsa_decrypt)(const struct sr_keypair *keypair, const struct sr_alg_traits *alg,
	                                struct sr_bytes ciphertext, uint8_t *to, size_t *ret_len, bool *ret_opens);
	struct sr_result (*sign)(const struct sr_keypair *keypair, const struct sr_alg_traits *alg, struct sr_bytes digest,
	                         struct sr_buf *signature);
	struct sr_result (*oct_encrypt)(const struct sr_keypair *keypair, const struct sr_alg_traits *alg,
	                                struct sr_bytes plaintext, const struct sr_cipher_parts *parts,
	                                struct sr_buf *ciphertext, struct sr_buf *ret_iv, struct sr_buf *ret_tag);
	struct sr_result (*oct_decrypt)(const struct sr_keypair *keypair, const struct sr_alg_traits *alg,
	                                struct sr_bytes ciphertext, const struct sr_cipher_parts *parts,
	                                struct sr_buf *plaintext);
	/* AES-KWP (RFC 5649); `to` has sr_aes_wrap_room, or the wrapped length. */
	struct sr_result (*oct_wrap)(const struct sr_keypair *keypair, struct sr_bytes plaintext, uint8_t *to,
	                             size_t *ret_len);
	struct sr_result (*oct_unwrap)(const struct sr_keypair *keypair, struct sr_bytes wrapped, uint8_t *to,
	                               size_t *ret_len, bool *ret_opens);
	/* The form at rest, before sealing (keypair_form.h). */
	struct sr_result (*form)(const struct sr_keypair *keypair, struct sr_secret **ret_form);
};
extern const struct sr_keypair_backend sr_keypair_software;

/* True for a type, size or curve that there is. */
bool sr_key_spec_exists(const struct sr_key_spec *spec);
/* A keypair of an OpenSSL key, or of an oct key's bytes; both are taken over in any case. */
SR_MUST struct sr_result sr_keypair_of_pkey(const struct sr_key_spec *spec, EVP_PKEY *pkey, bool is_private,
                                            struct sr_keypair **ret_keypair);
SR_MUST struct sr_result sr_keypair_of_oct(struct sr_secret *oct, struct sr_keypair **ret_keypair);

/* An algorithm's line of the table. */
const struct sr_alg_traits *sr_alg_traits(enum sr_alg alg);

/* Names of curves as OpenSSL knows them, and the length of a coordinate; NULL and 0 for none. */
const char *sr_curve_group(enum sr_curve curve);
size_t sr_curve_field_len(enum sr_curve curve);

/* RSA (RFC 8017). Sizes are checked by the caller. */
SR_MUST struct sr_result sr_rsa_generate(unsigned bits, EVP_PKEY **ret_key);
SR_MUST struct sr_result sr_rsa_from_public(const struct sr_key_public *parts, EVP_PKEY **ret_key);
SR_MUST struct sr_result sr_rsa_import(const struct sr_key_private *parts, EVP_PKEY **ret_key);
SR_MUST struct sr_result sr_rsa_public(EVP_PKEY *key, struct sr_key_public *ret_public);
SR_MUST struct sr_result sr_rsa_encrypt(EVP_PKEY *key, const struct sr_alg_traits *alg, struct sr_bytes plaintext,
                                        struct sr_buf *ciphertext);
/* Decrypts into `to`, which has the modulus's length; false if it does not open. */
SR_MUST struct sr_result sr_rsa_decrypt(EVP_PKEY *key, const struct sr_alg_traits *alg, struct sr_bytes ciphertext,
                                        uint8_t *to, size_t *ret_len, bool *ret_opens);
/* The same for a block on which the private operation was done elsewhere: takes the padding off, in constant time. */
SR_MUST struct sr_result sr_rsa_unpad(const struct sr_alg_traits *alg, struct sr_bytes block, uint8_t *to,
                                      size_t *ret_len, bool *ret_opens);
SR_MUST struct sr_result sr_rsa_sign(EVP_PKEY *key, const struct sr_alg_traits *alg, struct sr_bytes digest,
                                     struct sr_buf *signature);
SR_MUST struct sr_result sr_rsa_verify(EVP_PKEY *key, const struct sr_alg_traits *alg, struct sr_bytes digest,
                                       struct sr_bytes signature, bool *ret_valid);

/* EC (ECDSA, FIPS 186-4; signatures as r ‖ s). */
SR_MUST struct sr_result sr_ec_generate(enum sr_curve curve, EVP_PKEY **ret_key);
SR_MUST struct sr_result sr_ec_from_public(const struct sr_key_public *parts, EVP_PKEY **ret_key);
SR_MUST struct sr_result sr_ec_import(const struct sr_key_private *parts, EVP_PKEY **ret_key);
SR_MUST struct sr_result sr_ec_public(EVP_PKEY *key, enum sr_curve curve, struct sr_key_public *ret_public);
SR_MUST struct sr_result sr_ec_sign(EVP_PKEY *key, enum sr_curve curve, struct sr_bytes digest,
                                    struct sr_buf *signature);
SR_MUST struct sr_result sr_ec_verify(EVP_PKEY *key, enum sr_curve curve, struct sr_bytes digest,
                                      struct sr_bytes signature, bool *ret_valid);

/* oct: AES-KW, AES-GCM, AES-CBC. */
SR_MUST struct sr_result sr_oct_encrypt(const struct sr_secret *key, const struct sr_alg_traits *alg,
                                        struct sr_bytes plaintext, const struct sr_cipher_parts *parts,
                                        struct sr_buf *ciphertext, struct sr_buf *ret_iv, struct sr_buf *ret_tag);
/* SR_INVALID if it does not open. */
SR_MUST struct sr_result sr_oct_decrypt(const struct sr_secret *key, const struct sr_alg_traits *alg,
                                        struct sr_bytes ciphertext, const struct sr_cipher_parts *parts,
                                        struct sr_buf *plaintext);

/* A key of this spec that the pool has ready, or NULL. */
EVP_PKEY *sr_keypair_pool_take(const struct sr_key_spec *spec);
/* A private key that came from outside as one object, taken over in any case. SR_INVALID: of no kind that the vault
 * has, or its numbers do not belong together. */
SR_MUST struct sr_result sr_keypair_adopt(EVP_PKEY *pkey, struct sr_keypair **ret_keypair);
/* The one answer for what does not decrypt, whatever the cause. */
SR_MUST struct sr_result sr_fail_decrypt(void);

#endif
