/* Takes exchanges apart: route, token, api-version, subscription, permission, body; then the handler. Nothing of a body
 * is read before it is known who asks. */
#include "workspace/dispatch.h"

#include "base/log.h"
#include "wire/credentials.h"
#include "workspace/arm_error.h"
#include "workspace/audited.h"
#include "workspace/route.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { ANSWER_MAX = 64 * 1024 * 1024 };

static struct sr_result authenticate(struct sr_exchange *exchange, struct sr_arm_call *call)
{
	if (sr_exchange_is_local(exchange)) {
		call->who = (struct sr_principal){.object_id = "local", .app_id = "", .is_local = true};
		return sr_ok();
	}
	SR_TRY(sr_access_installation(call->workspace->access, &call->installation));
	const char *token = sr_credentials(sr_exchange_header(exchange, "authorization"), "Bearer");
	if (!token) {
		return sr_fail_as(SR_UNAUTHENTICATED, "AuthenticationFailed",
		                  "Authentication failed. The 'Authorization' header is missing.");
	}
	const char *const audiences[] = {
	    "https://management.azure.com", "https://management.core.windows.net",
	    sr_access_own_origin(call->arena, sr_exchange_authority(exchange),
	                         (uint16_t)sr_host_config(call->workspace->host)->workspace_port),
	    NULL};
	return sr_access_authenticate(call->workspace->access, call->arena, sr_bytes_str(token), audiences, &call->who);
}

/* "2021-04-01", perhaps "-preview" behind it. */
static bool is_api_version(const char *text)
{
	static const char form[] = "dddd-dd-dd";
	for (size_t i = 0; i < sizeof form - 1; i++) {
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i]) {
			return false;
		}
	}
	return !text[10] || strncmp(text + 10, "-preview", 8) == 0 || strcmp(text + 10, "-privatepreview") == 0;
}

static struct sr_result check_api_version(struct sr_arm_call *call)
{
	call->api_version = sr_parameter_get(&call->query, "api-version");
	if (!call->api_version || !*call->api_version) {
		return sr_fail_as(SR_INVALID, "MissingApiVersionParameter",
		                  "The api-version query parameter (?api-version=) is required for all requests.");
	}
	if (!is_api_version(call->api_version)) {
		return sr_fail_as(SR_INVALID, "InvalidApiVersionParameter",
		                  "The api-version '%.32s' is invalid. It must be a date, as in '2021-04-01'.",
		                  call->api_version);
	}
	return sr_ok();
}

static struct sr_result check_subscription(const struct sr_arm_call *call)
{
	if (call->route->has_subscription && strcasecmp(call->parts[0], call->installation.subscription) != 0) {
		return sr_fail_as(SR_NOT_FOUND, "SubscriptionNotFound", "The subscription '%.64s' could not be found.",
		                  call->parts[0]);
	}
	return sr_ok();
}

struct sr_result sr_arm_refuse(const struct sr_arm_call *call, const char *action, const char *scope)
{
	return sr_fail_as(SR_DENIED, "AuthorizationFailed",
	                  "The client '%s' with object id '%s' does not have authorization to perform action '%s' over "
	                  "scope '%s' or the scope is invalid. If access was recently granted, please refresh your "
	                  "credentials.",
	                  call->who.app_id, call->who.object_id, action, scope);
}

struct sr_result sr_arm_authorise(struct sr_arm_call *call, const char *action, const char *scope)
{
	if (call->who.is_local) {
		return sr_ok();
	}
	struct sr_result result = sr_access_check(call->workspace->access, &call->who, action, false, scope, NULL);
	if (sr_result_code(result) == SR_DENIED) {
		sr_ignore(result);
		return sr_arm_refuse(call, action, scope);
	}
	return result;
}

struct sr_result sr_arm_require_text(const struct sr_arm_call *call, const char *name, const char **ret_text)
{
	const char *text = NULL;
	if (call->body) {
		SR_TRY(sr_json_get_string(call->body, name, &text));
	}
	if (!text || !*text) {
		return sr_fail_as(SR_INVALID, "InvalidRequestContent", "The request content was invalid: '%s' is required.",
		                  name);
	}
	*ret_text = text;
	return sr_ok();
}

static struct sr_result read_body(struct sr_exchange *exchange, struct sr_arm_call *call)
{
	SR_TRY(sr_exchange_read_all(exchange, SR_ARM_BODY_MAX, &call->text));
	if (!call->text.len) {
		return sr_ok();
	}
	SR_TRY(sr_json_parse(call->text, &call->body));
	return json_is_object(call->body) ? sr_ok()
	                                  : sr_fail_as(SR_INVALID, "InvalidRequestContent",
	                                               "The request content was invalid: it is no JSON object.");
}

/* All that may refuse a call, then the call. */
static struct sr_result perform(struct sr_exchange *exchange, struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	SR_TRY(authenticate(exchange, call));
	SR_TRY(sr_arm_route_find(call->arena, call->method, sr_exchange_path(exchange), &call->route, call->parts,
	                         &call->path));
	if (call->route->is_local && !call->who.is_local) {
		return sr_fail_as(SR_NOT_FOUND, "ResourceNotFound", "Resource Manager has nothing at this address.");
	}
	SR_TRY(sr_parameters_parse(call->arena, sr_exchange_query(exchange), false, &call->query));
	if (!call->route->is_local) { /* those answer whether identity can be had or not */
		SR_TRY(sr_access_installation(call->workspace->access, &call->installation));
		SR_TRY(check_api_version(call));
	}
	SR_TRY(check_subscription(call));
	if (call->route->action) {
		SR_TRY(sr_arm_authorise(call, call->route->action, call->path));
	}
	SR_TRY(read_body(exchange, call));
	return call->route->handler(call, answer);
}

static void add_headers(struct sr_exchange *exchange)
{
	const char *request_id = sr_exchange_request_id(exchange);
	const char *sent = sr_exchange_header(exchange, "x-ms-correlation-request-id");
	const char *client_id = sr_exchange_header(exchange, "x-ms-client-request-id");
	sr_exchange_add_header(exchange, "Cache-Control", "no-cache");
	sr_exchange_add_header(exchange, "Pragma", "no-cache");
	sr_exchange_add_header(exchange, "Expires", "-1");
	sr_exchange_add_header(exchange, "x-ms-request-id", request_id);
	sr_exchange_add_header(exchange, "x-ms-correlation-request-id",
	                       sent && sr_is_guid(sr_bytes_str(sent)) ? sent : request_id);
	sr_exchange_add_header_format(exchange, "x-ms-routing-request-id", "LOCAL:%s", request_id);
	sr_exchange_add_header(exchange, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
	sr_exchange_add_header(exchange, "X-Content-Type-Options", "nosniff");
	if (client_id) {
		sr_exchange_add_header(exchange, "x-ms-client-request-id", client_id);
	}
}

static struct sr_result send_json(struct sr_exchange *exchange, int status, const json_t *body)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(ANSWER_MAX);
	if (body) {
		SR_TRY(sr_json_write(body, &text));
		sr_exchange_add_header(exchange, "Content-Type", "application/json; charset=utf-8");
	}
	return sr_exchange_send(exchange, status, sr_buf_bytes(&text));
}

static struct sr_result send_answer(struct sr_exchange *exchange, const struct sr_arm_answer *answer)
{
	add_headers(exchange);
	if (answer->location) {
		sr_exchange_add_header(exchange, "Location", answer->location);
	}
	if (answer->retry_after_s) {
		sr_exchange_add_header_format(exchange, "Retry-After", "%u", answer->retry_after_s);
	}
	return send_json(exchange, answer->status ? answer->status : 200, answer->body);
}

struct sr_result sr_workspace_dispatch(struct sr_exchange *exchange, void *context)
{
	struct sr_arena *arena = sr_exchange_arena(exchange);
	struct sr_arm_call call = {
	    .workspace = context,
	    .exchange = exchange,
	    .arena = arena,
	    .method = sr_exchange_method(exchange),
	    .target = sr_exchange_target(exchange),
	    .base_url = sr_arena_printf(arena, "https://%s", sr_exchange_authority(exchange)),
	    .request_id = sr_exchange_request_id(exchange),
	};
	struct sr_arm_answer answer = {0};
	struct sr_result result = perform(exchange, &call, &answer);
	result = sr_workspace_audit(&call, &answer, result);
	if (sr_is_ok(result) && !answer.is_sent) {
		result = send_answer(exchange, &answer);
	}
	json_decref(answer.body);
	json_decref(call.body);
	return result;
}

/* Where to get a token, in the words that the SDKs read. */
static void add_challenge(struct sr_exchange *exchange, const struct sr_workspace *workspace, const char *message)
{
	struct sr_installation installation;
	struct sr_result result = sr_access_installation(workspace->access, &installation);
	if (sr_is_ok(result)) {
		sr_exchange_add_header_format(exchange, "WWW-Authenticate",
		                              "Bearer authorization_uri=\"%s/%s\", error=\"invalid_token\", "
		                              "error_description=\"%s\"",
		                              sr_access_authority(workspace->access), installation.tenant, message);
	}
	sr_ignore(result);
}

void sr_workspace_dispatch_error(struct sr_exchange *exchange, struct sr_result error, void *context)
{
	const struct sr_workspace *workspace = context;
	const struct sr_arm_error row = sr_arm_error_of(error);
	const char *message = sr_result_message(error);
	if (row.is_ours) {
		sr_log(SR_LOG_ERROR, "request %s failed with %d", sr_exchange_request_id(exchange), (int)sr_result_code(error));
		message = "The server encountered an internal error; its log has the request's id.";
	}
	sr_exchange_drop_headers(exchange);
	add_headers(exchange);
	if (row.status == 401) {
		add_challenge(exchange, workspace, "The access token is missing or is not valid.");
	}
	if (row.status == 503) {
		sr_exchange_add_header(exchange, "Retry-After", "1");
	}
	SR_CLEANUP(sr_json) json_t *body = sr_arm_error_body(&row, message);
	sr_ignore(send_json(exchange, row.status, body)); /* where the answer cannot be sent, nobody is left to tell */
}
