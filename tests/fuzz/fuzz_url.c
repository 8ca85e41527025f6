/* URLs: what decodes encodes to the same meaning; parameters and segments keep their limits and hold no NUL. */
#include "wire/url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_text(struct sr_bytes text)
{
	if (text.data[text.len] != 0 || strlen((const char *)text.data) != text.len) {
		abort();
	}
}

static void check_round_trip(struct sr_arena *arena, struct sr_bytes text)
{
	SR_CLEANUP(sr_buf) struct sr_buf encoded = SR_BUF(64 << 20);
	struct sr_bytes decoded = {0};
	sr_url_encode(&encoded, text, "/");
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_url_decode(arena, sr_buf_bytes(&encoded), true, &decoded);
	if (!sr_is_ok(outcome) || !sr_equal_public(decoded, text)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_bytes input = sr_bytes_of(data, len);
	struct sr_bytes decoded;
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_url_decode(arena, input, false, &decoded);
	if (sr_is_ok(outcome)) {
		check_text(decoded);
		check_round_trip(arena, decoded);
	}
	struct sr_parameters parameters;
	SR_CLEANUP(sr_result) struct sr_result split = sr_parameters_parse(arena, input, len & 1, &parameters);
	for (size_t i = 0; sr_is_ok(split) && i < parameters.count; i++) {
		check_text(parameters.items[i].name);
		check_text(parameters.items[i].value);
	}
	struct sr_segments segments;
	SR_CLEANUP(sr_result) struct sr_result walked = sr_segments_parse(arena, input, &segments);
	for (size_t i = 0; sr_is_ok(walked) && i < segments.count; i++) {
		check_text(segments.items[i]);
		if (strcmp((const char *)segments.items[i].data, "..") == 0 || segments.items[i].len == 0) {
			abort();
		}
	}
	return 0;
}
