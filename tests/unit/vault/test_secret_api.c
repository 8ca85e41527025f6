/* The secrets API's handlers over a real database: life cycle, versions, lists, backup, what a certificate owns,
 * refusals, and purging by time. */
#include "rig.h"

#include "seal_init.h"
#include "vault/api_error.h"
#include "vault/audit.h"
#include "vault/secret_handlers.h"

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

static const char *version_of_answer(void)
{
	const char *slash = strrchr(rig_text(&rig, "id"), '/');
	assert_non_null(slash);
	return sr_arena_strdup(rig.arena, slash + 1);
}

static const char *set(const char *name, const char *value)
{
	expect_ok(rig_callf(&rig, "PUT", sr_arena_printf(rig.arena, "{\"value\":\"%s\"}", value), "/secrets/%s", name));
	return version_of_answer();
}

/* Lets the default vault's secret be a certificate's. */
static void make_managed(const char *name)
{
	rig_sql(&rig, sr_arena_printf(rig.arena, "UPDATE secret SET managed = 1 WHERE name = '%s'", name));
}

static void a_secret_has_the_shape_that_the_service_gives_it(void **state)
{
	(void)state;
	expect_ok(rig_call(&rig, "PUT", "/secrets/My-Secret",
	                   "{\"value\":\"v\\u00e4lue\\n\",\"contentType\":\"text/plain\",\"tags\":{\"a\":\"b\"},"
	                   "\"attributes\":{\"enabled\":true,\"nbf\":1000,\"exp\":4000000000}}"));
	assert_string_equal(rig_text(&rig, "value"), "v\xc3\xa4lue\n");
	assert_memory_equal(rig_text(&rig, "id"), "https://vault.test/secrets/My-Secret/", 37);
	assert_true(sr_is_key_version(version_of_answer()));
	expect_ok(rig_call(&rig, "GET", "/secrets/my-secret/", NULL)); /* case ignored, empty version */
	assert_memory_equal(rig_text(&rig, "id"), "https://vault.test/secrets/My-Secret/", 37);
	assert_string_equal(rig_text(&rig, "value"), "v\xc3\xa4lue\n");
	assert_string_equal(rig_text(&rig, "contentType"), "text/plain");
	assert_string_equal(rig_text(&rig, "tags.a"), "b");
	assert_true(rig_bool(&rig, "attributes.enabled"));
	assert_int_equal(rig_int(&rig, "attributes.nbf"), 1000);
	assert_int_equal(rig_int(&rig, "attributes.exp"), 4000000000);
	assert_int_equal(rig_int(&rig, "attributes.recoverableDays"), 90);
	assert_string_equal(rig_text(&rig, "attributes.recoveryLevel"), "Recoverable+Purgeable");
	assert_false(rig_bool(&rig, "managed"));
	expect_ok(rig_call(&rig, "PUT", "/secrets/empty", "{\"value\":\"\"}"));
	expect_ok(rig_call(&rig, "GET", "/secrets/empty", NULL));
	assert_non_null(json_object_get(rig.answer.body, "value"));
}

static void every_version_stays_readable(void **state)
{
	(void)state;
	const char *first = set("s", "one");
	const char *second = set("S", "two");
	assert_string_not_equal(first, second);
	assert_memory_equal(rig_text(&rig, "id"), "https://vault.test/secrets/s/", 29); /* in the letters of the first */
	expect_ok(rig_callf(&rig, "GET", NULL, "/secrets/s/%s", first));
	assert_string_equal(rig_text(&rig, "value"), "one");
	expect_ok(rig_call(&rig, "GET", "/secrets/s", NULL));
	assert_string_equal(rig_text(&rig, "value"), "two");
	expect_ok(rig_call(&rig, "GET", "/secrets/s/versions", NULL));
	assert_int_equal(json_array_size(json_object_get(rig.answer.body, "value")), 2);
	assert_string_equal(rig_text(&rig, "value.0.id"),
	                    sr_arena_printf(rig.arena, "https://vault.test/secrets/s/%s", first));
	expect_reason(rig_callf(&rig, "GET", NULL, "/secrets/s/%032d", 0), SR_NOT_FOUND, "SecretNotFound");
	expect_reason(rig_call(&rig, "GET", "/secrets/other", NULL), SR_NOT_FOUND, "SecretNotFound");
}

static void an_update_changes_what_it_names_and_shows_no_value(void **state)
{
	(void)state;
	const char *version = set("s", "one");
	expect_ok(rig_callf(&rig, "PATCH", "{\"contentType\":\"x/y\",\"tags\":{\"t\":\"1\"},\"attributes\":{\"exp\":5000}}",
	                    "/secrets/s/%s", version));
	assert_null(json_object_get(rig.answer.body, "value"));
	assert_string_equal(rig_text(&rig, "contentType"), "x/y");
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"nbf\":4000}}", "/secrets/s/%s", version));
	assert_string_equal(rig_text(&rig, "tags.t"), "1");
	assert_int_equal(rig_int(&rig, "attributes.exp"), 5000);
	expect_code(rig_callf(&rig, "PATCH", "{\"attributes\":{\"nbf\":6000}}", "/secrets/s/%s", version), SR_INVALID);
	expect_ok(rig_call(&rig, "GET", "/secrets/s", NULL)); /* expired long ago, and still given */
	assert_string_equal(rig_text(&rig, "value"), "one");
}

static void a_disabled_version_is_refused_and_others_are_not(void **state)
{
	(void)state;
	const char *first = set("s", "one");
	const char *second = set("s", "two");
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":false}}", "/secrets/s/%s", second));
	expect_reason(rig_call(&rig, "GET", "/secrets/s", NULL), SR_DENIED, "SecretDisabled");
	expect_reason(rig_callf(&rig, "GET", NULL, "/secrets/s/%s", second), SR_DENIED, "SecretDisabled");
	expect_ok(rig_callf(&rig, "GET", NULL, "/secrets/s/%s", first));
	expect_ok(rig_call(&rig, "GET", "/secrets", NULL));
	assert_true(json_is_false(json_object_get(
	    json_object_get(json_array_get(json_object_get(rig.answer.body, "value"), 0), "attributes"), "enabled")));
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":true}}", "/secrets/s/%s", second));
	expect_ok(rig_call(&rig, "GET", "/secrets/s", NULL));
}

static void a_deleted_name_is_blocked_until_purged(void **state)
{
	(void)state;
	set("s", "one");
	expect_ok(rig_call(&rig, "DELETE", "/secrets/s", NULL));
	assert_null(json_object_get(rig.answer.body, "value"));
	assert_string_equal(rig_text(&rig, "recoveryId"), "https://vault.test/deletedsecrets/s");
	assert_int_equal(rig_int(&rig, "scheduledPurgeDate") - rig_int(&rig, "deletedDate"), 90 * 86400);
	expect_reason(rig_call(&rig, "GET", "/secrets/s", NULL), SR_NOT_FOUND, "SecretNotFound");
	expect_reason(rig_call(&rig, "DELETE", "/secrets/s", NULL), SR_NOT_FOUND, "SecretNotFound");
	expect_reason(rig_call(&rig, "PATCH", "/secrets/s", "{}"), SR_NOT_FOUND, "SecretNotFound");
	expect_reason(rig_call(&rig, "PUT", "/secrets/S", "{\"value\":\"x\"}"), SR_CONFLICT,
	              "ObjectIsDeletedButRecoverable");
	expect_ok(rig_call(&rig, "GET", "/secrets/s/versions", NULL));
	assert_int_equal(json_array_size(json_object_get(rig.answer.body, "value")), 0);
	expect_ok(rig_call(&rig, "GET", "/deletedsecrets/s", NULL));
	assert_null(json_object_get(rig.answer.body, "value"));
	expect_ok(rig_call(&rig, "GET", "/deletedsecrets", NULL));
	assert_string_equal(rig_text(&rig, "value.0.recoveryId"), "https://vault.test/deletedsecrets/s");
	expect_ok(rig_call(&rig, "POST", "/deletedsecrets/s/recover", NULL));
	expect_ok(rig_call(&rig, "GET", "/secrets/s", NULL));
	assert_string_equal(rig_text(&rig, "value"), "one");
	expect_reason(rig_call(&rig, "DELETE", "/deletedsecrets/s", NULL), SR_NOT_FOUND, "SecretNotFound");
	expect_ok(rig_call(&rig, "DELETE", "/secrets/s", NULL));
	expect_ok(rig_call(&rig, "DELETE", "/deletedsecrets/s", NULL));
	expect_reason(rig_call(&rig, "GET", "/deletedsecrets/s", NULL), SR_NOT_FOUND, "SecretNotFound");
	set("s", "anew");
}

static void purge_protection_holds_until_the_time_comes(void **state)
{
	(void)state;
	rig_sql(&rig, "UPDATE vault SET purge_protection = 1");
	set("s", "one");
	expect_ok(rig_call(&rig, "DELETE", "/secrets/s", NULL));
	assert_string_equal(rig_text(&rig, "attributes.recoveryLevel"), "Recoverable");
	expect_reason(rig_call(&rig, "DELETE", "/deletedsecrets/s", NULL), SR_DENIED, "ForbiddenByPolicy");
	rig_sql(&rig, "UPDATE secret SET purge_at = 1");
	expect_ok(rig_call(&rig, "DELETE", "/deletedsecrets/s", NULL));
}

static struct sr_result next_work(struct sr_connection *connection, void *context)
{
	return sr_vault_secret_next_purge(connection, context);
}

static int64_t next_purge(void)
{
	int64_t time = 0;
	expect_ok(sr_database_read(rig.vault.state.database, next_work, &time));
	return time;
}

struct entries {
	unsigned purges;
};

static struct sr_result count_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context)
{
	(void)seq;
	(void)hash;
	struct entries *entries = context;
	entries->purges += strstr(sr_arena_text(rig.arena, entry), "\"SecretPurge\"") ? 1 : 0;
	return sr_ok();
}

static struct sr_result count_work(struct sr_connection *connection, void *context)
{
	return sr_audit_each(connection, 0, 1000, count_entry, context);
}

static void what_was_deleted_is_purged_when_its_time_has_come(void **state)
{
	(void)state;
	assert_true(next_purge() == SR_NO_TIME);
	for (int i = 0; i < 120; i++) {
		set(sr_arena_printf(rig.arena, "s%d", i), "x");
		expect_ok(rig_callf(&rig, "DELETE", NULL, "/secrets/s%d", i));
	}
	set("stays", "x");
	set("of-a-certificate", "x");
	expect_ok(rig_call(&rig, "DELETE", "/secrets/of-a-certificate", NULL));
	make_managed("of-a-certificate"); /* goes with the certificate, in its own time */
	rig_sql(&rig, "UPDATE secret SET purge_at = 5000 WHERE name <> 's0' AND deleted = 1");
	rig_sql(&rig, "UPDATE secret SET purge_at = 7000 WHERE name = 's0'");
	assert_int_equal(next_purge(), 5000);
	expect_ok(sr_purge_secrets_run(&rig.vault, 4999));
	assert_int_equal(next_purge(), 5000);
	expect_ok(sr_purge_secrets_run(&rig.vault, 5000));
	assert_int_equal(next_purge(), 7000);
	expect_ok(rig_call(&rig, "GET", "/deletedsecrets/s0", NULL));
	expect_reason(rig_call(&rig, "GET", "/deletedsecrets/s1", NULL), SR_NOT_FOUND, "SecretNotFound");
	expect_ok(rig_call(&rig, "GET", "/secrets/stays", NULL));
	expect_ok(rig_call(&rig, "GET", "/deletedsecrets/of-a-certificate", NULL));
	expect_ok(sr_purge_secrets_run(&rig.vault, 7000));
	assert_true(next_purge() == SR_NO_TIME);
	struct entries entries = {0}; /* each once, by the chore */
	expect_ok(sr_database_read(rig.vault.state.database, count_work, &entries));
	assert_int_equal(entries.purges, 120);
}

/* Counts the items along a list's links and sees that each page begins after the last. */
static size_t walk(const char *path, size_t page_max)
{
	size_t count = 0;
	const char *next = path;
	const char *last = "";
	while (next) {
		expect_ok(rig_call(&rig, "GET", next, NULL));
		const json_t *items = json_object_get(rig.answer.body, "value");
		assert_true(json_array_size(items) <= page_max);
		count += json_array_size(items);
		for (size_t i = 0; i < json_array_size(items); i++) {
			const char *id = json_string_value(json_object_get(json_array_get(items, i), "id"));
			assert_true(strcmp(last, id) < 0);
			last = sr_arena_strdup(rig.arena, id);
		}
		const char *link = json_string_value(json_object_get(rig.answer.body, "nextLink"));
		next = link ? sr_arena_strdup(rig.arena, link + strlen("https://vault.test")) : NULL;
	}
	return count;
}

static void lists_come_in_pages_and_in_order(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++) {
		set(sr_arena_printf(rig.arena, "s%02d", i), "x");
	}
	for (int i = 0; i < 30; i++) {
		expect_ok(rig_callf(&rig, "DELETE", NULL, "/secrets/s%02d", 2 * i));
	}
	assert_int_equal(walk("/secrets", 25), 30);
	assert_int_equal(walk("/secrets?maxresults=7", 7), 30);
	assert_int_equal(walk("/deletedsecrets?maxresults=11", 11), 30);
	expect_code(rig_call(&rig, "GET", "/secrets?maxresults=26", NULL), SR_INVALID);
	expect_code(rig_call(&rig, "GET", "/secrets?maxresults=0", NULL), SR_INVALID);
	expect_code(rig_call(&rig, "GET", "/secrets?$skiptoken=*", NULL), SR_INVALID);
	for (int i = 0; i < 30; i++) {
		set("many", "x");
	}
	expect_ok(rig_call(&rig, "GET", "/secrets/many/versions", NULL));
	assert_int_equal(json_array_size(json_object_get(rig.answer.body, "value")), 25);
	const char *link = rig_text(&rig, "nextLink");
	expect_ok(rig_call(&rig, "GET", sr_arena_strdup(rig.arena, link + strlen("https://vault.test")), NULL));
	assert_int_equal(json_array_size(json_object_get(rig.answer.body, "value")), 5);
	assert_true(json_is_null(json_object_get(rig.answer.body, "nextLink")));
}

static void a_backup_restores_every_version(void **state)
{
	(void)state;
	const char *first = set("s", "one");
	expect_ok(rig_call(&rig, "PUT", "/secrets/s",
	                   "{\"value\":\"two\",\"contentType\":\"c\",\"tags\":{\"a\":\"b\"},\"attributes\":{\"exp\":77}}"));
	expect_ok(rig_call(&rig, "POST", "/secrets/s/backup", NULL));
	const char *blob = sr_arena_strdup(rig.arena, rig_text(&rig, "value"));
	const char *body = sr_arena_printf(rig.arena, "{\"value\":\"%s\"}", blob);
	expect_reason(rig_call(&rig, "POST", "/secrets/restore", body), SR_CONFLICT, "SecretAlreadyExists");
	expect_ok(rig_call(&rig, "DELETE", "/secrets/s", NULL));
	expect_reason(rig_call(&rig, "POST", "/secrets/restore", body), SR_CONFLICT, "ObjectIsDeletedButRecoverable");
	expect_ok(rig_call(&rig, "DELETE", "/deletedsecrets/s", NULL));
	expect_ok(rig_call(&rig, "POST", "/secrets/restore", body));
	assert_null(json_object_get(rig.answer.body, "value"));
	expect_ok(rig_call(&rig, "GET", "/secrets/s", NULL));
	assert_string_equal(rig_text(&rig, "value"), "two");
	assert_string_equal(rig_text(&rig, "contentType"), "c");
	assert_string_equal(rig_text(&rig, "tags.a"), "b");
	assert_int_equal(rig_int(&rig, "attributes.exp"), 77);
	expect_ok(rig_callf(&rig, "GET", NULL, "/secrets/s/%s", first));
	assert_string_equal(rig_text(&rig, "value"), "one");
	char *flipped = sr_arena_strdup(rig.arena, body);
	flipped[40] = flipped[40] == 'A' ? 'B' : 'A';
	expect_code(rig_call(&rig, "POST", "/secrets/restore", flipped), SR_INVALID);
	expect_code(rig_call(&rig, "POST", "/secrets/restore", "{}"), SR_INVALID);
	expect_code(rig_call(&rig, "POST", "/keys/restore", body), SR_INVALID); /* no key's backup */
}

static void a_certificates_secret_is_read_and_left_alone(void **state)
{
	(void)state;
	const char *version = set("c", "pem");
	expect_ok(rig_call(&rig, "PATCH", "/secrets/c", "{\"contentType\":\"application/x-pem-file\"}"));
	make_managed("c");
	expect_ok(rig_call(&rig, "GET", "/secrets/c?outContentType=application/x-pem-file", NULL));
	assert_true(rig_bool(&rig, "managed"));
	assert_string_equal(rig_text(&rig, "kid"), sr_arena_printf(rig.arena, "https://vault.test/keys/c/%s", version));
	expect_code(rig_call(&rig, "GET", "/secrets/c?outContentType=text/plain", NULL), SR_INVALID);
	expect_ok(rig_call(&rig, "GET", "/secrets", NULL));
	assert_true(rig_bool(&rig, "value.0.managed"));
	const char *reason = "SecretManagedByKeyVault";
	expect_reason(rig_call(&rig, "PUT", "/secrets/c", "{\"value\":\"x\"}"), SR_DENIED, reason);
	expect_reason(rig_call(&rig, "PATCH", "/secrets/c", "{}"), SR_DENIED, reason);
	expect_reason(rig_call(&rig, "DELETE", "/secrets/c", NULL), SR_DENIED, reason);
	expect_reason(rig_call(&rig, "POST", "/secrets/c/backup", NULL), SR_DENIED, reason);
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	char *long_value = sr_arena_alloc(rig.arena, SR_SECRET_VALUE_MAX + 2);
	memset(long_value, 'x', SR_SECRET_VALUE_MAX + 1);
	expect_code(rig_callf(&rig, "PUT", sr_arena_printf(rig.arena, "{\"value\":\"%s\"}", long_value), "/secrets/s"),
	            SR_INVALID);
	long_value[SR_SECRET_VALUE_MAX] = '\0';
	set("s", long_value);
	const char *const bodies[] = {
	    "{}",
	    "{\"value\":1}",
	    "{\"value\":null}",
	    "{\"value\":\"x\",\"tags\":[]}",
	    "{\"value\":\"x\",\"contentType\":7}",
	    "{\"value\":\"x\",\"attributes\":{\"exp\":\"soon\"}}",
	    "{\"value\":\"x\",\"attributes\":{\"nbf\":10,\"exp\":10}}",
	};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		expect_code(rig_call(&rig, "PUT", "/secrets/bad", bodies[i]), SR_INVALID);
	}
	expect_reason(rig_call(&rig, "GET", "/secrets/bad", NULL), SR_NOT_FOUND, "SecretNotFound");
}

/* A call as api.c makes it, let in while all was well. */
static struct sr_vault_call let_in(const char *method, const char *path)
{
	struct sr_vault_call call = {.vault = &rig.vault,
	                             .arena = rig.arena,
	                             .who = {.object_id = "local", .is_local = true},
	                             .record = {.name = SR_DEFAULT_VAULT, .retention_days = 90},
	                             .api_version = "7.5",
	                             .base_url = "https://vault.test",
	                             .from = "local",
	                             .request_id = "test"};
	struct sr_segments segments;
	expect_ok(sr_segments_parse(rig.arena, sr_bytes_str(path), &segments));
	expect_ok(sr_vault_route_find(method, &segments, &call.route, &call.name, &call.version));
	return call;
}

/* Reads the secret, does `meanwhile`, and checks as the entry is written. */
static struct sr_result get_with(const char *meanwhile)
{
	struct sr_vault_answer answer = {0};
	struct sr_vault_call call = let_in("GET", "/secrets/s");
	expect_ok(call.route->handler(&call, &answer));
	json_decref(answer.body);
	rig_sql(&rig, meanwhile);
	assert_non_null(call.check);
	return sr_database_read(rig.vault.state.database, call.check, call.check_context);
}

static void a_value_is_not_given_once_it_was_taken_away(void **state)
{
	(void)state;
	set("s", "one");
	expect_ok(get_with("SELECT 1"));
	expect_reason(get_with("UPDATE secret_version SET enabled = 0"), SR_DENIED, "SecretDisabled");
	rig_sql(&rig, "UPDATE secret_version SET enabled = 1");
	expect_reason(get_with("UPDATE secret SET deleted = 1"), SR_NOT_FOUND, "SecretNotFound");
	rig_sql(&rig, "UPDATE secret SET deleted = 0");
	expect_code(get_with("UPDATE vault SET deleted_at = 1"), SR_NOT_FOUND);
}

static void nothing_is_written_to_a_vault_that_is_gone_meanwhile(void **state)
{
	(void)state;
	set("s", "one");
	struct sr_vault_answer answer = {0};
	struct sr_vault_call call = let_in("DELETE", "/secrets/s");
	rig_sql(&rig, "UPDATE vault SET deleted_at = 1");
	expect_code(call.route->handler(&call, &answer), SR_NOT_FOUND);
	rig_sql(&rig, "UPDATE vault SET deleted_at = NULL");
	expect_ok(rig_call(&rig, "GET", "/secrets/s", NULL));
}

static void purge_protection_that_came_meanwhile_holds(void **state)
{
	(void)state;
	set("s", "one");
	expect_ok(rig_call(&rig, "DELETE", "/secrets/s", NULL));
	struct sr_vault_answer answer = {0};
	struct sr_vault_call call = let_in("DELETE", "/deletedsecrets/s");
	rig_sql(&rig, "UPDATE vault SET purge_protection = 1");
	expect_reason(call.route->handler(&call, &answer), SR_DENIED, "ForbiddenByPolicy");
}

static void a_changed_value_is_reported_and_never_given(void **state)
{
	(void)state;
	set("s", "one");
	rig_sql(&rig, "UPDATE secret_version SET sealed = zeroblob(length(sealed))");
	expect_code(rig_call(&rig, "GET", "/secrets/s", NULL), SR_CORRUPT);
	assert_null(rig.answer.body);
	expect_code(rig_call(&rig, "POST", "/secrets/s/backup", NULL), SR_CORRUPT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_secret_has_the_shape_that_the_service_gives_it),
	    TEST(every_version_stays_readable),
	    TEST(an_update_changes_what_it_names_and_shows_no_value),
	    TEST(a_disabled_version_is_refused_and_others_are_not),
	    TEST(a_deleted_name_is_blocked_until_purged),
	    TEST(purge_protection_holds_until_the_time_comes),
	    TEST(what_was_deleted_is_purged_when_its_time_has_come),
	    TEST(lists_come_in_pages_and_in_order),
	    TEST(a_backup_restores_every_version),
	    TEST(a_certificates_secret_is_read_and_left_alone),
	    TEST(what_makes_no_sense_is_refused),
	    TEST(a_value_is_not_given_once_it_was_taken_away),
	    TEST(nothing_is_written_to_a_vault_that_is_gone_meanwhile),
	    TEST(purge_protection_that_came_meanwhile_holds),
	    TEST(a_changed_value_is_reported_and_never_given),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
