/* What the vault does by itself, with a clock that the tests set: expiry, purging, rotation, notice; and the rounds of
 * looks that bring them about. */
#include "rig.h"

#include "vault/audit.h"
#include "vault/tending.h"

#include "base/clock.h"

#include <stdio.h>

enum { DAY = 86400 };

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

static struct sr_tending_book book;

/* A round of looks at `now`. */
static uint64_t look(int64_t now)
{
	static uint64_t clock_ms = 1;
	book.chore_at = sr_chore_at;
	return sr_tending_look(&book, &rig.vault, now, clock_ms += 400000);
}

static const char *create_key(const char *name, const char *body)
{
	expect_ok(rig_callf(&rig, "POST", body, "/keys/%s/create", name));
	return rig_version(&rig);
}

static const char *current_version(const char *name)
{
	expect_ok(rig_callf(&rig, "GET", NULL, "/keys/%s", name));
	return rig_version(&rig);
}

struct search {
	const char *text;
	unsigned count;
};

static struct sr_result count_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context)
{
	(void)seq;
	(void)hash;
	struct search *search = context;
	search->count += memmem(entry.data, entry.len, search->text, strlen(search->text)) != NULL;
	return sr_ok();
}

static struct sr_result count_work(struct sr_connection *connection, void *context)
{
	return sr_audit_each(connection, 0, 100000, count_entry, context);
}

/* How many audit entries hold this text. */
static unsigned audited(const char *text)
{
	struct search search = {text, 0};
	expect_ok(sr_database_read(rig.vault.state.database, count_work, &search));
	return search.count;
}

static uint64_t revocation_epoch(const struct sr_id *resource)
{
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	uint64_t epoch;
	expect_ok(rig_kek_open(&rig, resource, &kek, &epoch));
	return epoch;
}

static void keys_expire_once_at_their_time(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random(), other = sr_id_random();
	const int64_t exp = 4000000000;
	const char *version = create_key("k", "{\"kty\":\"RSA\"}");
	create_key("other", "{\"kty\":\"RSA\"}");
	expect_ok(rig_kek_create(&rig, &resource, "k", NULL));
	expect_ok(rig_kek_create(&rig, &other, "other", NULL));
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"exp\":4000000000}}", "/keys/k/%s", version));
	const uint64_t before = revocation_epoch(&resource), of_other = revocation_epoch(&other);
	look(exp - 10);
	assert_int_equal(audited("KeyExpire"), 0);
	assert_int_equal(look(exp - 1), 1000); /* it will look when the time comes */
	assert_int_equal(revocation_epoch(&resource), before);
	look(exp);
	look(exp + 1);
	assert_int_equal(audited("KeyExpire"), 1);
	const uint64_t after = revocation_epoch(&resource);
	assert_true(after > before);
	assert_int_equal(revocation_epoch(&other), of_other);
	/* The clock goes back before the end, and comes to it again. */
	look(exp - 5);
	look(exp);
	assert_int_equal(audited("KeyExpire"), 2);
	assert_true(revocation_epoch(&resource) > after);
	/* A new end is one more. */
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"exp\":4000001000}}", "/keys/k/%s", version));
	look(exp + 1000);
	assert_int_equal(audited("KeyExpire"), 3);
}

static void deleted_keys_are_purged_when_their_retention_is_over(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random(), stays = sr_id_random();
	create_key("k", "{\"kty\":\"RSA\"}");
	create_key("kept", "{\"kty\":\"RSA\"}");
	create_key("recovered", "{\"kty\":\"RSA\"}");
	expect_ok(rig_kek_create(&rig, &resource, "k", NULL));
	expect_ok(rig_kek_create(&rig, &stays, "kept", NULL));
	expect_ok(rig_call(&rig, "DELETE", "/keys/recovered", NULL));
	expect_ok(rig_call(&rig, "POST", "/deletedkeys/recovered/recover", NULL));
	expect_ok(rig_call(&rig, "DELETE", "/keys/k", NULL));
	const int64_t purge_at = rig_int(&rig, "scheduledPurgeDate");
	assert_true(purge_at > sr_unix_s() + 89 * DAY);
	look(purge_at - 1);
	expect_ok(rig_call(&rig, "GET", "/deletedkeys/k", NULL));
	look(purge_at);
	look(purge_at + 100 * DAY);
	expect_reason(rig_call(&rig, "GET", "/deletedkeys/k", NULL), SR_NOT_FOUND, "KeyNotFound");
	assert_int_equal(audited("\"KeyPurge\""), 1);
	assert_int_equal(audited("shredded=1"), 1);
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	uint64_t epoch;
	expect_reason(rig_kek_open(&rig, &resource, &kek, &epoch), SR_REVOKED, "KeyNotFound");
	revocation_epoch(&stays); /* opens */
	expect_ok(rig_call(&rig, "GET", "/keys/recovered", NULL));
	create_key("k", "{\"kty\":\"RSA\"}"); /* the name is free */
}

static void set_policy(const char *name, const char *policy)
{
	expect_ok(rig_callf(&rig, "PUT", policy, "/keys/%s/rotationpolicy", name));
}

static void keys_rotate_by_their_policy_and_their_keks_follow(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random();
	const char *first = create_key("k", "{\"kty\":\"RSA\",\"tags\":{\"a\":\"b\"}}");
	expect_ok(rig_kek_create(&rig, &resource, "k", NULL));
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL, *again = NULL;
	uint64_t epoch;
	expect_ok(rig_kek_open(&rig, &resource, &kek, &epoch));
	set_policy("k",
	           "{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P30D\"},\"action\":{\"type\":\"Rotate\"}}],"
	           "\"attributes\":{\"expiryTime\":\"P90D\"}}");
	const int64_t created = sr_unix_s();
	look(created + 29 * DAY);
	assert_string_equal(current_version("k"), first);
	const int64_t then = created + 30 * DAY + 5;
	look(then);
	look(then + 10);
	const char *second = current_version("k");
	assert_string_not_equal(first, second);
	assert_int_equal(rig_int(&rig, "attributes.created"), then);
	assert_int_equal(rig_int(&rig, "attributes.exp"), then + 90 * DAY);
	assert_string_equal(rig_text(&rig, "tags.a"), "b");
	assert_string_equal(rig_kek_key(&rig, &resource).version, second);
	expect_ok(rig_kek_open(&rig, &resource, &again, &epoch));
	assert_true(sr_secret_equal(kek, again));
	assert_int_equal(audited("\"KeyRotate\""), 1);
	/* A vault that was away for long rotates once, not once for each period missed. */
	look(then + 300 * DAY);
	assert_int_equal(audited("\"KeyRotate\""), 2);
	assert_int_equal(audited("\"service\":\"vault\"},\"operation\":\"KeyRotate\""), 2);
}

static void rotation_before_the_end_needs_one_and_a_disabled_key_is_left_alone(void **state)
{
	(void)state;
	const char *const policy =
	    "{\"lifetimeActions\":[{\"trigger\":{\"timeBeforeExpiry\":\"P10D\"},\"action\":{\"type\":\"Rotate\"}}],"
	    "\"attributes\":{\"expiryTime\":\"P2M\"}}";
	const int64_t now = sr_unix_s();
	const char *endless = create_key("endless", "{\"kty\":\"EC\"}");
	set_policy("endless", policy);
	char body[96];
	snprintf(body, sizeof body, "{\"kty\":\"EC\",\"attributes\":{\"exp\":%lld}}", (long long)(now + 40 * DAY));
	const char *ending = create_key("ending", body), *off = create_key("off", body);
	set_policy("ending", policy);
	set_policy("off", policy);
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":false}}", "/keys/off/%s", off));
	look(now + 30 * DAY - 1);
	assert_string_equal(current_version("ending"), ending);
	look(now + 30 * DAY);
	assert_string_not_equal(current_version("ending"), ending);
	assert_string_equal(current_version("endless"), endless);
	assert_string_equal(current_version("off"), off);
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":true}}", "/keys/off/%s", off));
	look(now + 30 * DAY + 1);
	assert_string_not_equal(current_version("off"), off);
}

static void notice_is_given_once_for_each_end(void **state)
{
	(void)state;
	const int64_t now = sr_unix_s();
	char body[96];
	snprintf(body, sizeof body, "{\"kty\":\"EC\",\"attributes\":{\"exp\":%lld}}", (long long)(now + 100 * DAY));
	const char *version = create_key("k", body); /* by the default policy, 30 days before */
	look(now + 70 * DAY - 1);
	assert_int_equal(audited("KeyNearExpiry"), 0);
	look(now + 70 * DAY);
	look(now + 71 * DAY);
	rig_close(&rig);
	rig_open(&rig);
	look(now + 72 * DAY);
	assert_int_equal(audited("KeyNearExpiry"), 1);
	snprintf(body, sizeof body, "{\"attributes\":{\"exp\":%lld}}", (long long)(now + 200 * DAY));
	expect_ok(rig_callf(&rig, "PATCH", body, "/keys/k/%s", current_version("k")));
	look(now + 73 * DAY);
	assert_int_equal(audited("KeyNearExpiry"), 1);
	look(now + 170 * DAY);
	assert_int_equal(audited("KeyNearExpiry"), 2);
	look(now + 300 * DAY);
	assert_int_equal(audited("KeyNearExpiry"), 2);
	(void)version;
}

static void many_keys_are_tended_in_one_look_and_a_bad_policy_keeps_none_back(void **state)
{
	(void)state;
	enum { MANY = 120 };
	const int64_t now = sr_unix_s();
	for (unsigned i = 0; i < MANY; i++) {
		char name[16];
		snprintf(name, sizeof name, "k-%03u", i);
		create_key(name, "{\"kty\":\"oct\"}");
		set_policy(name, "{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P1M\"},\"action\":{\"type\":"
		                 "\"rotate\"}}]}");
	}
	rig_sql(&rig, "UPDATE key SET policy = 'no JSON' WHERE name = 'k-000'");
	look(now);
	assert_int_equal(audited("\"KeyRotate\""), 0);
	look(now + 32 * DAY);
	assert_int_equal(audited("\"KeyRotate\""), MANY - 1);
	assert_int_equal(audited("\"service\":\"vault\""), MANY - 1);
}

/* A table of chores of which the first always fails. */
static unsigned failing_runs, steady_runs;

static struct sr_result always(struct sr_connection *connection, int64_t *ret_time)
{
	(void)connection;
	*ret_time = 0;
	return sr_ok();
}

static struct sr_result break_down(struct sr_vault *vault, int64_t now)
{
	(void)vault;
	(void)now;
	failing_runs++;
	return sr_fail(SR_IO, "as planned");
}

static struct sr_result succeed(struct sr_vault *vault, int64_t now)
{
	(void)vault;
	(void)now;
	steady_runs++;
	return sr_ok();
}

static const struct sr_chore *table(size_t index)
{
	static const struct sr_chore chores[] = {{"fails", always, break_down}, {"works", always, succeed}};
	return index < 2 ? &chores[index] : NULL;
}

static void a_failing_chore_backs_off_and_keeps_no_other(void **state)
{
	(void)state;
	struct sr_tending_book own = {.chore_at = table};
	failing_runs = steady_runs = 0;
	for (uint64_t ms = 0; ms < 600000; ms += 500) {
		assert_true(sr_tending_look(&own, &rig.vault, 1000, ms) <= 1000); /* the second is due again and again */
	}
	assert_int_equal(steady_runs, 1200);
	assert_in_range(failing_runs, 8, 11); /* after 1, 2, 4 … 256, 300 s */
}

static void tending_starts_looks_when_woken_and_stops(void **state)
{
	(void)state;
	struct sr_tending *tending;
	expect_ok(sr_tending_start(&rig.vault, &tending));
	const char *version = create_key("k", "{\"kty\":\"EC\"}");
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"exp\":1000}}", "/keys/k/%s", version));
	sr_tending_wake(tending);
	for (unsigned i = 0; i < 2000 && !audited("KeyExpire"); i++) {
		sr_sleep_ms(5);
	}
	assert_int_equal(audited("KeyExpire"), 1);
	sr_tending_stop(tending);
	sr_tending_stop(NULL);
	sr_tending_wake(NULL);
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(keys_expire_once_at_their_time),
	    TEST(deleted_keys_are_purged_when_their_retention_is_over),
	    TEST(keys_rotate_by_their_policy_and_their_keks_follow),
	    TEST(rotation_before_the_end_needs_one_and_a_disabled_key_is_left_alone),
	    TEST(notice_is_given_once_for_each_end),
	    TEST(many_keys_are_tended_in_one_look_and_a_bad_policy_keeps_none_back),
	    TEST(a_failing_chore_backs_off_and_keeps_no_other),
	    TEST(tending_starts_looks_when_woken_and_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
