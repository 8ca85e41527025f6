/* Signing keys at rest and as they rotate: tokens go on verifying until they end, private keys stay sealed. */
#include "identity/signing_keys.h"

#include "fixture.h"
#include "identity/revision.h"
#include "identity/signing_plan.h"

enum { DAY_S = 24 * 3600 };

static struct sr_result read_jwks(struct sr_connection *connection, void *context)
{
	return sr_signing_keys_jwks(connection, context);
}

static json_t *published(struct fixture *fixture)
{
	json_t *keys = NULL;
	expect_ok(sr_database_read(fixture->store->database, read_jwks, &keys));
	return keys;
}

static bool is_published(struct fixture *fixture, const char *kid)
{
	SR_CLEANUP(sr_json) json_t *keys = published(fixture);
	size_t at;
	json_t *key;
	json_array_foreach(keys, at, key)
	{
		if (strcmp(text_of(key, "kid"), kid) == 0) {
			return true;
		}
	}
	return false;
}

static void kid_now(struct fixture *fixture, int64_t now_s, char kid[static SR_KID_LEN])
{
	SR_CLEANUP(sr_signing_key) struct sr_signing_key *key = NULL;
	expect_ok(sr_signing_keys_current(fixture->store->signing_keys, now_s, &key));
	snprintf(kid, SR_KID_LEN, "%s", sr_signing_key_id(key));
}

static bool tend(struct fixture *fixture, int64_t now_s)
{
	bool is_changed = false;
	expect_ok(sr_signing_keys_tend(fixture->store->signing_keys, now_s, &is_changed));
	return is_changed;
}

static void the_first_start_makes_and_publishes_one_key(void **state)
{
	struct fixture *fixture = *state;
	char kid[SR_KID_LEN];
	kid_now(fixture, NOW_S, kid);
	assert_int_equal(strlen(kid), SR_KID_LEN - 1);
	SR_CLEANUP(sr_json) json_t *keys = published(fixture);
	assert_int_equal(json_array_size(keys), 1);
	const json_t *key = json_array_get(keys, 0);
	assert_string_equal(text_of(key, "kid"), kid);
	assert_string_equal(text_of(key, "kty"), "RSA");
	assert_string_equal(text_of(key, "alg"), "RS256");
	assert_string_equal(text_of(key, "use"), "sig");
	assert_string_equal(text_of(key, "e"), "AQAB");
	assert_int_equal(strlen(text_of(key, "n")), 342);
	assert_null(json_object_get(key, "d"));
}

static void a_restart_keeps_the_key(void **state)
{
	struct fixture *fixture = *state;
	char before[SR_KID_LEN];
	char after[SR_KID_LEN];
	kid_now(fixture, NOW_S, before);
	fixture_reopen(fixture, NOW_S + 10);
	kid_now(fixture, NOW_S + 10, after);
	assert_string_equal(before, after);
}

static void rotation_by_time_publishes_ahead_and_lets_old_tokens_end(void **state)
{
	struct fixture *fixture = *state;
	char first[SR_KID_LEN];
	char later[SR_KID_LEN];
	kid_now(fixture, NOW_S, first);
	assert_false(tend(fixture, NOW_S + 29 * DAY_S - 1));
	assert_true(tend(fixture, NOW_S + 29 * DAY_S));
	assert_false(tend(fixture, NOW_S + 29 * DAY_S));
	SR_CLEANUP(sr_json) json_t *ahead = published(fixture);
	assert_int_equal(json_array_size(ahead), 2);
	kid_now(fixture, NOW_S + 30 * DAY_S - 1, later);
	assert_string_equal(later, first);
	kid_now(fixture, NOW_S + 30 * DAY_S, later);
	assert_string_not_equal(later, first);

	int64_t last_token_ends_s = NOW_S + 30 * DAY_S + TOKEN_S;
	assert_false(tend(fixture, last_token_ends_s));
	assert_true(is_published(fixture, first));
	assert_true(tend(fixture, last_token_ends_s + SR_SIGNING_SKEW_S));
	assert_false(is_published(fixture, first));
	assert_true(is_published(fixture, later));
}

static void rotation_by_hand_moves_the_waiting_key_forward(void **state)
{
	struct fixture *fixture = *state;
	char first[SR_KID_LEN];
	char waiting[SR_KID_LEN];
	char same[SR_KID_LEN];
	int64_t from_s;
	kid_now(fixture, NOW_S, first);
	expect_ok(sr_signing_keys_rotate(fixture->store->signing_keys, NOW_S, DAY_S, waiting, &from_s));
	assert_int_equal(from_s, NOW_S + DAY_S);
	kid_now(fixture, NOW_S, same);
	assert_string_equal(same, first);
	expect_ok(sr_signing_keys_rotate(fixture->store->signing_keys, NOW_S + 60, 0, same, &from_s));
	assert_string_equal(same, waiting);
	assert_int_equal(from_s, NOW_S + 60);
	kid_now(fixture, NOW_S + 60, same);
	assert_string_equal(same, waiting);
	assert_true(is_published(fixture, first));
}

static void rotating_without_end_is_refused_and_harms_nothing(void **state)
{
	struct fixture *fixture = *state;
	char kid[SR_KID_LEN];
	int64_t from_s;
	for (int i = 1; i < 8; i++) {
		expect_ok(sr_signing_keys_rotate(fixture->store->signing_keys, NOW_S + i, 0, kid, &from_s));
	}
	expect_code(sr_signing_keys_rotate(fixture->store->signing_keys, NOW_S + 20, 0, kid, &from_s), SR_CONFLICT);
	fixture_reopen(fixture, NOW_S + 21);
	SR_CLEANUP(sr_json) json_t *keys = published(fixture);
	assert_int_equal(json_array_size(keys), 8);
}

static void longer_lives_of_tokens_keep_their_key_longer(void **state)
{
	struct fixture *fixture = *state;
	char first[SR_KID_LEN];
	char kid[SR_KID_LEN];
	int64_t from_s;
	kid_now(fixture, NOW_S, first);
	sr_identity_store_close(fixture->store);
	fixture->store = NULL;
	expect_ok(sr_identity_store_open(fixture->path, &fixture->id, fixture->dek, DAY_S, 0, NOW_S, &fixture->store));
	expect_ok(sr_signing_keys_rotate(fixture->store->signing_keys, NOW_S + 1, 0, kid, &from_s));
	fixture_reopen(fixture, NOW_S + 2);
	tend(fixture, NOW_S + DAY_S);
	assert_true(is_published(fixture, first));
	tend(fixture, NOW_S + 1 + DAY_S + SR_SIGNING_SKEW_S);
	assert_false(is_published(fixture, first));
}

static struct sr_result read_revision(struct sr_connection *connection, void *context)
{
	return sr_revision_read(connection, context);
}

static void every_change_of_keys_is_a_new_revision(void **state)
{
	struct fixture *fixture = *state;
	int64_t before = 0;
	int64_t after = 0;
	expect_ok(sr_database_read(fixture->store->database, read_revision, &before));
	assert_true(tend(fixture, NOW_S + 29 * DAY_S));
	expect_ok(sr_database_read(fixture->store->database, read_revision, &after));
	assert_true(after > before);
}

static struct sr_result swap_publics(struct sr_connection *connection, void *context)
{
	(void)context;
	return sr_execute(connection, "UPDATE signing_key SET n = zeroblob(256)");
}

static struct sr_result rename_key(struct sr_connection *connection, void *context)
{
	(void)context;
	return sr_execute(connection, "UPDATE signing_key SET kid = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'");
}

static void a_key_that_is_not_the_published_one_is_found(void **state)
{
	struct fixture *fixture = *state;
	expect_ok(sr_signing_keys_verify(fixture->store->signing_keys));
	expect_ok(sr_database_write(fixture->store->database, swap_publics, NULL));
	expect_code(sr_signing_keys_verify(fixture->store->signing_keys), SR_CORRUPT);
	expect_ok(sr_database_write(fixture->store->database, rename_key, NULL));
	expect_code(sr_signing_keys_verify(fixture->store->signing_keys), SR_CORRUPT);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    WITH_STORE(the_first_start_makes_and_publishes_one_key),
	    WITH_STORE(a_restart_keeps_the_key),
	    WITH_STORE(rotation_by_time_publishes_ahead_and_lets_old_tokens_end),
	    WITH_STORE(rotation_by_hand_moves_the_waiting_key_forward),
	    WITH_STORE(rotating_without_end_is_refused_and_harms_nothing),
	    WITH_STORE(longer_lives_of_tokens_keep_their_key_longer),
	    WITH_STORE(every_change_of_keys_is_a_new_revision),
	    WITH_STORE(a_key_that_is_not_the_published_one_is_found),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
