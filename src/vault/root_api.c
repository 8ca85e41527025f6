/* HTTP of the gate and of the root key. What is given for it comes as text and goes into secret memory; the request's
 * own memory is wiped as it ends. */
#include "vault/root_api.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/thread.h"
#include "vault/audit.h"
#include "vault/seal.h"
#include "vault/service.h"

#include <string.h>

#define PREFIX      "/_strongroom/"
#define HEALTH_PATH "/healthstatus"
#define SEALED_TEXT "The vault is sealed. Whoever has what opens it runs: strongroom unseal"

enum { GIVEN_MAX = 32768, ANSWER_MAX = 65536, PREPARED_KEPT_MS = 10 * 60 * 1000 };

struct sr_root_desk {
	struct sr_mutex mutex; /* guards all below */
	struct sr_root_change change;
	bool is_prepared;
	uint64_t prepared_ms;
};

struct sr_root_desk *sr_root_desk_new(void)
{
	struct sr_root_desk *desk = sr_alloc(sizeof *desk);
	sr_mutex_init(&desk->mutex, SR_RANK_SUPERVISOR); /* held while the gate, a service's own, is asked */
	return desk;
}

void sr_root_desk_free(struct sr_root_desk *desk)
{
	if (desk) {
		sr_root_change_cleanup(&desk->change);
		sr_mutex_destroy(&desk->mutex);
		sr_free(desk);
	}
}

static struct sr_result send_json(struct sr_exchange *exchange, int status, const json_t *body)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(ANSWER_MAX);
	SR_TRY(sr_json_write(body, &text));
	sr_exchange_add_header(exchange, "Content-Type", "application/json; charset=utf-8");
	sr_exchange_add_header(exchange, "Cache-Control", "no-store");
	return sr_exchange_send(exchange, status, sr_buf_bytes(&text));
}

static struct sr_result read_given(struct sr_exchange *exchange, struct sr_bytes *ret_text)
{
	return sr_exchange_read_all(exchange, GIVEN_MAX, ret_text);
}

/* A failure to open or make a root key, so that whoever stands at the machine reads why. */
static struct sr_result told(struct sr_result result)
{
	const enum sr_code code = sr_result_code(result);
	if (code == SR_OK || code == SR_INVALID || code == SR_NOT_FOUND || code == SR_CONFLICT ||
	    sr_result_reason(result)) {
		return result;
	}
	SR_CLEANUP(sr_result) struct sr_result inner = result;
	return code == SR_WRONG_KEY ? sr_fail_as(SR_DENIED, "WrongRootKey", "%s", sr_result_message(inner))
	                            : sr_fail_as(SR_UNAVAILABLE, "RootKeyUnavailable", "%s", sr_result_message(inner));
}

/* ---- health ---- */

bool sr_root_api_is_health(const struct sr_exchange *exchange)
{
	return strcmp(sr_exchange_method(exchange), "GET") == 0 &&
	       sr_equal_public(sr_exchange_path(exchange), SR_LITERAL(HEALTH_PATH));
}

struct sr_result sr_root_api_health(struct sr_exchange *exchange, struct sr_vault *vault)
{
	const bool is_open = !vault->gate || sr_gate_is_open(vault->gate);
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "status", is_open ? "Healthy" : "Sealed");
	if (vault->gate) {
		sr_gate_report(vault->gate, body);
	}
	if (!is_open) {
		sr_json_set(body, "error",
		            json_pack("{s:s, s:s, s:{s:s}}", "code", "ServiceUnavailable", "message", SEALED_TEXT, "innererror",
		                      "code", "VaultSealed"));
		sr_exchange_add_header(exchange, "Retry-After", "5");
	}
	return send_json(exchange, is_open ? 200 : 503, body);
}

/* ---- the gate ---- */

static struct sr_result send_gate(struct sr_exchange *exchange, struct sr_vault *vault)
{
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "service", "vault");
	sr_json_set_int(body, "uptime_s", (int64_t)((sr_boottime_ms() - vault->started_ms) / 1000));
	sr_gate_report(vault->gate, body);
	return send_json(exchange, 200, body);
}

static struct sr_result unseal(struct sr_exchange *exchange, struct sr_vault *vault)
{
	struct sr_bytes given;
	SR_TRY(read_given(exchange, &given));
	struct sr_result result = sr_gate_unseal(vault->gate, given);
	if (!sr_is_ok(result)) {
		sr_log(SR_LOG_WARNING, "an attempt to unseal the vault was refused (%d)", (int)sr_result_code(result));
		return told(result);
	}
	return send_gate(exchange, vault);
}

struct sr_result sr_root_api_handle_sealed(struct sr_exchange *exchange, struct sr_vault *vault)
{
	const struct sr_bytes path = sr_exchange_path(exchange);
	const char *method = sr_exchange_method(exchange);
	if (sr_exchange_is_local(exchange) && sr_bytes_start_with(path, SR_LITERAL(PREFIX))) {
		const struct sr_bytes rest = sr_bytes_of(path.data + sizeof PREFIX - 1, path.len - (sizeof PREFIX - 1));
		const bool is_unseal = sr_equal_public(rest, SR_LITERAL("unseal"));
		if (is_unseal && strcmp(method, "POST") == 0) {
			return unseal(exchange, vault);
		}
		if (is_unseal && strcmp(method, "DELETE") == 0) {
			sr_gate_forget(vault->gate);
			return send_gate(exchange, vault);
		}
		if (strcmp(method, "GET") == 0 && sr_equal_public(rest, SR_LITERAL("status"))) {
			return send_gate(exchange, vault);
		}
	}
	return sr_fail_as(SR_UNAVAILABLE, "VaultSealed", SEALED_TEXT);
}

static struct sr_result handle_unseal(struct sr_exchange *exchange, struct sr_vault *vault,
                                      const struct sr_parameters *query)
{
	(void)query;
	return send_gate(exchange, vault); /* it is open: nothing of the body is read */
}

static struct sr_result handle_seal(struct sr_exchange *exchange, struct sr_vault *vault,
                                    const struct sr_parameters *query)
{
	(void)query;
	struct sr_recall_outcome outcome;
	SR_TRY(sr_vault_seal(vault, sr_exchange_request_id(exchange), &outcome));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_bool(body, "sealed", true);
	sr_json_set_int(body, "took_us", (int64_t)outcome.took_us);
	sr_json_set_int(body, "holders", outcome.holders_told);
	sr_json_set_int(body, "silent", outcome.holders_silent);
	struct sr_result sent = send_json(exchange, 200, body);
	sr_host_restart(vault->host); /* what held the keys ends; the next process starts sealed */
	return sent;
}

/* ---- the root key ---- */

static struct sr_result record(struct sr_exchange *exchange, struct sr_vault *vault, const char *operation,
                               const char *detail, struct sr_result result)
{
	const struct sr_audit_event event = {.object_id = "local",
	                                     .from = "local",
	                                     .operation = operation,
	                                     .object = "root",
	                                     .outcome = sr_is_ok(result) ? NULL : "refused",
	                                     .detail = detail,
	                                     .request_id = sr_exchange_request_id(exchange),
	                                     .status = sr_is_ok(result) ? 200 : 400};
	return sr_first_error(result, sr_audit_write(vault->state.database, &event));
}

static struct sr_result handle_show(struct sr_exchange *exchange, struct sr_vault *vault,
                                    const struct sr_parameters *query)
{
	(void)query;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(4096);
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_gate_describe(vault->gate, &text);
	sr_gate_report(vault->gate, body);
	sr_json_set_string(body, "description", sr_buf_text(&text));
	return send_json(exchange, 200, body);
}

static struct sr_result number_of(const struct sr_parameters *query, const char *name, unsigned *ret_number)
{
	const char *text = sr_parameter_get(query, name);
	uint64_t number = 0;
	if (text) {
		SR_TRY(sr_parse_u64(sr_bytes_str(text), SR_SHARES_MOST, &number));
	}
	*ret_number = (unsigned)number;
	return sr_ok();
}

/* With the desk locked. */
static struct sr_result prepare(struct sr_vault *vault, const struct sr_parameters *query, struct sr_bytes given,
                                struct sr_buf *handout)
{
	struct sr_root_settings settings = vault->root_settings;
	const struct sr_root_provider *provider;
	const char *to = sr_parameter_get(query, "to");
	SR_CLEANUP(sr_root_answer) struct sr_root_answer answer = {0};
	SR_TRY(sr_root_provider_named(to ? to : "", &provider));
	SR_TRY(number_of(query, "threshold", &settings.threshold));
	SR_TRY(number_of(query, "count", &settings.share_count));
	SR_TRY(sr_root_answer_read(provider, given, &answer));
	struct sr_root_desk *desk = vault->desk;
	sr_root_change_cleanup(&desk->change);
	desk->is_prepared = false;
	SR_TRY(sr_root_change_new(&settings, provider, &answer.input, handout, &desk->change));
	desk->is_prepared = true;
	desk->prepared_ms = sr_boottime_ms();
	return sr_ok();
}

static struct sr_result handle_prepare(struct sr_exchange *exchange, struct sr_vault *vault,
                                       const struct sr_parameters *query)
{
	struct sr_bytes given;
	SR_CLEANUP(sr_buf) struct sr_buf handout = SR_BUF(SR_ROOT_HANDOUT_MAX);
	SR_TRY(read_given(exchange, &given));
	sr_blocking_begin();
	sr_mutex_lock(&vault->desk->mutex);
	struct sr_result result = prepare(vault, query, given, &handout);
	sr_mutex_unlock(&vault->desk->mutex);
	sr_blocking_end();
	SR_TRY(told(record(exchange, vault, "RootKeyPrepare", sr_parameter_get(query, "to"), result)));
	sr_exchange_add_header(exchange, "Content-Type", "text/plain");
	return sr_exchange_send(exchange, 200, sr_buf_bytes(&handout));
}

/* With the desk locked. */
static struct sr_result commit(struct sr_vault *vault, struct sr_bytes given, struct sr_buf *left)
{
	struct sr_root_desk *desk = vault->desk;
	SR_CLEANUP(sr_root_answer) struct sr_root_answer answer = {0};
	if (!desk->is_prepared || sr_boottime_ms() - desk->prepared_ms > PREPARED_KEPT_MS) {
		return sr_fail(SR_CONFLICT, "no change of the root key is prepared, or it has waited too long: begin again");
	}
	SR_TRY(sr_root_answer_read(desk->change.provider, given, &answer));
	SR_TRY(sr_root_change_commit(vault->master_path, &vault->root_settings, &desk->change, &answer.input,
	                             &vault->master, left));
	sr_root_change_cleanup(&desk->change);
	desk->is_prepared = false;
	return sr_gate_reread(vault->gate);
}

static struct sr_result handle_commit(struct sr_exchange *exchange, struct sr_vault *vault,
                                      const struct sr_parameters *query)
{
	(void)query;
	struct sr_bytes given;
	SR_CLEANUP(sr_buf) struct sr_buf left = SR_BUF(4096);
	SR_CLEANUP(sr_buf) struct sr_buf description = SR_BUF(4096);
	SR_TRY(read_given(exchange, &given));
	sr_blocking_begin();
	sr_mutex_lock(&vault->desk->mutex);
	struct sr_result result = commit(vault, given, &left);
	sr_mutex_unlock(&vault->desk->mutex);
	sr_blocking_end();
	sr_gate_describe(vault->gate, &description);
	SR_TRY(told(record(exchange, vault, "RootKeyChange", sr_buf_text(&description), result)));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_gate_report(vault->gate, body);
	sr_json_set_string(body, "description", sr_buf_text(&description));
	sr_json_set_string(body, "left", sr_buf_text(&left));
	return send_json(exchange, 200, body);
}

static struct sr_result handle_drop(struct sr_exchange *exchange, struct sr_vault *vault,
                                    const struct sr_parameters *query)
{
	sr_mutex_lock(&vault->desk->mutex);
	sr_root_change_cleanup(&vault->desk->change);
	vault->desk->is_prepared = false;
	sr_mutex_unlock(&vault->desk->mutex);
	return handle_show(exchange, vault, query);
}

static const struct {
	const char *method, *path;
	struct sr_result (*handle)(struct sr_exchange *exchange, struct sr_vault *vault, const struct sr_parameters *query);
} endpoints[] = {
    {"POST", "unseal", handle_unseal},      {"POST", "seal", handle_seal},
    {"GET", "root", handle_show},           {"POST", "root/prepare", handle_prepare},
    {"POST", "root/commit", handle_commit}, {"DELETE", "root/prepare", handle_drop},
};
enum { ENDPOINT_COUNT = sizeof endpoints / sizeof *endpoints };

bool sr_root_api_is_for(struct sr_bytes path)
{
	for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
		if (sr_equal_public(path, sr_bytes_str(endpoints[i].path))) {
			return true;
		}
	}
	return false;
}

struct sr_result sr_root_api_handle(struct sr_exchange *exchange, struct sr_vault *vault, struct sr_bytes path,
                                    const struct sr_parameters *query)
{
	for (size_t i = 0; i < ENDPOINT_COUNT && vault->gate; i++) {
		if (sr_equal_public(path, sr_bytes_str(endpoints[i].path)) &&
		    strcmp(sr_exchange_method(exchange), endpoints[i].method) == 0) {
			return endpoints[i].handle(exchange, vault, query);
		}
	}
	return sr_fail_as(SR_INVALID, "MethodNotAllowed", "the vault has no such endpoint");
}
