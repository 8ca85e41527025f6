/* Passphrases: scrypt as RFC 7914 has it, at the cost that a root key is worth. */
#include "check.h"

#include "base/text.h"
#include "seal/passphrase.h"
#include "seal/secret_bytes.h"

#include <string.h>

/* Computed with Python's hashlib.scrypt (OpenSSL's too, by other code around it): salt of 32 times "s", r = 8, p = 1.
 */
static const struct {
	unsigned log_n;
	const char *passphrase, *key;
} known[] = {
    {14, "pleaseletmein", "3caacfd44a4802c5644bdc3c69fd93c0ed6206a9ffca4d59f3c6f37b0151c00f"},
    {17, "correct horse battery staple", "1fa9c2853e7da2647d18507571912de11097cb8ccab96856ab94a4286a2ce50b"},
};

static void known_passphrases_give_known_keys(void **state)
{
	(void)state;
	uint8_t salt[SR_PASSPHRASE_SALT_LEN];
	memset(salt, 's', sizeof salt);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		SR_CLEANUP(sr_secret) struct sr_secret *passphrase = NULL;
		SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
		uint8_t expected[SR_KEY_LEN];
		expect_ok(sr_hex_decode(sr_bytes_str(known[i].key), expected, sizeof expected));
		expect_ok(sr_secret_from_bytes(sr_bytes_str(known[i].passphrase), &passphrase));
		expect_ok(sr_passphrase_key(passphrase, salt, known[i].log_n, &key));
		assert_memory_equal(sr_secret_bytes(key).data, expected, sizeof expected);
	}
}

static void another_passphrase_or_salt_gives_another_key(void **state)
{
	(void)state;
	uint8_t salt[SR_PASSPHRASE_SALT_LEN] = {0};
	SR_CLEANUP(sr_secret) struct sr_secret *passphrase = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *other = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *of_other = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *of_other_salt = NULL;
	expect_ok(sr_secret_from_bytes(SR_LITERAL("one passphrase"), &passphrase));
	expect_ok(sr_secret_from_bytes(SR_LITERAL("one passphrasE"), &other));
	expect_ok(sr_passphrase_key(passphrase, salt, 10, &key));
	expect_ok(sr_passphrase_key(other, salt, 10, &of_other));
	salt[31] = 1;
	expect_ok(sr_passphrase_key(passphrase, salt, 10, &of_other_salt));
	assert_false(sr_secret_equal(key, of_other));
	assert_false(sr_secret_equal(key, of_other_salt));
}

static void absurd_costs_are_refused(void **state)
{
	(void)state;
	const uint8_t salt[SR_PASSPHRASE_SALT_LEN] = {0};
	SR_CLEANUP(sr_secret) struct sr_secret *passphrase = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	expect_ok(sr_secret_from_bytes(SR_LITERAL("x"), &passphrase));
	expect_code(sr_passphrase_key(passphrase, salt, 9, &key), SR_INVALID);
	expect_code(sr_passphrase_key(passphrase, salt, SR_PASSPHRASE_LOG_N_MOST + 1, &key), SR_INVALID);
	expect_code(sr_passphrase_key(passphrase, salt, 255, &key), SR_INVALID);
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_passphrases_give_known_keys),
	    cmocka_unit_test(another_passphrase_or_salt_gives_another_key),
	    cmocka_unit_test(absurd_costs_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
