/*
 * Splitting, joining, and the printable form of shares. The bytes of a share: set 4, threshold 1, number 1, value 32,
 * then the first 4 bytes of their SHA-256; 42 bytes are 68 characters of RFC 4648's Base32 in lower case.
 */
#include "seal/share.h"

#include "base/memory.h"
#include "base/random.h"
#include "seal/crypto.h"
#include "seal/secret_bytes.h"

#include <string.h>

enum {
	HEAD_LEN = SR_SHARE_SET_LEN + 2,
	CHECK_LEN = 4,
	SHARE_LEN = HEAD_LEN + SR_KEY_LEN + CHECK_LEN,
	TEXT_LEN = (SHARE_LEN * 8 + 4) / 5,
	GROUP_LEN = 4,
	REDUCTION = 0x1b, /* x^8 + x^4 + x^3 + x + 1 without its first term */
};
#define PREFIX "strongroom-share-v1"

void sr_share_cleanup(struct sr_share *share)
{
	sr_secret_free(share->value);
	*share = (struct sr_share){0};
}

/* ---- the field, without a branch or an index that depends on what it computes ---- */

static uint8_t times(uint8_t a, uint8_t b)
{
	uint8_t product = 0;
	for (int i = 0; i < 8; i++) {
		product ^= (uint8_t)(a & -(b & 1));
		a = (uint8_t)((a << 1) ^ (REDUCTION & -(a >> 7)));
		b >>= 1;
	}
	return product;
}

/* a^254, which is a's inverse; 0 for 0. */
static uint8_t inverse(uint8_t a)
{
	uint8_t power = a;
	for (int i = 0; i < 6; i++) {
		power = times(times(power, power), a);
	}
	return times(power, power);
}

/* ---- splitting and joining ---- */

/* The value at `number` of the polynomials whose constant terms are the key's bytes. */
static void evaluate(struct sr_bytes key, struct sr_bytes coefficients, unsigned threshold, uint8_t number, uint8_t *to)
{
	for (size_t at = 0; at < SR_KEY_LEN; at++) {
		uint8_t value = 0;
		for (size_t degree = threshold - 1; degree > 0; degree--) {
			value = times((uint8_t)(value ^ coefficients.data[(degree - 1) * SR_KEY_LEN + at]), number);
		}
		to[at] = value ^ key.data[at];
	}
}

static void clean_shares(struct sr_share *shares, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		sr_share_cleanup(&shares[i]);
	}
}

struct sr_result sr_share_split(const struct sr_secret *key, unsigned threshold, unsigned count,
                                struct sr_share *ret_shares)
{
	if (threshold < 2 || threshold > count || count > SR_SHARES_MOST || sr_secret_len(key) != SR_KEY_LEN) {
		return sr_fail(SR_INVALID,
		               "a key is split into at most %d shares of which at least 2 and at most all are needed",
		               SR_SHARES_MOST);
	}
	SR_CLEANUP(sr_secret) struct sr_secret *coefficients = NULL;
	SR_TRY(sr_secret_random((size_t)(threshold - 1) * SR_KEY_LEN, &coefficients));
	uint8_t set[SR_SHARE_SET_LEN];
	sr_random(set, sizeof set);
	for (unsigned i = 0; i < count; i++) {
		struct sr_share *share = &ret_shares[i];
		*share = (struct sr_share){.threshold = (uint8_t)threshold, .number = (uint8_t)(i + 1)};
		memcpy(share->set, set, sizeof set);
		struct sr_result made = sr_secret_new(SR_KEY_LEN, &share->value);
		if (!sr_is_ok(made)) {
			clean_shares(ret_shares, i);
			return made;
		}
		evaluate(sr_secret_bytes(key), sr_secret_bytes(coefficients), threshold, share->number,
		         sr_secret_fill(share->value));
	}
	return sr_ok();
}

static struct sr_result check_set(const struct sr_share *shares, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!shares[i].number || sr_secret_len(shares[i].value) != SR_KEY_LEN) {
			return sr_fail(SR_INVALID, "join shares: one of them is none");
		}
		for (size_t k = 0; k < i; k++) {
			if (!sr_equal_public(sr_bytes_of(shares[i].set, SR_SHARE_SET_LEN),
			                     sr_bytes_of(shares[k].set, SR_SHARE_SET_LEN))) {
				return sr_fail(SR_INVALID, "join shares: they are of different sets");
			}
			if (shares[i].number == shares[k].number) {
				return sr_fail(SR_INVALID, "join shares: share %d is there twice", (int)shares[i].number);
			}
		}
	}
	return count ? sr_ok() : sr_fail(SR_INVALID, "join shares: there is none");
}

/* Lagrange's factor of share `of` for the value at 0. */
static uint8_t factor(const struct sr_share *shares, size_t count, size_t of)
{
	uint8_t above = 1, below = 1;
	for (size_t i = 0; i < count; i++) {
		if (i != of) {
			above = times(above, shares[i].number);
			below = times(below, shares[i].number ^ shares[of].number);
		}
	}
	return times(above, inverse(below));
}

struct sr_result sr_share_join(const struct sr_share *shares, size_t count, struct sr_secret **ret_key)
{
	SR_TRY(check_set(shares, count));
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_TRY(sr_secret_new(SR_KEY_LEN, &key));
	uint8_t *to = sr_secret_fill(key);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *value = sr_secret_bytes(shares[i].value).data;
		uint8_t weight = factor(shares, count, i);
		for (size_t at = 0; at < SR_KEY_LEN; at++) {
			to[at] ^= times(value[at], weight);
		}
	}
	*ret_key = SR_TAKE(key);
	return sr_ok();
}

/* ---- the printable form ---- */

/* All bits set where a < b, of numbers below 2^15. */
static int below(int a, int b)
{
	return (a - b) >> 15;
}

/* 'a' to 'z', '2' to '7' for 0 to 31. */
static uint8_t letter_of(int value)
{
	return (uint8_t)(value + 'a' + (~below(value, 26) & ('2' - 26 - 'a')));
}

/* The value of a letter or digit of either case; -1 for anything else. */
static int value_of(uint8_t letter)
{
	int lower = letter | (0x20 & ~below(letter, 'A') & below(letter, 'Z' + 1));
	int is_letter = ~below(lower, 'a') & below(lower, 'z' + 1);
	int is_digit = ~below(lower, '2') & below(lower, '7' + 1);
	return (is_letter & (lower - 'a')) | (is_digit & (lower - '2' + 26)) | (~(is_letter | is_digit) & -1);
}

static void checksum(struct sr_bytes bytes, uint8_t ret[static CHECK_LEN])
{
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, bytes, digest);
	memcpy(ret, digest, CHECK_LEN);
}

static void put_head(const struct sr_share *share, uint8_t to[static HEAD_LEN])
{
	memcpy(to, share->set, SR_SHARE_SET_LEN);
	to[SR_SHARE_SET_LEN] = share->threshold;
	to[SR_SHARE_SET_LEN + 1] = share->number;
}

void sr_share_write(const struct sr_share *share, struct sr_buf *text)
{
	uint8_t bytes[SHARE_LEN + 1] = {0};
	put_head(share, bytes);
	memcpy(bytes + HEAD_LEN, sr_secret_bytes(share->value).data, SR_KEY_LEN);
	checksum(sr_bytes_of(bytes, HEAD_LEN + SR_KEY_LEN), bytes + HEAD_LEN + SR_KEY_LEN);
	sr_buf_append_str(text, PREFIX " ");
	for (size_t i = 0; i < TEXT_LEN; i++) {
		size_t bit = i * 5;
		int pair = bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
		if (i && i % GROUP_LEN == 0) {
			sr_buf_append_str(text, "-");
		}
		sr_buf_append_u8(text, letter_of((pair >> (11 - bit % 8)) & 31));
	}
	sr_wipe(bytes, sizeof bytes);
}

static bool is_between(uint8_t letter)
{
	return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n' || letter == '-';
}

/* The bytes of the text, in secret memory; one more than a share has, for the last bits. */
static struct sr_result decode(struct sr_bytes text, uint8_t *to)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (is_between(text.data[i])) {
			continue;
		}
		int value = value_of(text.data[i]);
		if (value < 0) {
			return sr_fail(SR_INVALID, "a share holds a character that shares do not have: it is mistyped");
		}
		if (count == TEXT_LEN) {
			return sr_fail(SR_INVALID, "a share is longer than shares are: it is mistyped");
		}
		size_t bit = count * 5;
		int pair = value << (11 - bit % 8);
		to[bit / 8] |= (uint8_t)(pair >> 8);
		to[bit / 8 + 1] |= (uint8_t)pair;
		count++;
	}
	if (count != TEXT_LEN || to[SHARE_LEN]) {
		return sr_fail(SR_INVALID, "a share has %d letters and digits, and this one %zu: it is mistyped", TEXT_LEN,
		               count);
	}
	return sr_ok();
}

static struct sr_result check(const uint8_t bytes[static SHARE_LEN])
{
	uint8_t expected[CHECK_LEN];
	checksum(sr_bytes_of(bytes, HEAD_LEN + SR_KEY_LEN), expected);
	if (!sr_equal_ct(sr_bytes_of(expected, CHECK_LEN), sr_bytes_of(bytes + HEAD_LEN + SR_KEY_LEN, CHECK_LEN))) {
		return sr_fail(SR_INVALID, "a share's checksum does not fit: it is mistyped");
	}
	uint8_t threshold = bytes[SR_SHARE_SET_LEN], number = bytes[SR_SHARE_SET_LEN + 1];
	if (threshold < 2 || threshold > SR_SHARES_MOST || number < 1 || number > SR_SHARES_MOST) {
		return sr_fail(SR_INVALID, "a share names numbers that shares do not have");
	}
	return sr_ok();
}

struct sr_result sr_share_read(struct sr_bytes text, struct sr_share *ret_share)
{
	while (text.len && is_between(text.data[0])) {
		text.data++;
		text.len--;
	}
	if (text.len >= sizeof PREFIX - 1 &&
	    sr_equal_nocase(sr_bytes_of(text.data, sizeof PREFIX - 1), SR_LITERAL(PREFIX))) {
		text.data += sizeof PREFIX - 1;
		text.len -= sizeof PREFIX - 1;
	}
	SR_CLEANUP(sr_secret) struct sr_secret *bytes = NULL;
	SR_TRY(sr_secret_new(SHARE_LEN + 1, &bytes));
	SR_TRY(decode(text, sr_secret_fill(bytes)));
	const uint8_t *data = sr_secret_bytes(bytes).data;
	SR_TRY(check(data));
	struct sr_share share = {.threshold = data[SR_SHARE_SET_LEN], .number = data[SR_SHARE_SET_LEN + 1]};
	memcpy(share.set, data, SR_SHARE_SET_LEN);
	SR_TRY(sr_secret_from_bytes(sr_bytes_of(data + HEAD_LEN, SR_KEY_LEN), &share.value));
	*ret_share = share;
	return sr_ok();
}

struct sr_result sr_share_fingerprint(const struct sr_share *share,
                                      uint8_t ret_fingerprint[static SR_SHARE_FINGERPRINT_LEN])
{
	uint8_t head[HEAD_LEN], commitment[SR_SHA256_LEN];
	put_head(share, head);
	SR_TRY(sr_key_commitment(share->value, sr_bytes_of(head, sizeof head), commitment));
	memcpy(ret_fingerprint, commitment, SR_SHARE_FINGERPRINT_LEN);
	return sr_ok();
}
