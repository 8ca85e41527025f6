/* $filter of Microsoft.Authorization: what SDKs and az send is read, and nothing is passed over. */
#include "check.h"

#include "workspace/authorization_filter.h"

static struct sr_authorization_filter read_filter(struct sr_arena *arena, const char *text)
{
	struct sr_authorization_filter filter;
	expect_ok(sr_authorization_filter_parse(arena, text, &filter));
	return filter;
}

static void no_filter_asks_for_everything(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *const texts[] = {NULL, "", "  ", "atScopeAndBelow()"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct sr_authorization_filter filter = read_filter(arena, texts[i]);
		assert_false(filter.is_at_scope);
		assert_null(filter.principal);
		assert_null(filter.assigned_to);
		assert_null(filter.role_name);
		assert_null(filter.type);
	}
}

static void what_clients_send_is_read(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_authorization_filter filter = read_filter(arena, "atScope() and assignedTo('a-b')");
	assert_true(filter.is_at_scope);
	assert_string_equal(filter.assigned_to, "a-b");
	filter = read_filter(arena, "ATSCOPE()");
	assert_true(filter.is_at_scope);
	filter = read_filter(arena, "principalId eq 'x'");
	assert_string_equal(filter.principal, "x");
	filter = read_filter(arena, "roleName eq 'it''s ours' and type eq 'CustomRole'");
	assert_string_equal(filter.role_name, "it's ours");
	assert_string_equal(filter.type, "CustomRole");
}

static void everything_else_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *const texts[] = {"x",
	                             "atScope",
	                             "atScope() and",
	                             "atScope() and ",
	                             "atScope() or atScope()",
	                             "atScope() atScope()",
	                             "principalId ne 'x'",
	                             "principalId eq x",
	                             "principalId eq 'x",
	                             "principalIdeq 'x'",
	                             "assignedTo('x'",
	                             "assignedTo(x)",
	                             "principalId eq 'x''"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sr_authorization_filter filter;
		expect_reason(sr_authorization_filter_parse(arena, texts[i], &filter), SR_INVALID,
		              "InvalidFilterInQueryString");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_filter_asks_for_everything),
	    cmocka_unit_test(what_clients_send_is_read),
	    cmocka_unit_test(everything_else_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
