/* Wrapped KEKs over a real database: who may open them, what rotation moves, what revocation and purging take away, and
 * what a crash in the middle leaves. */
#include "rig.h"

#include "base/clock.h"
#include "vault/lease_ttl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 1000, CRASHES = 25, CRASH_KEKS = 20 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SLOW = 1 };
#else
enum { IS_SLOW = 0 };
#endif

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

static const char *create_key(const char *name)
{
	expect_ok(rig_callf(&rig, "POST", "{\"kty\":\"RSA\"}", "/keys/%s/create", name));
	return rig_version(&rig);
}

static void opens(const struct sr_id *resource, const struct sr_secret *expected)
{
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	uint64_t epoch;
	expect_ok(rig_kek_open(&rig, resource, &kek, &epoch));
	assert_int_equal(sr_secret_len(kek), SR_KEY_LEN);
	assert_true(!expected || sr_secret_equal(kek, expected));
}

static void is_refused(const struct sr_id *resource, const char *reason)
{
	struct sr_secret *kek;
	uint64_t epoch;
	expect_reason(rig_kek_open(&rig, resource, &kek, &epoch), SR_REVOKED, reason);
}

static void a_kek_is_opened_by_its_service_alone(void **state)
{
	(void)state;
	const struct sr_id managed = sr_id_random(), under_key = sr_id_random(), unknown = sr_id_random();
	create_key("k");
	expect_ok(rig_kek_create(&rig, &managed, NULL, NULL));
	expect_ok(rig_kek_create(&rig, &under_key, "K", NULL)); /* names ignore case */
	expect_code(rig_kek_create(&rig, &managed, NULL, NULL), SR_EXISTS);
	opens(&managed, NULL);
	opens(&under_key, NULL);
	const struct sr_grantor_store store = sr_kek_grantor_store(&rig.vault.state);
	struct sr_secret *kek;
	uint32_t kek_epoch;
	uint64_t epoch;
	expect_code(store.open_kek(store.context, "cosmos", &managed, &kek, &kek_epoch, &epoch), SR_NOT_FOUND);
	expect_code(store.open_kek(store.context, "blob", &unknown, &kek, &kek_epoch, &epoch), SR_NOT_FOUND);
	expect_code(store.may_renew(store.context, "cosmos", &managed), SR_NOT_FOUND);
	expect_code(rig_kek_create(&rig, &unknown, "none", NULL), SR_NOT_FOUND);
	expect_ok(rig_call(&rig, "POST", "/keys/ec/create", "{\"kty\":\"EC\"}"));
	expect_code(rig_kek_create(&rig, &unknown, "ec", NULL), SR_INVALID);
}

static void disabling_revokes_and_enabling_gives_back_the_same_kek(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random();
	const char *version = create_key("k");
	expect_ok(rig_kek_create(&rig, &resource, "k", NULL));
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	uint64_t before, after;
	expect_ok(rig_kek_open(&rig, &resource, &kek, &before));
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":false}}", "/keys/k/%s", version));
	assert_true(rig.answer.revocation[0]);
	is_refused(&resource, "KeyDisabled");
	const struct sr_grantor_store store = sr_kek_grantor_store(&rig.vault.state);
	expect_reason(store.may_renew(store.context, "blob", &resource), SR_REVOKED, "KeyDisabled");
	const struct sr_id other = sr_id_random();
	expect_reason(rig_kek_create(&rig, &other, "k", NULL), SR_REVOKED, "KeyDisabled");
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":true}}", "/keys/k/%s", version));
	assert_false(rig.answer.revocation[0]);
	SR_CLEANUP(sr_secret) struct sr_secret *again = NULL;
	expect_ok(rig_kek_open(&rig, &resource, &again, &after));
	assert_true(sr_secret_equal(kek, again));
	assert_true(after > before);
}

static void every_way_to_lose_a_key_revokes(void **state)
{
	(void)state;
	const struct {
		const char *body, *reason;
	} ways[] = {
	    {"{\"attributes\":{\"exp\":1000}}", "KeyExpired"},
	    {"{\"attributes\":{\"nbf\":5000000000}}", "KeyNotYetValid"},
	    {"{\"key_ops\":[\"wrapKey\",\"sign\"]}", "KeyForbidden"},
	};
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		const struct sr_id resource = sr_id_random();
		char name[16];
		snprintf(name, sizeof name, "way-%zu", i);
		const char *version = create_key(name);
		expect_ok(rig_kek_create(&rig, &resource, name, NULL));
		expect_ok(rig_callf(&rig, "PATCH", ways[i].body, "/keys/%s/%s", name, version));
		assert_true(rig.answer.revocation[0]);
		is_refused(&resource, ways[i].reason);
	}
	const struct sr_id resource = sr_id_random();
	create_key("k");
	expect_ok(rig_kek_create(&rig, &resource, "k", NULL));
	expect_ok(rig_call(&rig, "DELETE", "/keys/k", NULL));
	assert_true(rig.answer.revocation[0]);
	is_refused(&resource, "KeyNotFound");
	expect_ok(rig_call(&rig, "POST", "/deletedkeys/k/recover", NULL));
	opens(&resource, NULL);
}

static void rotation_moves_followers_and_nothing_else(void **state)
{
	(void)state;
	const struct sr_id follower = sr_id_random(), fixed = sr_id_random(), managed = sr_id_random();
	const char *first = create_key("k");
	expect_ok(rig_kek_create(&rig, &follower, "k", NULL));
	expect_ok(rig_kek_create(&rig, &fixed, "k", first));
	expect_ok(rig_kek_create(&rig, &managed, NULL, NULL));
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	uint64_t epoch;
	expect_ok(rig_kek_open(&rig, &follower, &kek, &epoch));
	expect_ok(rig_call(&rig, "POST", "/keys/k/rotate", NULL));
	const char *second = rig_version(&rig);
	assert_string_not_equal(first, second);
	assert_string_equal(rig_kek_key(&rig, &follower).version, second);
	assert_string_equal(rig_kek_key(&rig, &fixed).version, first);
	assert_true(rig_kek_key(&rig, &managed).is_service_managed);
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":false}}", "/keys/k/%s", first));
	opens(&follower, kek);
	is_refused(&fixed, "KeyDisabled");
}

static void rotation_does_not_undo_a_revocation(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random();
	const char *first = create_key("k");
	expect_ok(rig_kek_create(&rig, &resource, "k", NULL));
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":false}}", "/keys/k/%s", first));
	expect_ok(rig_call(&rig, "POST", "/keys/k/rotate", NULL));
	const char *second = rig_version(&rig);
	is_refused(&resource, "KeyDisabled");
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":true}}", "/keys/k/%s", first));
	opens(&resource, NULL);
	assert_string_equal(rig_kek_key(&rig, &resource).version, second); /* it caught up */
}

static void a_new_version_that_cannot_wrap_is_not_followed(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random();
	const char *first = create_key("k");
	expect_ok(rig_kek_create(&rig, &resource, "k", NULL));
	const char *const bodies[] = {"{\"kty\":\"EC\"}", "{\"kty\":\"RSA\",\"attributes\":{\"enabled\":false}}",
	                              "{\"kty\":\"RSA\",\"key_ops\":[\"sign\"]}"};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		expect_ok(rig_call(&rig, "POST", "/keys/k/create", bodies[i]));
		assert_string_equal(rig_kek_key(&rig, &resource).version, first);
		opens(&resource, NULL);
	}
}

static void rekey_moves_between_keys_and_back_to_the_service(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random();
	create_key("a");
	const char *b_version = create_key("b");
	expect_ok(rig_kek_create(&rig, &resource, NULL, NULL));
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	uint64_t epoch;
	expect_ok(rig_kek_open(&rig, &resource, &kek, &epoch));
	const struct sr_grantor_store store = sr_kek_grantor_store(&rig.vault.state);
	struct sr_key_reference to_a = {.vault = "default", .name = "a", .follows_latest = true};
	struct sr_key_reference to_b = {.vault = "default", .name = "b"};
	snprintf(to_b.version, sizeof to_b.version, "%s", b_version);
	const struct sr_key_reference to_service = {.is_service_managed = true};
	expect_ok(store.rekey(store.context, "blob", &resource, &to_a));
	assert_true(rig_kek_key(&rig, &resource).follows_latest);
	opens(&resource, kek);
	expect_ok(store.rekey(store.context, "blob", &resource, &to_b));
	assert_string_equal(rig_kek_key(&rig, &resource).version, b_version);
	opens(&resource, kek);
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":false}}", "/keys/b/%s", b_version));
	expect_reason(store.rekey(store.context, "blob", &resource, &to_a), SR_REVOKED, "KeyDisabled");
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":true}}", "/keys/b/%s", b_version));
	expect_ok(store.rekey(store.context, "blob", &resource, &to_service));
	opens(&resource, kek);
}

static void purging_shreds_and_destroying_is_idempotent(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random(), managed = sr_id_random();
	create_key("k");
	expect_ok(rig_kek_create(&rig, &resource, "k", NULL));
	expect_ok(rig_kek_create(&rig, &managed, NULL, NULL));
	expect_ok(rig_call(&rig, "DELETE", "/keys/k", NULL));
	expect_ok(rig_call(&rig, "DELETE", "/deletedkeys/k", NULL));
	is_refused(&resource, "KeyNotFound");
	create_key("k"); /* the name is free again, and brings nothing back */
	is_refused(&resource, "KeyNotFound");
	const struct sr_grantor_store store = sr_kek_grantor_store(&rig.vault.state);
	expect_ok(store.destroy(store.context, "blob", &managed));
	expect_ok(store.destroy(store.context, "blob", &managed));
	struct sr_secret *kek;
	uint64_t epoch;
	expect_code(rig_kek_open(&rig, &managed, &kek, &epoch), SR_NOT_FOUND);
}

static void a_damaged_seal_is_told_and_opens_nothing(void **state)
{
	(void)state;
	const struct sr_id managed = sr_id_random(), under_key = sr_id_random();
	create_key("k");
	expect_ok(rig_kek_create(&rig, &managed, NULL, NULL));
	expect_ok(rig_kek_create(&rig, &under_key, "k", NULL));
	struct sr_secret *kek;
	uint64_t epoch;
	rig_sql(&rig, "UPDATE kek SET wrapped = zeroblob(length(wrapped))");
	expect_code(rig_kek_open(&rig, &managed, &kek, &epoch), SR_CORRUPT);
	struct sr_result result = rig_kek_open(&rig, &under_key, &kek, &epoch);
	assert_false(sr_is_ok(result));
	sr_result_free(result);
	/* A sealed key that was swapped with another's does not open in its place. */
	create_key("a");
	create_key("b");
	rig_close(&rig);
	rig_open(&rig);
	rig_sql(&rig, "UPDATE key_version SET sealed = (SELECT sealed FROM key_version WHERE key = 'b') WHERE key = 'a'");
	expect_code(rig_call(&rig, "POST", "/keys/a/encrypt", "{\"alg\":\"RSA-OAEP\",\"value\":\"AAAA\"}"), SR_CORRUPT);
	expect_ok(rig_call(&rig, "POST", "/keys/b/encrypt", "{\"alg\":\"RSA-OAEP\",\"value\":\"AAAA\"}"));
}

static void the_longest_lease_is_remembered_until_it_is_over(void **state)
{
	(void)state;
	uint32_t longest;
	expect_ok(sr_lease_ttl_begin(&rig.vault.state, 2000, &longest));
	assert_int_equal(longest, 2000);
	expect_ok(sr_lease_ttl_begin(&rig.vault.state, 10000, &longest));
	assert_int_equal(longest, 10000);
	rig_close(&rig);
	rig_open(&rig);
	expect_ok(sr_lease_ttl_begin(&rig.vault.state, 2000, &longest));
	assert_int_equal(longest, 10000);
	expect_ok(sr_lease_ttl_settle(&rig.vault.state, 2000));
	expect_ok(sr_lease_ttl_begin(&rig.vault.state, 2000, &longest));
	assert_int_equal(longest, 2000);
}

static void a_thousand_keks_rotate_at_once(void **state)
{
	(void)state;
	static struct sr_id resources[MANY];
	create_key("k");
	for (size_t i = 0; i < MANY; i++) {
		resources[i] = sr_id_random();
		expect_ok(rig_kek_create(&rig, &resources[i], "k", NULL));
	}
	const uint64_t start_ns = sr_boottime_ns();
	expect_ok(rig_call(&rig, "POST", "/keys/k/rotate", NULL));
	print_message("rotated %d KEKs in %.1f ms\n", MANY, (double)(sr_boottime_ns() - start_ns) / 1e6);
	const char *second = rig_version(&rig);
	for (size_t i = 0; i < MANY; i++) {
		assert_string_equal(rig_kek_key(&rig, &resources[i]).version, second);
	}
	opens(&resources[MANY - 1], NULL);
}

/* What the child does: rotates until it is killed. A process of its own, since secret memory does not survive a fork.
 */
static int rotate_forever(const char *folder)
{
	snprintf(rig.folder, sizeof rig.folder, "%s", folder);
	rig_open(&rig);
	raise(SIGSTOP); /* begins when the parent is ready to count its time */
	for (;;) {
		struct sr_result result = rig_call(&rig, "POST", "/keys/k/rotate", NULL);
		if (!sr_is_ok(result)) {
			return 1;
		}
	}
}

static pid_t start_rotating(void)
{
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		execl("/proc/self/exe", "test_kek", "--rotate", rig.folder, (char *)NULL);
		_exit(127);
	}
	int status;
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	kill(child, SIGCONT);
	return child;
}

static struct sr_result count_versions(struct sr_connection *connection, void *context)
{
	struct sr_vault_counts counts;
	SR_TRY(sr_vault_count(connection, &counts));
	*(int64_t *)context = counts.key_versions;
	return sr_ok();
}

static void a_kill_during_rotation_leaves_all_keks_under_one_version(void **state)
{
	(void)state;
	struct sr_id resources[CRASH_KEKS];
	expect_ok(
	    rig_call(&rig, "POST", "/keys/k/create", "{\"kty\":\"oct\"}")); /* quick to make: kills fall into writes */
	for (size_t i = 0; i < CRASH_KEKS; i++) {
		resources[i] = sr_id_random();
		expect_ok(rig_kek_create(&rig, &resources[i], "k", NULL));
	}
	int64_t versions = 0;
	for (unsigned i = 0; i < CRASHES; i++) {
		rig_close(&rig);
		const pid_t child = start_rotating();
		usleep((10000 + (unsigned)random() % 60000) * (IS_SLOW ? 5 : 1));
		kill(child, SIGKILL);
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		rig_open(&rig);
		expect_ok(rig_call(&rig, "GET", "/keys/k", NULL));
		const char *current = rig_version(&rig);
		for (size_t k = 0; k < CRASH_KEKS; k++) {
			assert_string_equal(rig_kek_key(&rig, &resources[k]).version, current);
			opens(&resources[k], NULL);
		}
	}
	expect_ok(sr_database_read(rig.vault.state.database, count_versions, &versions));
	assert_true(versions > 2 * CRASHES);
}

int main(int argc, char **argv)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
	if (argc == 3 && strcmp(argv[1], "--rotate") == 0) {
		return rotate_forever(argv[2]);
	}
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_kek_is_opened_by_its_service_alone),
	    TEST(disabling_revokes_and_enabling_gives_back_the_same_kek),
	    TEST(every_way_to_lose_a_key_revokes),
	    TEST(rotation_moves_followers_and_nothing_else),
	    TEST(rotation_does_not_undo_a_revocation),
	    TEST(a_new_version_that_cannot_wrap_is_not_followed),
	    TEST(rekey_moves_between_keys_and_back_to_the_service),
	    TEST(purging_shreds_and_destroying_is_idempotent),
	    TEST(a_damaged_seal_is_told_and_opens_nothing),
	    TEST(the_longest_lease_is_remembered_until_it_is_over),
	    TEST(a_thousand_keks_rotate_at_once),
	    TEST(a_kill_during_rotation_leaves_all_keks_under_one_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
