/* From an HTTP exchange to a call and back: host, token, route, version, permission, body, handler, audit entry,
 * answer. The order matters: nothing of a body is read before it is known who asks. */
#include "vault/api.h"

#include "base/log.h"
#include "vault/admin_api.h"
#include "vault/api_error.h"
#include "vault/audit.h"
#include "vault/authorise.h"
#include "vault/provider.h"
#include "vault/system_vault.h"
#include "wire/credentials.h"

#include <stdio.h>
#include <string.h>

#define RESOURCE        "https://vault.azure.net"
#define RESOURCE_APP_ID "cfa8b339-82a2-471a-a3c9-0fc0be7a4093" /* the same resource by its application id */

enum { ANSWER_MAX = 16 * 1024 * 1024 };

/* Headers of every answer, as the service has them. */
static const char *const fixed_headers[][2] = {
    {"Cache-Control", "no-cache"},
    {"Pragma", "no-cache"},
    {"Expires", "-1"},
    {"Strict-Transport-Security", "max-age=31536000;includeSubDomains"},
    {"X-Content-Type-Options", "nosniff"},
    {"x-ms-keyvault-region", "local"},
    {"x-ms-keyvault-service-version", "strongroom/" SR_VERSION},
};

static void add_headers(struct sr_exchange *exchange)
{
	for (size_t i = 0; i < sizeof fixed_headers / sizeof fixed_headers[0]; i++) {
		sr_exchange_add_header(exchange, fixed_headers[i][0], fixed_headers[i][1]);
	}
	const char *client_id = sr_exchange_header(exchange, "x-ms-client-request-id");
	if (client_id) {
		sr_exchange_add_header(exchange, "x-ms-client-request-id", client_id);
	}
	const char *peer = sr_exchange_peer_address(exchange);
	sr_exchange_add_header(exchange, "x-ms-request-id", sr_exchange_request_id(exchange));
	sr_exchange_add_header_format(exchange, "x-ms-keyvault-network-info", "conn_type=%s;addr=%s;act_addr_fam=%s;",
	                              strchr(peer, ':') ? "Ipv6" : "Ipv4", peer,
	                              strchr(peer, ':') ? "InterNetworkV6" : "InterNetwork");
}

/* Sends JSON and wipes the text: it may have held an unwrapped key. */
static struct sr_result send_json(struct sr_exchange *exchange, int status, const json_t *body)
{
	struct sr_buf text = SR_BUF(ANSWER_MAX);
	struct sr_result result = body ? sr_json_write(body, &text) : sr_ok();
	if (sr_is_ok(result) && body) {
		sr_exchange_add_header(exchange, "Content-Type", "application/json; charset=utf-8");
	}
	if (sr_is_ok(result)) {
		result = sr_exchange_send(exchange, status, sr_buf_bytes(&text));
	}
	if (text.data) {
		sr_wipe(text.data, text.cap);
	}
	sr_buf_free(&text);
	return result;
}

/* Where to get a token, in the words that the SDKs read. */
static void add_challenge(struct sr_exchange *exchange, struct sr_access *access)
{
	struct sr_installation installation;
	struct sr_result result = sr_access_installation(access, &installation);
	if (sr_is_ok(result)) {
		sr_exchange_add_header_format(exchange, "WWW-Authenticate",
		                              "Bearer authorization=\"%s/%s\", resource=\"" RESOURCE "\"",
		                              sr_access_authority(access), installation.tenant);
	}
	sr_ignore(result);
}

/* The error stays the server's. */
void sr_vault_api_error(struct sr_exchange *exchange, struct sr_result error, void *context)
{
	struct sr_vault *vault = context;
	if (sr_vault_provider_is_for(exchange)) {
		sr_vault_provider_error(exchange, error);
		return;
	}
	const struct sr_vault_error answer = sr_vault_error_of(error);
	const char *message = sr_result_message(error);
	if (answer.is_ours) {
		sr_log(SR_LOG_ERROR, "request %s failed with %d", sr_exchange_request_id(exchange), (int)sr_result_code(error));
		message = "The vault could not do this; its log has the request's id.";
	}
	sr_exchange_drop_headers(exchange);
	add_headers(exchange);
	if (answer.status == 401) {
		add_challenge(exchange, vault->access);
	}
	if (answer.status == 503) {
		sr_exchange_add_header(exchange, "Retry-After", "1");
	}
	SR_CLEANUP(sr_json) json_t *body = sr_vault_error_body(&answer, message);
	sr_ignore(send_json(exchange, answer.status, body)); /* where the answer cannot be sent, nobody is left to tell */
}

static struct sr_result authenticate(struct sr_exchange *exchange, struct sr_vault_call *call)
{
	if (sr_exchange_is_local(exchange)) {
		call->who = (struct sr_principal){.object_id = "local", .is_local = true};
		return sr_ok();
	}
	struct sr_installation installation;
	SR_TRY(sr_access_installation(call->vault->access, &installation)); /* without it no challenge can be given */
	const char *token = sr_credentials(sr_exchange_header(exchange, "authorization"), "Bearer");
	if (!token) {
		return sr_fail(SR_UNAUTHENTICATED, "AKV10000: Request is missing a Bearer or PoP token.");
	}
	/* Whoever asks chooses the Host header: as an audience it counts only where it is a vault's own name or names our
	 * port, lest a token for another service be one for this. */
	const char *const audiences[] = {
	    RESOURCE, RESOURCE_APP_ID,
	    sr_is_vault_host(sr_exchange_host(exchange))
	        ? call->base_url
	        : sr_access_own_origin(call->arena, sr_exchange_authority(exchange),
	                               (uint16_t)sr_host_config(call->vault->host)->vault_port),
	    NULL};
	struct sr_result result =
	    sr_access_authenticate(call->vault->access, call->arena, sr_bytes_str(token), audiences, &call->who);
	if (sr_result_code(result) == SR_UNAUTHENTICATED) {
		SR_CLEANUP(sr_result) struct sr_result inner = result;
		return sr_fail_as(SR_UNAUTHENTICATED, "InvalidToken", "AKV10032: %s", sr_result_message(inner));
	}
	return result;
}

static struct sr_result route(struct sr_exchange *exchange, struct sr_vault_call *call)
{
	struct sr_segments path;
	SR_TRY(sr_segments_parse(call->arena, sr_exchange_path(exchange), &path));
	SR_TRY(sr_vault_route_find(sr_exchange_method(exchange), &path, &call->route, &call->name, &call->version));
	return sr_ok();
}

/* Names and versions are the same in every collection: "keys/get" is of one whose things are called "key". */
static struct sr_result check_names(const struct sr_vault_call *call)
{
	const char *collection = call->route->permission;
	const size_t len = strcspn(collection, "/");
	const int singular = len ? (int)len - 1 : 0;
	if (call->name && !sr_is_key_name(call->name)) {
		return sr_fail(SR_INVALID, "A %.*s's name has 1 to 127 letters, digits and hyphens.", singular, collection);
	}
	if (call->version && !sr_is_key_version(call->version)) {
		return sr_fail(SR_INVALID, "A %.*s's version has 32 hexadecimal digits.", singular, collection);
	}
	return sr_ok();
}

static struct sr_result check_request(struct sr_exchange *exchange, struct sr_vault_call *call)
{
	SR_TRY(sr_parameters_parse(call->arena, sr_exchange_query(exchange), false, &call->query));
	call->api_version = sr_parameter_get(&call->query, "api-version");
	if (!call->api_version) {
		return sr_fail(SR_INVALID, "The api-version query parameter is missing.");
	}
	if (!sr_vault_is_api_version(call->api_version)) {
		return sr_fail(SR_INVALID,
		               "The specified version (%.32s) is not recognized. Consider using the latest "
		               "supported version (7.5).",
		               call->api_version);
	}
	return check_names(call);
}

/* The command line names the vault by a parameter: a Unix socket has no host name. */
static const char *named_vault(struct sr_exchange *exchange, const struct sr_vault_call *call)
{
	const char *name = call->who.is_local ? sr_parameter_get(&call->query, "vault") : NULL;
	return name ? name : sr_vault_of_host(call->arena, sr_exchange_host(exchange));
}

/* The vault that is asked, and what it says of who asks: read in one snapshot, so that settings, policies and rules
 * belong together. */
struct admission {
	struct sr_vault_call *call;
	const char *vault;
	struct sr_vault_request request;
	struct sr_vault_admission found;
};

static struct sr_result read_admission(struct sr_connection *connection, void *context)
{
	struct admission *admission = context;
	return sr_vault_admission_read(connection, admission->call->arena, admission->vault, &admission->request,
	                               &admission->found);
}

static struct sr_result authorise(struct sr_exchange *exchange, struct sr_vault_call *call)
{
	struct admission admission = {
	    .call = call,
	    .vault = named_vault(exchange, call),
	    .request = {.who = &call->who, .from = call->from, .route = call->route, .object = call->name},
	};
	call->record.name = admission.vault; /* for the audit entry, should there be no such vault */
	SR_TRY(sr_database_read(call->vault->state.database, read_admission, &admission));
	call->record = admission.found.vault;
	const char *assignment;
	SR_TRY(sr_system_vault_check(call->record.name, call->route->method));
	SR_TRY(sr_vault_admit(call->vault->access, call->arena, &admission.request, &admission.found, &assignment));
	if (*assignment) {
		sr_exchange_add_header(exchange, "x-ms-keyvault-rbac-assignment-id", assignment);
	}
	return sr_ok();
}

static struct sr_result read_body(struct sr_exchange *exchange, struct sr_vault_call *call)
{
	if (!call->route->body_max) {
		return sr_ok();
	}
	struct sr_bytes text;
	SR_TRY(sr_exchange_read_all(exchange, call->route->body_max, &text));
	if (!text.len) {
		call->body = json_object();
		return sr_ok();
	}
	SR_TRY(sr_json_parse(text, &call->body));
	return json_is_object(call->body) ? sr_ok() : sr_fail(SR_INVALID, "The body is no JSON object.");
}

/* All that may refuse a call, then the call. */
static struct sr_result perform(struct sr_exchange *exchange, struct sr_vault_call *call,
                                struct sr_vault_answer *answer)
{
	SR_TRY(check_request(exchange, call));
	SR_TRY(authorise(exchange, call));
	SR_TRY(read_body(exchange, call));
	return call->route->handler(call, answer);
}

/* A call that is under way, in the exchange's arena: it may outlast its handler. */
struct pending {
	struct sr_exchange *exchange;
	struct sr_vault_call call;
	struct sr_vault_answer answer;
	struct sr_result result; /* what the call came to */
	int status;              /* as the audit entry says it */
	const char *outcome;
};

/* What the entry says of the call. */
static void note_outcome(struct pending *pending)
{
	pending->status = pending->call.route->success;
	if (!sr_is_ok(pending->result)) {
		const struct sr_vault_error error = sr_vault_error_of(pending->result);
		pending->status = error.status;
		pending->outcome = error.inner ? error.inner : error.code;
	}
}

static struct sr_result audit_work(struct sr_connection *connection, void *context)
{
	struct pending *pending = context;
	if (pending->call.check && sr_is_ok(pending->result)) {
		pending->result = pending->call.check(connection, pending->call.check_context);
		note_outcome(pending);
	}
	return sr_call_audit(connection, &pending->call, NULL, pending->status, pending->outcome);
}

static struct sr_result send_answer(struct sr_exchange *exchange, const struct sr_vault_call *call,
                                    const struct sr_vault_answer *answer)
{
	add_headers(exchange);
	if (answer->revocation[0]) {
		sr_exchange_add_header(exchange, "x-strongroom-revocation", answer->revocation);
	}
	return send_json(exchange, answer->status ? answer->status : call->route->success, answer->body);
}

/* A token that is no good is an attempt, and recorded; a request without one is how every client begins. */
static struct sr_result audit_refused_token(struct sr_exchange *exchange, struct sr_vault *vault,
                                            struct sr_result error)
{
	if (!sr_result_reason(error)) {
		return error;
	}
	const struct sr_audit_event event = {
	    .from = sr_exchange_peer_address(exchange),
	    .operation = "Authenticate",
	    .outcome = "Unauthorized",
	    .request_id = sr_exchange_request_id(exchange),
	    .status = 401,
	};
	return sr_first_error(error, sr_audit_write(vault->state.database, &event));
}

static struct sr_result begin_call(struct sr_exchange *exchange, struct sr_vault *vault, struct sr_vault_call *call)
{
	*call = (struct sr_vault_call){
	    .vault = vault,
	    .arena = sr_exchange_arena(exchange),
	    .from = sr_exchange_peer_address(exchange),
	    .request_id = sr_exchange_request_id(exchange),
	};
	const char *authority = sr_exchange_authority(exchange);
	if (!*authority) {
		return sr_fail(SR_INVALID, "The Host header is missing.");
	}
	call->base_url = sr_arena_printf(call->arena, "https://%s", authority);
	struct sr_result result = authenticate(exchange, call);
	if (sr_result_code(result) == SR_UNAUTHENTICATED) {
		return audit_refused_token(exchange, vault, result);
	}
	SR_TRY(result);
	return route(exchange, call);
}

/* The call's end: its answer, or its error. */
static struct sr_result conclude(struct sr_exchange *exchange, void *context)
{
	struct pending *pending = context;
	struct sr_result result = pending->result;
	if (sr_is_ok(result)) {
		result = send_answer(exchange, &pending->call, &pending->answer);
	}
	json_decref(pending->answer.body);
	json_decref(pending->call.body);
	return result;
}

/* Where the entry cannot be written the call fails, whatever it came to: nothing leaves the vault unrecorded. */
static void note_written(struct pending *pending, struct sr_result written)
{
	if (!sr_is_ok(written)) {
		sr_result_free(pending->result);
		pending->result = written;
	}
}

/* On the database's writer thread. */
static void resume(void *context, struct sr_result written)
{
	struct pending *pending = context;
	note_written(pending, written);
	sr_exchange_resume(pending->exchange);
}

static void retract_announcement(struct sr_vault_call *call)
{
	if (call->is_announced) {
		sr_database_retract(call->vault->state.database);
	}
}

/* The entry of a call whose handler wrote none, and then its answer. Reads and uses of keys come in by the thousand,
 * and each waits for a commit: they are held, so that no thread waits with them. */
static struct sr_result audit_and_conclude(struct sr_exchange *exchange, struct pending *pending)
{
	struct sr_database *database = pending->call.vault->state.database;
	note_outcome(pending);
	if (sr_exchange_hold(exchange, conclude, pending)) {
		sr_database_write_later(database, audit_work, pending, resume);
		retract_announcement(&pending->call); /* after it: the group is not closed before this one is in it */
		return sr_ok();
	}
	retract_announcement(&pending->call);
	note_written(pending, sr_database_write(database, audit_work, pending));
	return conclude(exchange, pending);
}

struct sr_result sr_vault_api_handle(struct sr_exchange *exchange, void *context)
{
	struct sr_vault *vault = context;
	if (sr_root_api_is_health(exchange)) {
		return sr_root_api_health(exchange, vault);
	}
	if (vault->gate && !sr_gate_is_open(vault->gate)) {
		return sr_root_api_handle_sealed(exchange, vault);
	}
	if (sr_vault_admin_is_for(exchange)) {
		return sr_vault_admin_handle(exchange, vault);
	}
	if (sr_vault_provider_is_for(exchange)) {
		return sr_vault_provider_handle(exchange, vault);
	}
	struct pending *pending = sr_arena_alloc(sr_exchange_arena(exchange), sizeof *pending);
	pending->exchange = exchange;
	SR_TRY(begin_call(exchange, vault, &pending->call));
	pending->result = perform(exchange, &pending->call, &pending->answer);
	return pending->call.is_audited ? conclude(exchange, pending) : audit_and_conclude(exchange, pending);
}
