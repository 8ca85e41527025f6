/*
 * The whole service over real TLS and a real lease: its doors, the directory's followers, and that it answers nothing
 * while its key is away. The vault's end is the grantor over a store of one key.
 */
#include "seal_init.h"
#include "service_certificate.h"

#include "identity/service.h"

#include "base/clock.h"
#include "base/memory.h"
#include "net/client.h"
#include "vault/grantor.h"
#include "wire/json.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TTL_MS = 400, REFUSAL_MS = 100 /* the keyring asks no more often */ };

struct house {
	char folder[256], socket[300];
	struct sr_certificate *ca;
	struct sr_tls *vault_tls, *public_tls, *internal_tls, *client_tls, *blob_tls, *customer_tls;
	struct sr_grantor *grantor;
	uint16_t vault_port;
	struct sr_mutex mutex; /* guards the rest */
	struct sr_id resource;
	struct sr_secret *kek;
	bool is_disabled;
	uint64_t revocation_epoch;
	struct sr_identity *identity;
	char authority[64];
};

/* The vault's store: one service-managed key. */
static struct sr_result may_use(struct house *house, const struct sr_id *resource)
{
	if (!house->kek || !sr_id_equal(&house->resource, resource)) {
		return sr_fail(SR_NOT_FOUND, "there is no such resource");
	}
	return house->is_disabled ? sr_fail_as(SR_REVOKED, "KeyDisabled", "the key is disabled") : sr_ok();
}

static struct sr_result store_open(void *context, const char *service, const struct sr_id *resource,
                                   struct sr_secret **ret_kek, uint32_t *ret_kek_epoch, uint64_t *ret_revocation_epoch)
{
	struct house *house = context;
	assert_string_equal(service, "identity");
	SR_LOCKED(&house->mutex);
	SR_TRY(may_use(house, resource));
	SR_TRY(sr_secret_copy(house->kek, ret_kek));
	*ret_kek_epoch = 3;
	*ret_revocation_epoch = house->revocation_epoch;
	return sr_ok();
}

static struct sr_result store_may_renew(void *context, const char *service, const struct sr_id *resource)
{
	struct house *house = context;
	(void)service;
	SR_LOCKED(&house->mutex);
	return may_use(house, resource);
}

static struct sr_result store_create(void *context, const char *service, const struct sr_id *resource, const char *kind,
                                     const char *label, const struct sr_key_reference *key)
{
	struct house *house = context;
	SR_LOCKED(&house->mutex);
	if (strcmp(service, "identity") != 0 || strcmp(kind, "service") != 0 || strcmp(label, "identity") != 0 ||
	    (key && !key->is_service_managed)) {
		return sr_fail(SR_INVALID, "not what identity should ask for");
	}
	if (house->kek) {
		return sr_fail(SR_EXISTS, "the resource is there");
	}
	house->resource = *resource;
	return sr_secret_random(SR_KEY_LEN, &house->kek);
}

static struct sr_result store_rekey(void *context, const char *service, const struct sr_id *resource,
                                    const struct sr_key_reference *key)
{
	(void)context, (void)service, (void)resource, (void)key;
	return sr_fail(SR_INVALID, "identity does not rekey");
}

static struct sr_result store_destroy(void *context, const char *service, const struct sr_id *resource)
{
	(void)context, (void)service, (void)resource;
	return sr_fail(SR_INVALID, "identity does not destroy");
}

static struct sr_result store_describe(void *context, const char *service, const struct sr_id *resource,
                                       struct sr_key_reference *ret_key)
{
	(void)context, (void)service, (void)resource, (void)ret_key;
	return sr_fail(SR_INVALID, "identity does not describe");
}

static void start_vault(struct house *house)
{
	struct sr_grantor_options options = {.tls = house->vault_tls,
	                                     .address = "127.0.0.1",
	                                     .port = house->vault_port,
	                                     .ttl_ms = TTL_MS,
	                                     .store = {.context = house,
	                                               .open_kek = store_open,
	                                               .may_renew = store_may_renew,
	                                               .create = store_create,
	                                               .rekey = store_rekey,
	                                               .destroy = store_destroy,
	                                               .describe = store_describe}};
	expect_ok(sr_grantor_start(&options, &house->grantor));
	house->vault_port = sr_grantor_port(house->grantor);
}

static void stop_vault(struct house *house)
{
	sr_grantor_stop(house->grantor);
	house->grantor = NULL;
}

static void take_key_away(struct house *house)
{
	sr_mutex_lock(&house->mutex);
	house->is_disabled = true;
	uint64_t epoch = ++house->revocation_epoch;
	sr_mutex_unlock(&house->mutex);
	struct sr_recall_outcome outcome = sr_grantor_recall(house->grantor, &house->resource, 1, epoch, "KeyDisabled");
	assert_int_equal(outcome.holders_silent, 0);
}

static void give_key_back(struct house *house)
{
	SR_LOCKED(&house->mutex);
	house->is_disabled = false;
}

/* Certificates. */
static void make_tls(struct house *house)
{
	expect_ok(sr_certificate_new_ca("Test", 2, &house->ca));
	SR_CLEANUP(sr_certificate) struct sr_certificate *vault = service_certificate(house->ca, "vault");
	SR_CLEANUP(sr_certificate) struct sr_certificate *identity = service_certificate(house->ca, "identity");
	SR_CLEANUP(sr_certificate) struct sr_certificate *blob = service_certificate(house->ca, "blob");
	expect_ok(sr_tls_server_new(vault, house->ca, SR_TLS_MUST_SHOW, &house->vault_tls));
	expect_ok(sr_tls_server_new(identity, NULL, SR_TLS_ANYONE, &house->public_tls));
	expect_ok(sr_tls_server_new(identity, house->ca, SR_TLS_MUST_SHOW, &house->internal_tls));
	expect_ok(sr_tls_client_new(identity, house->ca, &house->client_tls));
	expect_ok(sr_tls_client_new(blob, house->ca, &house->blob_tls));
	expect_ok(sr_tls_client_new(NULL, house->ca, &house->customer_tls));
}

/* The service. */
static const char *const listen_addresses[] = {"127.0.0.1", NULL};
static const char *const own_names[] = {"localhost", NULL};

static void start_service(struct house *house)
{
	struct sr_identity_options options = {.public_tls = house->public_tls,
	                                      .internal_tls = house->internal_tls,
	                                      .client_tls = house->client_tls,
	                                      .listen_addresses = listen_addresses,
	                                      .internal_address = "127.0.0.1",
	                                      .vault_address = "127.0.0.1",
	                                      .vault_port = house->vault_port,
	                                      .socket_path = house->socket,
	                                      .state_dir = house->folder,
	                                      .authority = "https://127.0.0.1:8441",
	                                      .own = {.dns_names = own_names, .addresses = listen_addresses},
	                                      .token_lifetime_s = 3600};
	expect_ok(sr_identity_start(&options, &house->identity));
}

static void prepare(struct house *house)
{
	uint64_t deadline_ms = sr_boottime_ms() + 5000;
	for (;;) {
		struct sr_result prepared = sr_identity_prepare(house->identity);
		if (sr_is_ok(prepared) || sr_boottime_ms() > deadline_ms) {
			expect_ok(prepared);
			return;
		}
		sr_ignore(prepared);
		sr_sleep_ms(20);
	}
}

static int set_up(void **state)
{
	struct house *house = sr_alloc(sizeof *house);
	const char *base = getenv("TMPDIR");
	snprintf(house->folder, sizeof house->folder, "%s/sr-identity-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(house->folder));
	snprintf(house->socket, sizeof house->socket, "%s/control.sock", house->folder);
	sr_mutex_init(&house->mutex, SR_RANK_DATABASE);
	make_tls(house);
	start_vault(house);
	start_service(house);
	*state = house;
	return 0;
}

static void remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	for (const struct dirent *entry; folder && (entry = readdir(folder));) {
		unlinkat(dirfd(folder), entry->d_name, 0);
	}
	closedir(folder);
	rmdir(path);
}

static int tear_down(void **state)
{
	struct house *house = *state;
	sr_identity_stop(house->identity);
	if (house->grantor) {
		stop_vault(house);
	}
	sr_tls_free(house->vault_tls);
	sr_tls_free(house->public_tls);
	sr_tls_free(house->internal_tls);
	sr_tls_free(house->client_tls);
	sr_tls_free(house->blob_tls);
	sr_tls_free(house->customer_tls);
	sr_certificate_free(house->ca);
	sr_secret_free(house->kek);
	remove_folder(house->folder);
	sr_free(house);
	return 0;
}

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
	prepare(house);
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
	    {SERVICE, "GET", "/directory", 200},
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
	prepare(house);
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
	prepare(house);
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
	prepare(house);
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
	prepare(house);
	SR_CLEANUP(sr_json) json_t *principal = new_principal(house, "app");
	SR_CLEANUP(sr_json) json_t *token = NULL;
	assert_int_equal(ask_for_token(house, principal, &token), 200);
	take_key_away(house);
	SR_CLEANUP(sr_json) json_t *refused = NULL;
	assert_int_equal(ask_for_token(house, principal, &refused), 503);
	assert_string_equal(text_of(refused, "error"), "temporarily_unavailable");
	assert_int_equal(call(house, SERVICE, "GET", "/directory", "", NULL), 503);
	assert_int_equal(call(house, CONSOLE, "GET", "/_strongroom/principals", "", NULL), 503);
	assert_int_equal(call(house, CUSTOMER, "GET", "/common/discovery/keys", "", NULL), 503);
	assert_int_equal(call(house, CUSTOMER, "GET", "/", "", NULL), 200);
	give_key_back(house);
	sr_sleep_ms(REFUSAL_MS);
	SR_CLEANUP(sr_json) json_t *again = NULL;
	assert_int_equal(ask_for_token(house, principal, &again), 200);
}

static void a_vault_that_dies_takes_identity_along_until_it_is_back(void **state)
{
	struct house *house = *state;
	prepare(house);
	SR_CLEANUP(sr_json) json_t *principal = new_principal(house, "app");
	stop_vault(house);
	sr_sleep_ms(TTL_MS + 100);
	assert_int_equal(ask_for_token(house, principal, NULL), 503);
	start_vault(house);
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
	stop_vault(house);
	start_service(house);
	SR_CLEANUP(sr_result) struct sr_result early = sr_identity_prepare(house->identity);
	assert_false(sr_is_ok(early));
	assert_int_equal(call(house, CUSTOMER, "GET", "/common/discovery/keys", "", NULL), 503);
	start_vault(house);
	prepare(house);
	SR_CLEANUP(sr_json) json_t *principal = new_principal(house, "app");
	sr_identity_stop(house->identity);
	start_service(house);
	prepare(house);
	SR_CLEANUP(sr_json) json_t *status = NULL;
	call(house, CONSOLE, "GET", "/_strongroom/status", "", &status);
	assert_string_equal(text_of(status, "tenant"), text_of(principal, "tenant"));
	assert_int_equal(ask_for_token(house, principal, NULL), 200);
}

static void stopping_does_not_wait_for_followers(void **state)
{
	struct house *house = *state;
	prepare(house);
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
	prepare(house);
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
#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
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
