/* Bytes as text and back, strictly. */
#include "base/text.h"

#include "base/random.h"

#include <stdio.h>
#include <string.h>

struct sr_id sr_id_random(void)
{
	struct sr_id id = {0};
	sr_random(id.bytes, sizeof id.bytes);
	return id;
}

void sr_id_text(const struct sr_id *id, char ret_text[static SR_ID_TEXT_LEN])
{
	sr_hex_encode(sr_id_bytes(id), ret_text);
}

struct sr_result sr_id_parse(struct sr_bytes text, struct sr_id *ret_id)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] >= 'A' && text.data[i] <= 'F') {
			return sr_fail(SR_INVALID, "identifier is not in lowercase hex digits");
		}
	}
	struct sr_id id = {0};
	SR_TRY(sr_hex_decode(text, id.bytes, sizeof id.bytes));
	*ret_id = id;
	return sr_ok();
}

void sr_guid_text(const struct sr_id *id, char ret_text[static SR_GUID_TEXT_LEN])
{
	uint8_t b[SR_ID_LEN];
	memcpy(b, id->bytes, sizeof b);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(ret_text, SR_GUID_TEXT_LEN, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
	         b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static int hex_value(uint8_t digit)
{
	if (digit >= '0' && digit <= '9') {
		return digit - '0';
	}
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool sr_is_guid(struct sr_bytes text)
{
	if (text.len != SR_GUID_TEXT_LEN - 1) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text.data[i] != '-' : hex_value(text.data[i]) < 0) {
			return false;
		}
	}
	return true;
}

void sr_hex_encode(struct sr_bytes bytes, char *to)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < bytes.len; i++) {
		*to++ = digits[bytes.data[i] >> 4];
		*to++ = digits[bytes.data[i] & 15];
	}
	*to = 0;
}

struct sr_result sr_hex_decode(struct sr_bytes text, uint8_t *to, size_t len)
{
	if (text.len != 2 * len) {
		return sr_fail(SR_INVALID, "expected %zu hex digits, found %zu characters", 2 * len, text.len);
	}
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(text.data[2 * i]);
		int low = hex_value(text.data[2 * i + 1]);
		if (high < 0 || low < 0) {
			return sr_fail(SR_INVALID, "not a hex digit at position %zu", 2 * i);
		}
		to[i] = (uint8_t)(high << 4 | low);
	}
	return sr_ok();
}

static const char standard_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct sr_buf *buf, struct sr_bytes bytes, const char *alphabet, bool pad)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t group = (uint32_t)bytes.data[i] << 16;
		group |= have > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
		group |= have > 2 ? (uint32_t)bytes.data[i + 2] : 0;
		char out[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63], alphabet[group >> 6 & 63],
		               alphabet[group & 63]};
		sr_buf_append(buf, sr_bytes_of(out, have + 1));
		if (pad) {
			sr_buf_append(buf, sr_bytes_of("==", 3 - have));
		}
	}
}

void sr_base64_encode(struct sr_buf *buf, struct sr_bytes bytes)
{
	encode(buf, bytes, standard_alphabet, true);
}

void sr_base64url_encode(struct sr_buf *buf, struct sr_bytes bytes)
{
	encode(buf, bytes, url_alphabet, false);
}

/* The value of a digit in the alphabet whose last two digits are given, or -1. */
static int digit_value(uint8_t digit, char digit62, char digit63)
{
	if (digit >= 'A' && digit <= 'Z') {
		return digit - 'A';
	}
	if (digit >= 'a' && digit <= 'z') {
		return digit - 'a' + 26;
	}
	if (digit >= '0' && digit <= '9') {
		return digit - '0' + 52;
	}
	return digit == (uint8_t)digit62 ? 62 : digit == (uint8_t)digit63 ? 63 : -1;
}

/* Decodes digits without padding. */
static struct sr_result decode(struct sr_bytes text, char digit62, char digit63, struct sr_buf *ret_bytes)
{
	if (text.len % 4 == 1) {
		return sr_fail(SR_INVALID, "not Base64: a length of %zu digits is impossible", text.len);
	}
	size_t before = ret_bytes->len;
	uint32_t group = 0;
	unsigned bits = 0;
	for (size_t i = 0; i < text.len; i++) {
		int value = digit_value(text.data[i], digit62, digit63);
		if (value < 0) {
			ret_bytes->len = before;
			return sr_fail(SR_INVALID, "not Base64: unexpected character at position %zu", i);
		}
		group = (group << 6 | (uint32_t)value) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			sr_buf_append_u8(ret_bytes, (uint8_t)(group >> bits));
		}
	}
	if (group & ((1U << bits) - 1)) {
		ret_bytes->len = before;
		return sr_fail(SR_INVALID, "not Base64: bits are left over at its end");
	}
	return sr_buf_result(ret_bytes);
}

/* The text without its padding, which must be right. */
static struct sr_bytes without_padding(struct sr_bytes text)
{
	size_t digits = text.len;
	while (digits > 0 && text.len - digits < 2 && text.data[digits - 1] == '=') {
		digits--;
	}
	return (struct sr_bytes){text.data, digits};
}

struct sr_result sr_base64_decode(struct sr_bytes text, struct sr_buf *ret_bytes)
{
	if (text.len % 4) {
		return sr_fail(SR_INVALID, "not Base64: %zu characters are no multiple of four", text.len);
	}
	return decode(without_padding(text), '+', '/', ret_bytes);
}

struct sr_result sr_base64url_decode(struct sr_bytes text, struct sr_buf *ret_bytes)
{
	struct sr_bytes digits = without_padding(text);
	if (digits.len != text.len && text.len % 4) {
		return sr_fail(SR_INVALID, "not base64url: wrong padding");
	}
	return decode(digits, '-', '_', ret_bytes);
}

struct sr_result sr_parse_u64(struct sr_bytes text, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;
	if (text.len == 0) {
		return sr_fail(SR_INVALID, "expected a number, found nothing");
	}
	for (size_t i = 0; i < text.len; i++) {
		uint8_t digit = (uint8_t)(text.data[i] - '0');
		if (digit > 9) {
			return sr_fail(SR_INVALID, "expected a number, found another character at position %zu", i);
		}
		if (__builtin_mul_overflow(value, 10U, &value) || __builtin_add_overflow(value, digit, &value) || value > max) {
			return sr_fail(SR_INVALID, "number is over its limit of %llu", (unsigned long long)max);
		}
	}
	*ret_value = value;
	return sr_ok();
}

/* The number of bytes of the UTF-8 character at `at`, or 0 if it is none. */
static size_t utf8_len(const uint8_t *at, size_t left)
{
	if (at[0] < 0x80) {
		return at[0] != 0;
	}
	size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	if (at[0] < 0xc2 || at[0] > 0xf4 || len > left) {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
	bool surrogate = at[0] == 0xed && at[1] > 0x9f;
	bool past_the_end = at[0] == 0xf4 && at[1] > 0x8f;
	return overlong || surrogate || past_the_end ? 0 : len;
}

bool sr_is_utf8(struct sr_bytes text)
{
	for (size_t i = 0; i < text.len;) {
		size_t len = utf8_len(text.data + i, text.len - i);
		if (!len) {
			return false;
		}
		i += len;
	}
	return true;
}
