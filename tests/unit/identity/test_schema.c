/* An installation that the first version made opens, with what it held, and has what later versions need. */
#include "fixture.h"

#include "identity/revision.h"
#include "identity/schema.h"
#include "identity/sign_in.h"

#define OLD "11111111-1111-4111-8111-111111111111"

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

static void an_installation_of_the_first_version_opens(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_installation_of_the_first_version_opens, fixture_set_up, fixture_tear_down),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
