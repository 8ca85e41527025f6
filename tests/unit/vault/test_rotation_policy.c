/* Durations by the calendar, and policies that hold together. */
#include "vault/rotation_policy.h"

#include "vault/key_rules.h"

#include "check.h"

static void durations_have_years_months_weeks_and_days(void **unused)
{
	(void)unused;
	const struct {
		const char *text;
		int64_t months, days;
	} good[] = {{"P90D", 0, 90}, {"P2Y", 24, 0}, {"P1Y2M3D", 14, 3}, {"P1M", 1, 0}, {"P2W", 0, 14}};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct sr_duration duration;
		expect_ok(sr_duration_parse(good[i].text, &duration));
		assert_int_equal(duration.months, good[i].months);
		assert_int_equal(duration.days, good[i].days);
	}
	const char *const bad[] = {"",     "P",      "90D",   "P90",       "PD",   "P-1D",  "P1D1Y", "P1Y1Y",
	                           "PT1H", "P1DT1H", "P1.5D", "P9999999D", "P90d", "P90D ", "p90D"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct sr_duration duration;
		expect_code(sr_duration_parse(bad[i], &duration), SR_INVALID);
	}
}

static void months_end_where_the_calendar_ends_them(void **unused)
{
	(void)unused;
	const int64_t january_31_2023 = 1675123200, february_28_2023 = 1677542400, january_31_2024 = 1706659200,
	              february_29_2024 = 1709164800;
	assert_int_equal(sr_duration_add(january_31_2023, (struct sr_duration){.months = 1}), february_28_2023);
	assert_int_equal(sr_duration_add(january_31_2024, (struct sr_duration){.months = 1}), february_29_2024);
	assert_int_equal(sr_duration_add(january_31_2023, (struct sr_duration){.months = 12}), january_31_2024);
	assert_int_equal(sr_duration_add(january_31_2023, (struct sr_duration){.days = 28}), february_28_2023);
}

static struct sr_result read_policy(const char *text)
{
	SR_CLEANUP(sr_json) json_t *body = NULL;
	SR_CLEANUP(sr_json) json_t *policy = NULL;
	SR_TRY(sr_json_parse(sr_bytes_str(text), &body));
	return sr_rotation_policy_read(body, &policy);
}

#define ACTION(type, trigger, time) "{\"trigger\":{\"" trigger "\":\"" time "\"},\"action\":{\"type\":\"" type "\"}}"
#define POLICY(expiry, actions)     "{\"lifetimeActions\":[" actions "],\"attributes\":{" expiry "}}"
#define EXPIRY(time)                "\"expiryTime\":\"" time "\""

static void policies_are_checked_as_the_service_does(void **unused)
{
	(void)unused;
	expect_ok(read_policy("{}"));
	expect_ok(read_policy(POLICY(EXPIRY("P2Y"), ACTION("Rotate", "timeAfterCreate", "P90D"))));
	expect_ok(read_policy(POLICY(EXPIRY("P90D"), ACTION("Rotate", "timeBeforeExpiry",
	                                                    "P30D") "," ACTION("notify", "timeBeforeExpiry", "P30D"))));
	expect_ok(read_policy(POLICY("", ACTION("Rotate", "timeAfterCreate", "P90D"))));
	const char *const bad[] = {
	    POLICY(EXPIRY("P27D"), ""),
	    POLICY(EXPIRY("P2Y"), ACTION("Burn", "timeAfterCreate", "P90D")),
	    POLICY(EXPIRY("P2Y"), ACTION("Notify", "timeAfterCreate", "P90D")),
	    POLICY(EXPIRY("P90D"), ACTION("Rotate", "timeAfterCreate", "P6D")),
	    POLICY(EXPIRY("P90D"), ACTION("Rotate", "timeAfterCreate", "P84D")),
	    POLICY("", ACTION("Rotate", "timeBeforeExpiry", "P30D")),
	    POLICY(EXPIRY("P90D"), "{\"action\":{\"type\":\"Rotate\"}}"),
	    POLICY(EXPIRY("P90D"), "7"),
	    "{\"lifetimeActions\":{}}",
	    "{\"attributes\":{\"expiryTime\":90}}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		expect_code(read_policy(bad[i]), SR_INVALID);
	}
}

static void the_end_of_a_new_version_follows_from_the_policy(void **unused)
{
	(void)unused;
	int64_t end;
	expect_ok(sr_rotation_policy_end(NULL, 1000, &end));
	assert_int_equal(end, SR_NO_TIME);
	expect_ok(sr_rotation_policy_end(sr_rotation_policy_default, 1000, &end));
	assert_int_equal(end, SR_NO_TIME);
	expect_ok(sr_rotation_policy_end("{\"attributes\":{\"expiryTime\":\"P90D\"}}", 1000, &end));
	assert_int_equal(end, 1000 + 90 * 86400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_have_years_months_weeks_and_days),
	    cmocka_unit_test(months_end_where_the_calendar_ends_them),
	    cmocka_unit_test(policies_are_checked_as_the_service_does),
	    cmocka_unit_test(the_end_of_a_new_version_follows_from_the_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
