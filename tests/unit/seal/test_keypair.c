/* Vault keys: their sealed form, their pool, and what a key refuses. Published vectors are in test_keypair_vectors.c.
 */
#include "vectors.h"

#include "seal/keypair_parts.h"
#include "seal/secret_bytes.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/thread.h"

enum { OUT_MAX = 4096 };

static const struct sr_key_spec specs[] = {
    {.type = SR_KEY_RSA, .bits = 2048},
    {.type = SR_KEY_EC, .curve = SR_CURVE_P256},
    {.type = SR_KEY_EC, .curve = SR_CURVE_P384},
    {.type = SR_KEY_EC, .curve = SR_CURVE_P521},
    {.type = SR_KEY_EC, .curve = SR_CURVE_P256K},
    {.type = SR_KEY_OCT, .bits = 128},
    {.type = SR_KEY_OCT, .bits = 192},
    {.type = SR_KEY_OCT, .bits = 256},
};
enum { SPEC_COUNT = sizeof specs / sizeof *specs };

/* One key of each spec, made once. */
static struct sr_keypair *keys[SPEC_COUNT];

static int make_keys(void **state)
{
	if (init_seal(state) != 0) {
		return -1;
	}
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		expect_ok(sr_keypair_generate(&specs[i], &keys[i]));
	}
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		sr_keypair_free(keys[i]);
	}
	return 0;
}

static struct sr_aead *new_master(void)
{
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	struct sr_aead *master;
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	expect_ok(sr_aead_new(key, &master));
	return master;
}

static void test_every_algorithm_works_with_the_keys_that_it_fits_and_no_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		unsigned fitting = 0;
		for (int a = 0; a < SR_ALG_COUNT; a++) {
			enum sr_alg alg = (enum sr_alg)a;
			SR_CLEANUP(sr_buf) struct sr_buf out = SR_BUF(OUT_MAX);
			SR_CLEANUP(sr_buf) struct sr_buf iv = SR_BUF(64);
			SR_CLEANUP(sr_buf) struct sr_buf tag = SR_BUF(64);
			SR_CLEANUP(sr_buf) struct sr_buf plain = SR_BUF(OUT_MAX);
			uint8_t message[64];
			sr_random(message, sizeof message);
			unsigned len = sr_alg_traits(alg)->digest_len;
			struct sr_bytes bytes = sr_bytes_of(message, len ? len : 32);
			bool is_valid = false;
			if (!sr_alg_fits(alg, &specs[i])) {
				expect_code(sr_keypair_sign(keys[i], alg, bytes, &out), SR_INVALID);
				expect_code(sr_keypair_verify(keys[i], alg, bytes, bytes, &is_valid), SR_INVALID);
				expect_code(sr_keypair_encrypt(keys[i], alg, bytes, NULL, &out, &iv, &tag), SR_INVALID);
				expect_code(sr_keypair_decrypt(keys[i], alg, bytes, NULL, &plain), SR_INVALID);
				continue;
			}
			fitting++;
			if (sr_alg_is_signature(alg)) {
				expect_ok(sr_keypair_sign(keys[i], alg, bytes, &out));
				expect_ok(sr_keypair_verify(keys[i], alg, bytes, sr_buf_bytes(&out), &is_valid));
				assert_true(is_valid);
				out.data[out.len / 2] ^= 1;
				expect_ok(sr_keypair_verify(keys[i], alg, bytes, sr_buf_bytes(&out), &is_valid));
				assert_false(is_valid);
				expect_code(sr_keypair_encrypt(keys[i], alg, bytes, NULL, &out, &iv, &tag), SR_INVALID);
				continue;
			}
			expect_ok(sr_keypair_encrypt(keys[i], alg, bytes, NULL, &out, &iv, &tag));
			struct sr_cipher_parts parts = {sr_buf_bytes(&iv), {0}, sr_buf_bytes(&tag)};
			expect_ok(sr_keypair_decrypt(keys[i], alg, sr_buf_bytes(&out), &parts, &plain));
			assert_true(sr_equal_ct(sr_buf_bytes(&plain), bytes));
			expect_code(sr_keypair_sign(keys[i], alg, bytes, &out), SR_INVALID);
		}
		assert_int_equal(fitting, specs[i].type == SR_KEY_RSA ? 10 : specs[i].type == SR_KEY_EC ? 1 : 4);
	}
}

static void test_digests_of_another_length_are_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf out = SR_BUF(OUT_MAX);
	uint8_t bytes[300] = {0};
	for (size_t len = 0; len < 65; len++) {
		if (len != 32) {
			expect_code(sr_keypair_sign(keys[0], SR_ALG_RS256, sr_bytes_of(bytes, len), &out), SR_INVALID);
			expect_code(sr_keypair_sign(keys[0], SR_ALG_PS256, sr_bytes_of(bytes, len), &out), SR_INVALID);
			expect_code(sr_keypair_sign(keys[1], SR_ALG_ES256, sr_bytes_of(bytes, len), &out), SR_INVALID);
		}
	}
	expect_ok(sr_keypair_sign(keys[0], SR_ALG_RSNULL, sr_bytes_of(bytes, 245), &out));
	expect_code(sr_keypair_sign(keys[0], SR_ALG_RSNULL, sr_bytes_of(bytes, 246), &out), SR_INVALID);
	expect_code(sr_keypair_encrypt(keys[0], SR_ALG_RSA_OAEP_256, sr_bytes_of(bytes, 191), NULL, &out, NULL, NULL),
	            SR_INVALID);
	expect_ok(sr_keypair_encrypt(keys[0], SR_ALG_RSA_OAEP_256, sr_bytes_of(bytes, 190), NULL, &out, NULL, NULL));
	SR_CLEANUP(sr_buf) struct sr_buf iv = SR_BUF(64);
	expect_code(sr_keypair_encrypt(keys[7], SR_ALG_A256CBC, sr_bytes_of(bytes, 17), NULL, &out, &iv, NULL), SR_INVALID);
	expect_code(sr_keypair_encrypt(keys[7], SR_ALG_A256KW, sr_bytes_of(bytes, 17), NULL, &out, NULL, NULL), SR_INVALID);
}

static bool same_public(const struct sr_keypair *a, const struct sr_keypair *b)
{
	struct sr_key_public x;
	struct sr_key_public y;
	sr_keypair_public(a, &x);
	sr_keypair_public(b, &y);
	return sr_equal_public(sr_bytes_of(x.n, x.n_len), sr_bytes_of(y.n, y.n_len)) &&
	       sr_equal_public(sr_bytes_of(x.x, x.xy_len), sr_bytes_of(y.x, y.xy_len)) &&
	       sr_equal_public(sr_bytes_of(x.y, x.xy_len), sr_bytes_of(y.y, y.xy_len)) && x.spec.type == y.spec.type &&
	       x.spec.bits == y.spec.bits && x.spec.curve == y.spec.curve;
}

static void test_a_sealed_key_works_as_before_and_opens_for_its_name_alone(void **state)
{
	(void)state;
	SR_CLEANUP(sr_aead) struct sr_aead *master = new_master();
	SR_CLEANUP(sr_aead) struct sr_aead *other = new_master();
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SR_SECRET_MAX);
		SR_CLEANUP(sr_keypair) struct sr_keypair *opened = NULL;
		expect_ok(sr_keypair_seal(keys[i], master, SR_LITERAL("v/k/1"), &sealed));
		expect_code(sr_keypair_open(other, SR_LITERAL("v/k/1"), sr_buf_bytes(&sealed), &opened), SR_CORRUPT);
		expect_code(sr_keypair_open(master, SR_LITERAL("v/k/2"), sr_buf_bytes(&sealed), &opened), SR_CORRUPT);
		for (size_t at = 0; at < sealed.len; at += 7) {
			sealed.data[at] ^= 2;
			expect_code(sr_keypair_open(master, SR_LITERAL("v/k/1"), sr_buf_bytes(&sealed), &opened), SR_CORRUPT);
			sealed.data[at] ^= 2;
		}
		expect_ok(sr_keypair_open(master, SR_LITERAL("v/k/1"), sr_buf_bytes(&sealed), &opened));
		assert_true(same_public(keys[i], opened));
		if (specs[i].type != SR_KEY_EC) {
			SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
			SR_CLEANUP(sr_secret) struct sr_secret *unwrapped = NULL;
			SR_CLEANUP(sr_buf) struct sr_buf wrapped = SR_BUF(OUT_MAX);
			expect_ok(sr_secret_random(SR_KEY_LEN, &kek));
			expect_ok(sr_keypair_wrap_secret(keys[i], kek, &wrapped));
			expect_ok(sr_keypair_unwrap_secret(opened, sr_buf_bytes(&wrapped), &unwrapped));
			assert_true(sr_secret_equal(kek, unwrapped));
		}
	}
}

static void test_a_wrapped_secret_opens_under_its_key_alone(void **state)
{
	(void)state;
	static const size_t wrapping[] = {0, 5, 6, 7};
	for (size_t i = 0; i < 4; i++) {
		struct sr_keypair *keypair = keys[wrapping[i]];
		SR_CLEANUP(sr_keypair) struct sr_keypair *other = NULL;
		SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
		SR_CLEANUP(sr_secret) struct sr_secret *none = NULL;
		SR_CLEANUP(sr_buf) struct sr_buf wrapped = SR_BUF(OUT_MAX);
		expect_ok(sr_keypair_generate(&specs[wrapping[i]], &other));
		expect_ok(sr_secret_random(SR_KEY_LEN, &kek));
		expect_ok(sr_keypair_wrap_secret(keypair, kek, &wrapped));
		expect_code(sr_keypair_unwrap_secret(other, sr_buf_bytes(&wrapped), &none), SR_WRONG_KEY);
		expect_code(sr_keypair_unwrap_secret(keypair, sr_bytes_of(wrapped.data, wrapped.len - 1), &none), SR_WRONG_KEY);
		expect_code(sr_keypair_unwrap_secret(keypair, (struct sr_bytes){0}, &none), SR_WRONG_KEY);
		wrapped.data[wrapped.len - 1] ^= 1;
		expect_code(sr_keypair_unwrap_secret(keypair, sr_buf_bytes(&wrapped), &none), SR_WRONG_KEY);
	}
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf wrapped = SR_BUF(OUT_MAX);
	expect_ok(sr_secret_random(SR_KEY_LEN, &secret));
	expect_code(sr_keypair_wrap_secret(keys[1], secret, &wrapped), SR_INVALID);
}

static void test_a_public_key_verifies_and_does_nothing_private(void **state)
{
	(void)state;
	SR_CLEANUP(sr_aead) struct sr_aead *master = new_master();
	uint8_t digest[32];
	sr_random(digest, sizeof digest);
	for (size_t i = 0; i < 2; i++) {
		enum sr_alg alg = i == 0 ? SR_ALG_PS256 : SR_ALG_ES256;
		struct sr_key_public parts;
		SR_CLEANUP(sr_keypair) struct sr_keypair *public_only = NULL;
		SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(OUT_MAX);
		SR_CLEANUP(sr_secret) struct sr_secret *none = NULL;
		bool is_valid;
		sr_keypair_public(keys[i], &parts);
		expect_ok(sr_keypair_from_public(&parts, &public_only));
		expect_ok(sr_keypair_sign(keys[i], alg, sr_bytes_of(digest, 32), &signature));
		expect_ok(sr_keypair_verify(public_only, alg, sr_bytes_of(digest, 32), sr_buf_bytes(&signature), &is_valid));
		assert_true(is_valid);
		expect_code(sr_keypair_sign(public_only, alg, sr_bytes_of(digest, 32), &signature), SR_INVALID);
		expect_code(sr_keypair_seal(public_only, master, SR_LITERAL("x"), &signature), SR_INVALID);
		expect_code(sr_keypair_unwrap_secret(public_only, sr_buf_bytes(&signature), &none), SR_INVALID);
	}
}

static void test_numbers_that_make_no_key_are_refused(void **state)
{
	(void)state;
	struct sr_key_public rsa;
	struct sr_key_public ec;
	struct sr_keypair *none = NULL;
	sr_keypair_public(keys[0], &rsa);
	sr_keypair_public(keys[1], &ec);
	struct sr_key_public bad = rsa;
	bad.n_len = 255;
	expect_code(sr_keypair_from_public(&bad, &none), SR_INVALID);
	bad = rsa;
	bad.n[0] &= 0x7F; /* 2047 bits */
	expect_code(sr_keypair_from_public(&bad, &none), SR_INVALID);
	bad = rsa;
	bad.n[255] &= 0xFE;
	expect_code(sr_keypair_from_public(&bad, &none), SR_INVALID);
	bad = rsa;
	bad.e_len = 1;
	bad.e[0] = 1;
	expect_code(sr_keypair_from_public(&bad, &none), SR_INVALID);
	bad = ec;
	bad.y[31] ^= 1;
	expect_code(sr_keypair_from_public(&bad, &none), SR_INVALID);
	bad = ec;
	bad.xy_len = 31;
	expect_code(sr_keypair_from_public(&bad, &none), SR_INVALID);
	bad = ec;
	bad.spec.curve = SR_CURVE_NONE;
	expect_code(sr_keypair_from_public(&bad, &none), SR_INVALID);
	static const uint8_t d[32] = {[31] = 7};
	struct sr_key_private foreign = {.public_parts = ec, .d = {d, sizeof d}};
	expect_code(sr_keypair_import(&foreign, &none), SR_INVALID);
	struct sr_key_private short_oct = {.public_parts.spec.type = SR_KEY_OCT, .k = {d, 15}};
	expect_code(sr_keypair_import(&short_oct, &none), SR_INVALID);
	assert_null(none);
}

static void test_specs_that_do_not_exist_are_refused(void **state)
{
	(void)state;
	static const struct sr_key_spec bad[] = {
	    {.type = SR_KEY_RSA, .bits = 1024}, {.type = SR_KEY_RSA, .bits = 2049}, {.type = SR_KEY_EC, .bits = 0},
	    {.type = SR_KEY_OCT, .bits = 512},  {.type = (enum sr_key_type)9},
	};
	struct sr_keypair *none = NULL;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		expect_code(sr_keypair_generate(&bad[i], &none), SR_INVALID);
	}
	expect_code(sr_keypair_pool_start(&specs[1], 1), SR_INVALID);
	enum sr_alg alg;
	expect_code(sr_alg_by_name(SR_LITERAL("rs256"), &alg), SR_INVALID);
	expect_code(sr_alg_by_name(SR_LITERAL(""), &alg), SR_INVALID);
	for (int a = 0; a < SR_ALG_COUNT; a++) {
		expect_ok(sr_alg_by_name(sr_bytes_str(sr_alg_name((enum sr_alg)a)), &alg));
		assert_int_equal(alg, a);
	}
}

/* Known answers, made once by another implementation of the sealed form; each must open for ever. */
static void test_known_keys_open(void **state)
{
	(void)state;
	json_t *all = load_known("keypair_v1.json");
	size_t index;
	json_t *known;
	json_array_foreach(json_object_get(all, "keys"), index, known)
	{
		SR_CLEANUP(hex) struct hex master_key = hex_of(known, "master");
		SR_CLEANUP(hex) struct hex aad = hex_of(known, "aad");
		SR_CLEANUP(hex) struct hex sealed = hex_of(known, "sealed");
		SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
		SR_CLEANUP(sr_aead) struct sr_aead *master = NULL;
		SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
		expect_ok(sr_secret_from_bytes(hex_bytes(&master_key), &secret));
		expect_ok(sr_aead_new(secret, &master));
		expect_ok(sr_keypair_open(master, hex_bytes(&aad), hex_bytes(&sealed), &keypair));
		struct sr_key_public public_parts;
		sr_keypair_public(keypair, &public_parts);
		if (public_parts.spec.type == SR_KEY_EC) {
			SR_CLEANUP(hex) struct hex x = hex_of(known, "x");
			SR_CLEANUP(hex) struct hex y = hex_of(known, "y");
			assert_true(sr_equal_public(sr_bytes_of(public_parts.x, public_parts.xy_len), hex_bytes(&x)));
			assert_true(sr_equal_public(sr_bytes_of(public_parts.y, public_parts.xy_len), hex_bytes(&y)));
			continue;
		}
		SR_CLEANUP(hex) struct hex wrapped = hex_of(known, "wrapped");
		SR_CLEANUP(hex) struct hex expected = hex_of(known, "secret");
		SR_CLEANUP(sr_secret) struct sr_secret *unwrapped = NULL;
		expect_ok(sr_keypair_unwrap_secret(keypair, hex_bytes(&wrapped), &unwrapped));
		assert_true(sr_equal_ct(sr_secret_bytes(unwrapped), hex_bytes(&expected)));
	}
	assert_int_equal(index, 9);
	json_decref(all);
}

static void unwrap_often(void *context)
{
	struct sr_secret *secret;
	for (int i = 0; i < 50; i++) {
		if (!sr_is_ok(sr_keypair_unwrap_secret(keys[0], *(struct sr_bytes *)context, &secret))) {
			abort();
		}
		sr_secret_free(secret);
	}
}

static void test_a_key_serves_many_threads(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf wrapped = SR_BUF(OUT_MAX);
	expect_ok(sr_secret_random(SR_KEY_LEN, &kek));
	expect_ok(sr_keypair_wrap_secret(keys[0], kek, &wrapped));
	struct sr_bytes bytes = sr_buf_bytes(&wrapped);
	struct sr_thread threads[4];
	for (int i = 0; i < 4; i++) {
		expect_ok(sr_thread_start("unwrap", 0, unwrap_often, &bytes, &threads[i]));
	}
	for (int i = 0; i < 4; i++) {
		sr_thread_join(threads[i]);
	}
}

static void test_the_pool_has_different_keys_ready(void **state)
{
	(void)state;
	expect_ok(sr_keypair_pool_start(&specs[0], 2));
	EVP_PKEY *ready[2] = {NULL, NULL};
	uint64_t deadline = sr_boottime_ms() + 60000;
	for (int i = 0; i < 2; i++) {
		while (!ready[i] && sr_boottime_ms() < deadline) {
			ready[i] = sr_keypair_pool_take(&specs[0]);
			sr_sleep_ms(5);
		}
		assert_non_null(ready[i]);
	}
	assert_int_equal(EVP_PKEY_get_bits(ready[0]), 2048);
	assert_int_equal(EVP_PKEY_eq(ready[0], ready[1]), 0);
	EVP_PKEY_free(ready[0]);
	EVP_PKEY_free(ready[1]);
	sr_keypair_pool_stop();
}

static void test_a_stopped_pool_is_empty_and_can_start_again(void **state)
{
	(void)state;
	sr_keypair_pool_stop(); /* none was started: nothing happens */
	for (int i = 0; i < 2; i++) {
		expect_ok(sr_keypair_pool_start(&specs[0], 1));
		sr_keypair_pool_stop();
		assert_null(sr_keypair_pool_take(&specs[0]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_algorithm_works_with_the_keys_that_it_fits_and_no_others),
	    cmocka_unit_test(test_digests_of_another_length_are_refused),
	    cmocka_unit_test(test_a_sealed_key_works_as_before_and_opens_for_its_name_alone),
	    cmocka_unit_test(test_a_wrapped_secret_opens_under_its_key_alone),
	    cmocka_unit_test(test_a_public_key_verifies_and_does_nothing_private),
	    cmocka_unit_test(test_numbers_that_make_no_key_are_refused),
	    cmocka_unit_test(test_specs_that_do_not_exist_are_refused),
	    cmocka_unit_test(test_known_keys_open),
	    cmocka_unit_test(test_a_key_serves_many_threads),
	    cmocka_unit_test(test_the_pool_has_different_keys_ready),
	    cmocka_unit_test(test_a_stopped_pool_is_empty_and_can_start_again),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
