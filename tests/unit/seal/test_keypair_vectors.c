/* Vault keys against Wycheproof: every algorithm that has vectors, and imports of keys with a wrong number. Where meson
 * names a PKCS#11 module, private keys are moved into its token first, and work from there. */
#include "hsm_fixture.h"
#include "vectors.h"

#include "seal/keypair_parts.h"

enum { OUT_MAX = 4096 };

/* A number of a JWK's, as the vectors write it: hex, with or without a leading zero. */
static struct sr_bytes number_bytes(const struct hex *hex)
{
	size_t skip = 0;
	while (skip < hex->len && hex->data[skip] == 0) {
		skip++;
	}
	return sr_bytes_of(hex->data + skip, hex->len - skip);
}

static void copy_number(const json_t *object, const char *member, uint8_t *to, size_t max, size_t *ret_len)
{
	SR_CLEANUP(hex) struct hex hex = hex_of(object, member);
	struct sr_bytes bytes = number_bytes(&hex);
	assert_true(bytes.len <= max);
	memcpy(to, bytes.data, bytes.len);
	*ret_len = bytes.len;
}

static void rsa_public_of(const json_t *numbers, struct sr_key_public *ret_public)
{
	*ret_public = (struct sr_key_public){.spec = {.type = SR_KEY_RSA}};
	copy_number(numbers, "modulus", ret_public->n, sizeof ret_public->n, &ret_public->n_len);
	copy_number(numbers, "publicExponent", ret_public->e, sizeof ret_public->e, &ret_public->e_len);
}

/* Takes a key in software and gives the one to test. */
static struct sr_keypair *settle(struct sr_keypair *keypair)
{
	if (!sr_hsm_is_attached()) {
		return keypair;
	}
	uint8_t id[SR_HSM_ID_LEN] = {1}; /* one at a time: each takes the place of the last */
	struct sr_keypair *moved;
	expect_ok(sr_keypair_move_into_token(keypair, id, &moved));
	sr_keypair_free(keypair);
	return moved;
}

static struct sr_keypair *rsa_private_of(const json_t *numbers)
{
	SR_CLEANUP(hex) struct hex d = hex_of(numbers, "privateExponent");
	SR_CLEANUP(hex) struct hex p = hex_of(numbers, "prime1");
	SR_CLEANUP(hex) struct hex q = hex_of(numbers, "prime2");
	SR_CLEANUP(hex) struct hex dp = hex_of(numbers, "exponent1");
	SR_CLEANUP(hex) struct hex dq = hex_of(numbers, "exponent2");
	SR_CLEANUP(hex) struct hex qi = hex_of(numbers, "coefficient");
	struct sr_key_private parts = {.d = number_bytes(&d),
	                               .p = number_bytes(&p),
	                               .q = number_bytes(&q),
	                               .dp = number_bytes(&dp),
	                               .dq = number_bytes(&dq),
	                               .qi = number_bytes(&qi)};
	rsa_public_of(numbers, &parts.public_parts);
	struct sr_keypair *keypair;
	expect_ok(sr_keypair_import(&parts, &keypair));
	return settle(keypair);
}

/* The key last seen: importing one costs a test of primes, and groups share keys. */
struct group_key {
	const json_t *numbers;
	struct sr_keypair *keypair;
	enum sr_alg alg;
	unsigned used;
};

static void group_key_cleanup(struct group_key *key)
{
	sr_keypair_free(key->keypair);
}

/* True, and the old key freed, if a group's key is another than the last. */
static bool is_new_key(struct group_key *key, const json_t *numbers)
{
	if (key->numbers && json_equal(key->numbers, numbers)) {
		return false;
	}
	sr_keypair_free(SR_TAKE(key->keypair));
	key->numbers = numbers;
	return true;
}

static void decrypt_vector(const json_t *group, const json_t *test, bool is_valid, void *context)
{
	struct group_key *key = context;
	const char *sha = json_string_value(json_object_get(group, "sha"));
	const char *mgf_sha = json_string_value(json_object_get(group, "mgfSha"));
	const char *wanted = key->alg == SR_ALG_RSA_OAEP ? "SHA-1" : key->alg == SR_ALG_RSA_OAEP_256 ? "SHA-256" : NULL;
	const char *label = json_string_value(json_object_get(test, "label"));
	long long bits = number_of(group, "keySize");
	bool is_ours = (!wanted || (strcmp(sha, wanted) == 0 && strcmp(mgf_sha, wanted) == 0)) && (!label || !*label) &&
	               (bits == 2048 || bits == 3072 || bits == 4096);
	if (!is_ours) {
		return;
	}
	if (is_new_key(key, json_object_get(group, "privateKey"))) {
		key->keypair = rsa_private_of(key->numbers);
	}
	SR_CLEANUP(hex) struct hex plain = hex_of(test, "msg");
	SR_CLEANUP(hex) struct hex sealed = hex_of(test, "ct");
	SR_CLEANUP(sr_buf) struct sr_buf opened = SR_BUF(OUT_MAX);
	struct sr_result result = sr_keypair_decrypt(key->keypair, key->alg, hex_bytes(&sealed), NULL, &opened);
	bool opens = sr_is_ok(result) && sr_equal_ct(sr_buf_bytes(&opened), hex_bytes(&plain));
	vector_check(test, sr_is_ok(result) || sr_result_code(result) == SR_INVALID);
	sr_result_free(result);
	vector_check(test, opens == is_valid);
	key->used++;
}

static void test_rsa_decryption_agrees_with_wycheproof(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		enum sr_alg alg;
		unsigned least;
	} table[] = {
	    {"rsa_oaep_2048_sha1_mgf1sha1_test.json", SR_ALG_RSA_OAEP, 20},
	    {"rsa_oaep_2048_sha256_mgf1sha256_test.json", SR_ALG_RSA_OAEP_256, 20},
	    {"rsa_oaep_3072_sha256_mgf1sha256_test.json", SR_ALG_RSA_OAEP_256, 20},
	    {"rsa_oaep_4096_sha256_mgf1sha256_test.json", SR_ALG_RSA_OAEP_256, 20},
	    {"rsa_oaep_misc_test.json", SR_ALG_RSA_OAEP, 5},
	    {"rsa_oaep_misc_test.json", SR_ALG_RSA_OAEP_256, 5},
	    {"rsa_pkcs1_2048_test.json", SR_ALG_RSA1_5, 60},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		SR_CLEANUP(group_key) struct group_key key = {.alg = table[i].alg};
		for_each_vector(table[i].file, true, decrypt_vector, &key);
		assert_true(key.used >= table[i].least);
	}
}

/* The digest of the message by the group's hash; false where Key Vault has no algorithm with it. */
static bool digest_message(const json_t *group, const json_t *test, enum sr_alg alg, struct sr_bytes *ret_digest)
{
	static uint8_t digest[SR_DIGEST_MAX];
	static const struct {
		const char *sha;
		enum sr_digest_kind kind;
		unsigned len;
	} table[] = {
	    {"SHA-256", SR_DIGEST_SHA256, 32}, {"SHA-384", SR_DIGEST_SHA384, 48}, {"SHA-512", SR_DIGEST_SHA512, 64}};
	const char *sha = json_string_value(json_object_get(group, "sha"));
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(sha, table[i].sha) == 0 && sr_alg_traits(alg)->digest_len == table[i].len) {
			SR_CLEANUP(hex) struct hex message = hex_of(test, "msg");
			*ret_digest = sr_bytes_of(digest, sr_digest_of(table[i].kind, hex_bytes(&message), digest));
			return true;
		}
	}
	return false;
}

static void verify_with(struct group_key *key, const json_t *group, const json_t *test, bool is_valid)
{
	struct sr_bytes digest;
	if (!digest_message(group, test, key->alg, &digest)) {
		return;
	}
	SR_CLEANUP(hex) struct hex signature = hex_of(test, "sig");
	bool verifies;
	expect_ok(sr_keypair_verify(key->keypair, key->alg, digest, hex_bytes(&signature), &verifies));
	vector_check(test, verifies == is_valid);
	key->used++;
}

static void rsa_verify_vector(const json_t *group, const json_t *test, bool is_valid, void *context)
{
	struct group_key *key = context;
	const json_t *numbers = json_object_get(group, "publicKey");
	if (is_new_key(key, numbers ? numbers : json_object_get(group, "privateKey"))) {
		struct sr_key_public parts;
		rsa_public_of(key->numbers, &parts);
		expect_ok(sr_keypair_from_public(&parts, &key->keypair));
	}
	verify_with(key, group, test, is_valid);
}

static void test_rsa_verification_agrees_with_wycheproof(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		enum sr_alg alg;
		bool takes_acceptable; /* small exponents; elsewhere it is an encoding without its NULL, which is refused */
	} table[] = {
	    {"rsa_signature_2048_sha256_test.json", SR_ALG_RS256, false},
	    {"rsa_signature_2048_sha384_test.json", SR_ALG_RS384, false},
	    {"rsa_signature_2048_sha512_test.json", SR_ALG_RS512, false},
	    {"rsa_signature_3072_sha256_test.json", SR_ALG_RS256, false},
	    {"rsa_signature_4096_sha256_test.json", SR_ALG_RS256, false},
	    {"rsa_pss_2048_sha256_mgf1_32_test.json", SR_ALG_PS256, false},
	    {"rsa_pss_2048_sha384_mgf1_48_test.json", SR_ALG_PS384, false},
	    {"rsa_pss_4096_sha512_mgf1_64_test.json", SR_ALG_PS512, false},
	    {"rsa_pkcs1_2048_sig_gen_test.json", SR_ALG_RS256, true},
	    {"rsa_pkcs1_2048_sig_gen_test.json", SR_ALG_RS512, true},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		SR_CLEANUP(group_key) struct group_key key = {.alg = table[i].alg};
		for_each_vector(table[i].file, table[i].takes_acceptable, rsa_verify_vector, &key);
		assert_true(key.used >= 5);
	}
}

static void copy_coordinate(const json_t *object, const char *member, uint8_t *to, size_t field_len)
{
	SR_CLEANUP(hex) struct hex hex = hex_of(object, member);
	struct sr_bytes bytes = number_bytes(&hex);
	assert_true(bytes.len <= field_len);
	memset(to, 0, field_len);
	memcpy(to + field_len - bytes.len, bytes.data, bytes.len);
}

static void ec_verify_vector(const json_t *group, const json_t *test, bool is_valid, void *context)
{
	struct group_key *key = context;
	if (is_new_key(key, json_object_get(group, "publicKey"))) {
		enum sr_curve curve = sr_alg_traits(key->alg)->curve;
		struct sr_key_public parts = {.spec = {.type = SR_KEY_EC, .curve = curve}, .xy_len = sr_curve_field_len(curve)};
		copy_coordinate(key->numbers, "wx", parts.x, parts.xy_len);
		copy_coordinate(key->numbers, "wy", parts.y, parts.xy_len);
		expect_ok(sr_keypair_from_public(&parts, &key->keypair));
	}
	verify_with(key, group, test, is_valid);
}

static void test_ecdsa_verification_agrees_with_wycheproof(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		enum sr_alg alg;
	} table[] = {
	    {"ecdsa_secp256r1_sha256_p1363_test.json", SR_ALG_ES256},
	    {"ecdsa_secp384r1_sha384_p1363_test.json", SR_ALG_ES384},
	    {"ecdsa_secp521r1_sha512_p1363_test.json", SR_ALG_ES512},
	    {"ecdsa_secp256k1_sha256_p1363_test.json", SR_ALG_ES256K},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		SR_CLEANUP(group_key) struct group_key key = {.alg = table[i].alg};
		for_each_vector(table[i].file, false, ec_verify_vector, &key);
		assert_true(key.used > 200);
	}
}

static struct sr_keypair *oct_of(struct sr_bytes k)
{
	struct sr_key_private parts = {.public_parts.spec.type = SR_KEY_OCT, .k = k};
	struct sr_keypair *keypair;
	expect_ok(sr_keypair_import(&parts, &keypair));
	return settle(keypair);
}

/* `context` is the algorithm for 128 bits; those for 192 and 256 follow it. */
static void oct_vector(const json_t *group, const json_t *test, bool is_valid, void *context)
{
	enum sr_alg alg = *(const enum sr_alg *)context + (unsigned)(number_of(group, "keySize") / 64 - 2);
	bool is_gcm = sr_alg_traits(alg)->kind == SR_ALG_KIND_GCM;
	bool is_wrap = sr_alg_traits(alg)->kind == SR_ALG_KIND_KW;
	if (sr_hsm_is_attached() && number_of(test, "tcId") % 4) { /* a token makes files: a quarter will do */
		return;
	}
	SR_CLEANUP(hex) struct hex k = hex_of(test, "key");
	SR_CLEANUP(hex) struct hex plain = hex_of(test, "msg");
	SR_CLEANUP(hex) struct hex sealed = hex_of(test, "ct");
	SR_CLEANUP(hex) struct hex iv = is_wrap ? (struct hex){0} : hex_of(test, "iv");
	SR_CLEANUP(hex) struct hex aad = is_gcm ? hex_of(test, "aad") : (struct hex){0};
	SR_CLEANUP(hex) struct hex tag = is_gcm ? hex_of(test, "tag") : (struct hex){0};
	if (is_gcm && (iv.len != 12 || tag.len != 16)) { /* others are refused: Key Vault has no others */
		is_valid = false;
	}
	struct sr_cipher_parts parts = {hex_bytes(&iv), hex_bytes(&aad), hex_bytes(&tag)};
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = oct_of(hex_bytes(&k));
	SR_CLEANUP(sr_buf) struct sr_buf out = SR_BUF(OUT_MAX);
	struct sr_result result = sr_keypair_decrypt(keypair, alg, hex_bytes(&sealed), &parts, &out);
	bool opens = sr_is_ok(result);
	vector_check(test, opens || sr_result_code(result) == SR_INVALID);
	sr_result_free(result);
	vector_check(test, opens == is_valid);
	vector_check(test, sr_equal_ct(sr_buf_bytes(&out), opens ? hex_bytes(&plain) : (struct sr_bytes){0}));
	if (is_valid) {
		SR_CLEANUP(sr_buf) struct sr_buf own_iv = SR_BUF(OUT_MAX);
		SR_CLEANUP(sr_buf) struct sr_buf own_tag = SR_BUF(OUT_MAX);
		sr_buf_reset(&out);
		expect_ok(sr_keypair_encrypt(keypair, alg, hex_bytes(&plain), &parts, &out, &own_iv, &own_tag));
		vector_check(test, sr_equal_ct(sr_buf_bytes(&out), hex_bytes(&sealed)));
		vector_check(test, sr_equal_ct(sr_buf_bytes(&own_tag), hex_bytes(&tag)));
		vector_check(test, sr_equal_ct(sr_buf_bytes(&own_iv), hex_bytes(&iv)));
	}
}

static void test_symmetric_encryption_agrees_with_wycheproof(void **state)
{
	(void)state;
	static enum sr_alg gcm = SR_ALG_A128GCM;
	static enum sr_alg cbc = SR_ALG_A128CBCPAD;
	static enum sr_alg wrap = SR_ALG_A128KW;
	for_each_vector("aes_gcm_test.json", false, oct_vector, &gcm);
	for_each_vector("aes_cbc_pkcs5_test.json", false, oct_vector, &cbc);
	for_each_vector("aes_wrap_test.json", false, oct_vector, &wrap);
}

static void test_an_rsa_key_with_one_wrong_number_is_not_imported(void **state)
{
	(void)state;
	json_t *json = load_json("SR_SHARED", "vectors/", "rsa_oaep_2048_sha256_mgf1sha256_test.json");
	const json_t *group = json_array_get(json_object_get(json, "testGroups"), 0);
	static const char *const members[] = {"privateExponent", "prime1",    "prime2",
	                                      "exponent1",       "exponent2", "coefficient"};
	json_t *numbers = json_deep_copy(json_object_get(group, "privateKey"));
	for (size_t i = 0; i < 6; i++) {
		struct hex hex[6];
		for (size_t j = 0; j < 6; j++) {
			hex[j] = hex_of(numbers, members[j]);
		}
		hex[i].data[hex[i].len - 1] ^= 2;
		struct sr_key_private parts = {.d = number_bytes(&hex[0]),
		                               .p = number_bytes(&hex[1]),
		                               .q = number_bytes(&hex[2]),
		                               .dp = number_bytes(&hex[3]),
		                               .dq = number_bytes(&hex[4]),
		                               .qi = number_bytes(&hex[5])};
		rsa_public_of(numbers, &parts.public_parts);
		struct sr_keypair *none = NULL;
		expect_code(sr_keypair_import(&parts, &none), SR_INVALID);
		for (size_t j = 0; j < 6; j++) {
			hex_cleanup(&hex[j]);
		}
	}
	json_decref(numbers);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rsa_decryption_agrees_with_wycheproof),
	    cmocka_unit_test(test_rsa_verification_agrees_with_wycheproof),
	    cmocka_unit_test(test_ecdsa_verification_agrees_with_wycheproof),
	    cmocka_unit_test(test_symmetric_encryption_agrees_with_wycheproof),
	    cmocka_unit_test(test_an_rsa_key_with_one_wrong_number_is_not_imported),
	};
	return getenv("SR_TOKEN_MODULE") ? cmocka_run_group_tests(tests, attach_token, remove_token)
	                                 : cmocka_run_group_tests(tests, init_seal, NULL);
}
