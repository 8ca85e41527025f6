/* Accounts, their keys, status and census, for the command line. */
#include "blob/admin_api.h"

#include "blob/census.h"
#include "blob/freeze.h"
#include "blob/name.h"
#include "blob/verify.h"

#include "base/clock.h"
#include "wire/json.h"
#include "wire/url.h"

#include <string.h>

enum { BODY_MAX = 65536, ANSWER_MAX = 16 * 1024 * 1024 };
#define DEFAULT_RESOURCE_GROUP "default"

/* A call: path segments below /_strongroom, and the service. */
struct call {
	struct sr_exchange *exchange;
	struct sr_blob_service *service;
	struct sr_arena *arena;
	const char *account; /* NULL where the route has none */
};

static struct sr_result answer(struct call *call, int status, const json_t *value)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(ANSWER_MAX);
	SR_TRY(sr_json_write(value, &text));
	SR_TRY(sr_buf_result(&text));
	sr_exchange_add_header(call->exchange, "Content-Type", "application/json");
	struct sr_result sent = sr_exchange_send(call->exchange, status, sr_buf_bytes(&text));
	sr_wipe(text.data, text.cap);
	return sent;
}

static json_t *key_json(const struct sr_key_reference *key)
{
	json_t *value = json_object();
	sr_json_set_bool(value, "service_managed", key->is_service_managed);
	if (!key->is_service_managed) {
		sr_json_set_string(value, "vault", key->vault);
		sr_json_set_string(value, "name", key->name);
		sr_json_set_string(value, "version", key->version);
		sr_json_set_bool(value, "follows_latest", key->follows_latest);
	}
	return value;
}

/* What an account is, without its secrets: name, id, endpoint, key, state, counts. */
static json_t *account_json(struct call *call, struct sr_blob_account *account)
{
	const struct sr_blob_account_record *record = &account->record;
	char id[SR_ID_TEXT_LEN];
	sr_id_text(&record->id, id);
	json_t *value = json_object();
	sr_json_set_string(value, "name", record->name);
	sr_json_set_string(value, "id", id);
	sr_json_set_string(value, "resource_group", record->resource_group);
	sr_json_set_int(value, "created", record->created);
	const char *const *addresses = sr_host_addresses(call->service->host);
	unsigned long long port = sr_host_config(call->service->host)->blob_port;
	sr_json_set_string(value, "endpoint",
	                   sr_arena_printf(call->arena, "https://%s:%llu/%s", addresses[0] ? addresses[0] : "localhost",
	                                   port, record->name));
	struct sr_key_reference key;
	SR_CLEANUP(sr_result)
	struct sr_result described = sr_keyring_describe(call->service->keyring, &record->resource, &key);
	if (sr_is_ok(described)) {
		sr_json_set(value, "key", key_json(&key));
	}
	SR_CLEANUP(sr_result)
	struct sr_result usable = sr_blob_refresh_figures(call->service->accounts, account);
	sr_json_set_string(value, "state", sr_is_ok(usable) ? "available" : "revoked");
	sr_json_set_string(value, "reason", sr_is_ok(usable) ? NULL : sr_result_reason(usable));
	sr_json_set_int(value, "objects", atomic_load(&account->figures.objects));
	sr_json_set_int(value, "bytes", atomic_load(&account->figures.bytes));
	return value;
}

static json_t *accounts_json(struct call *call)
{
	json_t *list = json_array();
	for (size_t i = 0;; i++) {
		SR_CLEANUP(sr_blob_account) struct sr_blob_account *account = sr_blob_accounts_at(call->service->accounts, i);
		if (!account) {
			return list;
		}
		json_array_append_new(list, account_json(call, account));
	}
}

static struct sr_result get_status(struct call *call)
{
	struct sr_blob_service *service = call->service;
	struct sr_keyring_counts counts = sr_keyring_counts_now(service->keyring);
	SR_CLEANUP(sr_json) json_t *leases = json_object();
	sr_json_set_int(leases, "held", counts.leases_held);
	sr_json_set_bool(leases, "is_connected", counts.is_connected);
	sr_json_set_int(leases, "recalls", (int64_t)counts.recalls);
	sr_json_set_int(leases, "renewals", (int64_t)counts.renewals);
	SR_CLEANUP(sr_json) json_t *status = json_object();
	sr_json_set_string(status, "service", "blob");
	sr_json_set_int(status, "uptime_s", (int64_t)((sr_boottime_ms() - service->started_ms) / 1000));
	sr_json_set(status, "accounts", accounts_json(call));
	sr_json_set(status, "leases", json_incref(leases));
	sr_json_set_int(status, "connections", (int64_t)sr_server_counts_now(service->server).connections_now);
	return answer(call, 200, status);
}

static struct sr_result list_accounts(struct call *call)
{
	SR_CLEANUP(sr_json) json_t *value = json_object();
	sr_json_set(value, "accounts", accounts_json(call));
	return answer(call, 200, value);
}

static struct sr_result find(struct call *call, struct sr_blob_account **ret_account)
{
	*ret_account = sr_blob_accounts_find(call->service->accounts, call->account);
	return *ret_account ? sr_ok() : sr_fail(SR_NOT_FOUND, "there is no storage account %s", call->account);
}

static struct sr_result get_account(struct call *call)
{
	SR_CLEANUP(sr_blob_account) struct sr_blob_account *account = NULL;
	SR_TRY(find(call, &account));
	SR_CLEANUP(sr_json) json_t *value = account_json(call, account);
	return answer(call, 200, value);
}

/* An account with its shared keys, for its owner. */
static struct sr_result answer_with_keys(struct call *call, int status)
{
	SR_CLEANUP(sr_blob_account) struct sr_blob_account *account = NULL;
	SR_TRY(find(call, &account));
	SR_CLEANUP(sr_json) json_t *value = account_json(call, account);
	SR_CLEANUP(sr_buf) struct sr_buf key1 = SR_BUF(256);
	SR_CLEANUP(sr_buf) struct sr_buf key2 = SR_BUF(256);
	SR_TRY(sr_blob_control_keys(call->service->control, call->account, &key1, &key2));
	sr_json_set_string(value, "key1", sr_buf_text(&key1));
	sr_json_set_string(value, "key2", sr_buf_text(&key2));
	sr_wipe(key1.data, key1.cap);
	sr_wipe(key2.data, key2.cap);
	return answer(call, status, value);
}

static struct sr_result get_keys(struct call *call)
{
	return answer_with_keys(call, 200);
}

static struct sr_result read_body(struct call *call, json_t **ret_body)
{
	struct sr_bytes body;
	SR_TRY(sr_exchange_read_all(call->exchange, BODY_MAX, &body));
	return sr_json_parse(body.len ? body : SR_LITERAL("{}"), ret_body);
}

static struct sr_result set_text(char *to, size_t len, const char *text, const char *what)
{
	if (strlen(text) >= len) {
		return sr_fail(SR_INVALID, "%s is too long", what);
	}
	memcpy(to, text, strlen(text) + 1);
	return sr_ok();
}

/* {"vault", "key", "version"} names a customer's key, its latest version where none is named; {} the service's own. */
static struct sr_result read_key(const json_t *body, struct sr_key_reference *ret_key)
{
	const char *vault = NULL;
	const char *name = NULL;
	const char *version = NULL;
	SR_TRY(sr_json_get_string(body, "vault", &vault));
	SR_TRY(sr_json_get_string(body, "key", &name));
	SR_TRY(sr_json_get_string(body, "version", &version));
	struct sr_key_reference key = {.is_service_managed = !vault && !name};
	if (key.is_service_managed) {
		*ret_key = key;
		return sr_ok();
	}
	if (!vault || !name) {
		return sr_fail(SR_INVALID, "a customer-managed key is named by vault and key");
	}
	key.follows_latest = !version || !*version;
	SR_TRY(set_text(key.vault, sizeof key.vault, vault, "vault"));
	SR_TRY(set_text(key.name, sizeof key.name, name, "key"));
	SR_TRY(set_text(key.version, sizeof key.version, version ? version : "", "version"));
	*ret_key = key;
	return sr_ok();
}

static struct sr_result put_account(struct call *call)
{
	if (!sr_blob_is_account_name(sr_bytes_str(call->account))) {
		return sr_fail(SR_INVALID, "an account's name has 3 to 24 lowercase letters and digits");
	}
	SR_CLEANUP(sr_json) json_t *body = NULL;
	SR_TRY(read_body(call, &body));
	const char *group = DEFAULT_RESOURCE_GROUP;
	struct sr_key_reference key;
	SR_TRY(sr_json_get_string(body, "resource_group", &group));
	SR_TRY(read_key(body, &key));
	if (strlen(group) >= SR_RESOURCE_GROUP_LEN) {
		return sr_fail(SR_INVALID, "resource_group is too long");
	}
	SR_CLEANUP(sr_blob_account)
	struct sr_blob_account *account = sr_blob_accounts_find(call->service->accounts, call->account);
	if (account) {
		SR_TRY(sr_blob_accounts_rekey(call->service->accounts, call->account, &key));
		return answer_with_keys(call, 200);
	}
	SR_TRY(sr_blob_accounts_create(call->service->accounts, call->account, group, &key));
	return answer_with_keys(call, 201);
}

static struct sr_result delete_account(struct call *call)
{
	SR_TRY(sr_blob_accounts_delete(call->service->accounts, call->account));
	SR_CLEANUP(sr_json) json_t *value = json_object();
	sr_json_set_string(value, "name", call->account);
	sr_json_set_string(value, "state", "deleted");
	return answer(call, 200, value);
}

static struct sr_result regenerate_key(struct call *call)
{
	SR_CLEANUP(sr_json) json_t *body = NULL;
	SR_TRY(read_body(call, &body));
	const char *name = "";
	SR_TRY(sr_json_get_string(body, "keyName", &name));
	bool is_first = strcmp(name, "key1") == 0;
	if (!is_first && strcmp(name, "key2") != 0) {
		return sr_fail(SR_INVALID, "keyName is key1 or key2");
	}
	SR_TRY(sr_blob_accounts_renew_key(call->service->accounts, call->account, is_first ? 0 : 1));
	return answer_with_keys(call, 200);
}

static struct sr_result get_census(struct call *call)
{
	SR_CLEANUP(sr_blob_account) struct sr_blob_account *account = NULL;
	SR_TRY(find(call, &account));
	SR_CLEANUP(sr_json) json_t *census = NULL;
	SR_TRY(sr_blob_census(call->service->accounts, account, &census));
	return answer(call, 200, census);
}

/* {"accounts"}: the image is there until it is deleted, or another is made. */
static struct sr_result freeze(struct call *call)
{
	size_t accounts;
	SR_TRY(sr_blob_freeze(call->service, &accounts));
	SR_CLEANUP(sr_json) json_t *value = json_object();
	sr_json_set_int(value, "accounts", (int64_t)accounts);
	return answer(call, 200, value);
}

static struct sr_result thaw(struct call *call)
{
	SR_TRY(sr_image_remove(sr_host_state_dir(call->service->host)));
	return sr_exchange_send(call->exchange, 204, (struct sr_bytes){0});
}

static struct sr_result verify(struct call *call)
{
	return sr_blob_verify(call->exchange, call->service);
}

static const struct {
	const char *method;
	const char *first; /* below /_strongroom */
	bool has_account;  /* then a name follows */
	const char *last;  /* NULL: nothing more */
	struct sr_result (*handle)(struct call *call);
} routes[] = {
    {"GET", "status", false, NULL, get_status},      {"POST", "verify", false, NULL, verify},
    {"POST", "image", false, NULL, freeze},          {"DELETE", "image", false, NULL, thaw},
    {"GET", "accounts", false, NULL, list_accounts}, {"GET", "accounts", true, NULL, get_account},
    {"PUT", "accounts", true, NULL, put_account},    {"DELETE", "accounts", true, NULL, delete_account},
    {"GET", "accounts", true, "keys", get_keys},     {"POST", "accounts", true, "regenerate-key", regenerate_key},
    {"GET", "accounts", true, "census", get_census},
};

static bool segment_is(const struct sr_segments *segments, size_t index, const char *text)
{
	return index < segments->count && sr_equal_public(segments->items[index], sr_bytes_str(text));
}

static struct sr_result dispatch(struct call *call)
{
	struct sr_segments segments;
	SR_TRY(sr_segments_parse(call->arena, sr_exchange_path(call->exchange), &segments));
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		size_t count = (size_t)2 + routes[i].has_account + (routes[i].last != NULL);
		if (segments.count == count && segment_is(&segments, 0, "_strongroom") &&
		    segment_is(&segments, 1, routes[i].first) &&
		    (!routes[i].last || segment_is(&segments, count - 1, routes[i].last)) &&
		    strcmp(routes[i].method, sr_exchange_method(call->exchange)) == 0) {
			call->account = routes[i].has_account ? (const char *)segments.items[2].data : NULL;
			return routes[i].handle(call);
		}
	}
	return sr_fail(SR_NOT_FOUND, "there is no such operation");
}

/* Statuses of the administrator's interface; what is not here is 500. */
static int status_of(enum sr_code code)
{
	static const struct {
		enum sr_code code;
		int status;
	} statuses[] = {
	    {SR_NOT_FOUND, 404}, {SR_EXISTS, 409},   {SR_INVALID, 400},   {SR_CONFLICT, 409}, {SR_REVOKED, 409},
	    {SR_DENIED, 403},    {SR_PROTOCOL, 400}, {SR_TOO_LARGE, 413}, {SR_NO_SPACE, 507}, {SR_UNAVAILABLE, 503},
	};
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		if (statuses[i].code == code) {
			return statuses[i].status;
		}
	}
	return 500;
}

struct sr_result sr_blob_admin_handle(struct sr_exchange *exchange, struct sr_blob_service *service)
{
	struct call call = {.exchange = exchange, .service = service, .arena = sr_exchange_arena(exchange)};
	SR_CLEANUP(sr_result) struct sr_result result = dispatch(&call);
	if (sr_is_ok(result) || sr_exchange_has_begun(exchange)) {
		return sr_result_take(&result);
	}
	SR_CLEANUP(sr_json) json_t *body = json_object();
	json_t *error = json_object();
	const char *reason = sr_result_reason(result);
	sr_json_set_string(error, "code", reason ? reason : "Error");
	sr_json_set_string(error, "message", sr_result_message(result));
	sr_json_set(body, "error", error);
	return answer(&call, status_of(sr_result_code(result)), body);
}
