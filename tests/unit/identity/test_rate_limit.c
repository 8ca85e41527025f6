/* The limit on wrong secrets: a burst, then a rate, for each client id and address. */
#include "seal_init.h"

#include "identity/rate_limit.h"

enum { BURST = 10, INTERVAL_MS = 6000, START_MS = 1000000 };

static void fail_times(struct sr_rate_limit *limit, const char *client, const char *address, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		sr_rate_limit_charge(limit, client, address, START_MS);
	}
}

static void a_burst_is_allowed_and_then_no_more(void **state)
{
	(void)state;
	struct sr_rate_limit *limit = sr_rate_limit_new(BURST, INTERVAL_MS);
	unsigned wait_s = 0;
	for (unsigned i = 0; i < BURST; i++) {
		assert_true(sr_rate_limit_allows(limit, "app", "127.0.0.1", START_MS, &wait_s));
		sr_rate_limit_charge(limit, "app", "127.0.0.1", START_MS);
	}
	assert_false(sr_rate_limit_allows(limit, "app", "127.0.0.1", START_MS, &wait_s));
	assert_int_equal(wait_s, INTERVAL_MS / 1000);
	sr_rate_limit_free(limit);
}

static void whoever_waits_as_told_may_try_once_more(void **state)
{
	(void)state;
	struct sr_rate_limit *limit = sr_rate_limit_new(BURST, INTERVAL_MS);
	unsigned wait_s = 0;
	fail_times(limit, "app", "127.0.0.1", BURST);
	assert_false(sr_rate_limit_allows(limit, "app", "127.0.0.1", START_MS + 500, &wait_s));
	uint64_t later_ms = START_MS + 500 + wait_s * 1000;
	assert_true(sr_rate_limit_allows(limit, "app", "127.0.0.1", later_ms, &wait_s));
	sr_rate_limit_charge(limit, "app", "127.0.0.1", later_ms);
	assert_false(sr_rate_limit_allows(limit, "app", "127.0.0.1", later_ms, &wait_s));
	assert_true(sr_rate_limit_allows(limit, "app", "127.0.0.1", START_MS + BURST * INTERVAL_MS * 2, &wait_s));
	sr_rate_limit_free(limit);
}

static void others_are_not_held_up(void **state)
{
	(void)state;
	struct sr_rate_limit *limit = sr_rate_limit_new(BURST, INTERVAL_MS);
	unsigned wait_s = 0;
	fail_times(limit, "app", "127.0.0.1", BURST);
	assert_false(sr_rate_limit_allows(limit, "APP", "127.0.0.1", START_MS, &wait_s));
	assert_true(sr_rate_limit_allows(limit, "app", "127.0.0.2", START_MS, &wait_s));
	assert_true(sr_rate_limit_allows(limit, "app2", "127.0.0.1", START_MS, &wait_s));
	sr_rate_limit_free(limit);
}

static void a_flood_of_names_does_not_clear_a_guilty_one(void **state)
{
	(void)state;
	struct sr_rate_limit *limit = sr_rate_limit_new(BURST, INTERVAL_MS);
	unsigned wait_s = 0;
	fail_times(limit, "guilty", "127.0.0.1", 2 * BURST);
	for (unsigned i = 0; i < 20000; i++) {
		char name[32];
		snprintf(name, sizeof name, "flood-%u", i);
		sr_rate_limit_charge(limit, name, "127.0.0.1", START_MS);
	}
	assert_false(sr_rate_limit_allows(limit, "guilty", "127.0.0.1", START_MS, &wait_s));
	sr_rate_limit_free(limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_burst_is_allowed_and_then_no_more),
	    cmocka_unit_test(whoever_waits_as_told_may_try_once_more),
	    cmocka_unit_test(others_are_not_held_up),
	    cmocka_unit_test(a_flood_of_names_does_not_clear_a_guilty_one),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
