/* The premises of the service's tests. */
#include "premises.h"

#include "service_certificate.h"

#include "base/clock.h"
#include "base/memory.h"
#include "blob/api.h"
#include "blob/error.h"
#include "blob/folder.h"
#include "wire/shared_key.h"
#include "wire/time.h"

#include <stdio.h>
#include <stdlib.h>

static struct premises_key *find(struct premises *premises, const struct sr_id *resource)
{
	for (size_t i = 0; i < PREMISES_KEYS; i++) {
		if (premises->keys[i].kek && sr_id_equal(&premises->keys[i].resource, resource)) {
			return &premises->keys[i];
		}
	}
	return NULL;
}

static struct sr_result may_use(struct premises *premises, const struct sr_id *resource, struct premises_key **ret_key)
{
	*ret_key = find(premises, resource);
	if (!*ret_key) {
		return sr_fail(SR_NOT_FOUND, "there is no such resource");
	}
	return (*ret_key)->is_disabled ? sr_fail_as(SR_REVOKED, "KeyDisabled", "the key is disabled") : sr_ok();
}

static struct sr_result store_open(void *context, const char *service, const struct sr_id *resource,
                                   struct sr_secret **ret_kek, uint32_t *ret_kek_epoch, uint64_t *ret_revocation_epoch)
{
	struct premises *premises = context;
	(void)service;
	SR_LOCKED(&premises->mutex);
	struct premises_key *key = NULL;
	SR_TRY(may_use(premises, resource, &key));
	SR_TRY(sr_secret_copy(key->kek, ret_kek));
	*ret_kek_epoch = 1;
	*ret_revocation_epoch = key->revocation_epoch;
	return sr_ok();
}

static struct sr_result store_may_renew(void *context, const char *service, const struct sr_id *resource)
{
	struct premises *premises = context;
	(void)service;
	SR_LOCKED(&premises->mutex);
	struct premises_key *key = NULL;
	return may_use(premises, resource, &key);
}

static struct sr_result store_create(void *context, const char *service, const struct sr_id *resource, const char *kind,
                                     const char *label, const struct sr_key_reference *reference)
{
	struct premises *premises = context;
	(void)service, (void)kind, (void)label;
	if (reference && strcmp(reference->name, "absent") == 0) {
		return sr_fail_as(SR_NOT_FOUND, "KeyNotFound", "there is no such key");
	}
	SR_LOCKED(&premises->mutex);
	for (size_t i = 0; i < PREMISES_KEYS; i++) {
		if (!premises->keys[i].kek) {
			premises->keys[i] = (struct premises_key){.resource = *resource, .revocation_epoch = 1};
			return sr_secret_random(SR_KEY_LEN, &premises->keys[i].kek);
		}
	}
	return sr_fail(SR_INTERNAL, "the test has too few keys");
}

static struct sr_result store_rekey(void *context, const char *service, const struct sr_id *resource,
                                    const struct sr_key_reference *key)
{
	(void)context, (void)service, (void)resource, (void)key;
	return sr_ok();
}

static void recall(struct premises *premises, struct premises_key *key, const char *reason)
{
	sr_mutex_lock(&premises->mutex);
	uint64_t epoch = ++key->revocation_epoch;
	sr_mutex_unlock(&premises->mutex);
	struct sr_recall_outcome outcome = sr_grantor_recall(premises->grantor, &key->resource, 1, epoch, reason);
	assert_int_equal(outcome.holders_silent, 0);
}

static struct sr_result store_destroy(void *context, const char *service, const struct sr_id *resource)
{
	struct premises *premises = context;
	(void)service;
	sr_mutex_lock(&premises->mutex);
	struct premises_key *key = find(premises, resource);
	if (key) {
		key->is_disabled = true;
	}
	sr_mutex_unlock(&premises->mutex);
	if (key) {
		recall(premises, key, "KeyNotFound");
	}
	return sr_ok();
}

static struct sr_result store_describe(void *context, const char *service, const struct sr_id *resource,
                                       struct sr_key_reference *ret_key)
{
	(void)context, (void)service, (void)resource;
	*ret_key = (struct sr_key_reference){.is_service_managed = true};
	return sr_ok();
}

static void make_tls(struct premises *premises)
{
	expect_ok(sr_certificate_new_ca("Test", 2, &premises->ca));
	SR_CLEANUP(sr_certificate) struct sr_certificate *vault = service_certificate(premises->ca, "vault");
	SR_CLEANUP(sr_certificate) struct sr_certificate *blob = service_certificate(premises->ca, "blob");
	expect_ok(sr_tls_server_new(vault, premises->ca, SR_TLS_MUST_SHOW, &premises->vault_tls));
	expect_ok(sr_tls_server_new(blob, NULL, SR_TLS_ANYONE, &premises->service_tls));
	expect_ok(sr_tls_client_new(blob, premises->ca, &premises->keyring_tls));
	expect_ok(sr_tls_client_new(NULL, premises->ca, &premises->client_tls));
}

static void start_vault(struct premises *premises)
{
	struct sr_grantor_options options = {.tls = premises->vault_tls,
	                                     .address = "127.0.0.1",
	                                     .ttl_ms = PREMISES_TTL_MS,
	                                     .store = {.context = premises,
	                                               .open_kek = store_open,
	                                               .may_renew = store_may_renew,
	                                               .create = store_create,
	                                               .rekey = store_rekey,
	                                               .destroy = store_destroy,
	                                               .describe = store_describe}};
	expect_ok(sr_grantor_start(&options, &premises->grantor));
}

static void open_control(struct sr_blob_service *service, const char *folder)
{
	for (int i = 0; i < 100; i++) {
		struct sr_result opened = sr_blob_control_open(service->keyring, folder, &service->control);
		if (sr_is_ok(opened)) {
			return;
		}
		sr_result_free(opened);
		sr_sleep_ms(20);
	}
	fail_msg("the control database does not open");
}

static void start_service(struct premises *premises)
{
	struct sr_blob_service *service = &premises->service;
	*service = (struct sr_blob_service){.started_ms = sr_boottime_ms()};
	const struct sr_keyring_options keyring = {.tls = premises->keyring_tls,
	                                           .vault_address = "127.0.0.1",
	                                           .vault_port = sr_grantor_port(premises->grantor),
	                                           .service = "blob"};
	expect_ok(sr_keyring_start(&keyring, &service->keyring));
	/* nobody listens there: no directory is ever read */
	const struct sr_access_options access = {.tls = premises->keyring_tls,
	                                         .identity_address = "127.0.0.1",
	                                         .identity_port = 1,
	                                         .authority = "https://127.0.0.1:1"};
	expect_ok(sr_access_start(&access, &service->access));
	open_control(service, premises->folder);
	expect_ok(sr_blob_accounts_open(service->keyring, service->control, premises->folder, &service->accounts));
	const struct sr_server_options server = {
	    .handler = sr_blob_handle, .on_error = sr_blob_error_on_server, .context = service};
	expect_ok(sr_server_new(&server, &service->server));
	expect_ok(sr_server_listen(service->server, premises->service_tls, "127.0.0.1", 0, &premises->port));
	expect_ok(sr_server_start(service->server));
	expect_ok(sr_client_new(premises->client_tls, "127.0.0.1", premises->port, NULL, &premises->client));
}

static void stop_service(struct premises *premises)
{
	struct sr_blob_service *service = &premises->service;
	sr_client_free(premises->client);
	sr_server_stop(service->server, 1000);
	sr_access_stop(service->access);
	sr_keyring_stop(service->keyring);
	sr_blob_accounts_free(service->accounts);
	sr_blob_control_free(service->control);
}

int premises_set_up(void **state)
{
	struct premises *premises = sr_alloc(sizeof *premises);
	const char *tmp = getenv("TMPDIR");
	snprintf(premises->folder, sizeof premises->folder, "%s/sr-blob-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(premises->folder));
	sr_mutex_init(&premises->mutex, SR_RANK_SERVICE);
	make_tls(premises);
	start_vault(premises);
	start_service(premises);
	*state = premises;
	return 0;
}

int premises_tear_down(void **state)
{
	struct premises *premises = *state;
	stop_service(premises);
	sr_grantor_stop(premises->grantor);
	sr_tls_free(premises->vault_tls);
	sr_tls_free(premises->service_tls);
	sr_tls_free(premises->keyring_tls);
	sr_tls_free(premises->client_tls);
	sr_certificate_free(premises->ca);
	for (size_t i = 0; i < PREMISES_KEYS; i++) {
		sr_secret_free(premises->keys[i].kek);
	}
	expect_ok(sr_blob_folder_remove(premises->folder));
	sr_mutex_destroy(&premises->mutex);
	sr_free(premises);
	return 0;
}

void premises_restart(struct premises *premises)
{
	stop_service(premises);
	start_service(premises);
}

struct sr_secret *premises_account(struct premises *premises, const char *name)
{
	expect_ok(sr_blob_accounts_create(premises->service.accounts, name, "default", NULL));
	struct sr_blob_account *account = sr_blob_accounts_find(premises->service.accounts, name);
	assert_non_null(account);
	struct sr_blob_shared_keys *keys = sr_blob_account_keys(account);
	struct sr_secret *copy;
	expect_ok(sr_secret_copy(keys->key[0], &copy));
	sr_blob_shared_keys_release(keys);
	sr_blob_account_release(account);
	return copy;
}

static struct premises_key *key_of(struct premises *premises, const char *name)
{
	struct sr_blob_account *account = sr_blob_accounts_find(premises->service.accounts, name);
	assert_non_null(account);
	struct premises_key *key = find(premises, &account->record.resource);
	assert_non_null(key);
	sr_blob_account_release(account);
	return key;
}

void premises_disable(struct premises *premises, const char *account)
{
	struct premises_key *key = key_of(premises, account);
	sr_mutex_lock(&premises->mutex);
	key->is_disabled = true;
	sr_mutex_unlock(&premises->mutex);
	recall(premises, key, "KeyDisabled");
}

void premises_enable(struct premises *premises, const char *account)
{
	struct premises_key *key = key_of(premises, account);
	sr_mutex_lock(&premises->mutex);
	key->is_disabled = false;
	sr_mutex_unlock(&premises->mutex);
	sr_sleep_ms(100); /* the keyring asks no more often */
}

/* The headers of a call, ended by NULL, and room for those that signing adds. */
struct head {
	const char *items[20][2];
	size_t count;
};

static void add(struct head *head, const char *name, const char *value)
{
	head->items[head->count][0] = name;
	head->items[head->count++][1] = value;
}

/* What the client will send besides, as it is signed. */
static const char *signature_of(struct sr_arena *arena, const struct call *call, const struct head *head)
{
	struct sr_signed_header headers[24];
	size_t count = 0;
	for (size_t i = 0; i < head->count; i++) {
		headers[count++] = (struct sr_signed_header){head->items[i][0], head->items[i][1]};
	}
	if (strcmp(call->method, "GET") != 0 && strcmp(call->method, "HEAD") != 0) {
		headers[count++] = (struct sr_signed_header){"content-length", sr_arena_printf(arena, "%zu", call->body.len)};
	}
	const char *mark = strchr(call->target, '?');
	struct sr_parameters query;
	expect_ok(sr_parameters_parse(arena, sr_bytes_str(mark ? mark + 1 : ""), false, &query));
	const struct sr_signed_request request = {
	    .method = call->method,
	    .path = sr_bytes_of(call->target, mark ? (size_t)(mark - call->target) : strlen(call->target)),
	    .query = &query,
	    .headers = headers,
	    .header_count = count,
	    .account = call->sign_as,
	};
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(16384);
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(64);
	uint8_t mac[SR_SHA256_LEN];
	sr_shared_key_string(arena, &request, call->is_lite, &text);
	expect_ok(sr_hmac_sha256(call->key, sr_buf_bytes(&text), mac));
	sr_base64_encode(&signature, sr_bytes_of(mac, sizeof mac));
	return sr_arena_printf(arena, "%s %s:%s", call->is_lite ? "SharedKeyLite" : "SharedKey", call->sign_as,
	                       sr_buf_text(&signature));
}

static void keep(char *to, size_t len, struct sr_bytes value)
{
	snprintf(to, len, "%.*s", (int)value.len, (const char *)value.data);
}

void premises_call(struct premises *premises, struct call *call)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	char date[SR_HTTP_DATE_LEN];
	sr_http_date(sr_unix_s() + call->date_offset_s, date);
	struct head head = {0};
	for (size_t i = 0; call->headers[i][0]; i++) {
		add(&head, call->headers[i][0], call->headers[i][1]);
	}
	add(&head, "x-ms-version", "2026-04-06");
	add(&head, "x-ms-date", date);
	if (call->key) {
		const char *signature = signature_of(arena, call, &head);
		add(&head, "authorization", signature);
	}
	const struct sr_client_request request = {
	    .method = call->method, .target = call->target, .headers = head.items, .body = call->body};
	struct sr_client_response response = {0};
	expect_ok(sr_client_exchange(premises->client, &request, &response));
	call->status = response.status;
	keep(call->error_code, sizeof call->error_code, sr_client_response_header(&response, "x-ms-error-code"));
	keep(call->etag, sizeof call->etag, sr_client_response_header(&response, "etag"));
	call->response = response.body;
	response.body = (struct sr_buf){0};
	sr_client_response_free(&response);
}

void call_end(struct call *call)
{
	sr_buf_free(&call->response);
}

void expect_status(struct premises *premises, const struct sr_secret *key, const char *method, const char *target,
                   const char *body, int status, const char *error_code)
{
	struct call call = {.method = method, .target = target, .body = sr_bytes_str(body), .key = key, .sign_as = "acct"};
	if (strcmp(method, "PUT") == 0) {
		call.headers[0][0] = "x-ms-blob-type";
		call.headers[0][1] = "BlockBlob";
	}
	premises_call(premises, &call);
	if (call.status != status || strcmp(call.error_code, error_code) != 0) {
		fail_msg("%s %s: got %d %s, expected %d %s", method, target, call.status, call.error_code, status, error_code);
	}
	call_end(&call);
}
