/* Groups: their members, their nesting, and what goes with whom. */
#include "fixture.h"

#include "identity/api.h"
#include "identity/group.h"

static char *new_thing(struct fixture *fixture, sr_identity_handler create, const char *id_name, const char *name)
{
	SR_CLEANUP(sr_json)
	json_t *made = call(fixture, create, "", sr_arena_printf(fixture->arena, "{\"name\":\"%s\"}", name));
	return sr_arena_strdup(fixture->arena, text_of(made, id_name));
}

static char *new_group(struct fixture *fixture, const char *name)
{
	return new_thing(fixture, sr_groups_create, "id", name);
}

static char *new_principal(struct fixture *fixture, const char *name)
{
	return new_thing(fixture, sr_principals_create, "objectId", name);
}

static const char *member_body(struct fixture *fixture, const char *member)
{
	return sr_arena_printf(fixture->arena, "{\"member\":\"%s\"}", member);
}

static void add(struct fixture *fixture, const char *group, const char *member)
{
	json_decref(call(fixture, sr_groups_add_member, group, member_body(fixture, member)));
}

static size_t member_count(struct fixture *fixture, const char *group)
{
	SR_CLEANUP(sr_json) json_t *got = call(fixture, sr_groups_get, group, "");
	return json_array_size(json_object_get(got, "members"));
}

static void a_group_has_members_of_every_kind(void **state)
{
	struct fixture *fixture = *state;
	const char *group = new_group(fixture, "Data Science");
	const char *inner = new_group(fixture, "interns");
	new_principal(fixture, "trainer");
	add(fixture, "data science", "TRAINER");
	add(fixture, group, inner);
	call_fails(fixture, sr_groups_add_member, group, member_body(fixture, "trainer"), SR_EXISTS, NULL);
	call_fails(fixture, sr_groups_add_member, group, member_body(fixture, "nobody"), SR_NOT_FOUND, NULL);
	call_fails(fixture, sr_groups_add_member, "none", member_body(fixture, "trainer"), SR_NOT_FOUND, NULL);
	SR_CLEANUP(sr_json) json_t *got = call(fixture, sr_groups_get, group, "");
	const json_t *members = json_object_get(got, "members");
	assert_int_equal(json_array_size(members), 2);
	const json_t *first = json_array_get(members, 0);
	bool is_group_first = strcmp(text_of(first, "type"), "Group") == 0;
	assert_string_equal(text_of(json_array_get(members, is_group_first ? 1 : 0), "type"), "ServicePrincipal");
	json_decref(call(fixture, sr_people_create, "", "{\"userName\":\"ann@example.org\"}"));
	add(fixture, group, "ann@example.org");
	assert_int_equal(member_count(fixture, group), 3);
	json_decref(call(fixture, sr_people_delete, "ann@example.org", ""));
	json_decref(call(fixture, sr_principals_delete, "trainer", ""));
	assert_int_equal(member_count(fixture, group), 1);
	json_decref(call(fixture, sr_groups_delete, inner, ""));
	assert_int_equal(member_count(fixture, group), 0);
	call_fails(fixture, sr_groups_get, inner, "", SR_NOT_FOUND, NULL);
}

static void names_are_judged_and_can_change(void **state)
{
	struct fixture *fixture = *state;
	const char *group = new_group(fixture, "a");
	new_group(fixture, "b");
	call_fails(fixture, sr_groups_create, "", "{\"name\":\"A\"}", SR_EXISTS, NULL);
	call_fails(fixture, sr_groups_create, "", "{\"name\":\" x\"}", SR_INVALID, NULL);
	call_fails(fixture, sr_groups_create, "", "{}", SR_INVALID, NULL);
	call_fails(fixture, sr_groups_create, "", "[]", SR_INVALID, NULL);
	call_fails(fixture, sr_groups_update, group, "{\"name\":\"B\"}", SR_EXISTS, NULL);
	SR_CLEANUP(sr_json) json_t *changed = call(fixture, sr_groups_update, group, "{\"description\":\"about\"}");
	assert_string_equal(text_of(changed, "name"), "a");
	assert_string_equal(text_of(changed, "description"), "about");
}

static void groups_hold_no_ring_and_are_not_too_deep(void **state)
{
	struct fixture *fixture = *state;
	const char *groups[SR_GROUP_DEPTH_MAX + 1];
	for (int i = 0; i <= SR_GROUP_DEPTH_MAX; i++) {
		groups[i] = new_group(fixture, sr_arena_printf(fixture->arena, "g%d", i));
	}
	call_fails(fixture, sr_groups_add_member, groups[0], member_body(fixture, groups[0]), SR_INVALID, NULL);
	/* Both halves first, so that their sum is what is too deep. */
	for (int i = 0; i < SR_GROUP_DEPTH_MAX; i++) {
		if (i != 3) {
			add(fixture, groups[i], groups[i + 1]);
		}
	}
	call_fails(fixture, sr_groups_add_member, groups[3], member_body(fixture, groups[4]), SR_INVALID, NULL);
	json_decref(call(fixture, sr_groups_delete, groups[SR_GROUP_DEPTH_MAX], ""));
	add(fixture, groups[3], groups[4]);
	call_fails(fixture, sr_groups_add_member, groups[5], member_body(fixture, groups[0]), SR_INVALID, NULL);
}

static void a_role_can_be_given_to_a_group_and_goes_with_it(void **state)
{
	struct fixture *fixture = *state;
	const char *group = new_group(fixture, "readers");
	json_decref(call(fixture, sr_assignments_create, "",
	                 "{\"principal\":\"readers\",\"role\":\"Reader\",\"scope\":\"/subscriptions/s\"}"));
	SR_CLEANUP(sr_json) json_t *list = call(fixture, sr_assignments_list, "", "");
	assert_string_equal(text_of(json_array_get(json_object_get(list, "value"), 0), "principal"), group);
	json_decref(call(fixture, sr_groups_delete, group, ""));
	SR_CLEANUP(sr_json) json_t *after = call(fixture, sr_assignments_list, "", "");
	assert_int_equal(json_array_size(json_object_get(after, "value")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_group_has_members_of_every_kind, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(names_are_judged_and_can_change, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(groups_hold_no_ring_and_are_not_too_deep, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(a_role_can_be_given_to_a_group_and_goes_with_it, fixture_set_up,
	                                    fixture_tear_down),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
