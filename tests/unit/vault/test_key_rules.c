/* The rules on keys, every cell: state x operation, type x operation, kinds, names, recovery levels. */
#include "vault/key_rules.h"

#include "check.h"

enum { NOW = 1000000 };

enum moment { ANY_TIME, INSIDE, BEFORE, AFTER, MOMENTS };

/* The rule once more, said independently: disabled refuses all, outside its time what makes new things is refused. */
static const char *expected_reason(bool is_enabled, enum moment moment, enum sr_key_operation operation, bool is_listed)
{
	const bool makes_new = operation == SR_KEY_ENCRYPT || operation == SR_KEY_WRAP || operation == SR_KEY_SIGN;
	if (!is_enabled) {
		return "KeyDisabled";
	}
	if (makes_new && moment == BEFORE) {
		return "KeyNotYetValid";
	}
	if (makes_new && moment == AFTER) {
		return "KeyExpired";
	}
	return is_listed ? NULL : "KeyOperationForbidden";
}

static struct sr_key_state state_at(bool is_enabled, enum moment moment, unsigned operations)
{
	struct sr_key_state state = {
	    .is_enabled = is_enabled, .nbf = SR_NO_TIME, .exp = SR_NO_TIME, .operations = operations};
	if (moment != ANY_TIME) {
		state.nbf = moment == BEFORE ? NOW + 1 : NOW - 10;
		state.exp = moment == AFTER ? NOW : NOW + 10;
	}
	return state;
}

static void every_state_and_operation_is_allowed_or_refused_by_the_rule(void **unused)
{
	(void)unused;
	unsigned cells = 0;
	for (size_t i = 0; sr_key_operation_at(i); i++) {
		const enum sr_key_operation operation = sr_key_operation_at(i);
		for (int enabled = 0; enabled < 2; enabled++) {
			for (enum moment moment = ANY_TIME; moment < MOMENTS; moment++) {
				for (int listed = 0; listed < 2; listed++) {
					const unsigned operations = listed ? (unsigned)operation : 255u & ~(unsigned)operation;
					struct sr_key_state state = state_at(enabled, moment, operations);
					struct sr_result result = sr_key_check_use(&state, operation, NOW);
					const char *expected = expected_reason(enabled, moment, operation, listed);
					if (expected) {
						expect_reason(result, SR_DENIED, expected);
					} else {
						expect_ok(result);
					}
					cells++;
				}
			}
		}
	}
	assert_int_equal(cells, 8 * 2 * 4 * 2);
}

static void leases_end_with_everything_that_ends_a_key(void **unused)
{
	(void)unused;
	const unsigned both = SR_KEY_WRAP | SR_KEY_UNWRAP;
	const struct {
		struct sr_key_state state;
		const char *reason;
	} cases[] = {
	    {state_at(true, ANY_TIME, both), NULL},
	    {state_at(true, INSIDE, both), NULL},
	    {state_at(false, ANY_TIME, both), "KeyDisabled"},
	    {state_at(true, BEFORE, both), "KeyNotYetValid"},
	    {state_at(true, AFTER, both), "KeyExpired"},
	    {state_at(true, ANY_TIME, SR_KEY_WRAP), "KeyForbidden"},
	    {state_at(true, ANY_TIME, SR_KEY_UNWRAP), "KeyForbidden"},
	    {{.is_enabled = true, .is_deleted = true, .nbf = SR_NO_TIME, .exp = SR_NO_TIME, .operations = both},
	     "KeyNotFound"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sr_result result = sr_key_check_lease(&cases[i].state, NOW);
		if (cases[i].reason) {
			expect_reason(result, SR_REVOKED, cases[i].reason);
		} else {
			expect_ok(result);
		}
	}
}

static void a_disabled_or_deleted_version_is_not_left(void **unused)
{
	(void)unused;
	struct sr_key_state state = state_at(true, AFTER, SR_KEY_WRAP | SR_KEY_UNWRAP);
	assert_true(sr_key_may_leave(&state)); /* expired: unwrapping is still allowed */
	state.is_enabled = false;
	assert_false(sr_key_may_leave(&state));
	state.is_enabled = true;
	state.is_deleted = true;
	assert_false(sr_key_may_leave(&state));
}

static void kinds_are_known_by_name_size_and_curve(void **unused)
{
	(void)unused;
	const struct {
		const char *kty;
		int64_t size;
		const char *crv;
		bool is_valid;
		unsigned bits;
	} cases[] = {
	    {"RSA", 0, NULL, true, 2048},    {"RSA", 2048, NULL, true, 2048}, {"RSA", 3072, NULL, true, 3072},
	    {"RSA", 4096, NULL, true, 4096}, {"RSA", 1024, NULL, false, 0},   {"RSA", -2048, NULL, false, 0},
	    {"RSA", 2049, NULL, false, 0},   {"EC", 0, NULL, true, 0},        {"EC", 0, "P-256", true, 0},
	    {"EC", 0, "P-384", true, 0},     {"EC", 0, "P-521", true, 0},     {"EC", 0, "P-256K", true, 0},
	    {"EC", 0, "P-257", false, 0},    {"oct", 0, NULL, true, 256},     {"oct", 128, NULL, true, 128},
	    {"oct", 192, NULL, true, 192},   {"oct", 64, NULL, false, 0},     {"DSA", 0, NULL, false, 0},
	    {"", 0, NULL, false, 0},         {"RSA-", 0, NULL, false, 0},     {"rsa", 0, NULL, false, 0},
	    {"RSA-HSMx", 0, NULL, false, 0}, {NULL, 0, NULL, false, 0},       {"oct256", 0, NULL, false, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sr_key_spec spec;
		struct sr_result result = sr_key_spec_of(cases[i].kty, cases[i].size, cases[i].crv, &spec);
		if (cases[i].is_valid) {
			expect_ok(result);
			assert_int_equal(spec.bits, cases[i].bits);
		} else {
			expect_code(result, SR_INVALID);
		}
	}
	const char *const hardware[] = {"RSA-HSM", "EC-HSM", "oct-HSM"};
	for (size_t i = 0; i < 3; i++) {
		struct sr_key_spec spec;
		expect_ok(sr_key_spec_of(hardware[i], 0, NULL, &spec));
		assert_true(spec.is_in_token);
		assert_string_equal(sr_key_kty(&spec), hardware[i]);
		expect_reason(sr_key_check_hardware(&spec, false), SR_INVALID, "KeyTypeNotSupported");
		expect_ok(sr_key_check_hardware(&spec, true));
		spec.is_in_token = false;
		expect_ok(sr_key_check_hardware(&spec, false));
	}
}

static void names_and_versions_have_one_form(void **unused)
{
	(void)unused;
	char longest[129] = "";
	memset(longest, 'a', 127);
	assert_true(sr_is_key_name("a"));
	assert_true(sr_is_key_name("A-9"));
	assert_true(sr_is_key_name(longest));
	longest[127] = 'a';
	assert_false(sr_is_key_name(longest));
	assert_false(sr_is_key_name(""));
	assert_false(sr_is_key_name("a_b"));
	assert_false(sr_is_key_name("a/b"));
	assert_false(sr_is_key_name("\xc3\xa9"));
	assert_true(sr_is_key_version("0123456789abcdef0123456789abcdef"));
	assert_false(sr_is_key_version("0123456789ABCDEF0123456789abcdef"));
	assert_false(sr_is_key_version("0123456789abcdef0123456789abcde"));
	assert_false(sr_is_key_version("0123456789abcdef0123456789abcdef0"));
}

static void recovery_levels_follow_from_the_vault(void **unused)
{
	(void)unused;
	assert_string_equal(sr_recovery_level(90, false), "Recoverable+Purgeable");
	assert_string_equal(sr_recovery_level(90, true), "Recoverable");
	assert_string_equal(sr_recovery_level(7, false), "CustomizedRecoverable+Purgeable");
	assert_string_equal(sr_recovery_level(89, true), "CustomizedRecoverable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_state_and_operation_is_allowed_or_refused_by_the_rule),
	    cmocka_unit_test(leases_end_with_everything_that_ends_a_key),
	    cmocka_unit_test(a_disabled_or_deleted_version_is_not_left),
	    cmocka_unit_test(kinds_are_known_by_name_size_and_curve),
	    cmocka_unit_test(names_and_versions_have_one_form),
	    cmocka_unit_test(recovery_levels_follow_from_the_vault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
