/* Times and ranges: what parses writes and parses as the same; a fitted range lies within the data. */
#include "wire/range.h"
#include "wire/time.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_http_date(struct sr_bytes input)
{
	int64_t at;
	int64_t again;
	char text[SR_HTTP_DATE_LEN];
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_http_date_parse(input, &at);
	if (sr_is_ok(outcome)) {
		sr_http_date(at, text);
		SR_CLEANUP(sr_result) struct sr_result reread = sr_http_date_parse(sr_bytes_str(text), &again);
		/* A leap second at the end of the year 9999 has no date of its own. */
		if (!sr_is_ok(reread) || (at != again && at != 253402300800)) {
			abort();
		}
	}
}

static void check_iso_time(struct sr_bytes input)
{
	int64_t at;
	int64_t again;
	char text[SR_ISO_TIME_LEN];
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_iso_time_parse(input, &at);
	if (sr_is_ok(outcome)) {
		sr_iso_time_us(at, text);
		SR_CLEANUP(sr_result) struct sr_result reread = sr_iso_time_parse(sr_bytes_str(text), &again);
		if (!sr_is_ok(reread) || (at != again && at < 253402300800000000)) {
			abort();
		}
	}
}

static void check_range(struct sr_bytes input)
{
	struct sr_range range;
	uint64_t offset;
	uint64_t fitted;
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_range_parse(input, &range);
	for (uint64_t len = 0; sr_is_ok(outcome) && len < 20; len++) {
		SR_CLEANUP(sr_result) struct sr_result fit = sr_range_fit(range, len, &offset, &fitted);
		if (sr_is_ok(fit) && (fitted == 0 || offset >= len || fitted > len - offset)) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sr_bytes input = sr_bytes_of(data, len);
	check_http_date(input);
	check_iso_time(input);
	check_range(input);
	return 0;
}
