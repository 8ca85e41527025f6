/* Which route takes which path: scopes of any depth, names in any case, nothing that is in no table. */
#include "check.h"

#include "workspace/api.h"
#include "workspace/route.h"

struct found {
	const struct sr_arm_route *route;
	const char *parts[SR_ARM_PARTS_MAX];
	const char *path;
};

static struct found find(struct sr_arena *arena, const char *method, const char *path)
{
	struct found found = {0};
	expect_ok(sr_arm_route_find(arena, method, sr_bytes_str(path), &found.route, found.parts, &found.path));
	return found;
}

static void groups_and_what_is_in_them(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct found found = find(arena, "GET", "/SUBSCRIPTIONS/s/resourceGroups/My%20Group");
	assert_ptr_equal(found.route->handler, sr_resource_group_get);
	assert_string_equal(found.parts[0], "s");
	assert_string_equal(found.parts[1], "My Group");
	found = find(arena, "PUT", "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v");
	assert_ptr_equal(found.route->handler, sr_resource_in_group);
	assert_string_equal(found.parts[2], "Microsoft.KeyVault/vaults/v");
	found = find(arena, "POST", "/subscriptions/s/providers/Microsoft.KeyVault/register");
	assert_ptr_equal(found.route->handler, sr_provider_register);
}

static void authorization_is_at_any_scope(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	static const char *const scopes[] = {"", "/subscriptions/s", "/subscriptions/s/resourceGroups/g",
	                                     "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
	                                     "/providers/Microsoft.Management/managementGroups/m"};
	for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
		const char *path = sr_arena_printf(arena, "%s/providers/microsoft.authorization/roleAssignments/n", scopes[i]);
		const struct found found = find(arena, "PUT", path);
		assert_ptr_equal(found.route->handler, sr_role_assignment_put);
		assert_string_equal(found.parts[0], *scopes[i] ? scopes[i] : "/");
		assert_string_equal(found.parts[1], "n");
	}
}

static void what_is_in_no_table_is_not_there(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct found found = {0};
	static const char *const paths[] = {"/", "/none", "/subscriptions/s/none", "/providers",
	                                    "/subscriptions/s/providers/x/y/z/.."};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		SR_CLEANUP(sr_result)
		struct sr_result result =
		    sr_arm_route_find(arena, "GET", sr_bytes_str(paths[i]), &found.route, found.parts, &found.path);
		assert_false(sr_is_ok(result));
	}
	expect_reason(sr_arm_route_find(arena, "POST", SR_LITERAL("/subscriptions/s/resourcegroups/g"), &found.route,
	                                found.parts, &found.path),
	              SR_INVALID, "MethodNotAllowed");
}

/* Else a right on one resource would seem one on another: "g/providers/P/vaults/mine" as a group's name. */
static void a_slash_in_a_name_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct found found = {0};
	static const char path[] =
	    "/subscriptions/s/resourceGroups/g%2Fproviders%2fMicrosoft.KeyVault%2Fvaults%2Fmine/providers/"
	    "Microsoft.KeyVault/vaults/v";
	expect_code(sr_arm_route_find(arena, "PUT", sr_bytes_str(path), &found.route, found.parts, &found.path),
	            SR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(groups_and_what_is_in_them),
	    cmocka_unit_test(authorization_is_at_any_scope),
	    cmocka_unit_test(what_is_in_no_table_is_not_there),
	    cmocka_unit_test(a_slash_in_a_name_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
