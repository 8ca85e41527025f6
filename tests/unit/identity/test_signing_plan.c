/* When signing keys come and go, by their times alone. */
#include "identity/signing_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DAY_S = 24 * 3600, TOKEN_S = 3600, START_S = 1700000000 };

static void the_first_key_signs_at_once(void **state)
{
	(void)state;
	struct sr_signing_plan plan = sr_signing_plan(NULL, 0, START_S);
	assert_true(plan.needs_key);
	assert_int_equal(plan.active_from_s, START_S);
	assert_int_equal(plan.ended_count, 0);
}

static void the_next_key_is_published_a_day_before_it_signs(void **state)
{
	(void)state;
	const struct sr_signing_times times[] = {{START_S, TOKEN_S}};
	assert_false(sr_signing_plan(times, 1, START_S + 29 * DAY_S - 1).needs_key);
	struct sr_signing_plan plan = sr_signing_plan(times, 1, START_S + 29 * DAY_S);
	assert_true(plan.needs_key);
	assert_int_equal(plan.active_from_s, START_S + 30 * DAY_S);
}

static void a_service_that_was_off_still_publishes_a_day_ahead(void **state)
{
	(void)state;
	const struct sr_signing_times times[] = {{START_S, TOKEN_S}};
	int64_t now_s = START_S + 100 * DAY_S;
	struct sr_signing_plan plan = sr_signing_plan(times, 1, now_s);
	assert_true(plan.needs_key);
	assert_int_equal(plan.active_from_s, now_s + DAY_S);
	assert_int_equal(sr_signing_current(times, 1, now_s), 0);
}

static void one_waiting_key_is_enough(void **state)
{
	(void)state;
	const struct sr_signing_times times[] = {{START_S, TOKEN_S}, {START_S + 30 * DAY_S, TOKEN_S}};
	assert_false(sr_signing_plan(times, 2, START_S + 29 * DAY_S + 1).needs_key);
	assert_int_equal(sr_signing_current(times, 2, START_S + 30 * DAY_S - 1), 0);
	assert_int_equal(sr_signing_current(times, 2, START_S + 30 * DAY_S), 1);
}

static void an_old_key_stays_until_its_last_token_ends(void **state)
{
	(void)state;
	int64_t change_s = START_S + 30 * DAY_S;
	const struct sr_signing_times times[] = {{START_S, TOKEN_S}, {change_s, TOKEN_S}};
	assert_int_equal(sr_signing_plan(times, 2, change_s).ended_count, 0);
	assert_int_equal(sr_signing_plan(times, 2, change_s + TOKEN_S + SR_SIGNING_SKEW_S - 1).ended_count, 0);
	assert_int_equal(sr_signing_plan(times, 2, change_s + TOKEN_S + SR_SIGNING_SKEW_S).ended_count, 1);
}

static void the_key_that_signs_never_ends(void **state)
{
	(void)state;
	const struct sr_signing_times times[] = {{START_S, TOKEN_S}, {START_S + 10, 3 * DAY_S}, {START_S + 20, TOKEN_S}};
	struct sr_signing_plan plan = sr_signing_plan(times, 3, START_S + 365 * DAY_S);
	assert_int_equal(plan.ended_count, 2);
	/* In order: a key whose tokens live long keeps those behind it, too, which is harmless. */
	assert_int_equal(sr_signing_plan(times, 3, START_S + DAY_S).ended_count, 1);
}

static void before_its_time_no_key_signs(void **state)
{
	(void)state;
	const struct sr_signing_times times[] = {{START_S, TOKEN_S}};
	assert_int_equal(sr_signing_current(times, 1, START_S - 1), -1);
	assert_int_equal(sr_signing_plan(times, 1, START_S - 1).ended_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_key_signs_at_once),
	    cmocka_unit_test(the_next_key_is_published_a_day_before_it_signs),
	    cmocka_unit_test(a_service_that_was_off_still_publishes_a_day_ahead),
	    cmocka_unit_test(one_waiting_key_is_enough),
	    cmocka_unit_test(an_old_key_stays_until_its_last_token_ends),
	    cmocka_unit_test(the_key_that_signs_never_ends),
	    cmocka_unit_test(before_its_time_no_key_signs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
