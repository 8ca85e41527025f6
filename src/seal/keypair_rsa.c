/* RSA keys and their operations (RFC 8017): OAEP and PKCS#1 v1.5 encryption, PSS and PKCS#1 v1.5 signatures. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the checks of paddings have no successors */
#include "seal/keypair_parts.h"

#include "seal/keypair_numbers.h"
#include "seal/openssl_error.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

static void context_cleanup(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

struct sr_result sr_rsa_generate(unsigned bits, EVP_PKEY **ret_key)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);
	if (!key) {
		return sr_fail_openssl(SR_CRYPTO, "make an RSA key of %u bits", bits);
	}
	*ret_key = key;
	return sr_ok();
}

/* Odd modulus and exponent; a modulus of fewer bits than its bytes say would be a shorter key than it seems. */
static struct sr_result check_public(const struct sr_key_public *parts)
{
	bool is_sane = parts->n_len >= 256 && parts->n_len <= sizeof parts->n && parts->n[0] & 0x80 &&
	               parts->n[parts->n_len - 1] & 1 && parts->e_len > 0 && parts->e_len <= sizeof parts->e &&
	               parts->e[parts->e_len - 1] & 1 && (parts->e_len > 1 || parts->e[0] >= 3);
	return is_sane ? sr_ok() : sr_fail(SR_INVALID, "RSA key of under 2048 or over 4096 bits, or a malformed one");
}

static void add_public(struct sr_key_numbers *numbers, const struct sr_key_public *parts)
{
	sr_key_numbers_add(numbers, OSSL_PKEY_PARAM_RSA_N, sr_bytes_of(parts->n, parts->n_len));
	sr_key_numbers_add(numbers, OSSL_PKEY_PARAM_RSA_E, sr_bytes_of(parts->e, parts->e_len));
}

struct sr_result sr_rsa_from_public(const struct sr_key_public *parts, EVP_PKEY **ret_key)
{
	SR_TRY(check_public(parts));
	SR_CLEANUP(sr_key_numbers) struct sr_key_numbers numbers = sr_key_numbers_new();
	add_public(&numbers, parts);
	return sr_key_numbers_build(&numbers, "RSA", EVP_PKEY_PUBLIC_KEY, ret_key);
}

struct sr_result sr_rsa_import(const struct sr_key_private *parts, EVP_PKEY **ret_key)
{
	SR_TRY(check_public(&parts->public_parts));
	SR_CLEANUP(sr_key_numbers) struct sr_key_numbers numbers = sr_key_numbers_new();
	add_public(&numbers, &parts->public_parts);
	sr_key_numbers_add(&numbers, OSSL_PKEY_PARAM_RSA_D, parts->d);
	sr_key_numbers_add(&numbers, OSSL_PKEY_PARAM_RSA_FACTOR1, parts->p);
	sr_key_numbers_add(&numbers, OSSL_PKEY_PARAM_RSA_FACTOR2, parts->q);
	sr_key_numbers_add(&numbers, OSSL_PKEY_PARAM_RSA_EXPONENT1, parts->dp);
	sr_key_numbers_add(&numbers, OSSL_PKEY_PARAM_RSA_EXPONENT2, parts->dq);
	sr_key_numbers_add(&numbers, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, parts->qi);
	EVP_PKEY *key;
	SR_TRY(sr_key_numbers_build(&numbers, "RSA", EVP_PKEY_KEYPAIR, &key));
	SR_CLEANUP(context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!context || EVP_PKEY_check(context) != 1) {
		EVP_PKEY_free(key);
		return sr_fail_openssl(SR_INVALID, "check that an RSA key's numbers belong together");
	}
	*ret_key = key;
	return sr_ok();
}

struct sr_result sr_rsa_public(EVP_PKEY *key, struct sr_key_public *ret_public)
{
	ret_public->spec = (struct sr_key_spec){.type = SR_KEY_RSA, .bits = (unsigned)EVP_PKEY_get_bits(key)};
	SR_TRY(sr_key_number_get(key, OSSL_PKEY_PARAM_RSA_N, sizeof ret_public->n, ret_public->n, &ret_public->n_len));
	return sr_key_number_get(key, OSSL_PKEY_PARAM_RSA_E, sizeof ret_public->e, ret_public->e, &ret_public->e_len);
}

/* Readies a context for one operation of the algorithm. */
static struct sr_result start(EVP_PKEY *key, const struct sr_alg_traits *alg, int (*init)(EVP_PKEY_CTX *),
                              EVP_PKEY_CTX **ret_context)
{
	SR_CLEANUP(context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	const EVP_MD *md = alg->md ? alg->md() : NULL;
	bool is_ready = context && init(context) == 1;
	switch (alg->kind) {
	case SR_ALG_KIND_RSA_OAEP:
		is_ready = is_ready && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
		           EVP_PKEY_CTX_set_rsa_oaep_md(context, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1;
		break;
	case SR_ALG_KIND_SIGN_PSS:
		is_ready = is_ready && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
		           EVP_PKEY_CTX_set_signature_md(context, md) == 1 &&
		           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
		break;
	default:
		is_ready = is_ready && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
		           (!md || EVP_PKEY_CTX_set_signature_md(context, md) == 1);
	}
	if (!is_ready) {
		return sr_fail_openssl(SR_CRYPTO, "ready an RSA key for %s", alg->name);
	}
	*ret_context = SR_TAKE(context);
	return sr_ok();
}

struct sr_result sr_rsa_encrypt(EVP_PKEY *key, const struct sr_alg_traits *alg, struct sr_bytes plaintext,
                                struct sr_buf *ciphertext)
{
	SR_CLEANUP(context) EVP_PKEY_CTX *context = NULL;
	SR_TRY(start(key, alg, EVP_PKEY_encrypt_init, &context));
	size_t len = (size_t)EVP_PKEY_get_size(key);
	size_t before = ciphertext->len;
	uint8_t *to = sr_buf_extend(ciphertext, len);
	if (!to) {
		return sr_buf_result(ciphertext);
	}
	if (EVP_PKEY_encrypt(context, to, &len, plaintext.data ? plaintext.data : to, plaintext.len) != 1) {
		ciphertext->len = before;
		return sr_fail_openssl(SR_INVALID, "encrypt %zu bytes with %s", plaintext.len, alg->name);
	}
	return sr_ok();
}

struct sr_result sr_rsa_decrypt(EVP_PKEY *key, const struct sr_alg_traits *alg, struct sr_bytes ciphertext, uint8_t *to,
                                size_t *ret_len, bool *ret_opens)
{
	size_t len = (size_t)EVP_PKEY_get_size(key);
	*ret_opens = false;
	if (ciphertext.len != len) { /* RFC 8017, 7.1.2 step 1: shorter is not as good as padded */
		return sr_ok();
	}
	SR_CLEANUP(context) EVP_PKEY_CTX *context = NULL;
	SR_TRY(start(key, alg, EVP_PKEY_decrypt_init, &context));
	*ret_opens = EVP_PKEY_decrypt(context, to, &len, ciphertext.data, ciphertext.len) == 1;
	*ret_len = *ret_opens ? len : 0;
	sr_forget_openssl_errors();
	return sr_ok();
}

struct sr_result sr_rsa_unpad(const struct sr_alg_traits *alg, struct sr_bytes block, uint8_t *to, size_t *ret_len,
                              bool *ret_opens)
{
	const int block_len = (int)block.len;
	const EVP_MD *md = alg->md ? alg->md() : NULL;
	int len = alg->kind == SR_ALG_KIND_RSA_OAEP
	              ? RSA_padding_check_PKCS1_OAEP_mgf1(to, block_len, block.data, block_len, block_len, NULL, 0, md, md)
	              : RSA_padding_check_PKCS1_type_2(to, block_len, block.data, block_len, block_len);
	sr_forget_openssl_errors();
	*ret_opens = len >= 0;
	*ret_len = len >= 0 ? (size_t)len : 0;
	return sr_ok();
}

struct sr_result sr_rsa_sign(EVP_PKEY *key, const struct sr_alg_traits *alg, struct sr_bytes digest,
                             struct sr_buf *signature)
{
	SR_CLEANUP(context) EVP_PKEY_CTX *context = NULL;
	SR_TRY(start(key, alg, EVP_PKEY_sign_init, &context));
	size_t len = (size_t)EVP_PKEY_get_size(key);
	size_t before = signature->len;
	uint8_t *to = sr_buf_extend(signature, len);
	if (!to) {
		return sr_buf_result(signature);
	}
	if (EVP_PKEY_sign(context, to, &len, digest.data, digest.len) != 1) {
		signature->len = before;
		return sr_fail_openssl(SR_INVALID, "sign %zu bytes with %s", digest.len, alg->name);
	}
	return sr_ok();
}

struct sr_result sr_rsa_verify(EVP_PKEY *key, const struct sr_alg_traits *alg, struct sr_bytes digest,
                               struct sr_bytes signature, bool *ret_valid)
{
	SR_CLEANUP(context) EVP_PKEY_CTX *context = NULL;
	SR_TRY(start(key, alg, EVP_PKEY_verify_init, &context));
	*ret_valid = signature.len == (size_t)EVP_PKEY_get_size(key) &&
	             EVP_PKEY_verify(context, signature.data, signature.len, digest.data, digest.len) == 1;
	sr_forget_openssl_errors();
	return sr_ok();
}
