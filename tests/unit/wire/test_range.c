/* The one form of byte range. */
#include "check.h"

#include "wire/range.h"

static void reads_closed_and_open_ranges(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t first, last;
	} cases[] = {
	    {"bytes=0-0", 0, 0},
	    {"bytes=6-10", 6, 10},
	    {"Bytes=6-", 6, UINT64_MAX},
	    {"bytes=0-9223372036854775807", 0, INT64_MAX},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sr_range range;
		expect_ok(sr_range_parse(sr_bytes_str(cases[i].text), &range));
		assert_true(range.first == cases[i].first && range.last == cases[i].last);
	}
}

static void refuses_every_other_form(void **state)
{
	(void)state;
	static const char *const broken[] = {"",           "bytes",      "bytes=",
	                                     "bytes=-",    "bytes=-5",   "bytes=5",
	                                     "bytes=5-4",  "bytes=0-1,", "bytes=0-1,3-4",
	                                     "bytes= 0-1", "bytes=0-1 ", "bytes=a-b",
	                                     "bytes=+1-2", "items=0-1",  "-",
	                                     "by-tes=0-1", "bytes=0--1", "bytes=18446744073709551616-"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct sr_range range = {7, 7};
		SR_CLEANUP(sr_result) struct sr_result outcome = sr_range_parse(sr_bytes_str(broken[i]), &range);
		assert_int_equal(sr_result_code(outcome), SR_INVALID);
		assert_true(range.first == 7 && range.last == 7);
	}
}

static void fits_a_range_into_the_data(void **state)
{
	(void)state;
	uint64_t offset;
	uint64_t len;
	expect_ok(sr_range_fit((struct sr_range){6, 10}, 11, &offset, &len));
	assert_true(offset == 6 && len == 5);
	expect_ok(sr_range_fit((struct sr_range){6, UINT64_MAX}, 11, &offset, &len));
	assert_true(offset == 6 && len == 5);
	expect_ok(sr_range_fit((struct sr_range){0, 0}, 11, &offset, &len));
	assert_true(offset == 0 && len == 1);
	expect_ok(sr_range_fit((struct sr_range){0, UINT64_MAX}, UINT64_MAX, &offset, &len));
	assert_true(offset == 0 && len == UINT64_MAX);
}

static void a_range_past_the_end_is_told(void **state)
{
	(void)state;
	static const uint64_t lens[] = {0, 5, 6};
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		uint64_t offset;
		uint64_t len;
		SR_CLEANUP(sr_result)
		struct sr_result outcome = sr_range_fit((struct sr_range){6, 10}, lens[i], &offset, &len);
		assert_int_equal(sr_result_code(outcome), SR_RANGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_closed_and_open_ranges),
	    cmocka_unit_test(refuses_every_other_form),
	    cmocka_unit_test(fits_a_range_into_the_data),
	    cmocka_unit_test(a_range_past_the_end_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
