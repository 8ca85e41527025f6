/* Secret memory: what is freed is wiped, what is held is neither dumped nor inherited, limits are told. */
#include "seal_init.h"

#include "seal/crypto.h"
#include "seal/secret_bytes.h"

#include <openssl/crypto.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The step is volatile so that the compiler cannot keep a pattern among its constants, where the scan would find it. */
enum { PATTERN_LEN = 32 };
/* Larger ones are a sanitizer's shadow, of terabytes, which holds no bytes of ours. */
static const unsigned long mapping_max = 1UL << 30;
static volatile uint8_t pattern_step = 37;

static void pattern_make(uint8_t *to, uint8_t seed)
{
	for (int i = 0; i < PATTERN_LEN; i++) {
		to[i] = (uint8_t)(seed + i * pattern_step);
	}
}

static bool is_pattern(const uint8_t *at, uint8_t seed)
{
	for (int i = 0; i < PATTERN_LEN; i++) {
		if (at[i] != (uint8_t)(seed + i * pattern_step)) {
			return false;
		}
	}
	return true;
}

/* How often the pattern is in this process's readable memory, as the kernel shows it to a debugger. */
static int pattern_count(uint8_t seed)
{
	static uint8_t window[1 << 16];
	memset(window, 0, sizeof window);
	FILE *maps = fopen("/proc/self/maps", "r");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	assert_non_null(maps);
	assert_true(memory >= 0);
	int count = 0;
	char line[512];
	while (fgets(line, sizeof line, maps)) {
		unsigned long from;
		unsigned long to;
		char mode[8];
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[0] != 'r' || strstr(line, "[v")) {
			continue;
		}
		if (to - from > mapping_max) {
			continue;
		}
		for (unsigned long at = from; at < to; at += sizeof window - PATTERN_LEN) {
			size_t len = to - at < sizeof window ? to - at : sizeof window;
			ssize_t got = pread(memory, window, len, (off_t)at);
			const uint8_t *end = window + (got < PATTERN_LEN ? 0 : got - PATTERN_LEN + 1);
			for (const uint8_t *found = window; found < end; found++) {
				found = memchr(found, seed, (size_t)(end - found));
				if (!found) {
					break;
				}
				uintptr_t place = at + (uintptr_t)(found - window);
				bool is_own = (uintptr_t)window <= place && place < (uintptr_t)window + sizeof window;
				count += !is_own && is_pattern(found, seed);
			}
			memset(window, 0, sizeof window);
		}
	}
	fclose(maps);
	close(memory);
	return count;
}

static void test_a_secret_is_wiped_when_freed(void **state)
{
	(void)state;
	static const size_t lens[] = {PATTERN_LEN, 300, SR_SECRET_MAX};
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		struct sr_secret *keeps_the_slab;
		struct sr_secret *secret;
		expect_ok(sr_secret_new(lens[i], &keeps_the_slab));
		expect_ok(sr_secret_new(lens[i], &secret));
		uint8_t *bytes = sr_secret_fill(secret);
		pattern_make(bytes, 11);
		sr_secret_free(secret);
		if (i < 2) { /* the slot's page is still mapped */
			for (int b = 0; b < PATTERN_LEN; b++) {
				assert_int_equal(bytes[b], 0);
			}
		}
		sr_secret_free(keeps_the_slab);
		assert_int_equal(pattern_count(11), 0);
	}
}

static void test_the_scan_finds_what_is_in_plain_memory(void **state)
{
	(void)state;
	uint8_t *plain = malloc(PATTERN_LEN);
	pattern_make(plain, 77);
	assert_int_equal(pattern_count(77), 1);
	sr_wipe(plain, PATTERN_LEN);
	free(plain);
	assert_int_equal(pattern_count(77), 0);
}

static void test_keys_at_work_leave_no_trace_after_they_are_freed(void **state)
{
	(void)state;
	struct sr_secret *secret;
	struct sr_aead *aead;
	expect_ok(sr_secret_new(PATTERN_LEN, &secret));
	pattern_make(sr_secret_fill(secret), 99);
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(1000);
	struct sr_secret *derived;
	uint8_t mac[SR_SHA256_LEN];
	uint8_t wrapped[SR_WRAPPED_KEY_LEN];
	struct sr_secret *unwrapped;
	expect_ok(sr_aead_new(secret, &aead));
	expect_ok(sr_aead_seal(aead, (struct sr_bytes){0}, SR_LITERAL("words"), &sealed));
	expect_ok(sr_derive(secret, (struct sr_bytes){0}, "test", 32, &derived));
	expect_ok(sr_key_commitment(secret, SR_LITERAL("x"), mac));
	expect_ok(sr_key_wrap(derived, secret, wrapped));
	expect_ok(sr_key_wrap(secret, derived, wrapped));
	expect_ok(sr_key_unwrap(secret, sr_bytes_of(wrapped, sizeof wrapped), &unwrapped));
	assert_true(sr_secret_equal(unwrapped, derived));
	sr_secret_free(unwrapped);
	sr_secret_free(derived);
	sr_aead_free(aead);
	sr_secret_free(secret);
	assert_int_equal(pattern_count(99), 0);
}

static void test_libraries_wipe_what_they_free(void **state)
{
	(void)state;
	uint8_t *block = OPENSSL_malloc(4000);
	pattern_make(block + 2000, 55);
	block = OPENSSL_realloc(block, 100000);
	assert_int_equal(pattern_count(55), 1);
	OPENSSL_free(block);
	assert_int_equal(pattern_count(55), 0);
	block = sqlite3_malloc(4000);
	pattern_make(block + 2000, 56);
	block = sqlite3_realloc(block, 100000);
	assert_int_equal(pattern_count(56), 1);
	sqlite3_free(block);
	assert_int_equal(pattern_count(56), 0);
}

static void test_a_child_does_not_inherit_secrets(void **state)
{
	(void)state;
	struct sr_secret *secret;
	expect_ok(sr_secret_new(PATTERN_LEN, &secret));
	pattern_make(sr_secret_fill(secret), 33);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* It may free what it knows of, and make its own. */
		struct sr_secret *own;
		bool is_clean = pattern_count(33) == 0;
		sr_secret_free(secret);
		bool has_own = sr_is_ok(sr_secret_random(32, &own));
		sr_secret_free(own);
		_exit(is_clean && has_own ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(is_pattern(sr_secret_bytes(secret).data, 33));
	sr_secret_free(secret);
}

static void test_slots_are_zeroed_distinct_and_reused(void **state)
{
	(void)state;
	enum { COUNT = 1000 };
	struct sr_secret *secrets[COUNT];
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < COUNT; i++) {
			expect_ok(sr_secret_new((size_t)(i % 64) + 1, &secrets[i]));
			assert_int_equal(sr_secret_bytes(secrets[i]).data[0], 0);
			memset(sr_secret_fill(secrets[i]), i % 251, sr_secret_len(secrets[i]));
		}
		for (int i = 0; i < COUNT; i++) {
			assert_int_equal(sr_secret_bytes(secrets[i]).data[i % 64], i % 251);
		}
		for (int i = 0; i < COUNT; i++) {
			sr_secret_free(secrets[(i * 7) % COUNT]);
		}
	}
}

static void test_exhausted_locked_memory_says_which_limit_to_raise(void **state)
{
	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* Root is exempt from the limit on mlock, but not from memfd_secret's. */
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_MEMLOCK, &none);
		bool is_told = false;
		for (int i = 0; i < 2000 && !is_told; i++) {
			struct sr_secret *secret;
			struct sr_result result = sr_secret_random(SR_SECRET_MAX, &secret);
			is_told = sr_result_code(result) == SR_NO_MEMORY && strstr(sr_result_message(result), "LimitMEMLOCK");
		}
		_exit(is_told || geteuid() == 0 ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_lengths_outside_the_limits_are_refused(void **state)
{
	(void)state;
	struct sr_secret *secret;
	expect_code(sr_secret_random(SR_SECRET_MAX + 1, &secret), SR_TOO_LARGE);
	expect_ok(sr_secret_from_bytes((struct sr_bytes){0}, &secret));
	assert_int_equal(sr_secret_len(secret), 0);
	sr_secret_free(secret);
}

static void test_equality_is_of_length_and_bytes(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *a = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *b = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *c = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *d = NULL;
	expect_ok(sr_secret_from_bytes(SR_LITERAL("one secret"), &a));
	expect_ok(sr_secret_copy(a, &b));
	expect_ok(sr_secret_from_bytes(SR_LITERAL("one secreT"), &c));
	expect_ok(sr_secret_from_bytes(SR_LITERAL("one secre"), &d));
	assert_true(sr_secret_equal(a, b));
	assert_false(sr_secret_equal(a, c));
	assert_false(sr_secret_equal(a, d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_secret_is_wiped_when_freed),
	    cmocka_unit_test(test_the_scan_finds_what_is_in_plain_memory),
	    cmocka_unit_test(test_keys_at_work_leave_no_trace_after_they_are_freed),
	    cmocka_unit_test(test_libraries_wipe_what_they_free),
	    cmocka_unit_test(test_a_child_does_not_inherit_secrets),
	    cmocka_unit_test(test_slots_are_zeroed_distinct_and_reused),
	    cmocka_unit_test(test_exhausted_locked_memory_says_which_limit_to_raise),
	    cmocka_unit_test(test_lengths_outside_the_limits_are_refused),
	    cmocka_unit_test(test_equality_is_of_length_and_bytes),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
