/* A vault that the first version made opens: its keys, leases' KEKs and log are what they were, and each later step has
 * found its columns. */
#include "rig.h"

#include "first_version.h"

#include "vault/audit.h"
#include "vault/schema.h"

#define POLICY                                                                                              \
	"{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P90D\"},\"action\":{\"type\":\"Rotate\"}}]," \
	"\"attributes\":{\"expiryTime\":\"P2Y\"}}"
#define DIGEST "\"alg\":\"ES256\",\"value\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""

/* Two entries of a log as the first version wrote it. */
#define LOG                                                                                                      \
	"DELETE FROM audit;"                                                                                         \
	"INSERT INTO audit VALUES(1, '{\"time\":\"2026-11-20T10:00:00.000000Z\",\"who\":{\"oid\":\"local\"},"        \
	"\"from\":\"local\",\"operation\":\"VaultCreate\",\"object\":\"default\",\"status\":200,\"outcome\":\"ok\"," \
	"\"request\":\"r1\"}', x'c1581055300c40f6946e5b7bafd6348d124ca19038622223e9f15136d2e17c4f');"                \
	"INSERT INTO audit VALUES(2, '{\"time\":\"2026-11-20T10:00:01.000000Z\",\"who\":{\"service\":\"blob\"},"     \
	"\"operation\":\"KekCreate\",\"object\":\"default/keks/a\",\"outcome\":\"ok\"}',"                            \
	" x'249eec3ffcf9cbc15c8c2020731cb1865e0ec241164d2c8693babd249827808a');"

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_end(&rig);
	return 0;
}

static struct sr_result write_log(struct sr_connection *connection, void *context)
{
	(void)context;
	return sr_execute(connection, LOG);
}

/* Leaves the rig's database as the first version would have, with its log, and opens it again. */
static void go_by_way_of_the_first_version(void)
{
	expect_ok(sr_database_write(rig.vault.state.database, first_version_leave, (void *)(uintptr_t)sr_vault_schema));
	expect_ok(sr_database_write(rig.vault.state.database, write_log, NULL));
	rig_close(&rig);
	rig_open(&rig);
}

/* What the API shows at a path, in the arena of the caller; it must be there. */
static const char *shown(struct sr_arena *arena, const char *path)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(65536);
	expect_ok(rig_call(&rig, "GET", path, NULL));
	expect_ok(sr_json_write(rig.answer.body, &text));
	return sr_arena_strdup(arena, sr_buf_text(&text));
}

static void the_tables_of_the_first_version_are_what_they_were(void **state)
{
	(void)state;
	expect_schema(sr_vault_schema, "e53772936d4f7aa0bf9df91bd6d61b904a4a4522a81d95c466a534176668604a");
}

static void keys_look_and_work_as_before(void **state)
{
	(void)state;
	static const char *const paths[] = {
	    "/keys",        "/keys/old/rotationpolicy", "/keys/old/versions", "/keys/old", "/keys/expired",
	    "/deletedkeys", "/deletedkeys/gone"};
	enum { PATH_COUNT = sizeof paths / sizeof paths[0] };
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *before[PATH_COUNT];
	expect_ok(rig_call(&rig, "POST", "/keys/old/create", "{\"kty\":\"EC\",\"tags\":{\"a\":\"b\"}}"));
	expect_ok(rig_call(&rig, "POST", "/keys/old/rotate", NULL));
	expect_ok(rig_call(&rig, "PUT", "/keys/old/rotationpolicy", POLICY));
	expect_ok(rig_call(&rig, "POST", "/keys/expired/create", "{\"kty\":\"EC\",\"attributes\":{\"exp\":1700000000}}"));
	expect_ok(rig_call(&rig, "POST", "/keys/gone/create", "{\"kty\":\"EC\"}"));
	expect_ok(rig_call(&rig, "DELETE", "/keys/gone", NULL));
	expect_ok(rig_call(&rig, "POST", "/keys/old/sign", "{" DIGEST "}"));
	const char *signature = sr_arena_strdup(arena, rig_text(&rig, "value"));
	for (size_t i = 0; i < PATH_COUNT; i++) {
		before[i] = shown(arena, paths[i]);
	}
	go_by_way_of_the_first_version();
	for (size_t i = 0; i < PATH_COUNT; i++) {
		assert_string_equal(shown(arena, paths[i]), before[i]);
	}
	expect_ok(rig_callf(&rig, "POST",
	                    sr_arena_printf(arena,
	                                    "{\"alg\":\"ES256\",\"digest\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
	                                    "\"value\":\"%s\"}",
	                                    signature),
	                    "/keys/old/verify"));
	assert_true(rig_bool(&rig, "value"));
	expect_ok(rig_call(&rig, "POST", "/deletedkeys/gone/recover", NULL));
	expect_ok(rig_call(&rig, "PATCH", "/keys/old", "{\"attributes\":{\"enabled\":false}}"));
}

static void keks_open_as_before(void **state)
{
	(void)state;
	const struct sr_id ours = sr_id_random(), theirs = sr_id_random();
	SR_CLEANUP(sr_secret) struct sr_secret *before = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *after = NULL;
	uint64_t epoch_before, epoch_after;
	expect_ok(rig_call(&rig, "POST", "/keys/k/create", "{\"kty\":\"RSA\"}"));
	expect_ok(rig_kek_create(&rig, &ours, NULL, NULL));
	expect_ok(rig_kek_create(&rig, &theirs, "k", NULL));
	expect_ok(rig_kek_open(&rig, &theirs, &before, &epoch_before));
	go_by_way_of_the_first_version();
	expect_ok(rig_kek_open(&rig, &theirs, &after, &epoch_after));
	assert_true(sr_secret_equal(before, after));
	assert_int_equal(epoch_before, epoch_after);
	sr_secret_free(SR_TAKE(after));
	expect_ok(rig_kek_open(&rig, &ours, &after, &epoch_after));
}

static void the_log_goes_on_from_the_entries_that_were_there(void **state)
{
	(void)state;
	struct sr_audit_verdict verdict;
	go_by_way_of_the_first_version();
	const struct sr_audit_event event = {.object_id = "local", .operation = "Test", .object = "x", .status = 200};
	expect_ok(sr_audit_write(rig.vault.state.database, &event));
	expect_ok(sr_audit_verify(rig.vault.audit, NULL, &verdict));
	assert_int_equal(verdict.entries, 3);
	assert_int_equal(verdict.broken_at, 0);
}

static void what_came_later_is_there_once(void **state)
{
	(void)state;
	expect_ok(rig_call(&rig, "POST", "/keys/old/create", "{\"kty\":\"EC\"}"));
	go_by_way_of_the_first_version();
	for (int i = 0; i < 2; i++) {
		expect_ok(rig_call(&rig, "PUT", "/secrets/s", "{\"value\":\"v\"}"));
		expect_ok(rig_callf(&rig, "POST",
		                    "{\"policy\":{\"x509_props\":{\"subject\":\"CN=a\"},\"issuer\":{\"name\":\"Self\"}}}",
		                    "/certificates/c%d/create", i));
		expect_ok(rig_call(&rig, "GET", "/keys/old", NULL));
		assert_false(rig_bool(&rig, "managed"));
		rig_close(&rig);
		rig_open(&rig);
	}
	expect_ok(rig_call(&rig, "GET", "/secrets/s/versions", NULL));
	assert_int_equal(json_array_size(json_object_get(rig.answer.body, "value")), 2);
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_tables_of_the_first_version_are_what_they_were),
	    cmocka_unit_test_setup_teardown(keys_look_and_work_as_before, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(keks_open_as_before, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_log_goes_on_from_the_entries_that_were_there, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_came_later_is_there_once, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
