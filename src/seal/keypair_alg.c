/* The algorithms by their names in Key Vault and JOSE (RFC 7518), in one table, and what can be asked of it. */
#include "seal/keypair_parts.h"

#include <string.h>

static const struct sr_alg_traits table[SR_ALG_COUNT] = {
    [SR_ALG_RSA1_5] = {"RSA1_5", SR_ALG_KIND_RSA_PKCS1},
    [SR_ALG_RSA_OAEP] = {"RSA-OAEP", SR_ALG_KIND_RSA_OAEP, .md = sr_md_sha1},
    [SR_ALG_RSA_OAEP_256] = {"RSA-OAEP-256", SR_ALG_KIND_RSA_OAEP, .md = sr_md_sha256},
    [SR_ALG_A128KW] = {"A128KW", SR_ALG_KIND_KW, 128, .cipher = SR_CIPHER_AES128_KW},
    [SR_ALG_A192KW] = {"A192KW", SR_ALG_KIND_KW, 192, .cipher = SR_CIPHER_AES192_KW},
    [SR_ALG_A256KW] = {"A256KW", SR_ALG_KIND_KW, 256, .cipher = SR_CIPHER_AES256_KW},
    [SR_ALG_A128GCM] = {"A128GCM", SR_ALG_KIND_GCM, 128, .cipher = SR_CIPHER_AES128_GCM},
    [SR_ALG_A192GCM] = {"A192GCM", SR_ALG_KIND_GCM, 192, .cipher = SR_CIPHER_AES192_GCM},
    [SR_ALG_A256GCM] = {"A256GCM", SR_ALG_KIND_GCM, 256, .cipher = SR_CIPHER_AES256_GCM},
    [SR_ALG_A128CBC] = {"A128CBC", SR_ALG_KIND_CBC, 128, .cipher = SR_CIPHER_AES128_CBC},
    [SR_ALG_A192CBC] = {"A192CBC", SR_ALG_KIND_CBC, 192, .cipher = SR_CIPHER_AES192_CBC},
    [SR_ALG_A256CBC] = {"A256CBC", SR_ALG_KIND_CBC, 256, .cipher = SR_CIPHER_AES256_CBC},
    [SR_ALG_A128CBCPAD] = {"A128CBCPAD", SR_ALG_KIND_CBC_PADDED, 128, .cipher = SR_CIPHER_AES128_CBC},
    [SR_ALG_A192CBCPAD] = {"A192CBCPAD", SR_ALG_KIND_CBC_PADDED, 192, .cipher = SR_CIPHER_AES192_CBC},
    [SR_ALG_A256CBCPAD] = {"A256CBCPAD", SR_ALG_KIND_CBC_PADDED, 256, .cipher = SR_CIPHER_AES256_CBC},
    [SR_ALG_RS256] = {"RS256", SR_ALG_KIND_SIGN_PKCS1, .md = sr_md_sha256, .digest_len = 32},
    [SR_ALG_RS384] = {"RS384", SR_ALG_KIND_SIGN_PKCS1, .md = sr_md_sha384, .digest_len = 48},
    [SR_ALG_RS512] = {"RS512", SR_ALG_KIND_SIGN_PKCS1, .md = sr_md_sha512, .digest_len = 64},
    [SR_ALG_PS256] = {"PS256", SR_ALG_KIND_SIGN_PSS, .md = sr_md_sha256, .digest_len = 32},
    [SR_ALG_PS384] = {"PS384", SR_ALG_KIND_SIGN_PSS, .md = sr_md_sha384, .digest_len = 48},
    [SR_ALG_PS512] = {"PS512", SR_ALG_KIND_SIGN_PSS, .md = sr_md_sha512, .digest_len = 64},
    [SR_ALG_RSNULL] = {"RSNULL", SR_ALG_KIND_SIGN_PKCS1},
    [SR_ALG_ES256] = {"ES256", SR_ALG_KIND_SIGN_EC, .curve = SR_CURVE_P256, .digest_len = 32},
    [SR_ALG_ES384] = {"ES384", SR_ALG_KIND_SIGN_EC, .curve = SR_CURVE_P384, .digest_len = 48},
    [SR_ALG_ES512] = {"ES512", SR_ALG_KIND_SIGN_EC, .curve = SR_CURVE_P521, .digest_len = 64},
    [SR_ALG_ES256K] = {"ES256K", SR_ALG_KIND_SIGN_EC, .curve = SR_CURVE_P256K, .digest_len = 32},
};

/* What each kind is for, and the type of key that does it. */
static const struct {
	enum sr_key_type type;
	bool is_signature, is_encryption, is_wrapping;
} kinds[] = {
    [SR_ALG_KIND_RSA_PKCS1] = {SR_KEY_RSA, .is_encryption = true, .is_wrapping = true},
    [SR_ALG_KIND_RSA_OAEP] = {SR_KEY_RSA, .is_encryption = true, .is_wrapping = true},
    [SR_ALG_KIND_KW] = {SR_KEY_OCT, .is_wrapping = true},
    [SR_ALG_KIND_GCM] = {SR_KEY_OCT, .is_encryption = true},
    [SR_ALG_KIND_CBC] = {SR_KEY_OCT, .is_encryption = true},
    [SR_ALG_KIND_CBC_PADDED] = {SR_KEY_OCT, .is_encryption = true},
    [SR_ALG_KIND_SIGN_PKCS1] = {SR_KEY_RSA, .is_signature = true},
    [SR_ALG_KIND_SIGN_PSS] = {SR_KEY_RSA, .is_signature = true},
    [SR_ALG_KIND_SIGN_EC] = {SR_KEY_EC, .is_signature = true},
};

static const struct {
	const char *name;
	size_t field_len;
} curves[] = {
    [SR_CURVE_NONE] = {NULL, 0},         [SR_CURVE_P256] = {"prime256v1", 32}, [SR_CURVE_P384] = {"secp384r1", 48},
    [SR_CURVE_P521] = {"secp521r1", 66}, [SR_CURVE_P256K] = {"secp256k1", 32},
};

const struct sr_alg_traits *sr_alg_traits(enum sr_alg alg)
{
	return &table[alg];
}

const char *sr_curve_name(enum sr_curve curve)
{
	return curves[curve].name;
}

size_t sr_curve_field_len(enum sr_curve curve)
{
	return curves[curve].field_len;
}

struct sr_result sr_alg_by_name(struct sr_bytes name, enum sr_alg *ret_alg)
{
	for (int alg = 0; alg < SR_ALG_COUNT; alg++) {
		if (sr_equal_public(name, sr_bytes_str(table[alg].name))) {
			*ret_alg = (enum sr_alg)alg;
			return sr_ok();
		}
	}
	return sr_fail(SR_INVALID, "no such algorithm");
}

const char *sr_alg_name(enum sr_alg alg)
{
	return table[alg].name;
}

bool sr_alg_is_signature(enum sr_alg alg)
{
	return kinds[table[alg].kind].is_signature;
}

bool sr_alg_is_encryption(enum sr_alg alg)
{
	return kinds[table[alg].kind].is_encryption;
}

bool sr_alg_is_wrapping(enum sr_alg alg)
{
	return kinds[table[alg].kind].is_wrapping;
}

bool sr_alg_fits(enum sr_alg alg, const struct sr_key_spec *spec)
{
	const struct sr_alg_traits *traits = &table[alg];
	return kinds[traits->kind].type == spec->type && (spec->type != SR_KEY_OCT || traits->bits == spec->bits) &&
	       (spec->type != SR_KEY_EC || traits->curve == spec->curve);
}
