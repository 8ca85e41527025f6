/* $filter of lists of resources: comparisons joined by 'and', case ignored, nothing passed over. */
#include "check.h"

#include "workspace/filter.h"

static void comparisons_are_joined_by_and(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_filter filter;
	expect_ok(sr_filter_parse(arena, "resourceType eq 'Microsoft.KeyVault/vaults' and name eq 'O''Hara'", &filter));
	assert_int_equal(filter.count, 2);
	assert_true(sr_filter_fits(&filter, "resourceType", "microsoft.keyvault/VAULTS"));
	assert_true(sr_filter_fits(&filter, "name", "o'hara"));
	assert_false(sr_filter_fits(&filter, "name", "other"));
	assert_true(sr_filter_fits(&filter, "location", "anywhere"));
}

static void no_filter_lets_all_pass(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *const texts[] = {NULL, "", " "};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sr_filter filter;
		expect_ok(sr_filter_parse(arena, texts[i], &filter));
		assert_true(sr_filter_fits(&filter, "name", "any"));
	}
}

static void what_is_not_understood_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *const texts[] = {"name",
	                             "name eq",
	                             "name eq x",
	                             "name eq 'x",
	                             "name ne 'x'",
	                             "other eq 'x'",
	                             "name eq 'x' and",
	                             "name eq 'x' or name eq 'y'",
	                             "substringof('x', name)"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sr_filter filter;
		expect_reason(sr_filter_parse(arena, texts[i], &filter), SR_INVALID, "InvalidFilterInQueryString");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comparisons_are_joined_by_and),
	    cmocka_unit_test(no_filter_lets_all_pass),
	    cmocka_unit_test(what_is_not_understood_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
