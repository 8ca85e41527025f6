/* Device authorization (RFC 8628 3.1): a device asks for the codes by which a person lets it sign in. */
#include "identity/api.h"

#include "base/clock.h"
#include "identity/oauth_error.h"
#include "identity/public_client.h"
#include "identity/tenant.h"
#include "identity/token_answer.h"

#include <string.h>

enum { DEVICE_CODE_MAX = 256 };

static const struct sr_token_endpoint v2 = {SR_TOKEN_V2, true, true, false, false};
static const struct sr_token_endpoint v1 = {SR_TOKEN_V1, true, false, true, true};
static const struct sr_token_endpoint adfs = {SR_TOKEN_V1, false, true, true, false};

static struct sr_result copy(const char *what, const char *text, char *to, size_t room)
{
	if (strlen(text) >= room) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_MALFORMED, "The parameter '%s' is longer than %zu bytes.", what,
		                  room - 1);
	}
	memcpy(to, text, strlen(text) + 1);
	return sr_ok();
}

static struct sr_result missing(const char *name)
{
	return sr_fail_as(SR_INVALID, SR_AADSTS_MISSING_PARAMETER,
	                  "The request body must contain the following parameter: '%s'.", name);
}

/* The resource, and what is to be given besides an access token; version 1 always gives all. */
static struct sr_result read_scope(const struct sr_identity_request *request, const struct sr_parameters *form,
                                   const struct sr_token_endpoint *endpoint, struct sr_device_ask *ask)
{
	const char *scope = endpoint->takes_scope ? sr_parameter_get(form, "scope") : NULL;
	const char *resource = endpoint->takes_resource ? sr_parameter_get(form, "resource") : NULL;
	struct sr_scopes scopes = {.resource = resource, .openid = true, .offline_access = true};
	if (!resource || !*resource) {
		if (!scope || !*scope) {
			return missing(endpoint->takes_scope ? "scope" : "resource");
		}
		SR_TRY(sr_scopes_read(request->arena, scope, &scopes));
		SR_TRY(copy("scope", scope, ask->scope, sizeof ask->scope));
	}
	ask->wants_id_token = scopes.openid;
	ask->wants_refresh_token = scopes.offline_access;
	SR_TRY(copy("resource", scopes.resource, ask->resource, sizeof ask->resource));
	return sr_resource_check(request, ask->resource);
}

static struct sr_result read_ask(const struct sr_identity_request *request, const struct sr_token_endpoint *endpoint,
                                 struct sr_device_ask *ask)
{
	struct sr_parameters form;
	SR_TRY(sr_parameters_parse(request->arena, request->body, true, &form));
	const char *client_id = sr_parameter_get(&form, "client_id");
	if (!client_id || !*client_id) {
		return missing("client_id");
	}
	SR_TRY(copy("client_id", client_id, ask->client_id, sizeof ask->client_id));
	ask->asked_s = request->now_s;
	SR_TRY(copy("address", request->peer_address, ask->address, sizeof ask->address));
	return read_scope(request, &form, endpoint, ask);
}

struct client_work {
	const struct sr_device_ask *ask;
	struct sr_public_client client;
};

static struct sr_result find_client(struct sr_connection *connection, void *context)
{
	struct client_work *work = context;
	return sr_public_client_find(connection, work->ask->client_id, &work->client);
}

static struct sr_result check_client(const struct sr_identity_request *request, const struct sr_device_ask *ask)
{
	struct client_work work = {.ask = ask};
	struct sr_result found = sr_database_read(request->store->database, find_client, &work);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_UNKNOWN_APP,
		                  "Application with identifier '%.64s' was not found in the directory '%s', or people may not "
		                  "sign in with it: strongroom identity client allow.",
		                  ask->client_id, request->store->tenant);
	}
	SR_TRY(found);
	if (!sr_resources_have(work.client.resources, ask->resource)) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_NO_CONSENT,
		                  "The application '%s' may not be used for the resource '%.200s'.", work.client.client_id,
		                  ask->resource);
	}
	return sr_ok();
}

static json_t *codes_json(const struct sr_identity_request *request, const struct sr_token_endpoint *endpoint,
                          const char *device_code, const char *user_code)
{
	const char *page = sr_arena_printf(request->arena, "%s/devicelogin", request->origin);
	json_t *body = json_object();
	sr_json_set_string(body, "user_code", user_code);
	sr_json_set_string(body, "device_code", device_code);
	sr_json_set_string(body, endpoint->has_text_numbers ? "verification_url" : "verification_uri", page);
	if (!endpoint->has_text_numbers) {
		sr_json_set_string(body, "verification_uri_complete",
		                   sr_arena_printf(request->arena, "%s?user_code=%s", page, user_code));
	}
	sr_token_answer_number(body, endpoint, request->arena, "expires_in", SR_DEVICE_CODE_LIFE_S);
	sr_token_answer_number(body, endpoint, request->arena, "interval", SR_DEVICE_INTERVAL_S);
	sr_json_set_string(body, "message",
	                   sr_arena_printf(request->arena,
	                                   "To sign in, use a web browser to open the page %s and enter the code %s to "
	                                   "authenticate.",
	                                   page, user_code));
	return body;
}

static struct sr_result authorize(const struct sr_identity_request *request, const struct sr_token_endpoint *endpoint,
                                  struct sr_identity_answer *answer)
{
	if (endpoint->has_tenant) {
		SR_TRY(sr_tenant_check(request->store, request->parts[0]));
	}
	struct sr_device_ask ask = {0};
	SR_TRY(read_ask(request, endpoint, &ask));
	SR_TRY(check_client(request, &ask));
	SR_CLEANUP(sr_buf) struct sr_buf device_code = SR_BUF(DEVICE_CODE_MAX);
	char user_code[SR_USER_CODE_LEN];
	struct sr_result begun =
	    sr_device_flow_start(request->identity->device_flows, &ask, sr_boottime_ms(), &device_code, user_code);
	if (sr_result_code(begun) == SR_TOO_LARGE) {
		sr_ignore(begun);
		answer->retry_after_s = SR_DEVICE_CODE_LIFE_S / 10;
		return sr_fail_as(SR_UNAVAILABLE, SR_AADSTS_THROTTLED,
		                  "Too many sign-ins wait to be approved. Try again in %u seconds.", answer->retry_after_s);
	}
	SR_TRY(begun);
	answer->is_secret = true;
	answer->body = codes_json(request, endpoint, sr_buf_text(&device_code), user_code);
	return sr_ok();
}

struct sr_result sr_device_v2(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return authorize(request, &v2, answer);
}

struct sr_result sr_device_v1(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return authorize(request, &v1, answer);
}

struct sr_result sr_device_adfs(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return authorize(request, &adfs, answer);
}
