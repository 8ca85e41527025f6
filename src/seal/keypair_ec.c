/* EC keys and ECDSA. OpenSSL's signatures are DER; ours are r ‖ s, each as long as the curve's field (IEEE P1363). */
#include "seal/keypair_parts.h"

#include "seal/keypair_numbers.h"
#include "seal/openssl_error.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include <string.h>

enum { FIELD_MAX = 66, POINT_MAX = 1 + 2 * FIELD_MAX, DER_MAX = 2 * FIELD_MAX + 16 };

static void context_cleanup(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

static void pkey_cleanup(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void signature_cleanup(ECDSA_SIG **signature)
{
	ECDSA_SIG_free(*signature);
}

struct sr_result sr_ec_generate(enum sr_curve curve, EVP_PKEY **ret_key)
{
	EVP_PKEY *key = EVP_EC_gen(sr_curve_group(curve));
	if (!key) {
		return sr_fail_openssl(SR_CRYPTO, "make an EC key on %s", sr_curve_group(curve));
	}
	*ret_key = key;
	return sr_ok();
}

/* Curve and point; the point is checked to be on the curve as the key is built. */
static struct sr_result build(const struct sr_key_public *parts, struct sr_bytes d, EVP_PKEY **ret_key)
{
	size_t field_len = sr_curve_field_len(parts->spec.curve);
	if (!field_len || parts->xy_len != field_len) {
		return sr_fail(SR_INVALID, "EC key with coordinates of %zu bytes", parts->xy_len);
	}
	uint8_t point[POINT_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
	memcpy(point + 1, parts->x, field_len);
	memcpy(point + 1 + field_len, parts->y, field_len);
	SR_CLEANUP(sr_key_numbers) struct sr_key_numbers numbers = sr_key_numbers_new();
	sr_key_numbers_add_text(&numbers, OSSL_PKEY_PARAM_GROUP_NAME, sr_curve_group(parts->spec.curve));
	sr_key_numbers_add_octets(&numbers, OSSL_PKEY_PARAM_PUB_KEY, sr_bytes_of(point, 1 + 2 * field_len));
	if (d.data) {
		sr_key_numbers_add(&numbers, OSSL_PKEY_PARAM_PRIV_KEY, d);
	}
	return sr_key_numbers_build(&numbers, "EC", d.data ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, ret_key);
}

struct sr_result sr_ec_from_public(const struct sr_key_public *parts, EVP_PKEY **ret_key)
{
	SR_CLEANUP(pkey) EVP_PKEY *key = NULL;
	SR_TRY(build(parts, (struct sr_bytes){0}, &key));
	SR_CLEANUP(context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!context || EVP_PKEY_public_check(context) != 1) {
		return sr_fail_openssl(SR_INVALID, "check an EC key's point");
	}
	*ret_key = SR_TAKE(key);
	return sr_ok();
}

struct sr_result sr_ec_import(const struct sr_key_private *parts, EVP_PKEY **ret_key)
{
	if (!parts->d.len || parts->d.len > sr_curve_field_len(parts->public_parts.spec.curve)) {
		return sr_fail(SR_INVALID, "EC key with a private number of %zu bytes", parts->d.len);
	}
	SR_CLEANUP(pkey) EVP_PKEY *key = NULL;
	SR_TRY(build(&parts->public_parts, parts->d, &key));
	SR_CLEANUP(context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!context || EVP_PKEY_check(context) != 1) {
		return sr_fail_openssl(SR_INVALID, "check that an EC key's numbers belong together");
	}
	*ret_key = SR_TAKE(key);
	return sr_ok();
}

/* A coordinate, padded to the field's length. */
static struct sr_result get_coordinate(EVP_PKEY *key, const char *name, size_t field_len, uint8_t *to)
{
	uint8_t bytes[FIELD_MAX];
	size_t len;
	SR_TRY(sr_key_number_get(key, name, field_len, bytes, &len));
	memset(to, 0, field_len - len);
	memcpy(to + field_len - len, bytes, len);
	return sr_ok();
}

struct sr_result sr_ec_public(EVP_PKEY *key, enum sr_curve curve, struct sr_key_public *ret_public)
{
	ret_public->spec = (struct sr_key_spec){.type = SR_KEY_EC, .curve = curve};
	ret_public->xy_len = sr_curve_field_len(curve);
	SR_TRY(get_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, ret_public->xy_len, ret_public->x));
	return get_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, ret_public->xy_len, ret_public->y);
}

struct sr_result sr_ec_sign(EVP_PKEY *key, enum sr_curve curve, struct sr_bytes digest, struct sr_buf *signature)
{
	uint8_t der[DER_MAX];
	size_t der_len = sizeof der;
	SR_CLEANUP(context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!context || EVP_PKEY_sign_init(context) != 1 ||
	    EVP_PKEY_sign(context, der, &der_len, digest.data, digest.len) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "sign with an EC key");
	}
	const uint8_t *at = der;
	SR_CLEANUP(signature) ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	int field_len = (int)sr_curve_field_len(curve);
	uint8_t *to = numbers ? sr_buf_extend(signature, 2 * (size_t)field_len) : NULL;
	if (!to) {
		return numbers ? sr_buf_result(signature) : sr_fail_openssl(SR_CRYPTO, "read an EC signature");
	}
	if (BN_bn2binpad(ECDSA_SIG_get0_r(numbers), to, field_len) != field_len ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(numbers), to + field_len, field_len) != field_len) {
		signature->len -= 2 * (size_t)field_len;
		return sr_fail_openssl(SR_CRYPTO, "write an EC signature");
	}
	return sr_ok();
}

/* r ‖ s as DER; gives its length, 0 if that cannot be. */
static size_t to_der(struct sr_bytes signature, uint8_t ret_der[static DER_MAX])
{
	int half = (int)signature.len / 2;
	SR_CLEANUP(signature) ECDSA_SIG *numbers = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature.data, half, NULL);
	BIGNUM *s = BN_bin2bn(signature.data + half, half, NULL);
	if (!numbers || !r || !s || ECDSA_SIG_set0(numbers, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return 0;
	}
	int len = i2d_ECDSA_SIG(numbers, NULL);
	return len > 0 && len <= DER_MAX && i2d_ECDSA_SIG(numbers, &ret_der) == len ? (size_t)len : 0;
}

struct sr_result sr_ec_verify(EVP_PKEY *key, enum sr_curve curve, struct sr_bytes digest, struct sr_bytes signature,
                              bool *ret_valid)
{
	*ret_valid = false;
	if (signature.len != 2 * sr_curve_field_len(curve)) {
		return sr_ok();
	}
	uint8_t der[DER_MAX];
	size_t der_len = to_der(signature, der);
	SR_CLEANUP(context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!der_len || !context || EVP_PKEY_verify_init(context) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "ready an EC key for verifying");
	}
	*ret_valid = EVP_PKEY_verify(context, der, der_len, digest.data, digest.len) == 1;
	sr_forget_openssl_errors();
	return sr_ok();
}
