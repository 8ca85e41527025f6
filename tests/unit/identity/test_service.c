/*
 * The whole service over real TLS and a real lease: its doors, the directory's followers, and that it answers nothing
 * while its key is away. The vault's end is the grantor over a store of one key.
 */
#include "house.h"

#include "base/clock.h"
#include "base/memory.h"
#include "net/client.h"
#include "wire/json.h"

enum { REFUSAL_MS = 100 /* the keyring asks no more often */ };

/* One exchange on a connection of its own; gives the status, and the body if it is wanted. */
enum door { CUSTOMER, SERVICE, CONSOLE };

static struct sr_client *connect_to(struct house *house, enum door door)
{
	struct sr_client *client;
	if (door == CONSOLE) {
		expect_ok(sr_client_new_unix(house->socket, &client));
	} else if (door == SERVICE) {
		expect_ok(sr_client_new(house->blob_tls, "127.0.0.1", house->identity->internal_port, "identity", &client));
	} else {
		expect_ok(sr_client_new(house->customer_tls, "127.0.0.1", house->identity->port, NULL, &client));
	}
	return client;
}

static int call(struct house *house, enum door door, const char *method, const char *target, const char *body,
                json_t **ret_body)
{
	SR_CLEANUP(sr_client) struct sr_client *client = connect_to(house, door);
	struct sr_client_request request = {.method = method, .target = target, .body = sr_bytes_str(body)};
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	expect_ok(sr_client_exchange(client, &request, &response));
	if (ret_body) {
		expect_ok(sr_json_parse(sr_buf_bytes(&response.body), ret_body));
	}
	return response.status;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	assert_non_null(text);
	return text;
}

static json_t *new_principal(struct house *house, const char *name)
{
	json_t *principal = NULL;
	SR_CLEANUP(sr_string) char *body = sr_strdupf("{\"name\":\"%s\",\"roles\":[]}", name);
	assert_int_equal(call(house, CONSOLE, "POST", "/_strongroom/principals", body, &principal), 201);
	return principal;
}

static int ask_for_token(struct house *house, const json_t *principal, json_t **ret_answer)
{
	SR_CLEANUP(sr_string) char *target = sr_strdupf("/%s/oauth2/v2.0/token", text_of(principal, "tenant"));
	SR_CLEANUP(sr_string)
	char *form = sr_strdupf("grant_type=client_credentials&client_id=%s&client_secret=%s"
	                        "&scope=https%%3A%%2F%%2Fvault.azure.net%%2F.default",
	                        text_of(principal, "clientId"), text_of(principal, "secret"));
	return call(house, CUSTOMER, "POST", target, form, ret_answer);
}

static void each_door_has_its_own_requests(void **state)
{
	struct house *house = *state;
	house_prepare(house);
	static const struct {
		enum door door;
		const char *method, *target;
		int status;
	} expected[] = {
	    {CUSTOMER, "GET", "/", 200},
	    {CUSTOMER, "GET", "/common/v2.0/.well-known/openid-configuration", 200},
	    {CUSTOMER, "GET", "/strongroom/.well-known/openid-configuration", 200},
	    {CUSTOMER, "GET", "/adfs/.well-known/openid-configuration", 200},
	    {CUSTOMER, "GET", "/organizations/discovery/v2.0/keys", 200},
	    {CUSTOMER, "GET", "/Common/Discovery/Keys", 200},
	    {CUSTOMER, "GET", "/elsewhere/discovery/keys", 400},
	    {CUSTOMER, "GET", "/error?code=7000215", 200},
	    {CUSTOMER, "GET", "/error?code=1", 404},
	    {CUSTOMER, "GET", "/common/oauth2/v2.0/token", 405},
	    {CUSTOMER, "POST", "/common/oauth2/v2.0/token", 400},
	    {CUSTOMER, "GET", "/directory", 404},
	    {CUSTOMER, "GET", "/_strongroom/status", 404},
	    {CUSTOMER, "POST", "/_strongroom/principals", 404},
	    {CUSTOMER, "GET", "/managed-identities", 404},
	    {CUSTOMER, "GET", "/metadata/identity/oauth2/token", 404},
	    {CUSTOMER, "GET", "/msi/token", 400},
	    {SERVICE, "GET", "/directory", 200},
	    {SERVICE, "GET", "/managed-identities", 403}, /* blob manages none */
	    {SERVICE, "POST", "/identity-headers", 403},
	    {SERVICE, "POST", "/imds-bindings", 403},
	    {SERVICE, "POST", "/deny-assignments", 403},
	    {SERVICE, "GET", "/metadata/identity/oauth2/token", 404},
	    {SERVICE, "GET", "/directory?revision=x", 400},
	    {SERVICE, "GET", "/_strongroom/status", 404},
	    {CONSOLE, "GET", "/_strongroom/status", 200},
	    {CONSOLE, "GET", "/directory", 404},
	    {CONSOLE, "GET", "/_strongroom/nothing", 404},
	};
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		SR_CLEANUP(sr_json) json_t *body = NULL;
		int status = call(house, expected[i].door, expected[i].method, expected[i].target, "", &body);
		if (status != expected[i].status) {
			fprintf(stderr, "%s %s: status %d\n", expected[i].method, expected[i].target, status);
		}
		assert_int_equal(status, expected[i].status);
		assert_true(status == 200 || json_object_get(body, "error"));
	}
}

static void a_wrong_basic_header_is_told_how_to_authenticate(void **state)
{
	struct house *house = *state;
	house_prepare(house);
	SR_CLEANUP(sr_client) struct sr_client *client = connect_to(house, CUSTOMER);
	struct sr_client_request request = {
	    .method = "POST",
	    .target = "/common/oauth2/v2.0/token",
	    .body = SR_LITERAL("grant_type=client_credentials&scope=https://vault.azure.net/.default")};
	SR_CLEANUP(sr_json) json_t *principal = new_principal(house, "app");
	SR_CLEANUP(sr_buf) struct sr_buf pair = SR_BUF(256);
	SR_CLEANUP(sr_buf) struct sr_buf basic = SR_BUF(256);
	sr_buf_printf(&pair, "%s:wrong", text_of(principal, "clientId"));
	sr_buf_append_str(&basic, "Basic ");
	sr_base64_encode(&basic, sr_buf_bytes(&pair));
	const char *const wrong[][2] = {{"Authorization", sr_buf_text(&basic)}, {NULL, NULL}};
	request.headers = wrong;
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	expect_ok(sr_client_exchange(client, &request, &response));
	assert_int_equal(response.status, 401);
	assert_true(sr_bytes_start_with(sr_client_response_header(&response, "WWW-Authenticate"), SR_LITERAL("Basic ")));
	assert_true(sr_bytes_start_with(sr_client_response_header(&response, "Cache-Control"), SR_LITERAL("no-store")));
}

static void metadata_follows_the_name_by_which_it_was_asked(void **state)
{
	struct house *house = *state;
	house_prepare(house);
	SR_CLEANUP(sr_json) json_t *body = NULL;
	call(house, CUSTOMER, "GET", "/common/v2.0/.well-known/openid-configuration", "", &body);
	SR_CLEANUP(sr_string) char *origin = sr_strdupf("https://127.0.0.1:%u/", house->identity->port);
	static const char *const urls[] = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"};
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		assert_int_equal(strncmp(text_of(body, urls[i]), origin, strlen(origin)), 0);
	}
	SR_CLEANUP(sr_string)
	char *target = sr_strdupf("/common/discovery/instance?api-version=1.1&authorization_endpoint="
	                          "https://127.0.0.1:%u/common/oauth2/v2.0/authorize",
	                          house->identity->port);
	SR_CLEANUP(sr_json) json_t *instance = NULL;
	assert_int_equal(call(house, CUSTOMER, "GET", target, "", &instance), 200);
	assert_int_equal(strncmp(text_of(instance, "tenant_discovery_endpoint"), origin, strlen(origin)), 0);
	SR_CLEANUP(sr_json) json_t *foreign = NULL;
	assert_int_equal(call(house, CUSTOMER, "GET",
	                      "/common/discovery/instance?authorization_endpoint=https://login.example/common/authorize",
	                      "", &foreign),
	                 400);
	assert_string_equal(text_of(foreign, "error"), "invalid_instance");
}

struct poll {
	struct house *house;
	char target[128];
	json_t *body;
	uint64_t took_ms;
};

static void run_poll(void *context)
{
	struct poll *poll = context;
	uint64_t start_ms = sr_boottime_ms();
	call(poll->house, SERVICE, "GET", poll->target, "", &poll->body);
	poll->took_ms = sr_boottime_ms() - start_ms;
}

static void followers_hear_of_a_change_at_once(void **state)
{
	struct house *house = *state;
	house_prepare(house);
	SR_CLEANUP(sr_json) json_t *now = NULL;
	assert_int_equal(call(house, SERVICE, "GET", "/directory?wait=10000", "", &now), 200);
	assert_int_equal(json_array_size(json_object_get(now, "keys")), 1);
	assert_int_equal(json_array_size(json_object_get(now, "principals")), 0);
	assert_int_equal(json_array_size(json_object_get(now, "roles")), 0);
	long long revision = json_integer_value(json_object_get(now, "revision"));

	struct poll quiet = {.house = house};
	snprintf(quiet.target, sizeof quiet.target, "/directory?revision=%lld&wait=150", revision);
	run_poll(&quiet);
	assert_in_range(quiet.took_ms, 140, 5000);
	assert_int_equal(json_integer_value(json_object_get(quiet.body, "revision")), revision);
	json_decref(quiet.body);

	struct poll waiting = {.house = house};
	snprintf(waiting.target, sizeof waiting.target, "/directory?revision=%lld&wait=20000", revision);
	struct sr_thread thread;
	expect_ok(sr_thread_start("poll", 1 << 20, run_poll, &waiting, &thread));
	sr_sleep_ms(100);
	SR_CLEANUP(sr_json) json_t *principal = new_principal(house, "newcomer");
	sr_thread_join(thread);
	SR_CLEANUP(sr_json) json_t *heard = waiting.body;
	assert_in_range(waiting.took_ms, 0, 5000);
	assert_true(json_integer_value(json_object_get(heard, "revision")) > revision);
	const json_t *item = json_array_get(json_object_get(heard, "principals"), 0);
	assert_string_equal(text_of(item, "oid"), text_of(principal, "objectId"));
	assert_string_equal(text_of(item, "appId"), text_of(principal, "clientId"));
	assert_true(json_is_true(json_object_get(item, "enabled")));
}

static void without_its_key_it_answers_nothing_and_recovers_by_itself(void **state)
{
	struct house *house = *state;
	house_prepare(house);
	SR_CLEANUP(sr_json) json_t *principal = new_principal(house, "app");
	SR_CLEANUP(sr_json) json_t *token = NULL;
	assert_int_equal(ask_for_token(house, principal, &token), 200);
	house_take_key_away(house);
	SR_CLEANUP(sr_json) json_t *refused = NULL;
	assert_int_equal(ask_for_token(house, principal, &refused), 503);
	assert_string_equal(text_of(refused, "error"), "temporarily_unavailable");
	assert_int_equal(call(house, SERVICE, "GET", "/directory", "", NULL), 503);
	assert_int_equal(call(house, CONSOLE, "GET", "/_strongroom/principals", "", NULL), 503);
	assert_int_equal(call(house, CUSTOMER, "GET", "/common/discovery/keys", "", NULL), 503);
	assert_int_equal(call(house, CUSTOMER, "GET", "/", "", NULL), 200);
	house_give_key_back(house);
	sr_sleep_ms(REFUSAL_MS);
	SR_CLEANUP(sr_json) json_t *again = NULL;
	assert_int_equal(ask_for_token(house, principal, &again), 200);
}

static void a_vault_that_dies_takes_identity_along_until_it_is_back(void **state)
{
	struct house *house = *state;
	house_prepare(house);
	SR_CLEANUP(sr_json) json_t *principal = new_principal(house, "app");
	house_stop_vault(house);
	sr_sleep_ms(HOUSE_TTL_MS + 100);
	assert_int_equal(ask_for_token(house, principal, NULL), 503);
	house_start_vault(house);
	uint64_t deadline_ms = sr_boottime_ms() + 10000;
	int status;
	while ((status = ask_for_token(house, principal, NULL)) != 200 && sr_boottime_ms() < deadline_ms) {
		sr_sleep_ms(50);
	}
	assert_int_equal(status, 200);
}

static void it_starts_before_the_vault_and_restarts_with_the_same_tenant(void **state)
{
	struct house *house = *state;
	sr_identity_stop(house->identity);
	house_stop_vault(house);
	house_start_service(house);
	SR_CLEANUP(sr_result) struct sr_result early = sr_identity_prepare(house->identity);
	assert_false(sr_is_ok(early));
	assert_int_equal(call(house, CUSTOMER, "GET", "/common/discovery/keys", "", NULL), 503);
	house_start_vault(house);
	house_prepare(house);
	SR_CLEANUP(sr_json) json_t *principal = new_principal(house, "app");
	sr_identity_stop(house->identity);
	house_start_service(house);
	house_prepare(house);
	SR_CLEANUP(sr_json) json_t *status = NULL;
	call(house, CONSOLE, "GET", "/_strongroom/status", "", &status);
	assert_string_equal(text_of(status, "tenant"), text_of(principal, "tenant"));
	assert_int_equal(ask_for_token(house, principal, NULL), 200);
}

static void stopping_does_not_wait_for_followers(void **state)
{
	struct house *house = *state;
	house_prepare(house);
	SR_CLEANUP(sr_json) json_t *now = NULL;
	call(house, SERVICE, "GET", "/directory", "", &now);
	struct poll waiting = {.house = house};
	snprintf(waiting.target, sizeof waiting.target, "/directory?revision=%lld&wait=30000",
	         (long long)json_integer_value(json_object_get(now, "revision")));
	struct sr_thread thread;
	expect_ok(sr_thread_start("poll", 1 << 20, run_poll, &waiting, &thread));
	sr_sleep_ms(100);
	uint64_t start_ms = sr_boottime_ms();
	sr_identity_stop(house->identity);
	house->identity = NULL;
	sr_thread_join(thread);
	assert_in_range(sr_boottime_ms() - start_ms, 0, 3000);
	json_decref(waiting.body);
}

static struct sr_result keep_lines(struct sr_bytes bytes, void *context)
{
	sr_buf_append(context, bytes);
	return sr_ok();
}

static void verification_says_how_far_it_is_and_what_it_found(void **state)
{
	struct house *house = *state;
	house_prepare(house);
	SR_CLEANUP(sr_client) struct sr_client *client = connect_to(house, CONSOLE);
	SR_CLEANUP(sr_buf) struct sr_buf lines = SR_BUF(1 << 20);
	struct sr_client_request request = {
	    .method = "POST", .target = "/_strongroom/verify", .on_body = keep_lines, .context = &lines};
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	expect_ok(sr_client_exchange(client, &request, &response));
	assert_int_equal(response.status, 200);
	char *rest = NULL;
	sr_buf_text(&lines);
	SR_CLEANUP(sr_json) json_t *last = NULL;
	unsigned progress = 0;
	for (char *line = strtok_r((char *)lines.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		sr_json_cleanup(&last);
		expect_ok(sr_json_parse(sr_bytes_str(line), &last));
		progress += json_is_integer(json_object_get(last, "done"));
	}
	assert_true(progress > 0);
	assert_string_equal(text_of(last, "result"), "ok");
	assert_int_equal(json_array_size(json_object_get(last, "findings")), 0);
}

int main(void)
{
#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, house_set_up, house_tear_down)
	const struct CMUnitTest tests[] = {
	    IN_HOUSE(each_door_has_its_own_requests),
	    IN_HOUSE(a_wrong_basic_header_is_told_how_to_authenticate),
	    IN_HOUSE(metadata_follows_the_name_by_which_it_was_asked),
	    IN_HOUSE(followers_hear_of_a_change_at_once),
	    IN_HOUSE(without_its_key_it_answers_nothing_and_recovers_by_itself),
	    IN_HOUSE(a_vault_that_dies_takes_identity_along_until_it_is_back),
	    IN_HOUSE(it_starts_before_the_vault_and_restarts_with_the_same_tenant),
	    IN_HOUSE(stopping_does_not_wait_for_followers),
	    IN_HOUSE(verification_says_how_far_it_is_and_what_it_found),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
