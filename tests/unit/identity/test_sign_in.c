/* People: their passwords and locks, their sign-ins, and how long a refresh token is good. */
#include "fixture.h"

#include "base/clock.h"
#include "base/thread.h"
#include "identity/client_proof.h"
#include "identity/oauth_error.h"
#include "identity/page_session.h"
#include "identity/person_sign_in.h"
#include "identity/revoked.h"
#include "identity/sign_in.h"
#include "wire/jwt.h"

#define AZ       "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
#define PASSWORD "a long enough password"

static uint8_t known_hash[SR_PASSWORD_HASH_LEN];

static int make_hash(void **state)
{
	fixture_init(state);
	expect_ok(sr_password_hash(SR_LITERAL(PASSWORD), known_hash));
	return 0;
}

static struct sr_result make_ada(struct sr_connection *connection, void *context)
{
	return sr_person_make(connection, "ada@example.org", "Ada", known_hash, false, NOW_S, context);
}

static struct sr_person new_ada(struct fixture *fixture)
{
	struct sr_person person;
	expect_ok(sr_database_write(fixture->store->database, make_ada, &person));
	return person;
}

static void allow_az(struct fixture *fixture, const char *body)
{
	json_decref(call(fixture, sr_public_clients_allow, AZ, body));
}

static struct sr_result sign_in_at(struct fixture *fixture, const char *name, const char *password, int64_t now_s)
{
	static unsigned count;
	struct sr_identity_request request = request_at(fixture, "", "", now_s);
	struct sr_identity_answer answer = {0};
	struct sr_person person;
	request.peer_address = sr_arena_printf(fixture->arena, "10.0.%u.%u", count / 250, count % 250);
	count++;
	return sr_person_sign_in(&request, name, password, &answer, &person);
}

static void a_right_password_signs_in_by_a_name_in_any_case(void **state)
{
	struct fixture *fixture = *state;
	new_ada(fixture);
	expect_ok(sign_in_at(fixture, "ada@example.org", PASSWORD, NOW_S));
	expect_ok(sign_in_at(fixture, "ADA@example.org", PASSWORD, NOW_S));
	expect_code(sign_in_at(fixture, "ada@example.org", PASSWORD " ", NOW_S), SR_UNAUTHENTICATED);
	expect_code(sign_in_at(fixture, "ada@example.org", "", NOW_S), SR_UNAUTHENTICATED);
	expect_code(sign_in_at(fixture, "eve@example.org", PASSWORD, NOW_S), SR_UNAUTHENTICATED);
	expect_code(sign_in_at(fixture, "", PASSWORD, NOW_S), SR_UNAUTHENTICATED);
}

static struct sr_result fail_once(struct sr_connection *connection, void *context)
{
	return sr_person_note_failure(connection, context, NOW_S);
}

static struct sr_result find_ada(struct sr_connection *connection, void *context)
{
	return sr_person_find(connection, "ada@example.org", context);
}

static void each_further_wrong_password_locks_for_longer(void **state)
{
	struct fixture *fixture = *state;
	struct sr_person ada = new_ada(fixture);
	static const int64_t locks[] = {0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600};
	for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
		expect_ok(sr_database_write(fixture->store->database, fail_once, ada.object_id));
		expect_ok(sr_database_read(fixture->store->database, find_ada, &ada));
		assert_int_equal(ada.locked_until_s, locks[i] ? NOW_S + locks[i] : 0);
	}
	expect_code(sign_in_at(fixture, "ada@example.org", PASSWORD, NOW_S + 3599), SR_UNAUTHENTICATED);
	expect_ok(sign_in_at(fixture, "ada@example.org", PASSWORD, NOW_S + 3600));
	expect_ok(sr_database_read(fixture->store->database, find_ada, &ada));
	assert_int_equal(ada.failure_count, 0);
}

/* A sign-in that waits for its turn, by another thread. */
struct waiting {
	struct sr_identity_request request;
	struct sr_result outcome;
};

static void sign_in_meanwhile(void *context)
{
	struct waiting *waiting = context;
	struct sr_identity_answer answer = {0};
	struct sr_person person;
	waiting->outcome = sr_person_sign_in(&waiting->request, "ada@example.org", PASSWORD, &answer, &person);
}

static void begin_waiting(struct fixture *fixture, struct waiting *waiting, struct sr_thread *thread)
{
	waiting->request = request_at(fixture, "", "", NOW_S);
	waiting->request.peer_address = "10.9.9.9";
	sr_mutex_lock(&fixture->identity.password_mutex);
	expect_ok(sr_thread_start("test-waiting", 0, sign_in_meanwhile, waiting, thread));
	usleep(200 * 1000); /* enough to have looked; were it not, the test would show less, not fail */
}

static void end_waiting(struct fixture *fixture, struct sr_thread thread)
{
	sr_mutex_unlock(&fixture->identity.password_mutex);
	sr_thread_join(thread);
}

static void guesses_at_once_are_locked_out_as_those_one_by_one(void **state)
{
	struct fixture *fixture = *state;
	struct sr_person ada = new_ada(fixture);
	struct waiting waiting;
	struct sr_thread thread;
	begin_waiting(fixture, &waiting, &thread);
	for (int i = 0; i < SR_FAILURES_FREE; i++) {
		expect_ok(sr_database_write(fixture->store->database, fail_once, ada.object_id));
	}
	end_waiting(fixture, thread);
	expect_code(waiting.outcome, SR_UNAUTHENTICATED);
}

static void guesses_at_once_are_limited_as_those_one_by_one(void **state)
{
	struct fixture *fixture = *state;
	new_ada(fixture);
	struct waiting waiting;
	struct sr_thread thread;
	begin_waiting(fixture, &waiting, &thread);
	for (int i = 0; i < 11; i++) {
		sr_rate_charge(&waiting.request, "ada@example.org");
	}
	end_waiting(fixture, thread);
	expect_code(waiting.outcome, SR_UNAVAILABLE);
}

static void what_was_approved_and_not_fetched_ends_with_the_sign_ins(void **state)
{
	struct fixture *fixture = *state;
	struct sr_person ada = new_ada(fixture);
	static const struct {
		sr_identity_handler end;
		const char *body;
	} ways[] = {{sr_people_sign_out, ""},
	            {sr_people_reset_password, ""},
	            {sr_people_update, "{\"enabled\":false}"},
	            {sr_people_delete, ""}};
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct sr_device_ask ask = {.client_id = AZ, .resource = "https://vault.azure.net"};
		struct sr_page_session session = {0};
		SR_CLEANUP(sr_buf) struct sr_buf code = SR_BUF(256);
		char user_code[SR_USER_CODE_LEN];
		char person[SR_GUID_TEXT_LEN];
		bool was_expired;
		uint64_t now_ms = sr_boottime_ms();
		memcpy(session.person, ada.object_id, sizeof session.person);
		expect_ok(sr_device_flow_start(fixture->identity.device_flows, &ask, now_ms, &code, user_code));
		assert_true(sr_device_flow_decide(fixture->identity.device_flows, user_code, ada.object_id, now_ms));
		sr_page_session_put(fixture->identity.page_sessions, "id", &session, now_ms);
		json_decref(call(fixture, ways[i].end, ada.object_id, ways[i].body));
		assert_false(sr_page_session_get(fixture->identity.page_sessions, "id", now_ms, &session));
		assert_int_equal(sr_device_flow_poll(fixture->identity.device_flows, sr_buf_text(&code), AZ, now_ms, &ask,
		                                     person, &was_expired),
		                 SR_DEVICE_UNKNOWN);
	}
}

static void the_administrator_sees_and_lifts_a_lock(void **state)
{
	struct fixture *fixture = *state;
	struct sr_person ada = new_ada(fixture);
	for (int i = 0; i < SR_FAILURES_FREE; i++) {
		expect_ok(sr_database_write(fixture->store->database, fail_once, ada.object_id));
	}
	SR_CLEANUP(sr_json) json_t *locked = call(fixture, sr_people_get, ada.object_id, "");
	assert_non_null(json_object_get(locked, "lockedUntil"));
	SR_CLEANUP(sr_json) json_t *unlocked = call(fixture, sr_people_unlock, "ada@example.org", "");
	assert_null(json_object_get(unlocked, "lockedUntil"));
	expect_ok(sign_in_at(fixture, "ada@example.org", PASSWORD, NOW_S));
}

static void who_is_disabled_is_told_only_with_the_right_password(void **state)
{
	struct fixture *fixture = *state;
	struct sr_person ada = new_ada(fixture);
	json_decref(call(fixture, sr_people_update, ada.object_id, "{\"enabled\":false}"));
	expect_code(sign_in_at(fixture, "ada@example.org", "wrong", NOW_S), SR_UNAUTHENTICATED);
	expect_code(sign_in_at(fixture, "ada@example.org", PASSWORD, NOW_S), SR_DENIED);
}

static void a_first_password_is_shown_once_and_must_be_changed(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *made = call(fixture, sr_people_create, "", "{\"userName\":\"bob\",\"roles\":[]}");
	assert_true(json_is_true(json_object_get(made, "mustChangePassword")));
	assert_int_equal(strlen(text_of(made, "password")), 20);
	SR_CLEANUP(sr_json) json_t *got = call(fixture, sr_people_get, "bob", "");
	assert_null(json_object_get(got, "password"));
	expect_ok(sign_in_at(fixture, "bob", text_of(made, "password"), NOW_S));

	struct sr_identity_request request = request_at(fixture, "", "", NOW_S);
	const char *id = text_of(made, "objectId");
	expect_code(sr_person_change_password(&request, id, "bob", "short"), SR_INVALID);
	expect_code(sr_person_change_password(&request, id, "bob", "xxxxxxxxxxxxxxx"), SR_INVALID);
	expect_code(sr_person_change_password(&request, id, "bob", text_of(made, "password")), SR_INVALID);
	expect_ok(sr_person_change_password(&request, id, "bob", PASSWORD));
	SR_CLEANUP(sr_json) json_t *changed = call(fixture, sr_people_get, "bob", "");
	assert_true(json_is_false(json_object_get(changed, "mustChangePassword")));
	expect_ok(sign_in_at(fixture, "bob", PASSWORD, NOW_S));
}

static void what_is_wrong_with_a_person_is_said(void **state)
{
	struct fixture *fixture = *state;
	new_ada(fixture);
	static const struct {
		const char *body;
		enum sr_code code;
	} wrong[] = {
	    {"{}", SR_INVALID},
	    {"{\"userName\":\"\"}", SR_INVALID},
	    {"{\"userName\":\"two words\"}", SR_INVALID},
	    {"{\"userName\":\"a<b\"}", SR_INVALID},
	    {"{\"userName\":\"x\",\"displayName\":\"a\\nb\"}", SR_INVALID},
	    {"{\"userName\":\"ADA@EXAMPLE.ORG\"}", SR_EXISTS},
	    {"{\"userName\":\"x\",\"roles\":[{\"role\":\"No Such Role\",\"scope\":\"/\"}]}", SR_INVALID},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		call_fails(fixture, sr_people_create, "", wrong[i].body, wrong[i].code, NULL);
	}
	call_fails(fixture, sr_people_get, "x", "", SR_NOT_FOUND, NULL);
}

/* Tokens of a new sign-in of this person, by a device code that was approved; the caller owns them. */
static json_t *tokens_at(struct fixture *fixture, const char *person, int64_t now_s)
{
	struct sr_identity_request begin = request_at(
	    fixture, fixture->store->tenant,
	    "client_id=" AZ "&scope=https://vault.azure.net/.default%20openid%20profile%20offline_access", now_s);
	struct sr_identity_answer begun = {0};
	expect_ok(sr_device_v2(&begin, &begun));
	assert_true(sr_device_flow_decide(fixture->identity.device_flows, text_of(begun.body, "user_code"), person,
	                                  sr_boottime_ms()));
	struct sr_identity_request redeem = request_at(
	    fixture, fixture->store->tenant,
	    sr_arena_printf(fixture->arena, "grant_type=device_code&client_id=" AZ "&client_info=1&device_code=%s",
	                    text_of(begun.body, "device_code")),
	    now_s);
	struct sr_identity_answer redeemed = {0};
	expect_ok(sr_token_v2(&redeem, &redeemed));
	json_decref(begun.body);
	return redeemed.body;
}

static struct sr_result refresh_at(struct fixture *fixture, const char *token, const char *resource, int64_t now_s,
                                   json_t **ret_body)
{
	struct sr_identity_request request = request_at(fixture, fixture->store->tenant,
	                                                sr_arena_printf(fixture->arena,
	                                                                "grant_type=refresh_token&client_id=" AZ
	                                                                "&refresh_token=%s&scope=%s/.default%%20openid",
	                                                                token, resource),
	                                                now_s);
	struct sr_identity_answer answer = {0};
	SR_TRY(sr_token_v2(&request, &answer));
	*ret_body = answer.body;
	return sr_ok();
}

#define VAULT "https://vault.azure.net"

static void a_sign_in_gives_what_libraries_want(void **state)
{
	struct fixture *fixture = *state;
	struct sr_person ada = new_ada(fixture);
	allow_az(fixture, "");
	SR_CLEANUP(sr_json) json_t *tokens = tokens_at(fixture, ada.object_id, NOW_S);
	SR_CLEANUP(sr_jwt) struct sr_jwt access = {0};
	SR_CLEANUP(sr_jwt) struct sr_jwt id = {0};
	expect_ok(sr_jwt_parse(fixture->arena, sr_bytes_str(text_of(tokens, "access_token")), &access));
	expect_ok(sr_jwt_parse(fixture->arena, sr_bytes_str(text_of(tokens, "id_token")), &id));
	assert_string_equal(text_of(access.claims, "oid"), ada.object_id);
	assert_string_equal(text_of(access.claims, "appid"), AZ);
	assert_string_equal(text_of(access.claims, "appidacr"), "0");
	assert_string_equal(text_of(access.claims, "idtyp"), "user");
	assert_string_equal(text_of(access.claims, "scp"), "user_impersonation");
	assert_string_equal(text_of(access.claims, "aud"), VAULT);
	assert_string_equal(text_of(id.claims, "aud"), AZ);
	assert_string_equal(text_of(id.claims, "preferred_username"), "ada@example.org");
	assert_string_equal(text_of(id.claims, "name"), "Ada");
	assert_string_equal(text_of(id.claims, "tid"), fixture->store->tenant);
	SR_CLEANUP(sr_buf) struct sr_buf info = SR_BUF(512);
	expect_ok(sr_base64url_decode(sr_bytes_str(text_of(tokens, "client_info")), &info));
	assert_non_null(strstr(sr_buf_text(&info), ada.object_id));
}

static void a_refresh_token_gives_the_next_and_its_second_use_ends_all(void **state)
{
	struct fixture *fixture = *state;
	struct sr_person ada = new_ada(fixture);
	allow_az(fixture, "");
	SR_CLEANUP(sr_json) json_t *first = tokens_at(fixture, ada.object_id, NOW_S);
	const char *first_token = text_of(first, "refresh_token");
	json_t *second;
	json_t *twin;
	json_t *third;
	expect_ok(refresh_at(fixture, first_token, VAULT, NOW_S, &second));
	/* A twin within moments is a client on two threads. */
	expect_ok(refresh_at(fixture, first_token, VAULT, NOW_S + SR_REFRESH_LEEWAY_S - 1, &twin));
	expect_ok(refresh_at(fixture, text_of(second, "refresh_token"), VAULT, NOW_S + 60, &third));
	json_t *none = NULL;
	expect_reason(refresh_at(fixture, first_token, VAULT, NOW_S + SR_REFRESH_LEEWAY_S, &none), SR_INVALID,
	              SR_AADSTS_GRANT_REVOKED);
	const json_t *live[] = {twin, third};
	for (size_t i = 0; i < 2; i++) {
		expect_reason(refresh_at(fixture, text_of(live[i], "refresh_token"), VAULT, NOW_S + 61, &none), SR_INVALID,
		              SR_AADSTS_BAD_GRANT_VALUE);
	}
	json_decref(second);
	json_decref(twin);
	json_decref(third);
}

static void refresh_tokens_end_unused_and_a_sign_in_ends_at_last(void **state)
{
	struct fixture *fixture = *state;
	struct sr_person ada = new_ada(fixture);
	allow_az(fixture, "");
	SR_CLEANUP(sr_json) json_t *idle = tokens_at(fixture, ada.object_id, NOW_S);
	json_t *none = NULL;
	expect_reason(refresh_at(fixture, text_of(idle, "refresh_token"), VAULT, NOW_S + SR_REFRESH_IDLE_LIFE_S, &none),
	              SR_INVALID, SR_AADSTS_IDLE_TOKEN);
	json_t *used = tokens_at(fixture, ada.object_id, NOW_S);
	int64_t now_s = NOW_S;
	for (; now_s + SR_REFRESH_IDLE_LIFE_S - 1 < NOW_S + SR_SIGN_IN_LIFE_S;) {
		json_t *next;
		now_s += SR_REFRESH_IDLE_LIFE_S - 1;
		expect_ok(refresh_at(fixture, text_of(used, "refresh_token"), VAULT, now_s, &next));
		json_decref(used);
		used = next;
	}
	expect_reason(refresh_at(fixture, text_of(used, "refresh_token"), VAULT, NOW_S + SR_SIGN_IN_LIFE_S, &none),
	              SR_INVALID, SR_AADSTS_IDLE_TOKEN);
	json_decref(used);
}

static void a_refresh_token_is_bound_to_client_and_resources(void **state)
{
	struct fixture *fixture = *state;
	struct sr_person ada = new_ada(fixture);
	allow_az(fixture, "{\"resources\":\"https://vault.azure.net https://management.azure.com/\"}");
	SR_CLEANUP(sr_json) json_t *tokens = tokens_at(fixture, ada.object_id, NOW_S);
	const char *token = text_of(tokens, "refresh_token");
	json_t *none = NULL;
	expect_reason(refresh_at(fixture, token, "https://storage.azure.com", NOW_S, &none), SR_INVALID,
	              SR_AADSTS_NO_CONSENT);
	expect_reason(refresh_at(fixture, token, "https://elsewhere.example", NOW_S, &none), SR_INVALID,
	              SR_AADSTS_UNKNOWN_RESOURCE);
	struct sr_identity_request other =
	    request_at(fixture, fixture->store->tenant,
	               sr_arena_printf(fixture->arena,
	                               "grant_type=refresh_token&client_id=11111111-1111-4111-8111-111111111111&"
	                               "refresh_token=%s&scope=" VAULT "/.default",
	                               token),
	               NOW_S);
	struct sr_identity_answer answer = {0};
	expect_reason(sr_token_v2(&other, &answer), SR_UNAUTHENTICATED, SR_AADSTS_UNKNOWN_APP);
	/* What was refused did not use it up. */
	json_t *good;
	expect_ok(refresh_at(fixture, token, "https://management.azure.com", NOW_S, &good));
	json_decref(good);
	/* Whoever asks for something else at the start is refused there. */
	call_fails(fixture, sr_device_v2, fixture->store->tenant,
	           "client_id=" AZ "&scope=https://storage.azure.com/.default", SR_INVALID, SR_AADSTS_NO_CONSENT);
}

static struct sr_result count_revoked(struct sr_bytes credential_id, void *context)
{
	(void)credential_id;
	++*(unsigned *)context;
	return sr_ok();
}

static struct sr_result each_revoked(struct sr_connection *connection, void *context)
{
	return sr_revoked_each(connection, count_revoked, context);
}

static void whatever_ends_a_sign_in_ends_its_tokens(void **state)
{
	struct fixture *fixture = *state;
	struct sr_person ada = new_ada(fixture);
	static const struct {
		sr_identity_handler handler;
		const char *part, *body;
	} ends[] = {
	    {sr_people_sign_out, "ada@example.org", ""},
	    {sr_people_reset_password, "ada@example.org", ""},
	    {sr_people_update, "ada@example.org", "{\"enabled\":false}"},
	    {sr_public_clients_remove, AZ, ""},
	    {sr_people_delete, "ada@example.org", ""},
	};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		allow_az(fixture, "");
		json_decref(call(fixture, sr_people_update, "ada@example.org", "{\"enabled\":true}"));
		SR_CLEANUP(sr_json) json_t *tokens = tokens_at(fixture, ada.object_id, NOW_S);
		unsigned before = 0;
		unsigned after = 0;
		expect_ok(sr_database_read(fixture->store->database, each_revoked, &before));
		json_decref(call(fixture, ends[i].handler, ends[i].part, ends[i].body));
		expect_ok(sr_database_read(fixture->store->database, each_revoked, &after));
		assert_int_equal(after, before + 1);
		json_t *none = NULL;
		SR_CLEANUP(sr_result)
		struct sr_result refused = refresh_at(fixture, text_of(tokens, "refresh_token"), VAULT, NOW_S, &none);
		assert_false(sr_is_ok(refused));
	}
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    WITH_STORE(a_right_password_signs_in_by_a_name_in_any_case),
	    WITH_STORE(each_further_wrong_password_locks_for_longer),
	    WITH_STORE(guesses_at_once_are_locked_out_as_those_one_by_one),
	    WITH_STORE(guesses_at_once_are_limited_as_those_one_by_one),
	    WITH_STORE(what_was_approved_and_not_fetched_ends_with_the_sign_ins),
	    WITH_STORE(the_administrator_sees_and_lifts_a_lock),
	    WITH_STORE(who_is_disabled_is_told_only_with_the_right_password),
	    WITH_STORE(a_first_password_is_shown_once_and_must_be_changed),
	    WITH_STORE(what_is_wrong_with_a_person_is_said),
	    WITH_STORE(a_sign_in_gives_what_libraries_want),
	    WITH_STORE(a_refresh_token_gives_the_next_and_its_second_use_ends_all),
	    WITH_STORE(refresh_tokens_end_unused_and_a_sign_in_ends_at_last),
	    WITH_STORE(a_refresh_token_is_bound_to_client_and_resources),
	    WITH_STORE(whatever_ends_a_sign_in_ends_its_tokens),
	};
	return cmocka_run_group_tests(tests, make_hash, NULL);
}
