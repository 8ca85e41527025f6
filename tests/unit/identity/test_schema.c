/* An installation that the first version made opens, with what it held, and has what later versions need. */
#include "fixture.h"

#include "first_version.h"

#include "identity/revision.h"
#include "identity/schema.h"
#include "identity/sign_in.h"

#define OLD   "11111111-1111-4111-8111-111111111111"
#define SCOPE "https%3A%2F%2Fvault.azure.net%2F.default"

static struct sr_result fill(struct sr_connection *connection, void *context)
{
	(void)context;
	SR_TRY(sr_execute(connection, "INSERT INTO installation VALUES (1, '" OLD "', '" OLD "', 7)"));
	SR_TRY(sr_execute(connection, "INSERT INTO principal VALUES ('" OLD "', '" OLD "', 'old', 1, 5)"));
	return sr_execute(connection, "INSERT INTO assignment VALUES ('" OLD "', '" OLD "', '" OLD "', '/', 5)");
}

static struct sr_result check(struct sr_connection *connection, void *context)
{
	(void)context;
	struct sr_application application;
	struct sr_sign_in sign_in;
	int64_t revision;
	SR_TRY(sr_application_find(connection, "old", &application));
	assert_int_equal(application.created_s, 5);
	SR_TRY(sr_revision_read(connection, &revision));
	assert_true(revision >= 7);
	return sr_sign_in_make(connection, OLD, OLD, "*", NOW_S, &sign_in);
}

static void rows_of_the_first_version_are_read(void **state)
{
	struct fixture *fixture = *state;
	sr_identity_store_close(fixture->store);
	fixture->store = NULL;
	snprintf(fixture->path, sizeof fixture->path, "%s/old.db", fixture->folder);
	struct sr_database_options options = {.path = fixture->path, .id = fixture->id, .schema = sr_identity_schema};
	struct sr_database *old;
	expect_ok(sr_database_open(&options, fixture->dek, &old));
	expect_ok(sr_database_write(old, fill, NULL));
	sr_database_close(old);
	for (int i = 0; i < 2; i++) {
		fixture_reopen(fixture, NOW_S);
		assert_string_equal(fixture->store->tenant, OLD);
		expect_ok(sr_database_write(fixture->store->database, check, NULL));
	}
}

/* Leaves the store as the first version would have, and opens it again. */
static void go_by_way_of_the_first_version(struct fixture *fixture)
{
	expect_ok(sr_database_write(fixture->store->database, first_version_leave, (void *)(uintptr_t)sr_identity_schema));
	fixture_reopen(fixture, NOW_S);
}

/* What a handler shows, in the fixture's arena. */
static const char *shown(struct fixture *fixture, sr_identity_handler handler, const char *part)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(65536);
	SR_CLEANUP(sr_json) json_t *list = call(fixture, handler, part, "");
	expect_ok(sr_json_write(list, &text));
	return sr_arena_strdup(fixture->arena, sr_buf_text(&text));
}

static void clients_and_roles_are_what_they_were_and_get_tokens(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json)
	json_t *made = call(fixture, sr_principals_create, "",
	                    "{\"name\":\"app\",\"roles\":[{\"role\":\"Key Vault Reader\",\"scope\":\"/\"}]}");
	const char *form =
	    sr_arena_printf(fixture->arena, "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s",
	                    text_of(made, "clientId"), text_of(made, "secret"), SCOPE);
	const char *tenant = sr_arena_strdup(fixture->arena, fixture->store->tenant);
	const char *principals = shown(fixture, sr_principals_list, "");
	const char *assignments = shown(fixture, sr_assignments_list, "");
	const char *keys = shown(fixture, sr_discovery_keys, tenant);
	go_by_way_of_the_first_version(fixture);
	assert_string_equal(fixture->store->tenant, tenant);
	assert_string_equal(shown(fixture, sr_principals_list, ""), principals);
	assert_string_equal(shown(fixture, sr_assignments_list, ""), assignments);
	assert_string_equal(shown(fixture, sr_discovery_keys, tenant), keys);
	json_decref(call(fixture, sr_token_v2, tenant, form));
}

static void what_came_later_takes_the_clients_of_before(void **state)
{
	struct fixture *fixture = *state;
	json_decref(call(fixture, sr_principals_create, "", "{\"name\":\"old\",\"roles\":[]}"));
	go_by_way_of_the_first_version(fixture);
	json_decref(call(fixture, sr_groups_create, "", "{\"name\":\"new\"}"));
	json_decref(call(fixture, sr_groups_add_member, "new", "{\"member\":\"old\"}"));
	json_decref(
	    call(fixture, sr_assignments_create, "", "{\"principal\":\"new\",\"role\":\"Reader\",\"scope\":\"/\"}"));
	fixture_reopen(fixture, NOW_S);
	SR_CLEANUP(sr_json) json_t *list = call(fixture, sr_assignments_list, "", "");
	assert_string_equal(text_of(json_array_get(json_object_get(list, "value"), 0), "principalName"), "new");
}

static void the_tables_of_the_first_version_are_what_they_were(void **state)
{
	(void)state;
	expect_schema(sr_identity_schema, "8b8c7384e5b23e1ec122e9bedd75d5f33cacdade267efd68db07778bdcb46b76");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_tables_of_the_first_version_are_what_they_were),
	    WITH(rows_of_the_first_version_are_read),
	    WITH(clients_and_roles_are_what_they_were_and_get_tokens),
	    WITH(what_came_later_takes_the_clients_of_before),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
