/* Keys that live in a PKCS#11 token (SoftHSM): each algorithm against the same key in software, their sealed form, many
 * threads at once, and what happens while the token is away. */
#include "hsm_fixture.h"

#include "seal/keypair_parts.h"
#include "seal/secret_bytes.h"

#include "base/clock.h"
#include "base/thread.h"

enum { OUT_MAX = 4096, THREADS = 6, ROUNDS = 8 };

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

static struct sr_keypair *make_key(const struct sr_key_spec *spec, uint8_t id[static SR_HSM_ID_LEN])
{
	struct sr_keypair *keypair = NULL;
	sr_random(id, SR_HSM_ID_LEN);
	expect_ok(sr_keypair_make_in_token(spec, id, &keypair));
	return keypair;
}

static struct sr_aead *new_master(void)
{
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	struct sr_aead *master;
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	expect_ok(sr_aead_new(key, &master));
	return master;
}

/* What `maker` encrypts or signs must be good for `user`, and altered it must not. */
static void exchange(const struct sr_keypair *maker, const struct sr_keypair *user, enum sr_alg alg)
{
	SR_CLEANUP(sr_buf) struct sr_buf out = SR_BUF(OUT_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf iv = SR_BUF(64);
	SR_CLEANUP(sr_buf) struct sr_buf tag = SR_BUF(64);
	SR_CLEANUP(sr_buf) struct sr_buf plain = SR_BUF(OUT_MAX);
	uint8_t message[64];
	sr_random(message, sizeof message);
	const unsigned len = sr_alg_traits(alg)->digest_len;
	const struct sr_bytes bytes = sr_bytes_of(message, len ? len : 32);
	if (sr_alg_is_signature(alg)) {
		bool is_valid = false;
		expect_ok(sr_keypair_sign(maker, alg, bytes, &out));
		expect_ok(sr_keypair_verify(user, alg, bytes, sr_buf_bytes(&out), &is_valid));
		assert_true(is_valid);
		return;
	}
	expect_ok(sr_keypair_encrypt(maker, alg, bytes, NULL, &out, &iv, &tag));
	const struct sr_cipher_parts parts = {sr_buf_bytes(&iv), {0}, sr_buf_bytes(&tag)};
	expect_ok(sr_keypair_decrypt(user, alg, sr_buf_bytes(&out), &parts, &plain));
	assert_true(sr_equal_ct(sr_buf_bytes(&plain), bytes));
	const enum sr_alg_kind kind = sr_alg_traits(alg)->kind;
	if (kind != SR_ALG_KIND_CBC && kind != SR_ALG_KIND_CBC_PADDED) {
		out.data[3] ^= 4;
		plain.len = 0;
		expect_code(sr_keypair_decrypt(user, alg, sr_buf_bytes(&out), &parts, &plain), SR_INVALID);
		assert_int_equal(plain.len, 0);
	}
}

static void test_keys_made_in_the_token_do_every_algorithm_that_fits(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		uint8_t id[SR_HSM_ID_LEN];
		SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = make_key(&specs[i], id);
		struct sr_key_public parts;
		sr_keypair_public(keypair, &parts);
		assert_true(sr_keypair_spec(keypair).is_in_token);
		assert_int_equal(sr_keypair_token_id(keypair).len, SR_HSM_ID_LEN);
		SR_CLEANUP(sr_keypair) struct sr_keypair *open = NULL;
		if (specs[i].type != SR_KEY_OCT) {
			expect_ok(sr_keypair_from_public(&parts, &open));
		}
		unsigned fitting = 0;
		for (int alg = 0; alg < SR_ALG_COUNT; alg++) {
			if (!sr_alg_fits((enum sr_alg)alg, &specs[i])) {
				continue;
			}
			fitting++;
			exchange(keypair, keypair, (enum sr_alg)alg);
			if (open && sr_alg_is_signature((enum sr_alg)alg)) {
				exchange(keypair, open, (enum sr_alg)alg);
			} else if (open) {
				exchange(open, keypair, (enum sr_alg)alg);
			}
		}
		assert_int_equal(fitting, specs[i].type == SR_KEY_RSA ? 10 : specs[i].type == SR_KEY_EC ? 1 : 4);
		expect_ok(sr_hsm_destroy(id));
	}
}

static void test_keys_moved_into_the_token_are_the_same_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		uint8_t id[SR_HSM_ID_LEN];
		SR_CLEANUP(sr_keypair) struct sr_keypair *soft = NULL;
		SR_CLEANUP(sr_keypair) struct sr_keypair *hard = NULL;
		expect_ok(sr_keypair_generate(&specs[i], &soft));
		sr_random(id, sizeof id);
		expect_ok(sr_keypair_move_into_token(soft, id, &hard));
		for (int alg = 0; alg < SR_ALG_COUNT; alg++) {
			if (sr_alg_fits((enum sr_alg)alg, &specs[i])) {
				exchange(soft, hard, (enum sr_alg)alg);
				exchange(hard, soft, (enum sr_alg)alg);
			}
		}
		struct sr_keypair *none = NULL;
		expect_code(sr_keypair_move_into_token(hard, id, &none), SR_INVALID);
		if (specs[i].type != SR_KEY_EC) {
			SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
			SR_CLEANUP(sr_secret) struct sr_secret *opened = NULL;
			SR_CLEANUP(sr_buf) struct sr_buf wrapped = SR_BUF(OUT_MAX);
			expect_ok(sr_secret_random(SR_KEY_LEN, &kek));
			expect_ok(sr_keypair_wrap_secret(hard, kek, &wrapped));
			expect_ok(sr_keypair_unwrap_secret(soft, sr_buf_bytes(&wrapped), &opened));
			assert_true(sr_secret_equal(kek, opened));
			sr_secret_free(SR_TAKE(opened));
			expect_ok(sr_keypair_unwrap_secret(hard, sr_buf_bytes(&wrapped), &opened));
			assert_true(sr_secret_equal(kek, opened));
			wrapped.data[9] ^= 1;
			struct sr_secret *nothing = NULL;
			expect_code(sr_keypair_unwrap_secret(hard, sr_buf_bytes(&wrapped), &nothing), SR_WRONG_KEY);
		}
		expect_ok(sr_hsm_destroy(id));
	}
}

static void test_larger_rsa_keys_are_made_and_used(void **state)
{
	(void)state;
	static const struct sr_key_spec large[] = {{.type = SR_KEY_RSA, .bits = 3072}, {.type = SR_KEY_RSA, .bits = 4096}};
	for (size_t i = 0; i < 2; i++) {
		uint8_t id[SR_HSM_ID_LEN];
		SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = make_key(&large[i], id);
		exchange(keypair, keypair, SR_ALG_RSA_OAEP_256);
		exchange(keypair, keypair, SR_ALG_PS512);
		expect_ok(sr_hsm_destroy(id));
	}
}

static void test_a_sealed_key_of_the_token_opens_for_its_name_alone(void **state)
{
	(void)state;
	SR_CLEANUP(sr_aead) struct sr_aead *master = new_master();
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		uint8_t id[SR_HSM_ID_LEN];
		SR_CLEANUP(sr_keypair) struct sr_keypair *made = make_key(&specs[i], id);
		SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SR_SECRET_MAX);
		SR_CLEANUP(sr_keypair) struct sr_keypair *opened = NULL;
		expect_ok(sr_keypair_seal(made, master, SR_LITERAL("v/k/1"), &sealed));
		expect_code(sr_keypair_open(master, SR_LITERAL("v/k/2"), sr_buf_bytes(&sealed), &opened), SR_CORRUPT);
		for (size_t at = 0; at < sealed.len; at += 11) {
			sealed.data[at] ^= 2;
			expect_code(sr_keypair_open(master, SR_LITERAL("v/k/1"), sr_buf_bytes(&sealed), &opened), SR_CORRUPT);
			sealed.data[at] ^= 2;
		}
		expect_ok(sr_keypair_open(master, SR_LITERAL("v/k/1"), sr_buf_bytes(&sealed), &opened));
		assert_true(sr_equal_public(sr_keypair_token_id(opened), sr_bytes_of(id, sizeof id)));
		assert_true(sr_keypair_spec(opened).is_in_token);
		for (int alg = 0; alg < SR_ALG_COUNT; alg++) {
			if (sr_alg_fits((enum sr_alg)alg, &specs[i])) {
				exchange(made, opened, (enum sr_alg)alg);
			}
		}
		expect_ok(sr_hsm_destroy(id));
	}
}

static void test_a_destroyed_key_is_gone_and_its_id_is_free(void **state)
{
	(void)state;
	uint8_t id[SR_HSM_ID_LEN];
	bool has = false;
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = make_key(&specs[0], id);
	SR_CLEANUP(sr_keypair) struct sr_keypair *again = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf out = SR_BUF(OUT_MAX);
	const uint8_t digest[32] = {1};
	expect_ok(sr_hsm_has(id, &has));
	assert_true(has);
	expect_ok(sr_keypair_make_in_token(&specs[1], id, &again)); /* replaces what an attempt left */
	expect_code(sr_keypair_sign(keypair, SR_ALG_RS256, sr_bytes_of(digest, 32), &out), SR_INVALID);
	expect_ok(sr_hsm_destroy(id));
	expect_ok(sr_hsm_destroy(id));
	expect_ok(sr_hsm_has(id, &has));
	assert_false(has);
	expect_code(sr_keypair_sign(again, SR_ALG_ES256, sr_bytes_of(digest, 32), &out), SR_UNAVAILABLE);
	assert_int_equal(out.len, 0);
}

static void use_both(void *context)
{
	const struct sr_keypair *const *keys = context;
	for (int i = 0; i < ROUNDS; i++) {
		exchange(keys[0], keys[0], SR_ALG_RSA_OAEP_256);
		exchange(keys[1], keys[1], SR_ALG_A256GCM);
	}
}

static void test_many_threads_use_the_token_at_once(void **state)
{
	(void)state;
	uint8_t ids[2][SR_HSM_ID_LEN];
	struct sr_keypair *keys[2] = {make_key(&specs[0], ids[0]), make_key(&specs[7], ids[1])};
	struct sr_thread threads[THREADS];
	for (int i = 0; i < THREADS; i++) {
		expect_ok(sr_thread_start("token-user", 0, use_both, keys, &threads[i]));
	}
	for (int i = 0; i < THREADS; i++) {
		sr_thread_join(threads[i]);
	}
	for (int i = 0; i < 2; i++) {
		sr_keypair_free(keys[i]);
		expect_ok(sr_hsm_destroy(ids[i]));
	}
}

static void test_while_the_token_is_away_nothing_works_and_after_it_everything(void **state)
{
	(void)state;
	uint8_t id[SR_HSM_ID_LEN];
	char elsewhere[128];
	snprintf(elsewhere, sizeof elsewhere, "%s.away", token_place.tokens);
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = make_key(&specs[0], id);
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(OUT_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf plain = SR_BUF(OUT_MAX);
	const struct sr_bytes text = SR_LITERAL("text");
	expect_ok(sr_keypair_encrypt(keypair, SR_ALG_RSA_OAEP_256, text, NULL, &sealed, NULL, NULL));
	expect_ok(sr_keypair_decrypt(keypair, SR_ALG_RSA_OAEP_256, sr_buf_bytes(&sealed), NULL, &plain));

	assert_int_equal(rename(token_place.tokens, elsewhere), 0);
	assert_int_equal(mkdir(token_place.tokens, 0700), 0);
	for (int i = 0; i < 3; i++) {
		plain.len = 0;
		expect_code(sr_keypair_decrypt(keypair, SR_ALG_RSA_OAEP_256, sr_buf_bytes(&sealed), NULL, &plain),
		            SR_UNAVAILABLE);
		assert_int_equal(plain.len, 0);
	}
	expect_code(sr_hsm_check(), SR_UNAVAILABLE);
	expect_code(sr_hsm_destroy(id), SR_UNAVAILABLE);
	SR_CLEANUP(sr_buf) struct sr_buf more = SR_BUF(OUT_MAX); /* the public part is here */
	expect_ok(sr_keypair_encrypt(keypair, SR_ALG_RSA_OAEP_256, text, NULL, &more, NULL, NULL));

	assert_int_equal(rmdir(token_place.tokens), 0);
	assert_int_equal(rename(elsewhere, token_place.tokens), 0);
	const uint64_t deadline = sr_boottime_ms() + 5000;
	struct sr_result back = sr_hsm_check();
	while (!sr_is_ok(back) && sr_boottime_ms() < deadline) {
		sr_result_free(back);
		usleep(50000);
		back = sr_hsm_check();
	}
	expect_ok(back);
	plain.len = 0;
	expect_ok(sr_keypair_decrypt(keypair, SR_ALG_RSA_OAEP_256, sr_buf_bytes(&sealed), NULL, &plain));
	assert_true(sr_equal_ct(sr_buf_bytes(&plain), text));
	expect_ok(sr_hsm_destroy(id));
}

/* Detaches, tries other settings, and puts things as they were. */
static void test_wrong_settings_are_named_and_a_wrong_pin_is_tried_once(void **state)
{
	(void)state;
	const struct sr_hsm_options good = token_options();
	expect_code(sr_hsm_attach(&good), SR_EXISTS);
	sr_hsm_detach();
	assert_false(sr_hsm_is_attached());
	struct sr_hsm_options bad = good;
	bad.module = "softhsm.so";
	expect_code(sr_hsm_attach(&bad), SR_INVALID);
	bad.module = "/usr/lib/none.so";
	expect_code(sr_hsm_attach(&bad), SR_INVALID);
	bad = good;
	bad.label = "a label that has far more characters than thirty-two";
	expect_code(sr_hsm_attach(&bad), SR_INVALID);
	bad = good;
	bad.environment = "SOFTHSM2_CONF";
	expect_code(sr_hsm_attach(&bad), SR_INVALID);
	bad = good;
	bad.label = "another token";
	expect_ok(sr_hsm_attach(&bad));
	expect_code(sr_hsm_check(), SR_UNAVAILABLE);
	sr_hsm_detach();

	chmod(token_place.pin_file, 0644);
	expect_code(sr_hsm_attach(&good), SR_DENIED);
	chmod(token_place.pin_file, 0600);
	write_text(token_place.pin_file, "wrong\n", 0600);
	expect_ok(sr_hsm_attach(&good));
	for (int i = 0; i < 20; i++) {
		expect_code(sr_hsm_check(), SR_UNAVAILABLE);
	}
	sr_hsm_detach();
	write_text(token_place.pin_file, TOKEN_PIN "\n", 0600);
	expect_ok(sr_hsm_attach(&good));
	expect_ok(sr_hsm_check());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys_made_in_the_token_do_every_algorithm_that_fits),
	    cmocka_unit_test(test_keys_moved_into_the_token_are_the_same_keys),
	    cmocka_unit_test(test_larger_rsa_keys_are_made_and_used),
	    cmocka_unit_test(test_a_sealed_key_of_the_token_opens_for_its_name_alone),
	    cmocka_unit_test(test_a_destroyed_key_is_gone_and_its_id_is_free),
	    cmocka_unit_test(test_many_threads_use_the_token_at_once),
	    cmocka_unit_test(test_while_the_token_is_away_nothing_works_and_after_it_everything),
	    cmocka_unit_test(test_wrong_settings_are_named_and_a_wrong_pin_is_tried_once),
	};
	return cmocka_run_group_tests(tests, attach_token, remove_token);
}
