/* Shares: every subset of enough of them gives the key, no other does; the printable form holds against mistakes. */
#include "check.h"

#include "base/random.h"
#include "seal/secret_bytes.h"
#include "seal/share.h"

#include <ctype.h>
#include <string.h>

enum { COUNT_MOST = 7 };

static void shares_free(struct sr_share *shares, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		sr_share_cleanup(&shares[i]);
	}
}

/* All subsets of all splittings up to seven shares: exactly those of at least the threshold give the key. */
static void every_subset_of_enough_shares_gives_the_key_and_no_other(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	for (unsigned count = 2; count <= COUNT_MOST; count++) {
		for (unsigned threshold = 2; threshold <= count; threshold++) {
			struct sr_share shares[COUNT_MOST] = {0};
			expect_ok(sr_share_split(key, threshold, count, shares));
			for (unsigned subset = 1; subset < 1U << count; subset++) {
				struct sr_share chosen[COUNT_MOST];
				size_t chosen_count = 0;
				for (unsigned i = 0; i < count; i++) {
					if (subset >> i & 1) {
						chosen[chosen_count++] = shares[i];
					}
				}
				SR_CLEANUP(sr_secret) struct sr_secret *joined = NULL;
				expect_ok(sr_share_join(chosen, chosen_count, &joined));
				assert_int_equal(sr_secret_equal(joined, key), chosen_count >= threshold);
			}
			shares_free(shares, count);
		}
	}
}

static void the_largest_set_joins_from_its_last_shares(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *joined = NULL;
	struct sr_share shares[SR_SHARES_MOST] = {0};
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	expect_ok(sr_share_split(key, SR_SHARES_MOST / 2, SR_SHARES_MOST, shares));
	expect_ok(sr_share_join(shares + SR_SHARES_MOST / 2, SR_SHARES_MOST / 2, &joined));
	assert_true(sr_secret_equal(joined, key));
	shares_free(shares, SR_SHARES_MOST);
	expect_code(sr_share_split(key, 1, 3, shares), SR_INVALID);
	expect_code(sr_share_split(key, 4, 3, shares), SR_INVALID);
	expect_code(sr_share_split(key, 2, SR_SHARES_MOST + 1, shares), SR_INVALID);
}

/* For each byte of a key, one share less leaves every value possible: the shares of two keys look alike. Here: the same
 * share value occurs for different keys with an even spread. */
static void one_share_tells_nothing(void **state)
{
	(void)state;
	unsigned seen[256] = {0};
	uint8_t zeros[SR_KEY_LEN] = {0};
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	expect_ok(sr_secret_from_bytes(sr_bytes_of(zeros, sizeof zeros), &key));
	for (unsigned i = 0; i < 512; i++) {
		struct sr_share shares[2] = {0};
		expect_ok(sr_share_split(key, 2, 2, shares));
		for (size_t at = 0; at < SR_KEY_LEN; at++) {
			seen[sr_secret_bytes(shares[0].value).data[at]]++;
		}
		shares_free(shares, 2);
	}
	for (unsigned value = 0; value < 256; value++) {
		assert_in_range(seen[value], 16, 128); /* 64 expected; beyond these once in 10^9 runs */
	}
}

static void shares_of_two_sets_and_doubles_are_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *joined = NULL;
	struct sr_share first[3] = {0}, second[3] = {0};
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	expect_ok(sr_share_split(key, 2, 3, first));
	expect_ok(sr_share_split(key, 2, 3, second));
	const struct sr_share mixed[] = {first[0], second[1]}, twice[] = {first[0], first[0]};
	expect_code(sr_share_join(mixed, 2, &joined), SR_INVALID);
	expect_code(sr_share_join(twice, 2, &joined), SR_INVALID);
	expect_code(sr_share_join(first, 0, &joined), SR_INVALID);
	shares_free(first, 3);
	shares_free(second, 3);
}

static void expect_same(const struct sr_share *share, const struct sr_share *read)
{
	assert_memory_equal(share->set, read->set, SR_SHARE_SET_LEN);
	assert_int_equal(share->threshold, read->threshold);
	assert_int_equal(share->number, read->number);
	assert_true(sr_secret_equal(share->value, read->value));
}

static void printed_shares_are_read_as_people_type_them(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	struct sr_share shares[3] = {0};
	expect_ok(sr_share_split(key, 2, 3, shares));
	for (size_t i = 0; i < 3; i++) {
		SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_SHARE_TEXT_MAX);
		SR_CLEANUP(sr_share) struct sr_share read = {0};
		SR_CLEANUP(sr_share) struct sr_share loud = {0};
		SR_CLEANUP(sr_share) struct sr_share bare = {0};
		sr_share_write(&shares[i], &text);
		expect_ok(sr_share_read(sr_buf_bytes(&text), &read));
		expect_same(&shares[i], &read);
		for (size_t at = 0; at < text.len; at++) {
			text.data[at] = text.data[at] == '-' ? ' ' : (uint8_t)toupper(text.data[at]);
		}
		sr_buf_append_str(&text, " \r\n");
		memcpy(text.data + 11, "SHARE-V1", 8); /* the first word keeps its hyphens */
		memcpy(text.data, "Strongroom-", 11);
		expect_ok(sr_share_read(sr_buf_bytes(&text), &loud));
		expect_same(&shares[i], &loud);
		expect_ok(sr_share_read(sr_bytes_of(text.data + 20, text.len - 20), &bare));
		expect_same(&shares[i], &bare);
	}
	shares_free(shares, 3);
}

/* Every character changed to every other, every one left out, every one doubled. */
static void every_mistyped_character_is_noticed(void **state)
{
	(void)state;
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_SHARE_TEXT_MAX);
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	struct sr_share shares[2] = {0};
	expect_ok(sr_share_split(key, 2, 2, shares));
	sr_share_write(&shares[0], &text);
	for (size_t at = 20; at < text.len; at++) {
		const uint8_t right = text.data[at];
		if (right == '-') {
			continue;
		}
		for (const char *other = letters; *other; other++) {
			struct sr_share read;
			text.data[at] = (uint8_t)*other;
			if (*other != right) {
				expect_code(sr_share_read(sr_buf_bytes(&text), &read), SR_INVALID);
			}
		}
		struct sr_share read;
		text.data[at] = '!';
		expect_code(sr_share_read(sr_buf_bytes(&text), &read), SR_INVALID);
		text.data[at] = ' ';
		expect_code(sr_share_read(sr_buf_bytes(&text), &read), SR_INVALID);
		text.data[at] = right;
	}
	struct sr_share read;
	expect_code(sr_share_read(sr_bytes_of(text.data, text.len - 1), &read), SR_INVALID);
	sr_buf_append_str(&text, "a");
	expect_code(sr_share_read(sr_buf_bytes(&text), &read), SR_INVALID);
	expect_code(sr_share_read((struct sr_bytes){0}, &read), SR_INVALID);
	shares_free(shares, 2);
}

/* Made by hand from the polynomial: key byte 0x42 with slope 0x01 gives 0x43 at 1, 0x40 at 2 and 0x41 at 3. */
static void a_known_line_is_joined(void **state)
{
	(void)state;
	const uint8_t values[3] = {0x43, 0x40, 0x41};
	struct sr_share shares[3] = {0};
	for (size_t i = 0; i < 3; i++) {
		uint8_t bytes[SR_KEY_LEN];
		memset(bytes, values[i], sizeof bytes);
		shares[i] = (struct sr_share){.threshold = 2, .number = (uint8_t)(i + 1)};
		expect_ok(sr_secret_from_bytes(sr_bytes_of(bytes, sizeof bytes), &shares[i].value));
	}
	for (size_t first = 0; first < 2; first++) {
		SR_CLEANUP(sr_secret) struct sr_secret *joined = NULL;
		expect_ok(sr_share_join(shares + first, 2, &joined));
		for (size_t at = 0; at < SR_KEY_LEN; at++) {
			assert_int_equal(sr_secret_bytes(joined).data[at], 0x42);
		}
	}
	shares_free(shares, 3);
}

static void fingerprints_tell_shares_apart(void **state)
{
	(void)state;
	uint8_t prints[2][SR_SHARE_FINGERPRINT_LEN], again[SR_SHARE_FINGERPRINT_LEN];
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	struct sr_share shares[2] = {0};
	expect_ok(sr_share_split(key, 2, 2, shares));
	expect_ok(sr_share_fingerprint(&shares[0], prints[0]));
	expect_ok(sr_share_fingerprint(&shares[1], prints[1]));
	expect_ok(sr_share_fingerprint(&shares[0], again));
	assert_memory_equal(prints[0], again, sizeof again);
	assert_memory_not_equal(prints[0], prints[1], sizeof again);
	shares[0].number = 2;
	expect_ok(sr_share_fingerprint(&shares[0], again));
	assert_memory_not_equal(prints[0], again, sizeof again);
	shares_free(shares, 2);
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_subset_of_enough_shares_gives_the_key_and_no_other),
	    cmocka_unit_test(the_largest_set_joins_from_its_last_shares),
	    cmocka_unit_test(one_share_tells_nothing),
	    cmocka_unit_test(shares_of_two_sets_and_doubles_are_refused),
	    cmocka_unit_test(printed_shares_are_read_as_people_type_them),
	    cmocka_unit_test(every_mistyped_character_is_noticed),
	    cmocka_unit_test(a_known_line_is_joined),
	    cmocka_unit_test(fingerprints_tell_shares_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
