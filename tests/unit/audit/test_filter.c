/* Which entries a filter lets through. */
#include "audit/filter.h"

#include "check.h"

static const char entry[] =
    "{\"time\":\"2026-11-24T12:00:00.0000000Z\",\"who\":{\"oid\":\"o-1\",\"appid\":\"a-1\",\"name\":\"Robot\"},"
    "\"operation\":\"KeyCreate\",\"object\":\"default/keys/k/v1\",\"outcome\":\"ok\"}";
static const char refused[] = "{\"time\":\"2026-11-24T12:00:00.0000000Z\",\"who\":{\"service\":\"blob\"},"
                              "\"operation\":\"KekOpen\",\"outcome\":\"KeyDisabled\"}";

static bool fits(const char *query, const char *text)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_parameters parameters;
	struct sr_audit_filter filter;
	expect_ok(sr_parameters_parse(arena, sr_bytes_str(query), false, &parameters));
	expect_ok(sr_audit_filter_read(&parameters, &filter));
	return sr_audit_filter_fits(&filter, sr_bytes_str(text));
}

static void each_condition_decides(void **state)
{
	(void)state;
	const struct {
		const char *query;
		bool takes_entry, takes_refused;
	} rows[] = {
	    {"", true, true},
	    {"who=o-1", true, false},
	    {"who=A-1", true, false},
	    {"who=robot", true, false},
	    {"who=blob", false, true},
	    {"who=o", false, false},
	    {"operation=keycreate", true, false},
	    {"object=default/keys/k", true, false},
	    {"object=default/keys/k/v1", true, false},
	    {"object=default/keys/k/v", false, false},
	    {"object=default", true, false},
	    {"outcome=ok", true, false},
	    {"outcome=refused", false, true},
	    {"outcome=keydisabled", false, true},
	    {"since=2026-11-24", true, true},
	    {"since=2026-11-24T12:00:00Z", true, true},
	    {"since=2026-11-24T12:00:01Z", false, false},
	    {"until=2026-11-24T12:00:00Z", false, false},
	    {"until=2026-11-25", true, true},
	    {"who=o-1&outcome=refused", false, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (fits(rows[i].query, entry) != rows[i].takes_entry ||
		    fits(rows[i].query, refused) != rows[i].takes_refused) {
			fail_msg("%s", rows[i].query);
		}
	}
	assert_true(fits("who=o-1", "no JSON")); /* damage is shown, not hidden */
}

static void a_time_that_is_none_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_parameters parameters;
	struct sr_audit_filter filter;
	expect_ok(sr_parameters_parse(arena, SR_LITERAL("since=yesterday"), false, &parameters));
	expect_code(sr_audit_filter_read(&parameters, &filter), SR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_condition_decides),
	    cmocka_unit_test(a_time_that_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
