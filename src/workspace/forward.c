/* The way there and back. */
#include "workspace/forward.h"

#include <string.h>

enum { HEADER_COUNT = 5 };

/* By name, as the table of providers has it. */
static struct sr_result upstream_of(const struct sr_workspace *workspace, const char *service,
                                    struct sr_upstream **ret_upstream)
{
	if (strcmp(service, "vault") == 0 && workspace->vault) {
		*ret_upstream = workspace->vault;
		return sr_ok();
	}
	if (strcmp(service, "identity") == 0 && workspace->identity) {
		*ret_upstream = workspace->identity;
		return sr_ok();
	}
	return sr_fail(SR_UNAVAILABLE, "the service '%s' is not connected", service);
}

static void fill_headers(const struct sr_forward_caller *caller, const char *headers[HEADER_COUNT][2])
{
	const char *const values[HEADER_COUNT][2] = {
	    {"x-strongroom-caller-object-id", caller->object_id},
	    {"x-strongroom-caller-app-id", caller->app_id ? caller->app_id : ""},
	    {"x-strongroom-request-id", caller->request_id},
	    {"Content-Type", "application/json; charset=utf-8"},
	    {NULL, NULL},
	};
	memcpy(headers, values, sizeof values);
}

static struct sr_result exchange(const struct sr_workspace *workspace, const char *service,
                                 const struct sr_forward_caller *caller, struct sr_client_request *request,
                                 struct sr_client_response *ret_response)
{
	struct sr_upstream *upstream;
	SR_TRY(upstream_of(workspace, service, &upstream));
	const char *headers[HEADER_COUNT][2];
	fill_headers(caller, headers);
	request->headers = headers;
	return sr_upstream_exchange(upstream, request, ret_response);
}

static struct sr_result parse_body(const struct sr_client_response *response, const char *service, json_t **ret_body)
{
	if (!response->body.len) {
		return sr_ok();
	}
	struct sr_result parsed = sr_json_parse(sr_buf_bytes(&response->body), ret_body);
	if (!sr_is_ok(parsed)) {
		sr_ignore(parsed);
		return sr_fail(SR_PROTOCOL, "the answer of the service '%s' is no JSON", service);
	}
	return sr_ok();
}

/* The service does not know by which name the client reached us: links that begin with '/' are made whole. */
static void complete_link(const struct sr_arm_call *call, json_t *body)
{
	const char *link = json_string_value(json_object_get(body, "nextLink"));
	if (link && *link == '/') {
		sr_json_set_string(body, "nextLink", sr_arena_printf(call->arena, "%s%s", call->base_url, link));
	}
}

static const char *whole_url(const struct sr_arm_call *call, struct sr_bytes link)
{
	if (!link.len) {
		return NULL;
	}
	const char *text = sr_arena_text(call->arena, link);
	return *text == '/' ? sr_arena_printf(call->arena, "%s%s", call->base_url, text) : text;
}

struct sr_result sr_forward(struct sr_arm_call *call, const char *service, struct sr_arm_answer *answer)
{
	const struct sr_forward_caller caller = {call->who.object_id, call->who.app_id, call->request_id};
	struct sr_client_request request = {.method = strcmp(call->method, "HEAD") == 0 ? "GET" : call->method,
	                                    .target = sr_arena_text(call->arena, call->target),
	                                    .body = call->text};
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	SR_TRY(exchange(call->workspace, service, &caller, &request, &response));
	SR_TRY(parse_body(&response, service, &answer->body));
	if (answer->body) {
		complete_link(call, answer->body);
	}
	answer->status = response.status;
	answer->location = whole_url(call, sr_client_response_header(&response, "location"));
	const struct sr_bytes retry = sr_client_response_header(&response, "retry-after");
	uint64_t seconds = 0;
	if (retry.len && sr_is_ok(sr_parse_u64(retry, 3600, &seconds))) {
		answer->retry_after_s = (unsigned)seconds;
	}
	return sr_ok();
}

struct sr_result sr_forward_request(struct sr_workspace *workspace, const char *service, const char *method,
                                    const char *target, const json_t *body, const struct sr_forward_caller *caller,
                                    int *ret_status, json_t **ret_body)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_ARM_BODY_MAX);
	if (body) {
		SR_TRY(sr_json_write(body, &text));
	}
	struct sr_client_request request = {.method = method, .target = target, .body = sr_buf_bytes(&text)};
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	SR_TRY(exchange(workspace, service, caller, &request, &response));
	*ret_status = response.status;
	return parse_body(&response, service, ret_body);
}
