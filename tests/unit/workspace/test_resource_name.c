/* What a resource's id says, and which action a method on it is. */
#include "check.h"

#include "workspace/resource_name.h"

static void types_and_actions_follow_from_ids(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	static const struct {
		const char *rest, *method, *action;
	} cases[] = {
	    {"Microsoft.KeyVault/vaults/v", "GET", "Microsoft.KeyVault/vaults/read"},
	    {"Microsoft.KeyVault/vaults/v", "HEAD", "Microsoft.KeyVault/vaults/read"},
	    {"Microsoft.KeyVault/vaults", "GET", "Microsoft.KeyVault/vaults/read"},
	    {"Microsoft.KeyVault/vaults/v", "PUT", "Microsoft.KeyVault/vaults/write"},
	    {"Microsoft.KeyVault/vaults/v", "PATCH", "Microsoft.KeyVault/vaults/write"},
	    {"Microsoft.KeyVault/vaults/v", "DELETE", "Microsoft.KeyVault/vaults/delete"},
	    {"Microsoft.KeyVault/vaults/v/accessPolicies/add", "PUT", "Microsoft.KeyVault/vaults/accessPolicies/write"},
	    {"Microsoft.KeyVault/locations/l/deletedVaults/v/purge", "POST",
	     "Microsoft.KeyVault/locations/deletedVaults/purge/action"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sr_resource_name name;
		const char *action;
		expect_ok(sr_resource_name_parse(arena, cases[i].rest, &name));
		expect_ok(sr_resource_action(arena, &name, cases[i].method, &action));
		assert_string_equal(action, cases[i].action);
	}
}

static void what_is_no_resource_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_resource_name name;
	const char *action;
	expect_reason(sr_resource_name_parse(arena, "Microsoft.KeyVault", &name), SR_NOT_FOUND, "InvalidResourceType");
	expect_reason(sr_resource_name_parse(arena, "", &name), SR_NOT_FOUND, "InvalidResourceType");
	expect_ok(sr_resource_name_parse(arena, "Microsoft.KeyVault/vaults/v", &name));
	expect_reason(sr_resource_action(arena, &name, "TRACE", &action), SR_INVALID, "MethodNotAllowed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(types_and_actions_follow_from_ids),
	    cmocka_unit_test(what_is_no_resource_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
