/* From an exchange of the resource manager's front to a call and back; every call, allowed or refused, is audited. */
#include "vault/provider.h"

#include "base/log.h"
#include "base/thread.h"
#include "vault/audit.h"
#include "vault/system_vault.h"

#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 4 * 1024 * 1024, ANSWER_MAX = 64 * 1024 * 1024 };

#define FRONT "workspace" /* the service that may come by the provider's door */

bool sr_vault_provider_is_for(const struct sr_exchange *exchange)
{
	if (!sr_exchange_is_local(exchange)) {
		return sr_exchange_peer_service(exchange)[0] != '\0';
	}
	static const char prefix[] = "/subscriptions/";
	const struct sr_bytes path = sr_exchange_path(exchange);
	return path.len >= sizeof prefix - 1 &&
	       sr_equal_nocase(sr_bytes_of(path.data, sizeof prefix - 1), sr_bytes_of(prefix, sizeof prefix - 1));
}

/* Reasons to statuses; the reason is the error's code. */
static const struct {
	const char *reason;
	int status;
} by_reason[] = {
    {"BadRequest", 400},
    {"VaultNameNotValid", 400},
    {"MissingApiVersionParameter", 400},
    {"InvalidRequestContent", 400},
    {"NoRegisteredProviderFound", 400},
    {"InvalidResourceType", 404},
    {"ResourceNotFound", 404},
    {"DeletedVaultNotFound", 404},
    {"ScopeLocked", 409},
    {"VaultAlreadyExists", 409},
    {"ConflictError", 409},
    {"MethodNotAllowed", 405},
    {"AuthorizationFailed", 403},
};

/* Failures without a reason of their own; the last row takes all others. */
static const struct {
	enum sr_code code;
	int status;
	const char *name;
} by_code[] = {
    {SR_INVALID, 400, "BadRequest"},
    {SR_PROTOCOL, 400, "InvalidRequestContent"},
    {SR_TOO_LARGE, 413, "RequestContentTooLarge"},
    {SR_NOT_FOUND, 404, "ResourceNotFound"},
    {SR_EXISTS, 409, "VaultAlreadyExists"},
    {SR_CONFLICT, 409, "ConflictError"},
    {SR_DENIED, 403, "AuthorizationFailed"},
    {SR_UNAVAILABLE, 503, "ServiceUnavailable"},
    {SR_TIMEOUT, 408, "RequestTimeout"},
    {SR_NO_SPACE, 503, "ServiceUnavailable"},
    {SR_OK, 500, "InternalServerError"},
};

static int status_of(struct sr_result error, const char **ret_code)
{
	const char *reason = sr_result_reason(error);
	for (size_t i = 0; reason && i < sizeof by_reason / sizeof *by_reason; i++) {
		if (strcmp(by_reason[i].reason, reason) == 0) {
			*ret_code = by_reason[i].reason;
			return by_reason[i].status;
		}
	}
	size_t row = 0;
	while (by_code[row].code != sr_result_code(error) && by_code[row].code != SR_OK) {
		row++;
	}
	*ret_code = by_code[row].name;
	return by_code[row].status;
}

static struct sr_result send_json(struct sr_exchange *exchange, int status, const json_t *body)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(ANSWER_MAX);
	if (body) {
		SR_TRY(sr_json_write(body, &text));
		sr_exchange_add_header(exchange, "Content-Type", "application/json; charset=utf-8");
	}
	sr_exchange_add_header(exchange, "Cache-Control", "no-cache");
	sr_exchange_add_header(exchange, "x-ms-request-id", sr_exchange_request_id(exchange));
	return sr_exchange_send(exchange, status, sr_buf_bytes(&text));
}

void sr_vault_provider_error(struct sr_exchange *exchange, struct sr_result error)
{
	const char *code;
	const int status = status_of(error, &code);
	const char *message = sr_result_message(error);
	if (status == 500) {
		sr_log(SR_LOG_ERROR, "request %s failed with %d", sr_exchange_request_id(exchange), (int)sr_result_code(error));
		message = "The vault could not do this; its log has the request's id.";
	}
	SR_CLEANUP(sr_json) json_t *body = json_object();
	json_t *detail = json_object();
	sr_json_set_string(detail, "code", code);
	sr_json_set_string(detail, "message", message);
	sr_json_set(body, "error", detail);
	sr_exchange_drop_headers(exchange);
	if (status == 503) {
		sr_exchange_add_header(exchange, "Retry-After", "1");
	}
	sr_ignore(send_json(exchange, status, body)); /* where the answer cannot be sent, nobody is left to tell */
}

static struct sr_result append_audit(struct sr_connection *connection, const struct sr_vault_provider_call *call,
                                     int status, const char *outcome)
{
	const char *object = !call->name  ? NULL
	                     : call->kind ? sr_arena_printf(call->arena, "%s/accessPolicies/%s", call->name, call->kind)
	                                  : call->name;
	const struct sr_audit_event event = {
	    .object_id = call->object_id,
	    .app_id = call->app_id,
	    .service = call->service,
	    .from = call->from,
	    .operation = call->route ? call->route->operation : "VaultManage",
	    .object = object,
	    .outcome = outcome,
	    .request_id = call->request_id,
	    .status = status,
	};
	return sr_audit_append(connection, &event);
}

struct audited_write {
	const struct sr_vault_provider_call *call;
	sr_database_work work;
	void *context;
	const struct sr_vault_provider_answer *answer;
};

static struct sr_result run_audited(struct sr_connection *connection, void *context)
{
	const struct audited_write *write = context;
	SR_TRY(write->work(connection, write->context));
	return append_audit(connection, write->call, write->answer->status ? write->answer->status : 200, NULL);
}

struct sr_result sr_vault_provider_write(struct sr_vault_provider_call *call, sr_database_work work, void *context,
                                         const struct sr_vault_provider_answer *answer)
{
	struct audited_write write = {call, work, context, answer};
	SR_TRY(sr_database_write(call->vault->state.database, run_audited, &write));
	call->is_audited = true;
	return sr_ok();
}

void sr_vault_provider_recall(struct sr_vault_provider_call *call, const struct sr_kek_set *set,
                              struct sr_vault_provider_answer *answer)
{
	struct sr_recall_outcome outcome = {0};
	struct sr_grantor *grantor = call->vault->state.grantor;
	if (grantor && set->count) {
		sr_blocking_begin();
		outcome = sr_grantor_recall(grantor, set->resources, set->count, set->revocation_epoch, "KeyNotFound");
		sr_blocking_end();
	}
	snprintf(answer->revocation, sizeof answer->revocation, "took_us=%llu, holders=%u, silent=%u",
	         (unsigned long long)outcome.took_us, outcome.holders_told, outcome.holders_silent);
}

struct entry {
	const struct sr_vault_provider_call *call;
	int status;
	const char *outcome;
};

static struct sr_result audit_work(struct sr_connection *connection, void *context)
{
	const struct entry *entry = context;
	return append_audit(connection, entry->call, entry->status, entry->outcome);
}

/* The entry of a call whose handler wrote none. Where it cannot be written the call fails. */
static struct sr_result audit(const struct sr_vault_provider_call *call, const struct sr_vault_provider_answer *answer,
                              struct sr_result result)
{
	if (call->is_audited) {
		return result;
	}
	struct entry entry = {call, answer->status ? answer->status : 200, NULL};
	if (!sr_is_ok(result)) {
		entry.status = status_of(result, &entry.outcome);
	}
	return sr_first_error(result, sr_database_write(call->vault->state.database, audit_work, &entry));
}

/* Versions of the API that behave alike here; newer previews of one are taken with it. */
static bool is_api_version(const char *version)
{
	static const char *const known[] = {"2015-06-01", "2016-10-01", "2018-02-14", "2019-09-01", "2020-04-01",
	                                    "2021-04-01", "2021-06-01", "2021-10-01", "2021-11-01", "2022-02-01",
	                                    "2022-07-01", "2022-11-01", "2023-02-01", "2023-07-01", "2024-04-01",
	                                    "2024-11-01", "2024-12-01", "2025-05-01", "2026-02-01"};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		const size_t len = strlen(known[i]);
		if (strncmp(version, known[i], len) == 0 && (!version[len] || strcmp(version + len, "-preview") == 0)) {
			return true;
		}
	}
	return false;
}

/* The front alone, and only in somebody's name. */
static struct sr_result check_caller(const struct sr_vault_provider_call *call)
{
	if (!call->service) {
		return sr_ok();
	}
	if (strcmp(call->service, FRONT) != 0) {
		return sr_fail_as(SR_DENIED, "AuthorizationFailed", "The service %.32s may not manage vaults.", call->service);
	}
	if (!call->object_id || !*call->object_id) {
		return sr_fail_as(SR_INVALID, "InvalidRequestContent",
		                  "The header " SR_CALLER_OBJECT_ID ", which names who asks, is missing.");
	}
	return sr_ok();
}

static struct sr_result check_request(struct sr_vault_provider_call *call)
{
	call->api_version = sr_parameter_get(&call->query, "api-version");
	if (!call->api_version) {
		return sr_fail_as(SR_INVALID, "MissingApiVersionParameter",
		                  "The api-version query parameter (?api-version=) is required for all requests.");
	}
	if (!is_api_version(call->api_version)) {
		return sr_fail_as(SR_INVALID, "NoRegisteredProviderFound",
		                  "No registered resource provider found for API version '%.32s' for type 'vaults'. Use "
		                  "2023-07-01 or 2026-02-01.",
		                  call->api_version);
	}
	if (call->name && sr_is_system_vault(call->name) && strcmp(call->route->method, "GET") != 0) {
		return sr_fail_as(SR_CONFLICT, "ScopeLocked",
		                  "The vault '%.127s' shows Strongroom's own certificates and is only read.", call->name);
	}
	return sr_access_installation(call->vault->access, &call->installation);
}

static struct sr_result parse_body(struct sr_vault_provider_call *call)
{
	if (!call->text.len) {
		return sr_ok();
	}
	struct sr_result parsed = sr_json_parse(call->text, &call->body);
	if (sr_is_ok(parsed) && json_is_object(call->body)) {
		return sr_ok();
	}
	sr_ignore(parsed);
	return sr_fail_as(SR_INVALID, "InvalidRequestContent", "The request content is no JSON object.");
}

struct sr_result sr_vault_provider_perform(struct sr_vault_provider_call *call, const char *method,
                                           struct sr_bytes path, struct sr_bytes query,
                                           struct sr_vault_provider_answer *answer)
{
	struct sr_segments segments;
	SR_TRY(sr_segments_parse(call->arena, path, &segments));
	SR_TRY(sr_parameters_parse(call->arena, query, false, &call->query));
	struct sr_result result = check_caller(call);
	if (sr_is_ok(result)) {
		result = sr_vault_provider_route_find(method, &segments, call);
	}
	if (sr_is_ok(result)) {
		result = check_request(call);
	}
	if (sr_is_ok(result)) {
		result = parse_body(call);
	}
	if (sr_is_ok(result)) {
		result = call->route->handler(call, answer);
	}
	return audit(call, answer, result);
}

static struct sr_result run(struct sr_exchange *exchange, struct sr_vault_provider_call *call,
                            struct sr_vault_provider_answer *answer)
{
	SR_TRY(sr_exchange_read_all(exchange, BODY_MAX, &call->text));
	SR_TRY(sr_vault_provider_perform(call, sr_exchange_method(exchange), sr_exchange_path(exchange),
	                                 sr_exchange_query(exchange), answer));
	if (answer->revocation[0]) {
		sr_exchange_add_header(exchange, "x-strongroom-revocation", answer->revocation);
	}
	return send_json(exchange, answer->status ? answer->status : 200, answer->body);
}

struct sr_result sr_vault_provider_handle(struct sr_exchange *exchange, struct sr_vault *vault)
{
	const bool is_local = sr_exchange_is_local(exchange);
	const char *request_id = sr_exchange_header(exchange, SR_CALLER_REQUEST_ID);
	struct sr_vault_provider_call call = {
	    .vault = vault,
	    .arena = sr_exchange_arena(exchange),
	    .object_id = is_local ? "local" : sr_exchange_header(exchange, SR_CALLER_OBJECT_ID),
	    .app_id = is_local ? NULL : sr_exchange_header(exchange, SR_CALLER_APP_ID),
	    .from = sr_exchange_peer_address(exchange),
	    .request_id = request_id && !is_local ? request_id : sr_exchange_request_id(exchange),
	    .service = is_local ? NULL : sr_exchange_peer_service(exchange),
	};
	struct sr_vault_provider_answer answer = {0};
	struct sr_result result = run(exchange, &call, &answer);
	json_decref(answer.body);
	json_decref(call.body);
	return result;
}
