/*
 * Vault keys as objects: made, imported, sealed and opened, and each operation handed to the file of the key's type
 * (keypair_{rsa,ec}.c) or to its back end (keypair_software.c, pkcs11_keypair.c). Algorithms are keypair_alg.c's.
 */
#include "seal/keypair.h"

#include "seal/keypair_form.h"
#include "seal/keypair_parts.h"
#include "seal/openssl_error.h"
#include "seal/pkcs11_parts.h"
#include "seal/secret_bytes.h"
#include "seal/wrap.h"

#include "base/memory.h"

enum { RSA_MODULUS_MAX = 512 };

void sr_keypair_free(struct sr_keypair *keypair)
{
	if (keypair) {
		EVP_PKEY_free(keypair->pkey);
		sr_secret_free(keypair->oct);
		sr_hsm_object_free(keypair->object);
		sr_free(keypair);
	}
}

void sr_keypair_cleanup(struct sr_keypair **keypair)
{
	sr_keypair_free(*keypair);
	*keypair = NULL;
}

struct sr_key_spec sr_keypair_spec(const struct sr_keypair *keypair)
{
	return keypair->spec;
}

void sr_keypair_public(const struct sr_keypair *keypair, struct sr_key_public *ret_public)
{
	*ret_public = keypair->public_parts;
}

bool sr_key_spec_exists(const struct sr_key_spec *spec)
{
	switch (spec->type) {
	case SR_KEY_RSA:
		return spec->bits == 2048 || spec->bits == 3072 || spec->bits == 4096;
	case SR_KEY_EC:
		return spec->curve > SR_CURVE_NONE && spec->curve <= SR_CURVE_P256K;
	case SR_KEY_OCT:
		return spec->bits == 128 || spec->bits == 192 || spec->bits == 256;
	}
	return false;
}

struct sr_result sr_keypair_of_pkey(const struct sr_key_spec *spec, EVP_PKEY *pkey, bool is_private,
                                    struct sr_keypair **ret_keypair)
{
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = sr_alloc(sizeof *keypair);
	keypair->backend = &sr_keypair_software;
	keypair->pkey = pkey;
	keypair->is_private = is_private;
	SR_TRY(spec->type == SR_KEY_RSA ? sr_rsa_public(pkey, &keypair->public_parts)
	                                : sr_ec_public(pkey, spec->curve, &keypair->public_parts));
	keypair->spec = keypair->public_parts.spec;
	*ret_keypair = SR_TAKE(keypair);
	return sr_ok();
}

struct sr_result sr_keypair_of_oct(struct sr_secret *oct, struct sr_keypair **ret_keypair)
{
	struct sr_keypair *keypair = sr_alloc(sizeof *keypair);
	keypair->spec = (struct sr_key_spec){.type = SR_KEY_OCT, .bits = (unsigned)sr_secret_len(oct) * 8};
	keypair->public_parts.spec = keypair->spec;
	keypair->is_private = true;
	keypair->backend = &sr_keypair_software;
	keypair->oct = oct;
	*ret_keypair = keypair;
	return sr_ok();
}

static struct sr_result make_pkey(const struct sr_key_spec *spec, EVP_PKEY **ret_key)
{
	if (spec->type == SR_KEY_EC) {
		return sr_ec_generate(spec->curve, ret_key);
	}
	*ret_key = sr_keypair_pool_take(spec);
	return *ret_key ? sr_ok() : sr_rsa_generate(spec->bits, ret_key);
}

struct sr_result sr_keypair_generate(const struct sr_key_spec *spec, struct sr_keypair **ret_keypair)
{
	if (!sr_key_spec_exists(spec) || spec->is_in_token) {
		return sr_fail(SR_INVALID, "make a key in software: there is no such type, size or curve");
	}
	if (spec->type == SR_KEY_OCT) {
		struct sr_secret *oct;
		SR_TRY(sr_secret_random(spec->bits / 8, &oct));
		return sr_keypair_of_oct(oct, ret_keypair);
	}
	EVP_PKEY *pkey;
	SR_TRY(make_pkey(spec, &pkey));
	return sr_keypair_of_pkey(spec, pkey, true, ret_keypair);
}

struct sr_result sr_keypair_from_public(const struct sr_key_public *public_parts, struct sr_keypair **ret_keypair)
{
	EVP_PKEY *pkey;
	if (public_parts->spec.type == SR_KEY_OCT ||
	    (public_parts->spec.type == SR_KEY_EC && !sr_key_spec_exists(&public_parts->spec))) {
		return sr_fail(SR_INVALID, "make a public key: there is no such type or curve");
	}
	SR_TRY(public_parts->spec.type == SR_KEY_RSA ? sr_rsa_from_public(public_parts, &pkey)
	                                             : sr_ec_from_public(public_parts, &pkey));
	return sr_keypair_of_pkey(&public_parts->spec, pkey, false, ret_keypair);
}

struct sr_result sr_keypair_import(const struct sr_key_private *parts, struct sr_keypair **ret_keypair)
{
	struct sr_key_spec spec = parts->public_parts.spec;
	spec.bits = spec.type == SR_KEY_RSA   ? (unsigned)parts->public_parts.n_len * 8
	            : spec.type == SR_KEY_OCT ? (unsigned)parts->k.len * 8
	                                      : 0;
	if (!sr_key_spec_exists(&spec)) {
		return sr_fail(SR_INVALID, "import a key: there is no such type, size or curve");
	}
	if (spec.type == SR_KEY_OCT) {
		struct sr_secret *oct;
		SR_TRY(sr_secret_from_bytes(parts->k, &oct));
		return sr_keypair_of_oct(oct, ret_keypair);
	}
	EVP_PKEY *pkey;
	SR_TRY(spec.type == SR_KEY_RSA ? sr_rsa_import(parts, &pkey) : sr_ec_import(parts, &pkey));
	return sr_keypair_of_pkey(&spec, pkey, true, ret_keypair);
}

/* The kind of OpenSSL's key. */
static struct sr_result spec_of(EVP_PKEY *pkey, struct sr_key_spec *ret_spec)
{
	char group[64] = "";
	struct sr_key_spec spec = {.type = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC ? SR_KEY_EC : SR_KEY_RSA};
	if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA) {
		spec.bits = (unsigned)EVP_PKEY_get_bits(pkey);
	} else if (spec.type == SR_KEY_EC && EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1) {
		for (enum sr_curve curve = SR_CURVE_P256; curve <= SR_CURVE_P256K; curve++) {
			spec.curve = OBJ_txt2nid(group) == OBJ_txt2nid(sr_curve_group(curve)) ? curve : spec.curve;
		}
	}
	sr_forget_openssl_errors();
	if (!sr_key_spec_exists(&spec)) {
		return sr_fail(SR_INVALID, "the private key is neither RSA of 2048, 3072 or 4096 bits nor EC on P-256, P-384, "
		                           "P-521 or P-256K");
	}
	*ret_spec = spec;
	return sr_ok();
}

static void check_context_cleanup(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

struct sr_result sr_keypair_adopt(EVP_PKEY *pkey, struct sr_keypair **ret_keypair)
{
	struct sr_key_spec spec;
	struct sr_result known = spec_of(pkey, &spec);
	SR_CLEANUP(check_context)
	EVP_PKEY_CTX *context = sr_is_ok(known) ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
	if (sr_is_ok(known) && (!context || EVP_PKEY_check(context) != 1)) {
		known = sr_fail_openssl(SR_INVALID, "check that a private key's numbers belong together");
	}
	if (!sr_is_ok(known)) {
		EVP_PKEY_free(pkey);
		return known;
	}
	return sr_keypair_of_pkey(&spec, pkey, true, ret_keypair);
}

struct sr_result sr_keypair_seal(const struct sr_keypair *keypair, struct sr_aead *master, struct sr_bytes aad,
                                 struct sr_buf *sealed)
{
	SR_CLEANUP(sr_secret) struct sr_secret *form = NULL;
	if (!keypair->is_private) {
		return sr_fail(SR_INVALID, "seal a key that has no private part");
	}
	SR_TRY(keypair->backend->form(keypair, &form));
	return sr_aead_seal_secret(master, aad, form, sealed);
}

struct sr_result sr_keypair_open(struct sr_aead *master, struct sr_bytes aad, struct sr_bytes sealed,
                                 struct sr_keypair **ret_keypair)
{
	SR_CLEANUP(sr_secret) struct sr_secret *form = NULL;
	SR_TRY(sr_aead_open_secret(master, aad, sealed, &form));
	return sr_keypair_from_form(form, ret_keypair);
}

struct sr_result sr_fail_decrypt(void)
{
	return sr_fail(SR_INVALID, "decrypt: it does not open under this key and these parameters");
}

static struct sr_result check_use(const struct sr_keypair *keypair, enum sr_alg alg, bool is_signature,
                                  bool needs_private)
{
	if (!sr_alg_fits(alg, &keypair->spec) || sr_alg_is_signature(alg) != is_signature) {
		return sr_fail(SR_INVALID, "%s is not for this key and operation", sr_alg_name(alg));
	}
	return needs_private && !keypair->is_private ? sr_fail(SR_INVALID, "key has no private part") : sr_ok();
}

struct sr_result sr_keypair_encrypt(const struct sr_keypair *keypair, enum sr_alg alg, struct sr_bytes plaintext,
                                    const struct sr_cipher_parts *parts, struct sr_buf *ciphertext,
                                    struct sr_buf *ret_iv, struct sr_buf *ret_tag)
{
	SR_TRY(check_use(keypair, alg, false, false));
	if (keypair->spec.type == SR_KEY_OCT) {
		static const struct sr_cipher_parts none;
		return keypair->backend->oct_encrypt(keypair, sr_alg_traits(alg), plaintext, parts ? parts : &none, ciphertext,
		                                     ret_iv, ret_tag);
	}
	return sr_rsa_encrypt(keypair->pkey, sr_alg_traits(alg), plaintext, ciphertext);
}

struct sr_result sr_keypair_decrypt(const struct sr_keypair *keypair, enum sr_alg alg, struct sr_bytes ciphertext,
                                    const struct sr_cipher_parts *parts, struct sr_buf *plaintext)
{
	SR_TRY(check_use(keypair, alg, false, true));
	if (keypair->spec.type == SR_KEY_OCT) {
		static const struct sr_cipher_parts none;
		return keypair->backend->oct_decrypt(keypair, sr_alg_traits(alg), ciphertext, parts ? parts : &none, plaintext);
	}
	uint8_t opened[RSA_MODULUS_MAX];
	size_t len;
	bool opens;
	SR_TRY(keypair->backend->rsa_decrypt(keypair, sr_alg_traits(alg), ciphertext, opened, &len, &opens));
	if (opens) {
		sr_buf_append(plaintext, sr_bytes_of(opened, len));
	}
	sr_wipe(opened, sizeof opened);
	return opens ? sr_buf_result(plaintext) : sr_fail_decrypt();
}

static struct sr_result check_digest(enum sr_alg alg, struct sr_bytes digest)
{
	unsigned expected = sr_alg_traits(alg)->digest_len;
	return expected && digest.len != expected
	           ? sr_fail(SR_INVALID, "digest of %zu bytes: %s signs %u", digest.len, sr_alg_name(alg), expected)
	           : sr_ok();
}

struct sr_result sr_keypair_sign(const struct sr_keypair *keypair, enum sr_alg alg, struct sr_bytes digest,
                                 struct sr_buf *signature)
{
	SR_TRY(check_use(keypair, alg, true, true));
	SR_TRY(check_digest(alg, digest));
	return keypair->backend->sign(keypair, sr_alg_traits(alg), digest, signature);
}

struct sr_result sr_keypair_verify(const struct sr_keypair *keypair, enum sr_alg alg, struct sr_bytes digest,
                                   struct sr_bytes signature, bool *ret_valid)
{
	SR_TRY(check_use(keypair, alg, true, false));
	SR_TRY(check_digest(alg, digest));
	return keypair->spec.type == SR_KEY_RSA
	           ? sr_rsa_verify(keypair->pkey, sr_alg_traits(alg), digest, signature, ret_valid)
	           : sr_ec_verify(keypair->pkey, keypair->spec.curve, digest, signature, ret_valid);
}

struct sr_result sr_keypair_wrap_secret(const struct sr_keypair *keypair, const struct sr_secret *secret,
                                        struct sr_buf *wrapped)
{
	struct sr_bytes bytes = sr_secret_bytes(secret);
	if (keypair->spec.type == SR_KEY_RSA) {
		return sr_rsa_encrypt(keypair->pkey, sr_alg_traits(SR_ALG_RSA_OAEP_256), bytes, wrapped);
	}
	if (keypair->spec.type != SR_KEY_OCT) {
		return sr_fail(SR_INVALID, "wrap a key under an EC key: they only sign");
	}
	size_t before = wrapped->len;
	size_t len = 0;
	uint8_t *to = sr_buf_extend(wrapped, sr_aes_wrap_room(bytes.len));
	if (!to) {
		return sr_buf_result(wrapped);
	}
	struct sr_result result = keypair->backend->oct_wrap(keypair, bytes, to, &len);
	wrapped->len = before + len;
	return result;
}

struct sr_result sr_keypair_unwrap_secret(const struct sr_keypair *keypair, struct sr_bytes wrapped,
                                          struct sr_secret **ret_secret)
{
	if (!keypair->is_private || keypair->spec.type == SR_KEY_EC) {
		return sr_fail(SR_INVALID, "unwrap a key with one that cannot");
	}
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	size_t room = wrapped.len > RSA_MODULUS_MAX ? wrapped.len : RSA_MODULUS_MAX;
	size_t len = 0;
	bool opens;
	SR_TRY(sr_secret_new(room, &secret));
	uint8_t *to = sr_secret_fill(secret);
	const struct sr_keypair_backend *backend = keypair->backend;
	SR_TRY(keypair->spec.type == SR_KEY_OCT
	           ? backend->oct_unwrap(keypair, wrapped, to, &len, &opens)
	           : backend->rsa_decrypt(keypair, sr_alg_traits(SR_ALG_RSA_OAEP_256), wrapped, to, &len, &opens));
	if (!opens) {
		return sr_fail(SR_WRONG_KEY, "unwrap a key: it is not wrapped under the key given, or damaged");
	}
	sr_secret_shorten(secret, len);
	return sr_secret_copy(secret, ret_secret); /* into a slot of its own size, since it may be kept for long */
}
