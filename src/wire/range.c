/*
 * The one form of byte range that Azure's services take. Not here: headers of answers, and which
 * header of a request wins.
 */
#include "wire/range.h"

#include "base/text.h"

#include <string.h>

struct sr_result sr_range_parse(struct sr_bytes text, struct sr_range *ret_range)
{
	const struct sr_bytes unit = SR_LITERAL("bytes=");
	const uint8_t *dash = text.len ? memchr(text.data, '-', text.len) : NULL;
	if (!dash || text.len < unit.len || !sr_equal_nocase(sr_bytes_of(text.data, unit.len), unit)) {
		return sr_fail(SR_INVALID, "range is not of the form bytes=first-[last]");
	}
	struct sr_bytes first = sr_bytes_of(text.data + unit.len, (size_t)(dash - text.data) - unit.len);
	struct sr_bytes last = sr_bytes_of(dash + 1, text.len - (size_t)(dash + 1 - text.data));
	struct sr_range range = {.last = UINT64_MAX};
	SR_TRY(sr_parse_u64(first, UINT64_MAX, &range.first));
	if (last.len) {
		SR_TRY(sr_parse_u64(last, UINT64_MAX, &range.last));
	}
	if (range.first > range.last) {
		return sr_fail(SR_INVALID, "range ends before it begins");
	}
	*ret_range = range;
	return sr_ok();
}

struct sr_result sr_range_fit(struct sr_range range, uint64_t len, uint64_t *ret_offset, uint64_t *ret_len)
{
	if (range.first >= len || range.last < range.first) {
		return sr_fail(SR_RANGE, "range begins at %llu, the data end at %llu", (unsigned long long)range.first,
		               (unsigned long long)len);
	}
	uint64_t last = range.last < len ? range.last : len - 1;
	*ret_offset = range.first;
	*ret_len = last - range.first + 1;
	return sr_ok();
}
