/* The audit chain: whole as written, broken by any change, and free of what must not be in it. */
#include "rig.h"

#include "vault/audit.h"

#include <stdio.h>
#include <stdlib.h>

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

static void write_entries(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char object[32];
		snprintf(object, sizeof object, "default/keys/%u", i);
		const struct sr_audit_event event = {
		    .object_id = "local", .operation = "Test", .object = object, .status = 200};
		expect_ok(sr_audit_write(rig.vault.state.database, &event));
	}
}

static struct sr_audit_verdict verify(void)
{
	struct sr_audit_verdict verdict;
	expect_ok(sr_audit_verify(rig.vault.audit, NULL, &verdict));
	return verdict;
}

static void a_chain_is_whole_as_written_and_after_reopening(void **state)
{
	(void)state;
	assert_int_equal(verify().entries, 0);
	write_entries(2500); /* more than two batches */
	rig_close(&rig);
	rig_open(&rig);
	write_entries(1);
	const struct sr_audit_verdict verdict = verify();
	assert_int_equal(verdict.entries, 2501);
	assert_int_equal(verdict.broken_at, 0);
}

static void every_kind_of_change_breaks_the_chain_where_it_happened(void **state)
{
	(void)state;
	const struct {
		const char *change;
		uint64_t broken_at;
	} changes[] = {
	    {"UPDATE audit SET entry = replace(entry, 'local', 'other') WHERE seq = 5", 5},
	    {"UPDATE audit SET hash = zeroblob(32) WHERE seq = 5", 5},
	    {"UPDATE audit SET hash = x'00' WHERE seq = 5", 5},
	    {"DELETE FROM audit WHERE seq = 5", 5},
	    {"DELETE FROM audit WHERE seq = 1", 1},
	    {"UPDATE audit SET entry = (SELECT entry FROM audit WHERE seq = 6) WHERE seq = 5", 5},
	    {"UPDATE audit SET seq = seq + 100 WHERE seq = 10", 10},
	    {"INSERT INTO audit(seq, entry, hash) VALUES(11, '{}', zeroblob(32))", 11},
	};
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		rig_sql(&rig, "DELETE FROM audit");
		write_entries(10);
		assert_int_equal(verify().broken_at, 0);
		rig_sql(&rig, changes[i].change);
		assert_int_equal(verify().broken_at, changes[i].broken_at);
	}
}

static struct sr_result gather(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context)
{
	(void)seq;
	(void)hash;
	sr_buf_append(context, entry);
	sr_buf_append_str(context, "\n");
	return sr_ok();
}

static struct sr_result gather_all(struct sr_connection *connection, void *context)
{
	return sr_audit_each(connection, 0, 1000, gather, context);
}

static void operations_are_recorded_with_their_outcome_and_no_value(void **state)
{
	(void)state;
	expect_ok(rig_call(&rig, "POST", "/keys/k/create", "{\"kty\":\"RSA\"}"));
	const char *version = rig_version(&rig);
	expect_ok(rig_callf(&rig, "PATCH", "{\"tags\":{\"canary\":\"canary\"}}", "/keys/k/%s", version));
	const struct sr_id resource = sr_id_random();
	expect_ok(rig_kek_create(&rig, &resource, "k", NULL));
	expect_ok(rig_call(&rig, "DELETE", "/keys/k", NULL));
	struct sr_secret *kek;
	uint64_t epoch;
	expect_reason(rig_kek_open(&rig, &resource, &kek, &epoch), SR_REVOKED, "KeyNotFound");

	SR_CLEANUP(sr_buf) struct sr_buf log = SR_BUF(1 << 20);
	expect_ok(sr_database_read(rig.vault.state.database, gather_all, &log));
	const char *text = sr_buf_text(&log);
	const char *const expected[] = {"\"KeyCreate\"", "\"KeyUpdate\"", "\"KekCreate\"",
	                                "\"KeyDelete\"", "\"KekOpen\"",   "\"outcome\":\"KeyNotFound\"",
	                                version};
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		assert_non_null(strstr(text, expected[i]));
	}
	assert_null(strstr(text, "canary"));
	assert_int_equal(verify().broken_at, 0);
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_chain_is_whole_as_written_and_after_reopening),
	    TEST(every_kind_of_change_breaks_the_chain_where_it_happened),
	    TEST(operations_are_recorded_with_their_outcome_and_no_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
