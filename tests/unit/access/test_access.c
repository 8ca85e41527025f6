/* Following the directory and checking what a principal may do. */
#include "identity_double.h"

#include "base/clock.h"
#include "base/memory.h"
#include "wire/jwt.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define READER     "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
#define CUSTOM     "eeeeeeee-0000-4000-8000-000000000001"
#define BLOB_READ  "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
#define BLOB_WRITE "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
#define ASSIGNED(number, role, scope)                                                                        \
	"{\"id\":\"dddddddd-0000-4000-8000-00000000000" number "\",\"principal\":\"" ALICE "\",\"role\":\"" role \
	"\",\"scope\":\"" scope "\"}"

static const char *const audiences[] = {AUDIENCE, NULL};
static const struct sr_principal alice = {.object_id = ALICE, .app_id = ALICE_APP, .tenant = TENANT, .name = "Alice"};

/* What most tests need: the double, a room that follows it, a right token. */
struct scene {
	struct identity_double *identity;
	struct sr_access *access;
	struct sr_buf token;
};

/* One double for all tests, since its keys take long to find; it is down between them where a test left it so. */
static struct identity_double *double_of_all;

static int set_up_double(void **state)
{
	(void)state;
	double_of_all = identity_double_start();
	return 0;
}

static int tear_down_double(void **state)
{
	(void)state;
	identity_double_stop(double_of_all);
	return 0;
}

static int set_up(void **state)
{
	struct scene *scene = sr_alloc(sizeof *scene);
	scene->identity = double_of_all;
	identity_double_publish(scene->identity, &(struct directory_wish){0});
	if (!scene->identity->server) {
		identity_double_come_back(scene->identity);
	}
	scene->access = follow(scene->identity);
	scene->token = SR_BUF(SR_JWT_MAX);
	make_right_token(scene->identity, &scene->token);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	sr_access_stop(scene->access);
	sr_buf_free(&scene->token);
	sr_free(scene);
	return 0;
}

static bool is_believed(void *context)
{
	struct scene *scene = context;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_principal principal;
	SR_CLEANUP(sr_result)
	struct sr_result outcome =
	    sr_access_authenticate(scene->access, arena, sr_buf_bytes(&scene->token), audiences, &principal);
	return sr_is_ok(outcome);
}

static bool is_not_believed(void *context)
{
	return !is_believed(context);
}

static enum sr_code code_of(struct sr_access *access, const char *action, bool is_data, const char *scope)
{
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_access_check(access, &alice, action, is_data, scope, NULL);
	return sr_result_code(outcome);
}

static bool may_read(void *context)
{
	struct scene *scene = context;
	return code_of(scene->access, BLOB_READ, true, "/subscriptions/S/a/b/c") == SR_OK;
}

static bool may_not_read(void *context)
{
	return !may_read(context);
}

static bool may_write(void *context)
{
	struct scene *scene = context;
	return code_of(scene->access, BLOB_WRITE, true, "/x/y") == SR_OK;
}

static void an_assignment_holds_at_its_scope_and_below(void **state)
{
	struct scene *scene = *state;
	struct sr_id assignment = {0};
	expect_ok(sr_access_check(scene->access, &alice, BLOB_READ, true, "/subscriptions/s/A/b/c", &assignment));
	char text[SR_GUID_TEXT_LEN];
	sr_guid_text(&assignment, text);
	assert_string_equal(text, "dddddddd-0000-4000-8000-000000000001");
	assert_int_equal(code_of(scene->access, BLOB_READ, true, "/subscriptions/S/a/b"), SR_OK);
	assert_int_equal(code_of(scene->access, BLOB_READ, true, "/subscriptions/S/a/bc"), SR_DENIED);
	assert_int_equal(code_of(scene->access, BLOB_READ, true, "/subscriptions/S/a"), SR_DENIED);
	assert_int_equal(code_of(scene->access, BLOB_READ, true, "/"), SR_DENIED);
	assert_int_equal(code_of(scene->access, BLOB_WRITE, true, "/subscriptions/S/a/b"), SR_DENIED);
	assert_int_equal(code_of(scene->access, BLOB_READ, false, "/subscriptions/S/a/b"), SR_DENIED);
}

static void nobody_else_has_the_assignment(void **state)
{
	struct scene *scene = *state;
	static const char *const others[] = {BOB, NOBODY, "", "local"};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct sr_principal other = {.object_id = others[i]};
		SR_CLEANUP(sr_result)
		struct sr_result outcome =
		    sr_access_check(scene->access, &other, BLOB_READ, true, "/subscriptions/S/a/b", NULL);
		assert_int_equal(sr_result_code(outcome), SR_DENIED);
	}
	struct sr_principal local = {.object_id = "local", .is_local = true};
	expect_ok(sr_access_check(scene->access, &local, BLOB_WRITE, true, "/", NULL));
}

/* Every built-in role at every scope for every kind of action, against what role.h says of each alone. */
static void assignments_allow_what_their_role_does_where_they_hold(void **state)
{
	struct scene *scene = *state;
	static const char *const scopes[] = {"/", "/a", "/a/b", "/a/b/c", "/a/bc", "/x"};
	static const struct {
		const char *name;
		bool is_data;
	} actions[] = {{BLOB_READ, true},
	               {BLOB_WRITE, true},
	               {"Microsoft.KeyVault/vaults/keys/wrap/action", true},
	               {"Microsoft.KeyVault/vaults/read", false},
	               {"Microsoft.Authorization/roleAssignments/write", false}};
	const struct sr_role *role;
	for (size_t i = 0; (role = sr_role_at(i)); i++) {
		SR_CLEANUP(sr_string)
		char *assignments =
		    sr_strdupf("[{\"id\":\"dddddddd-0000-4000-8000-00000000%04zu\",\"principal\":\"%s\",\"role\":"
		               "\"%s\",\"scope\":\"/a/b\"}]",
		               i, ALICE, role->id);
		struct sr_access *access;
		identity_double_publish(scene->identity, &(struct directory_wish){.assignments = assignments});
		access = follow(scene->identity);
		for (size_t a = 0; a < sizeof actions / sizeof *actions; a++) {
			for (size_t s = 0; s < sizeof scopes / sizeof *scopes; s++) {
				bool expected = sr_role_allows(role, actions[a].name, actions[a].is_data) && (s == 2 || s == 3);
				bool allowed = code_of(access, actions[a].name, actions[a].is_data, scopes[s]) == SR_OK;
				assert_true(allowed == expected);
			}
		}
		sr_access_stop(access);
	}
}

static void one_role_does_not_take_away_what_another_gives(void **state)
{
	struct scene *scene = *state;
	const struct directory_wish wish = {
	    .assignments = "[" ASSIGNED("1", CUSTOM, "/x") "," ASSIGNED("2", READER, "/x/y/z") "," ASSIGNED(
	        "3", "99999999-0000-4000-8000-000000000000", "/") "]",
	    .roles = "[{\"id\":\"" CUSTOM "\",\"name\":\"ours\",\"dataActions\":[\"Microsoft.Storage/*\"],"
	             "\"notDataActions\":[\"*/blobs/read\"]}]",
	};
	identity_double_publish(scene->identity, &wish);
	assert_true(holds_soon(may_write, scene));
	assert_int_equal(code_of(scene->access, BLOB_READ, true, "/x/y"), SR_DENIED);
	assert_int_equal(code_of(scene->access, BLOB_READ, true, "/x/y/z"), SR_OK);
	assert_int_equal(code_of(scene->access, BLOB_WRITE, true, "/y"), SR_DENIED);
}

static void a_disabled_principal_is_out_at_once_with_its_cached_token(void **state)
{
	struct scene *scene = *state;
	assert_true(is_believed(scene) && may_read(scene));
	uint64_t before_ms = sr_boottime_ms();
	identity_double_publish(scene->identity, &(struct directory_wish){.alice_is_disabled = true});
	assert_true(holds_soon(is_not_believed, scene));
	assert_true(may_not_read(scene));
	print_message("effective after %llu ms\n", (unsigned long long)(sr_boottime_ms() - before_ms));
	assert_true(sr_boottime_ms() - before_ms < 1000);
	identity_double_publish(scene->identity, &(struct directory_wish){0});
	assert_true(holds_soon(is_believed, scene));
}

static void a_role_that_is_taken_away_is_gone_at_once(void **state)
{
	struct scene *scene = *state;
	assert_true(may_read(scene));
	uint64_t before_ms = sr_boottime_ms();
	identity_double_publish(scene->identity, &(struct directory_wish){.assignments = "[]"});
	assert_true(holds_soon(may_not_read, scene));
	assert_true(sr_boottime_ms() - before_ms < 1000);
	assert_true(is_believed(scene)); /* still known, only allowed less */
}

static void a_key_that_is_rolled_away_ends_its_tokens(void **state)
{
	struct scene *scene = *state;
	SR_CLEANUP(sr_json) json_t *header = right_header();
	SR_CLEANUP(sr_json) json_t *claims = right_claims();
	sr_json_set_string(header, "kid", "key-1");
	sr_buf_reset(&scene->token);
	make_token(header, claims, scene->identity->keys[1], &scene->token);
	assert_true(is_believed(scene));
	identity_double_publish(scene->identity, &(struct directory_wish){.key_count = 1});
	assert_true(holds_soon(is_not_believed, scene));
	identity_double_publish(scene->identity, &(struct directory_wish){.key_count = 2});
	assert_true(holds_soon(is_believed, scene));
}

static unsigned request_count(struct identity_double *identity)
{
	SR_LOCKED(&identity->mutex);
	return identity->request_count;
}

static void the_long_poll_waits_instead_of_asking_again(void **state)
{
	struct scene *scene = *state;
	sr_sleep_ms(100);
	unsigned before = request_count(scene->identity);
	sr_sleep_ms(300);
	assert_int_equal(request_count(scene->identity), before);
}

static void a_snapshot_outlives_identity_and_is_renewed_when_it_is_back(void **state)
{
	struct scene *scene = *state;
	identity_double_go_down(scene->identity);
	assert_true(is_believed(scene) && may_read(scene));
	identity_double_publish(scene->identity, &(struct directory_wish){.alice_is_disabled = true});
	assert_true(is_believed(scene));
	identity_double_come_back(scene->identity);
	assert_true(holds_soon(is_not_believed, scene));
}

static void a_document_that_makes_no_sense_changes_nothing(void **state)
{
	struct scene *scene = *state;
	static const char *const broken[] = {
	    "",
	    "{}",
	    "[]",
	    "{\"revision\":\"5\"}",
	    "{\"revision\":5,\"tenant\":\"x\",\"subscription\":\"" SUBSCRIPTION "\"}",
	    "{\"revision\":5,\"tenant\":\"" TENANT "\",\"subscription\":\"" SUBSCRIPTION "\",\"principals\":[{}]}",
	    "{\"revision\":5,\"tenant\":\"" TENANT "\",\"subscription\":\"" SUBSCRIPTION "\",\"keys\":[{\"kty\":\"RSA\","
	    "\"kid\":\"k\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
	};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		unsigned before = request_count(scene->identity);
		identity_double_publish(scene->identity, &(struct directory_wish){.raw = broken[i]});
		while (request_count(scene->identity) < before + 2) { /* it was answered, and asked again */
			sr_sleep_ms(1);
		}
		assert_true(is_believed(scene) && may_read(scene));
		/* And it goes on following. */
		identity_double_publish(scene->identity, &(struct directory_wish){.assignments = "[]"});
		assert_true(holds_soon(may_not_read, scene));
		identity_double_publish(scene->identity, &(struct directory_wish){0});
		assert_true(holds_soon(may_read, scene));
	}
}

static void before_the_first_snapshot_nothing_is_known(void **state)
{
	struct scene *scene = *state;
	identity_double_go_down(scene->identity);
	const struct sr_access_options options = {scene->identity->client_tls, "127.0.0.1", scene->identity->port,
	                                          AUTHORITY};
	struct sr_access *access = NULL;
	expect_ok(sr_access_start(&options, &access));
	assert_false(sr_access_is_ready(access));
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_principal principal;
	struct sr_installation installation;
	SR_CLEANUP(sr_result)
	struct sr_result who = sr_access_authenticate(access, arena, sr_buf_bytes(&scene->token), audiences, &principal);
	SR_CLEANUP(sr_result) struct sr_result what = sr_access_check(access, &alice, BLOB_READ, true, "/a", NULL);
	SR_CLEANUP(sr_result) struct sr_result where = sr_access_installation(access, &installation);
	assert_int_equal(sr_result_code(who), SR_UNAVAILABLE);
	assert_int_equal(sr_result_code(what), SR_UNAVAILABLE);
	assert_int_equal(sr_result_code(where), SR_UNAVAILABLE);
	sr_access_stop(access);
}

static void the_installation_is_told(void **state)
{
	struct scene *scene = *state;
	struct sr_installation installation;
	expect_ok(sr_access_installation(scene->access, &installation));
	assert_string_equal(installation.tenant, TENANT);
	assert_string_equal(installation.subscription, SUBSCRIPTION);
	assert_string_equal(sr_access_authority(scene->access), AUTHORITY);
}

static void a_stop_does_not_wait_for_the_poll(void **state)
{
	struct scene *scene = *state;
	struct sr_access *access = follow(scene->identity);
	sr_sleep_ms(50);
	uint64_t before_ms = sr_boottime_ms();
	sr_access_stop(access);
	assert_true(sr_boottime_ms() - before_ms < 500);
}

static void a_cached_question_costs_little(void **state)
{
	struct scene *scene = *state;
	enum { ROUNDS = 20000 };
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	assert_true(is_believed(scene));
	uint64_t before_ns = sr_boottime_ns();
	for (int i = 0; i < ROUNDS; i++) {
		struct sr_principal principal;
		struct sr_result who =
		    sr_access_authenticate(scene->access, arena, sr_buf_bytes(&scene->token), audiences, &principal);
		struct sr_result what =
		    sr_access_check(scene->access, &principal, BLOB_READ, true, "/subscriptions/S/a/b/c", NULL);
		assert_true(sr_is_ok(who) && sr_is_ok(what));
		sr_arena_reset(arena);
	}
	uint64_t each_ns = (sr_boottime_ns() - before_ns) / ROUNDS;
	print_message("authenticate and check: %llu ns\n", (unsigned long long)each_ns);
	assert_true(each_ns < 30000); /* checking a signature each time would be slower still */
}

struct asker {
	struct scene *scene;
	atomic_bool *is_over;
	bool is_right;
};

static void ask_often(void *context)
{
	struct asker *asker = context;
	while (!atomic_load(asker->is_over)) {
		asker->is_right = asker->is_right && is_believed(asker->scene) && may_read(asker->scene);
	}
}

static void many_threads_ask_while_the_directory_changes(void **state)
{
	struct scene *scene = *state;
	enum { THREADS = 4 };
	atomic_bool is_over = false;
	struct sr_thread threads[THREADS];
	struct asker askers[THREADS];
	for (int i = 0; i < THREADS; i++) {
		askers[i] = (struct asker){scene, &is_over, true};
		expect_ok(sr_thread_start("asker", 0, ask_often, &askers[i], &threads[i]));
	}
	for (int i = 0; i < 50; i++) {
		identity_double_publish(scene->identity, &(struct directory_wish){.key_count = 1 + (unsigned)i % 2});
		sr_sleep_ms(5);
	}
	atomic_store(&is_over, true);
	for (int i = 0; i < THREADS; i++) {
		sr_thread_join(threads[i]);
		assert_true(askers[i].is_right);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_assignment_holds_at_its_scope_and_below, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(nobody_else_has_the_assignment, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(assignments_allow_what_their_role_does_where_they_hold, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(one_role_does_not_take_away_what_another_gives, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_disabled_principal_is_out_at_once_with_its_cached_token, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_role_that_is_taken_away_is_gone_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_key_that_is_rolled_away_ends_its_tokens, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_long_poll_waits_instead_of_asking_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_snapshot_outlives_identity_and_is_renewed_when_it_is_back, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_document_that_makes_no_sense_changes_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(before_the_first_snapshot_nothing_is_known, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_installation_is_told, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_stop_does_not_wait_for_the_poll, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_cached_question_costs_little, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(many_threads_ask_while_the_directory_changes, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, set_up_double, tear_down_double);
}
