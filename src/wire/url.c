/*
 * Percent-encoding, parameters and path segments of requests. Not here: what a service's parameters
 * mean, and the canonical forms that signatures cover (shared_key.c).
 */
#include "wire/url.h"

#include <string.h>

/* The value of a hex digit, or -1. */
static int hex_value(uint8_t digit)
{
	if (digit >= '0' && digit <= '9') {
		return digit - '0';
	}
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

struct sr_result sr_url_decode(struct sr_arena *arena, struct sr_bytes text, bool plus_is_space,
                               struct sr_bytes *ret_decoded)
{
	uint8_t *decoded = sr_arena_alloc(arena, text.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t value = text.data[i];
		if (value == '%') {
			int high = text.len - i > 2 ? hex_value(text.data[i + 1]) : -1;
			int low = text.len - i > 2 ? hex_value(text.data[i + 2]) : -1;
			if (high < 0 || low < 0) {
				return sr_fail(SR_INVALID, "broken percent-encoding at position %zu", i);
			}
			value = (uint8_t)(high << 4 | low);
			i += 2;
		} else if (value == '+' && plus_is_space) {
			value = ' ';
		}
		if (value == 0) {
			return sr_fail(SR_INVALID, "a NUL before position %zu", i + 1);
		}
		decoded[len++] = value;
	}
	*ret_decoded = sr_bytes_of(decoded, len);
	return sr_ok();
}

/* RFC 3986 2.3. */
static bool is_unreserved(uint8_t value)
{
	bool letter = (value | 0x20) >= 'a' && (value | 0x20) <= 'z';
	bool digit = value >= '0' && value <= '9';
	return letter || digit || value == '-' || value == '.' || value == '_' || value == '~';
}

void sr_url_encode(struct sr_buf *buf, struct sr_bytes text, const char *keep)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.len; i++) {
		uint8_t value = text.data[i];
		if (is_unreserved(value) || (value && strchr(keep, value))) {
			sr_buf_append_u8(buf, value);
		} else {
			char escape[] = {'%', digits[value >> 4], digits[value & 15]};
			sr_buf_append(buf, sr_bytes_of(escape, sizeof escape));
		}
	}
}

/* Cuts the piece up to `separator` off the front of `text`; false when nothing is left. */
static bool next_piece(struct sr_bytes *text, uint8_t separator, struct sr_bytes *ret_piece)
{
	if (text->len == 0) {
		return false;
	}
	const uint8_t *end = memchr(text->data, separator, text->len);
	size_t len = end ? (size_t)(end - text->data) : text->len;
	size_t passed = end ? len + 1 : len;
	*ret_piece = sr_bytes_of(text->data, len);
	*text = sr_bytes_of(text->data + passed, text->len - passed);
	return true;
}

static size_t count_pieces(struct sr_bytes text, uint8_t separator)
{
	struct sr_bytes piece;
	size_t count = 0;
	while (next_piece(&text, separator, &piece)) {
		count += piece.len > 0;
	}
	return count;
}

/* Splits "name=value" at the first '=' and decodes both; a name alone has an empty value. */
static struct sr_result parse_parameter(struct sr_arena *arena, struct sr_bytes piece, bool form,
                                        struct sr_parameter *ret_parameter)
{
	const uint8_t *equals = memchr(piece.data, '=', piece.len);
	size_t name_len = equals ? (size_t)(equals - piece.data) : piece.len;
	size_t value_at = equals ? name_len + 1 : name_len;
	struct sr_parameter parameter;
	SR_TRY(sr_url_decode(arena, sr_bytes_of(piece.data, name_len), form, &parameter.name));
	SR_TRY(sr_url_decode(arena, sr_bytes_of(piece.data + value_at, piece.len - value_at), form, &parameter.value));
	*ret_parameter = parameter;
	return sr_ok();
}

struct sr_result sr_parameters_parse(struct sr_arena *arena, struct sr_bytes text, bool form,
                                     struct sr_parameters *ret_parameters)
{
	size_t count = count_pieces(text, '&');
	if (count > SR_PARAMETERS_MAX) {
		return sr_fail(SR_TOO_LARGE, "%zu parameters, at most %d are taken", count, SR_PARAMETERS_MAX);
	}
	struct sr_parameter *items = sr_arena_alloc(arena, count * sizeof *items);
	struct sr_bytes piece;
	size_t filled = 0;
	while (next_piece(&text, '&', &piece)) {
		if (piece.len) {
			SR_TRY(parse_parameter(arena, piece, form, &items[filled]));
			filled++;
		}
	}
	*ret_parameters = (struct sr_parameters){items, filled};
	return sr_ok();
}

const char *sr_parameter_get(const struct sr_parameters *parameters, const char *name)
{
	struct sr_bytes wanted = sr_bytes_str(name);
	for (size_t i = 0; i < parameters->count; i++) {
		if (sr_equal_nocase(parameters->items[i].name, wanted)) {
			return (const char *)parameters->items[i].value.data;
		}
	}
	return NULL;
}

size_t sr_parameter_count(const struct sr_parameters *parameters, const char *name)
{
	struct sr_bytes wanted = sr_bytes_str(name);
	size_t count = 0;
	for (size_t i = 0; i < parameters->count; i++) {
		count += sr_equal_nocase(parameters->items[i].name, wanted);
	}
	return count;
}

struct sr_result sr_segments_parse(struct sr_arena *arena, struct sr_bytes path, struct sr_segments *ret_segments)
{
	struct sr_segments segments = {.count = 0};
	struct sr_bytes piece;
	while (next_piece(&path, '/', &piece)) {
		if (piece.len == 0) {
			continue;
		}
		if (segments.count == SR_SEGMENTS_MAX) {
			return sr_fail(SR_TOO_LARGE, "path has more than %d segments", SR_SEGMENTS_MAX);
		}
		struct sr_bytes *segment = &segments.items[segments.count++];
		SR_TRY(sr_url_decode(arena, piece, false, segment));
		/* After decoding, so that %2e%2e is caught too. */
		if (sr_equal_public(*segment, SR_LITERAL(".")) || sr_equal_public(*segment, SR_LITERAL(".."))) {
			return sr_fail(SR_INVALID, "path holds a \".\" or \"..\" segment");
		}
	}
	*ret_segments = segments;
	return sr_ok();
}
