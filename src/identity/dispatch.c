/* Takes exchanges apart, finds their handlers, sends answers and errors. What they say is the APIs'. */
#include "identity/dispatch.h"

#include "base/clock.h"
#include "identity/audited.h"
#include "identity/graph_error.h"
#include "identity/metadata_error.h"
#include "identity/oauth_error.h"
#include "identity/page.h"
#include "identity/route.h"

#include <string.h>

enum { ANSWER_MAX = 64 * 1024 * 1024 };

static enum sr_door door_of(const struct sr_exchange *exchange)
{
	if (sr_exchange_is_local(exchange)) {
		return SR_DOOR_LOCAL;
	}
	if (sr_exchange_is_plain(exchange)) {
		return SR_DOOR_METADATA;
	}
	return sr_exchange_peer_service(exchange)[0] ? SR_DOOR_INTERNAL : SR_DOOR_PUBLIC;
}

/* The client's id for what it does, if it sent a GUID; else ours. */
static const char *correlation_id(struct sr_exchange *exchange, const struct sr_parameters *query)
{
	const char *header = sr_exchange_header(exchange, "client-request-id");
	const char *sent = header ? header : sr_parameter_get(query, "client-request-id");
	return sent && sr_is_guid(sr_bytes_str(sent)) ? sent : sr_exchange_request_id(exchange);
}

/* Clients hold metadata against the address that they called, so an own name by which they called is kept. */
static const char *origin_of(const struct sr_identity *identity, struct sr_exchange *exchange)
{
	struct sr_arena *arena = sr_exchange_arena(exchange);
	const char *url = sr_arena_printf(arena, "https://%s", sr_exchange_authority(exchange));
	struct sr_bytes host;
	struct sr_bytes rest;
	uint16_t port;
	bool is_own = sr_origin_parse(sr_bytes_str(url), &host, &port, &rest) && !rest.len && port == identity->port &&
	              sr_is_own_host(&identity->options.own, host);
	return is_own ? url : identity->options.authority;
}

static struct sr_result read_request(struct sr_exchange *exchange, struct sr_identity *identity,
                                     struct sr_identity_request *ret_request)
{
	struct sr_identity_request request = {
	    .identity = identity,
	    .arena = sr_exchange_arena(exchange),
	    .authorization = sr_exchange_header(exchange, "authorization"),
	    .cookie = sr_exchange_header(exchange, "cookie"),
	    .sent_origin = sr_exchange_header(exchange, "origin"),
	    .origin = origin_of(identity, exchange),
	    .peer_address = sr_exchange_peer_address(exchange),
	    .peer_service = sr_exchange_peer_service(exchange),
	    .caller = sr_exchange_peer_service(exchange)[0] ? sr_exchange_header(exchange, "x-strongroom-caller-object-id")
	                                                    : NULL,
	    .metadata = sr_exchange_header(exchange, "metadata"),
	    .forwarded_for = sr_exchange_header(exchange, "x-forwarded-for"),
	    .identity_header = sr_exchange_header(exchange, "x-identity-header"),
	    .request_id = sr_exchange_request_id(exchange),
	    .path = sr_exchange_path(exchange),
	    .is_local = sr_exchange_is_local(exchange),
	    .now_s = sr_unix_s(),
	};
	SR_TRY(sr_parameters_parse(request.arena, sr_exchange_query(exchange), false, &request.query));
	request.correlation_id = correlation_id(exchange, &request.query);
	request.has_peer_uid = sr_exchange_peer_uid(exchange, &request.peer_uid);
	/* All of it before the lease is entered: a slow client must not hold up a recall. */
	SR_TRY(sr_exchange_read_all(exchange, SR_REQUEST_BODY_MAX, &request.body));
	*ret_request = request;
	return sr_ok();
}

static struct sr_result send_json(struct sr_exchange *exchange, int status, const json_t *body)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(ANSWER_MAX);
	if (body) {
		SR_TRY(sr_json_write(body, &text));
		sr_exchange_add_header(exchange, "Content-Type", "application/json; charset=utf-8");
	}
	struct sr_result sent = sr_exchange_send(exchange, status, sr_buf_bytes(&text));
	sr_wipe(text.data, text.len); /* tokens and new secrets go through here */
	return sent;
}

static struct sr_result send_page(struct sr_exchange *exchange, const struct sr_identity_answer *answer)
{
	sr_exchange_add_header(exchange, "Content-Type", "text/html; charset=utf-8");
	sr_exchange_add_header(exchange, "Content-Security-Policy", sr_page_policy(sr_exchange_arena(exchange)));
	sr_exchange_add_header(exchange, "Referrer-Policy", "same-origin");
	sr_exchange_add_header(exchange, "X-Frame-Options", "DENY");
	sr_exchange_add_header(exchange, "Cross-Origin-Opener-Policy", "same-origin");
	if (answer->cookie) {
		sr_exchange_add_header(exchange, "Set-Cookie", answer->cookie);
	}
	return sr_exchange_send(exchange, answer->status ? answer->status : 200, sr_buf_bytes(&answer->page));
}

static void add_headers(struct sr_exchange *exchange, bool is_secret, unsigned retry_after_s)
{
	sr_exchange_add_header(exchange, "x-ms-request-id", sr_exchange_request_id(exchange));
	sr_exchange_add_header(exchange, "X-Content-Type-Options", "nosniff");
	sr_exchange_add_header(exchange, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
	if (is_secret) {
		sr_exchange_add_header(exchange, "Cache-Control", "no-store, no-cache");
		sr_exchange_add_header(exchange, "Pragma", "no-cache");
	}
	if (retry_after_s) {
		sr_exchange_add_header_format(exchange, "Retry-After", "%u", retry_after_s);
	}
}

/* Runs the handler; the lease is left before the answer goes out. */
static struct sr_result run_handler(const struct sr_route *route, struct sr_identity_request *request,
                                    struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	if (route->needs_store) {
		SR_TRY(sr_identity_enter(request->identity, NULL, NULL, &use, &request->store));
	}
	struct sr_result handled = route->handler(request, answer);
	if (!request->store && sr_identity_is_audited(route, answer)) {
		struct sr_result entered = sr_identity_enter(request->identity, NULL, NULL, &use, &request->store);
		if (!sr_is_ok(entered)) {
			sr_result_free(handled);
			return entered; /* nothing goes on unrecorded */
		}
	}
	return sr_identity_audit(route, request, answer, handled);
}

static void answer_cleanup(struct sr_identity_answer *answer)
{
	sr_buf_free(&answer->page);
	sr_json_cleanup(&answer->body);
}

static struct sr_result handle(struct sr_exchange *exchange, const struct sr_route *route,
                               struct sr_identity_request *request)
{
	SR_CLEANUP(answer) struct sr_identity_answer answer = {0};
	struct sr_result handled = run_handler(route, request, &answer);
	if (answer.is_change) { /* it is durable, whatever came after it */
		sr_identity_announce(request->identity);
	}
	if (!sr_is_ok(handled)) {
		if (answer.retry_after_s) {
			sr_exchange_add_header_format(exchange, "Retry-After", "%u", answer.retry_after_s);
		}
		return handled;
	}
	add_headers(exchange, answer.is_secret, answer.retry_after_s);
	if (answer.page.len) {
		return send_page(exchange, &answer);
	}
	return send_json(exchange, answer.status ? answer.status : 200, answer.body);
}

struct sr_result sr_identity_dispatch(struct sr_exchange *exchange, void *context)
{
	struct sr_identity *identity = context;
	const struct sr_route *route;
	const char *parts[SR_REQUEST_PARTS_MAX] = {0};
	const char *allowed = NULL;
	struct sr_result found =
	    sr_identity_route(sr_exchange_arena(exchange), door_of(exchange), sr_exchange_method(exchange),
	                      sr_exchange_path(exchange), &route, parts, &allowed);
	if (allowed) {
		sr_exchange_add_header(exchange, "Allow", allowed);
	}
	SR_TRY(found);
	struct sr_identity_request request;
	SR_TRY(read_request(exchange, identity, &request));
	memcpy(request.parts, parts, sizeof parts);
	return route->streamer ? route->streamer(&request, exchange) : handle(exchange, route, &request);
}

/* Statuses and codes of our own doors; the last row takes all others. */
static const struct {
	enum sr_code code;
	int status;
	const char *name;
} own_errors[] = {
    {SR_NOT_FOUND, 404, "NotFound"}, {SR_EXISTS, 409, "Exists"},          {SR_INVALID, 400, "Invalid"},
    {SR_PROTOCOL, 400, "Invalid"},   {SR_CONFLICT, 409, "Conflict"},      {SR_DENIED, 403, "Denied"},
    {SR_TOO_LARGE, 413, "TooLarge"}, {SR_REVOKED, 503, "KeyUnavailable"}, {SR_UNAVAILABLE, 503, "Unavailable"},
    {SR_NO_SPACE, 507, "NoSpace"},   {SR_CORRUPT, 500, "Damaged"},        {SR_WRONG_KEY, 500, "WrongKey"},
    {SR_OK, 500, "Internal"},
};

static json_t *own_error_json(struct sr_result error, int *ret_status)
{
	size_t row = 0;
	while (own_errors[row].code != sr_result_code(error) && own_errors[row].code != SR_OK) {
		row++;
	}
	*ret_status = own_errors[row].status;
	json_t *inner = json_object();
	const char *reason = sr_result_reason(error); /* Azure's own code, where the rules have one */
	sr_json_set_string(inner, "code", reason ? reason : own_errors[row].name);
	sr_json_set_string(inner, "message", sr_result_message(error));
	json_t *body = json_object();
	sr_json_set(body, "error", inner);
	return body;
}

static json_t *public_error_json(const struct sr_identity *identity, struct sr_exchange *exchange,
                                 struct sr_result error, int *ret_status)
{
	struct sr_parameters query = {0};
	sr_ignore(sr_parameters_parse(sr_exchange_arena(exchange), sr_exchange_query(exchange), false, &query));
	if (sr_is_graph_path(sr_exchange_path(exchange))) {
		return sr_graph_error_json(error, sr_exchange_request_id(exchange), correlation_id(exchange, &query),
		                           sr_unix_s(), ret_status);
	}
	struct sr_oauth_error_context tie = {
	    .trace_id = sr_exchange_request_id(exchange),
	    .correlation_id = correlation_id(exchange, &query),
	    .authority = identity->options.authority,
	    .now_s = sr_unix_s(),
	};
	*ret_status = sr_oauth_error_of(error)->status;
	return sr_oauth_error_json(error, &tie);
}

static json_t *error_json(const struct sr_identity *identity, struct sr_exchange *exchange, struct sr_result error,
                          int *ret_status)
{
	switch (door_of(exchange)) {
	case SR_DOOR_PUBLIC:
		return public_error_json(identity, exchange, error, ret_status);
	case SR_DOOR_METADATA:
		return sr_metadata_error_json(error, ret_status);
	case SR_DOOR_INTERNAL:
	case SR_DOOR_LOCAL:
		break;
	}
	return own_error_json(error, ret_status);
}

void sr_identity_dispatch_error(struct sr_exchange *exchange, struct sr_result error, void *context)
{
	const struct sr_identity *identity = context;
	int status;
	SR_CLEANUP(sr_json) json_t *body = error_json(identity, exchange, error, &status);
	add_headers(exchange, true, status == 503 ? 1 : 0);
	if (status == 401 && sr_exchange_header(exchange, "authorization")) {
		sr_exchange_add_header(exchange, "WWW-Authenticate", "Basic realm=\"strongroom\""); /* RFC 6749 5.2 */
	}
	sr_ignore(send_json(exchange, status, body));
}
