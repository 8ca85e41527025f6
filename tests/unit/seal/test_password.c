/* Passwords as they are kept: the right one matches, nothing else does, and a hash of another form is refused. */
#include "seal_init.h"

#include "seal/password.h"

static void a_password_matches_its_own_hash_alone(void **state)
{
	(void)state;
	uint8_t hash[SR_PASSWORD_HASH_LEN];
	uint8_t again[SR_PASSWORD_HASH_LEN];
	bool is_right = false;
	expect_ok(sr_password_hash(SR_LITERAL("a long password"), hash));
	expect_ok(sr_password_matches(SR_LITERAL("a long password"), hash, &is_right));
	assert_true(is_right);
	static const char *const wrong[] = {"a long passwore", "a long passwor", "a long password ", ""};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		expect_ok(sr_password_matches(sr_bytes_str(wrong[i]), hash, &is_right));
		assert_false(is_right);
	}
	/* The salt is another each time. */
	expect_ok(sr_password_hash(SR_LITERAL("a long password"), again));
	assert_memory_not_equal(hash, again, sizeof hash);
}

/* RFC 7914; the known answer is by Node.js's crypto.scryptSync. */
static void the_form_is_scrypt_with_its_costs_in_front(void **state)
{
	(void)state;
	/* version 1, N = 2^10, r = 8, p = 16, salt */
	uint8_t hash[SR_PASSWORD_HASH_LEN] = {1,   10,  8,   16,  'N', 'a', 'C', 'l', 'N', 'a',
	                                      'C', 'l', 'N', 'a', 'C', 'l', 'N', 'a', 'C', 'l'};
	static const uint8_t known[32] = {0xae, 0xe7, 0xe5, 0x61, 0x2a, 0xfb, 0x24, 0xac, 0x1c, 0xc8, 0xfe,
	                                  0x2d, 0x68, 0x58, 0x0f, 0x04, 0x92, 0x3b, 0x9e, 0xa9, 0xb0, 0x45,
	                                  0x5b, 0xe3, 0xa2, 0x7b, 0x61, 0x41, 0xbd, 0x8c, 0x48, 0x22};
	memcpy(hash + 20, known, sizeof known);
	bool is_right = false;
	expect_ok(sr_password_matches(SR_LITERAL("password"), hash, &is_right));
	assert_true(is_right);
}

static void nobodys_hash_matches_nothing(void **state)
{
	(void)state;
	uint8_t hash[SR_PASSWORD_HASH_LEN];
	bool is_right = true;
	sr_password_unmatchable(hash);
	expect_ok(sr_password_matches(SR_LITERAL(""), hash, &is_right));
	assert_false(is_right);
}

static void a_hash_of_another_form_or_of_absurd_cost_is_refused(void **state)
{
	(void)state;
	uint8_t hash[SR_PASSWORD_HASH_LEN];
	bool is_right;
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = {{0, 2}, {1, 0}, {1, 30}, {2, 0}, {2, 255}, {3, 0}, {3, 255}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		sr_password_unmatchable(hash);
		hash[wrong[i].at] = wrong[i].value;
		expect_code(sr_password_matches(SR_LITERAL("x"), hash, &is_right), SR_CORRUPT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_password_matches_its_own_hash_alone),
	    cmocka_unit_test(the_form_is_scrypt_with_its_costs_in_front),
	    cmocka_unit_test(nobodys_hash_matches_nothing),
	    cmocka_unit_test(a_hash_of_another_form_or_of_absurd_cost_is_refused),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
