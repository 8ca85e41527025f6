/* $filter of Graph's lists: the forms that az and SDKs send, held against objects; nothing is passed over. */
#include "check.h"

#include "identity/graph_filter.h"

static bool fits(const char *filter_text, const char *object_text)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_json) json_t *object = NULL;
	struct sr_graph_filter filter;
	expect_ok(sr_json_parse(sr_bytes_str(object_text), &object));
	expect_ok(sr_graph_filter_parse(arena, filter_text, &filter));
	return sr_graph_filter_fits(&filter, object);
}

static void the_three_forms_are_compared(void **state)
{
	(void)state;
	static const char object[] =
	    "{\"displayName\":\"O'Hara\",\"appId\":\"a-1\",\"servicePrincipalNames\":[\"a-1\",\"u\"]}";
	assert_true(fits(NULL, object));
	assert_true(fits("", object));
	assert_true(fits("displayName eq 'o''hara'", object));
	assert_false(fits("displayName eq 'o'", object));
	assert_true(fits("startswith(displayName,'o')", object));
	assert_false(fits("startswith(displayName,'x')", object));
	assert_true(fits("servicePrincipalNames/any(c:c eq 'U')", object));
	assert_false(fits("servicePrincipalNames/any(c:c eq 'v')", object));
	assert_true(fits("appid eq 'A-1' and startswith(displayName, 'O')", object));
	assert_false(fits("appId eq 'a-1' and displayName eq 'x'", object));
	assert_false(fits("mail eq 'x'", object));
}

static void what_is_not_understood_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	static const char *const texts[] = {"x",
	                                    "x eq",
	                                    "x eq y",
	                                    "x eq 'y",
	                                    "x ne 'y'",
	                                    "eq 'y'",
	                                    "x eq 'y' and",
	                                    "x eq 'y' or x eq 'z'",
	                                    "startswith(x,'y'",
	                                    "startswith(x)",
	                                    "x/any(c:d eq 'y')",
	                                    "x/all(c:c eq 'y')",
	                                    "x eq 'y')"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sr_graph_filter filter;
		expect_reason(sr_graph_filter_parse(arena, texts[i], &filter), SR_INVALID, "Request_UnsupportedQuery");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_three_forms_are_compared),
	    cmocka_unit_test(what_is_not_understood_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
