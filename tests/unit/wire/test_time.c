/* HTTP dates and ISO 8601, both ways. */
#include "check.h"

#include "wire/time.h"

#include <time.h>

static void writes_and_reads_the_same_as_the_c_library(void **state)
{
	(void)state;
	/* A prime step, so that every part takes every value; from year 0 to 9999. */
	for (int64_t at = -62167219200; at <= 253402300799; at += 86400LL * 17 + 3607) {
		time_t native = (time_t)at;
		struct tm parts;
		char expected[64];
		char text[SR_HTTP_DATE_LEN];
		gmtime_r(&native, &parts);
		strftime(expected, sizeof expected, "%a, %d %b ", &parts);
		sr_http_date(at, text);
		assert_memory_equal(text, expected, 12);
		strftime(expected, sizeof expected, "%H:%M:%S GMT", &parts);
		assert_string_equal(text + 17, expected);
		int64_t back;
		expect_ok(sr_http_date_parse(sr_bytes_str(text), &back));
		assert_int_equal(back, at);

		char iso[SR_ISO_TIME_LEN];
		sr_iso_time(at, iso);
		expect_ok(sr_iso_time_parse(sr_bytes_str(iso), &back));
		assert_int_equal(back, at * 1000000);
		sr_iso_time_us(at * 1000000 + 123456, iso);
		expect_ok(sr_iso_time_parse(sr_bytes_str(iso), &back));
		assert_int_equal(back, at * 1000000 + 123456);
	}
}

static void knows_the_examples_of_rfc_9110(void **state)
{
	(void)state;
	static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
	                                    "Sun Nov  6 08:49:37 1994", "Sun Nov 06 08:49:37 1994"};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		int64_t at = 0;
		expect_ok(sr_http_date_parse(sr_bytes_str(forms[i]), &at));
		assert_int_equal(at, 784111777);
	}
	char text[SR_HTTP_DATE_LEN];
	sr_http_date(784111777, text);
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void refuses_what_is_no_http_date(void **state)
{
	(void)state;
	static const char *const broken[] = {"",
	                                     "Sun, 06 Nov 1994 08:49:37",
	                                     "Sun, 06 Nov 1994 08:49:37 GMT ",
	                                     "Sun, 06 Nov 1994 08:49:37 +0000",
	                                     "Sun, 31 Nov 1994 08:49:37 GMT",
	                                     "Sun, 00 Nov 1994 08:49:37 GMT",
	                                     "Sun, 29 Feb 1900 08:49:37 GMT",
	                                     "Sun, 06 Nov 1994 24:49:37 GMT",
	                                     "Sun, 06 Nov 1994 08:60:37 GMT",
	                                     "Sun, 06 Nov 1994 08:49:61 GMT",
	                                     "Sun, 06 Nix 1994 08:49:37 GMT",
	                                     "Xyz, 06 Nov 1994 08:49:37 GMT",
	                                     "Sun,  6 Nov 1994 08:49:37 GMT",
	                                     "1994-11-06T08:49:37Z"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		int64_t at = 42;
		SR_CLEANUP(sr_result) struct sr_result outcome = sr_http_date_parse(sr_bytes_str(broken[i]), &at);
		assert_int_equal(sr_result_code(outcome), SR_INVALID);
		assert_int_equal(at, 42);
	}
}

static void reads_each_precision_of_iso_times(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t unix_us;
	} cases[] = {
	    {"1970-01-01", 0},
	    {"1970-01-01T00:01Z", 60000000},
	    {"1970-01-01T00:00:01Z", 1000000},
	    {"1970-01-01T00:00:00.1Z", 100000},
	    {"1970-01-01T00:00:00.1234567Z", 123456},
	    {"2000-02-29T23:59:59.0000010Z", 951868799000001},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t at = 42;
		expect_ok(sr_iso_time_parse(sr_bytes_str(cases[i].text), &at));
		assert_int_equal(at, cases[i].unix_us);
	}
	char text[SR_ISO_TIME_LEN];
	sr_iso_time_us(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.9999990Z");
}

static void refuses_what_is_no_iso_time(void **state)
{
	(void)state;
	static const char *const broken[] = {"",
	                                     "2026",
	                                     "2026-11-24T",
	                                     "2026-11-24Z",
	                                     "2026-11-24T12:00:00",
	                                     "2026-11-24T12:00:00.Z",
	                                     "2026-11-24T12:00:00.12345678Z",
	                                     "2026-11-24T12:00:00+01:00",
	                                     "2026-13-24T12:00:00Z",
	                                     "2026-02-29T12:00:00Z",
	                                     "2026-11-24t12:00:00Z",
	                                     "2026-11-24T12:00:00Zx",
	                                     "2026-11-24 12:00:00Z",
	                                     "-026-11-24T12:00:00Z"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		int64_t at = 42;
		SR_CLEANUP(sr_result) struct sr_result outcome = sr_iso_time_parse(sr_bytes_str(broken[i]), &at);
		assert_int_equal(sr_result_code(outcome), SR_INVALID);
		assert_int_equal(at, 42);
	}
}

static void a_year_past_four_digits_is_cut_and_overruns_nothing(void **state)
{
	(void)state;
	char text[SR_HTTP_DATE_LEN];
	char iso[SR_ISO_TIME_LEN];
	sr_http_date(INT64_MAX, text);
	assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
	sr_iso_time(INT64_MIN, iso);
	assert_string_equal(iso, "0000-01-01T00:00:00Z");
	sr_iso_time_us(INT64_MAX, iso);
	assert_memory_equal(iso, "9999-12-31T", 11);
	sr_iso_time_us(INT64_MIN, iso);
	assert_memory_equal(iso, "0000-01-01T", 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_and_reads_the_same_as_the_c_library),
	    cmocka_unit_test(knows_the_examples_of_rfc_9110),
	    cmocka_unit_test(refuses_what_is_no_http_date),
	    cmocka_unit_test(reads_each_precision_of_iso_times),
	    cmocka_unit_test(refuses_what_is_no_iso_time),
	    cmocka_unit_test(a_year_past_four_digits_is_cut_and_overruns_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
