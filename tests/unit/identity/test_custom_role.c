/* Roles of a customer's own: what Azure's JSON may say, and what happens to one that somebody has. */
#include "fixture.h"

#include "identity/assignment.h"
#include "identity/custom_role.h"
#include "identity/management_group.h"
#include "identity/scope.h"

#define SUBSCRIPTION "/subscriptions/99999999-0000-4000-8000-000000000001"
#define GROUP        SUBSCRIPTION "/resourceGroups/g"
#define MANAGEMENT   "/providers/Microsoft.Management/managementGroups/"
#define GOOD \
	"\"Name\":\"Mine\",\"Actions\":[\"Microsoft.KeyVault/vaults/read\"],\"AssignableScopes\":[\"" SUBSCRIPTION "\"]"

static struct sr_result read_and_check(struct fixture *fixture, const char *text, struct sr_role_definition *ret)
{
	SR_CLEANUP(sr_json) json_t *document = NULL;
	SR_TRY(sr_json_parse(sr_bytes_str(text), &document));
	SR_TRY(sr_role_definition_read(fixture->arena, document, ret));
	return sr_role_definition_check(ret);
}

static void both_of_azures_shapes_say_the_same(void **state)
{
	struct fixture *fixture = *state;
	static const char *const shapes[] = {
	    "{\"Name\":\"Mine\",\"IsCustom\":true,\"Description\":\"d\",\"Actions\":[\"A.B/c/read\"],\"NotActions\":[],"
	    "\"DataActions\":[\"A.B/*\"],\"NotDataActions\":[\"A.B/d/write\"],\"AssignableScopes\":[\"" GROUP "\"]}",
	    "{\"roleName\":\"Mine\",\"name\":\"11111111-1111-4111-8111-111111111111\",\"description\":\"d\","
	    "\"permissions\":"
	    "[{\"actions\":[\"A.B/c/read\"],\"notActions\":[],\"dataActions\":[\"A.B/*\"],\"notDataActions\":"
	    "[\"A.B/d/write\"]}],\"assignableScopes\":[\"" GROUP "\"],\"roleType\":\"CustomRole\"}",
	    "{\"properties\":{\"roleName\":\"Mine\",\"description\":\"d\",\"type\":\"CustomRole\",\"permissions\":"
	    "[{\"actions\":[\"A.B/c/read\"],\"dataActions\":[\"A.B/*\"],\"notDataActions\":[\"A.B/d/write\"]}],"
	    "\"assignableScopes\":[\"" GROUP "\"]}}",
	};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct sr_role_definition definition;
		expect_ok(read_and_check(fixture, shapes[i], &definition));
		assert_string_equal(definition.role.name, "Mine");
		assert_string_equal(definition.description, "d");
		assert_string_equal(definition.role.actions[0], "A.B/c/read");
		assert_null(definition.role.not_actions[0]);
		assert_string_equal(definition.role.data_actions[0], "A.B/*");
		assert_string_equal(definition.role.not_data_actions[0], "A.B/d/write");
		assert_string_equal(definition.assignable_scopes[0], GROUP);
	}
}

static void what_azure_refuses_is_refused_with_its_code(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *text, *reason;
	} wrong[] = {
	    {"{}", "InvalidRoleDefinition"},
	    {"{\"Name\":\"x\",\"AssignableScopes\":[\"" SUBSCRIPTION "\"]}", "InvalidRoleDefinition"},
	    {"{\"Name\":\"x\",\"Actions\":[\"*\"]}", "InvalidRoleDefinition"},
	    {"{\"Name\":\"x\",\"permissions\":[],\"AssignableScopes\":[\"" SUBSCRIPTION "\"]}", "InvalidRoleDefinition"},
	    {"{\"Name\":\"x\",\"permissions\":[{\"actions\":[\"*\"]},{}],\"AssignableScopes\":[\"" SUBSCRIPTION "\"]}",
	     "InvalidRoleDefinition"},
	    {"{\"Name\":\"x\",\"Actions\":[\"*\"],\"AssignableScopes\":[\"/\"]}", "InvalidAssignableScope"},
	    {"{\"Name\":\"x\",\"Actions\":[\"*\"],\"AssignableScopes\":[\"/subscriptions/*\"]}", "InvalidAssignableScope"},
	    {"{\"Name\":\"x\",\"Actions\":[\"*\"],\"AssignableScopes\":[\"" GROUP "/providers/p/t/n\"]}",
	     "InvalidAssignableScope"},
	    {"{\"Name\":\"x\",\"Actions\":[\"*\"],\"AssignableScopes\":[\"" MANAGEMENT "a\",\"" MANAGEMENT "b\"]}",
	     "InvalidAssignableScope"},
	    {"{\"Name\":\"x\",\"DataActions\":[\"*\"],\"AssignableScopes\":[\"" MANAGEMENT "a\"]}",
	     "InvalidAssignableScope"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct sr_role_definition definition;
		expect_reason(read_and_check(fixture, wrong[i].text, &definition), SR_INVALID, wrong[i].reason);
	}
	static const char *const actions[] = {"",           "read",      "/a.b/c/read", "a.b//read", "a.b/c/peek",
	                                      "a b.c/read", "ab/c/read", "a.b/c/read/", "**",        "a.b/c/read?"};
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		expect_reason(sr_action_check(actions[i]), SR_INVALID, "InvalidActionOrNotAction");
	}
	static const char *const fine[] = {"*", "*/read", "A.B/*", "A.B/c/d/action", "Microsoft.Storage/*/blobs/*/READ"};
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
		expect_ok(sr_action_check(fine[i]));
	}
}

static void scopes_have_a_kind(void **state)
{
	(void)state;
	static const struct {
		const char *scope;
		enum sr_scope_kind kind;
	} cases[] = {
	    {"/", SR_SCOPE_ROOT},
	    {MANAGEMENT "m", SR_SCOPE_MANAGEMENT_GROUP},
	    {"/PROVIDERS/microsoft.management/MANAGEMENTGROUPS/m", SR_SCOPE_MANAGEMENT_GROUP},
	    {MANAGEMENT "m/x", SR_SCOPE_OTHER},
	    {MANAGEMENT, SR_SCOPE_OTHER},
	    {SUBSCRIPTION, SR_SCOPE_SUBSCRIPTION},
	    {"/subscriptions/s", SR_SCOPE_OTHER},
	    {SUBSCRIPTION "/x", SR_SCOPE_OTHER},
	    {SUBSCRIPTION "/resourceGroups", SR_SCOPE_OTHER},
	    {GROUP, SR_SCOPE_RESOURCE_GROUP},
	    {GROUP "/", SR_SCOPE_OTHER},
	    {GROUP "/providers/P/t", SR_SCOPE_OTHER},
	    {GROUP "/providers/P/t/n", SR_SCOPE_RESOURCE},
	    {GROUP "/providers/P/t/n/keys/k", SR_SCOPE_RESOURCE},
	    {GROUP "/other/P/t/n", SR_SCOPE_OTHER},
	    {"/x", SR_SCOPE_OTHER},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (sr_scope_kind(cases[i].scope) != cases[i].kind) {
			fail_msg("'%s' is of kind %d", cases[i].scope, sr_scope_kind(cases[i].scope));
		}
	}
}

static const char *new_role(struct fixture *fixture, const char *text)
{
	SR_CLEANUP(sr_json) json_t *made = call(fixture, sr_roles_create, "", text);
	return sr_arena_strdup(fixture->arena, text_of(made, "name"));
}

static const char *assignment(struct fixture *fixture, const char *role, const char *scope)
{
	return sr_arena_printf(fixture->arena, "{\"principal\":\"app\",\"role\":\"%s\",\"scope\":\"%s\"}", role, scope);
}

static void names_are_unique_among_all_roles(void **state)
{
	struct fixture *fixture = *state;
	const char *id = new_role(fixture, "{" GOOD "}");
	call_fails(fixture, sr_roles_create, "", "{" GOOD "}", SR_EXISTS, "RoleDefinitionWithSameNameExists");
	call_fails(fixture, sr_roles_create, "",
	           "{\"Name\":\"reader\",\"Actions\":[\"*\"],\"AssignableScopes\":[\"" SUBSCRIPTION "\"]}", SR_EXISTS,
	           "RoleDefinitionWithSameNameExists");
	call_fails(fixture, sr_roles_update, "Reader", "{" GOOD "}", SR_CONFLICT, NULL);
	call_fails(fixture, sr_roles_delete, "Owner", "", SR_CONFLICT, NULL);
	SR_CLEANUP(sr_json) json_t *by_name = call(fixture, sr_roles_get, "MINE", "");
	assert_string_equal(text_of(by_name, "name"), id);
	SR_CLEANUP(sr_json)
	json_t *by_path =
	    call(fixture, sr_roles_get,
	         sr_arena_printf(fixture->arena, "/providers/Microsoft.Authorization/roleDefinitions/%s", id), "");
	assert_string_equal(text_of(by_path, "roleName"), "Mine");
	json_decref(call(fixture, sr_roles_delete, id, ""));
	call_fails(fixture, sr_roles_get, "Mine", "", SR_NOT_FOUND, NULL);
}

static void a_role_is_assigned_within_its_scopes_alone(void **state)
{
	struct fixture *fixture = *state;
	json_decref(call(fixture, sr_principals_create, "", "{\"name\":\"app\"}"));
	const char *id = new_role(fixture, "{" GOOD "}");
	call_fails(fixture, sr_assignments_create, "", assignment(fixture, id, "/"), SR_INVALID, NULL);
	call_fails(fixture, sr_assignments_create, "", assignment(fixture, id, MANAGEMENT "m"), SR_INVALID, NULL);
	json_decref(call(fixture, sr_assignments_create, "", assignment(fixture, "Mine", GROUP)));
	call_fails(fixture, sr_roles_delete, id, "", SR_CONFLICT, "RoleDefinitionHasAssignments");
	call_fails(fixture, sr_roles_update, id,
	           "{\"Name\":\"Mine\",\"Actions\":[\"*\"],\"AssignableScopes\":[\"" SUBSCRIPTION "/resourceGroups/h\"]}",
	           SR_CONFLICT, "RoleDefinitionHasAssignments");
	json_decref(call(fixture, sr_roles_update, id,
	                 "{\"Name\":\"Mine anew\",\"Actions\":[\"*\"],\"AssignableScopes\":[\"" GROUP "\"]}"));
	SR_CLEANUP(sr_json) json_t *list = call(fixture, sr_assignments_list, "", "");
	const json_t *item = json_array_get(json_object_get(list, "value"), 0);
	assert_string_equal(text_of(item, "roleName"), "Mine anew");
	assert_string_equal(text_of(item, "principalType"), "ServicePrincipal");
	SR_CLEANUP(sr_json) json_t *got = call(fixture, sr_assignments_get, text_of(item, "id"), "");
	assert_true(json_equal(got, item));
	json_decref(call(fixture, sr_assignments_delete, text_of(item, "id"), ""));
	call_fails(fixture, sr_assignments_get, text_of(item, "id"), "", SR_NOT_FOUND, NULL);
	json_decref(call(fixture, sr_roles_delete, id, ""));
}

#define CHOSEN "AAAAAAAA-0000-4000-8000-000000000001"

static struct sr_result assign_as_chosen(struct sr_connection *connection, void *context)
{
	struct fixture *fixture = context;
	struct sr_assignment made;
	const char *app = "bbbbbbbb-0000-4000-8000-000000000001";
	SR_TRY(sr_assignment_make_as(
	    connection, fixture->arena,
	    &(struct sr_assignment){.id = CHOSEN, .principal = app, .role = "Reader", .scope = GROUP}, NOW_S, &made));
	assert_string_equal(made.id, "aaaaaaaa-0000-4000-8000-000000000001");
	expect_code(sr_assignment_make_as(
	                connection, fixture->arena,
	                &(struct sr_assignment){.id = "x", .principal = app, .role = "Owner", .scope = "/"}, NOW_S, &made),
	            SR_INVALID);
	return sr_assignment_find(connection, fixture->arena, CHOSEN, &made);
}

static void an_assignments_id_may_be_chosen_once(void **state)
{
	struct fixture *fixture = *state;
	expect_ok(sr_database_write(fixture->store->database, assign_as_chosen, fixture));
	expect_reason(sr_database_write(fixture->store->database, assign_as_chosen, fixture), SR_EXISTS,
	              "RoleAssignmentExists");
}

/* Management groups: the tree, and what it covers. */

static json_t *new_management_group(struct fixture *fixture, const char *name, const char *parent)
{
	return call(fixture, sr_management_groups_create, "",
	            sr_arena_printf(fixture->arena, "{\"name\":\"%s\",\"parent\":\"%s\"}", name, parent));
}

static void place(struct fixture *fixture, const char *group, const char *subscription)
{
	struct sr_identity_request request = request_at(fixture, group, "", NOW_S);
	request.parts[1] = subscription;
	struct sr_identity_answer answer = {0};
	expect_ok(sr_management_groups_place(&request, &answer));
}

struct question {
	const char *assigned, *scope;
	bool covers;
};

static struct sr_result ask_covers(struct sr_connection *connection, void *context)
{
	struct question *question = context;
	return sr_management_group_covers(connection, question->assigned, question->scope, &question->covers);
}

static bool covers(struct fixture *fixture, const char *assigned, const char *scope)
{
	struct question question = {.assigned = assigned, .scope = scope};
	expect_ok(sr_database_read(fixture->store->database, ask_covers, &question));
	return question.covers;
}

static void management_groups_are_a_tree(void **state)
{
	struct fixture *fixture = *state;
	const char *root = fixture->store->tenant;
	json_decref(new_management_group(fixture, "top", root));
	json_decref(new_management_group(fixture, "Sub", "TOP"));
	call_fails(fixture, sr_management_groups_create, "", "{\"name\":\"SUB\"}", SR_EXISTS, NULL);
	call_fails(fixture, sr_management_groups_create, "", "{\"name\":\"x\",\"parent\":\"none\"}", SR_INVALID, NULL);
	call_fails(fixture, sr_management_groups_create, "", "{\"name\":\"a/b\"}", SR_INVALID, NULL);
	call_fails(fixture, sr_management_groups_update, "top", "{\"parent\":\"sub\"}", SR_INVALID, NULL);
	call_fails(fixture, sr_management_groups_update, root, "{\"displayName\":\"x\"}", SR_INVALID, NULL);
	call_fails(fixture, sr_management_groups_delete, root, "", SR_CONFLICT, NULL);
	call_fails(fixture, sr_management_groups_delete, "top", "", SR_CONFLICT, NULL);
	place(fixture, "sub", SUBSCRIPTION + sizeof "/subscriptions/" - 1);
	call_fails(fixture, sr_management_groups_delete, "sub", "", SR_CONFLICT, NULL);
	assert_true(covers(fixture, MANAGEMENT "Top", GROUP));
	assert_true(covers(fixture, MANAGEMENT "top", MANAGEMENT "sub"));
	assert_false(covers(fixture, MANAGEMENT "sub", MANAGEMENT "top"));
	assert_true(covers(fixture, sr_arena_printf(fixture->arena, MANAGEMENT "%s", root), "/subscriptions/other"));
	assert_false(covers(fixture, MANAGEMENT "top", "/subscriptions/other"));
	assert_false(covers(fixture, MANAGEMENT "none", GROUP));
	place(fixture, root, SUBSCRIPTION + sizeof "/subscriptions/" - 1);
	assert_false(covers(fixture, MANAGEMENT "top", GROUP));
	json_decref(call(fixture, sr_management_groups_delete, "sub", ""));
	json_decref(call(fixture, sr_management_groups_delete, "top", ""));
}

static void management_groups_are_not_too_deep(void **state)
{
	struct fixture *fixture = *state;
	const char *parent = fixture->store->tenant;
	for (int i = 0; i < SR_MANAGEMENT_GROUP_DEPTH_MAX; i++) {
		const char *name = sr_arena_printf(fixture->arena, "m%d", i);
		json_decref(new_management_group(fixture, name, parent));
		parent = name;
	}
	call_fails(fixture, sr_management_groups_create, "",
	           sr_arena_printf(fixture->arena, "{\"name\":\"x\",\"parent\":\"%s\"}", parent), SR_INVALID, NULL);
	json_decref(new_management_group(fixture, "other", fixture->store->tenant));
	call_fails(fixture, sr_management_groups_update, "m0", "{\"parent\":\"other\"}", SR_INVALID, NULL);
	json_decref(call(fixture, sr_management_groups_update, "m1", "{\"parent\":\"other\"}"));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(both_of_azures_shapes_say_the_same),
	    WITH(what_azure_refuses_is_refused_with_its_code),
	    cmocka_unit_test(scopes_have_a_kind),
	    WITH(names_are_unique_among_all_roles),
	    WITH(a_role_is_assigned_within_its_scopes_alone),
	    WITH(an_assignments_id_may_be_chosen_once),
	    WITH(management_groups_are_a_tree),
	    WITH(management_groups_are_not_too_deep),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
