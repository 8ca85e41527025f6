/* The token endpoints: who the client is, whether it may have a token, and the answer. */
#include "identity/api.h"

#include "base/clock.h"
#include "identity/oauth_error.h"
#include "identity/principal.h"
#include "identity/tenant.h"
#include "identity/token.h"
#include "identity/token_request.h"
#include "wire/jwt.h"

/* What the three endpoints differ in. */
struct endpoint {
	enum sr_token_version version;
	bool has_tenant;
	bool takes_scope;
	bool takes_resource;
	bool has_text_numbers; /* v1 writes numbers as strings and says more */
};
static const struct endpoint v2 = {SR_TOKEN_V2, true, true, false, false};
static const struct endpoint v1 = {SR_TOKEN_V1, true, false, true, true};
/* az's way in: the parameters of either. */
static const struct endpoint adfs = {SR_TOKEN_V1, false, true, true, false};

struct lookup {
	const char *client_id;
	bool is_known;
	struct sr_application application;
	struct sr_client_secrets secrets;
};

static struct sr_result look_up(struct sr_connection *connection, void *context)
{
	struct lookup *lookup = context;
	struct sr_result found = sr_application_of_client(connection, lookup->client_id, &lookup->application);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	SR_TRY(found);
	lookup->is_known = true;
	return sr_client_secrets_read(connection, lookup->application.object_id, &lookup->secrets);
}

/* Judges what was presented; the hashes are computed for unknown applications too. */
static struct sr_result authenticate(const struct sr_identity_request *request, const struct lookup *lookup,
                                     const char *secret)
{
	enum sr_secret_verdict verdict = sr_client_secrets_judge(&lookup->secrets, sr_bytes_str(secret), request->now_s);
	if (!lookup->is_known) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_UNKNOWN_APP,
		                  "Application with identifier '%.64s' was not found in the directory '%s'.", lookup->client_id,
		                  request->store->tenant);
	}
	if (verdict == SR_SECRET_EXPIRED) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_EXPIRED_SECRET,
		                  "The provided client secret keys for app '%s' are expired.", lookup->application.client_id);
	}
	if (verdict != SR_SECRET_RIGHT) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_WRONG_SECRET,
		                  "Invalid client secret provided. Ensure the secret being sent in the request is the client "
		                  "secret value, not the client secret ID, for a secret added to app '%s'.",
		                  lookup->application.client_id);
	}
	if (!lookup->application.is_enabled) {
		return sr_fail_as(SR_DENIED, SR_AADSTS_APP_DISABLED, "Application '%s' is disabled.",
		                  lookup->application.client_id);
	}
	return sr_ok();
}

/* The limit holds before a secret is looked at, so that a guesser learns nothing more. */
static struct sr_result check_rate(const struct sr_identity_request *request, const char *client_id,
                                   struct sr_identity_answer *answer)
{
	if (!sr_rate_limit_allows(request->identity->rate_limit, client_id, request->peer_address, sr_boottime_ms(),
	                          &answer->retry_after_s)) {
		return sr_fail_as(SR_UNAVAILABLE, SR_AADSTS_THROTTLED,
		                  "Too many failed attempts for this application from this address. Try again in %u seconds.",
		                  answer->retry_after_s);
	}
	return sr_ok();
}

static struct sr_result identify(const struct sr_identity_request *request, const struct sr_token_request *token,
                                 struct sr_identity_answer *answer, struct sr_application *ret_application)
{
	SR_TRY(check_rate(request, token->client_id, answer));
	struct lookup lookup = {.client_id = token->client_id};
	SR_TRY(sr_database_read(request->store->database, look_up, &lookup));
	struct sr_result judged = authenticate(request, &lookup, token->client_secret);
	if (sr_result_code(judged) == SR_UNAUTHENTICATED) {
		sr_rate_limit_charge(request->identity->rate_limit, token->client_id, request->peer_address, sr_boottime_ms());
	}
	SR_TRY(judged);
	*ret_application = lookup.application;
	return sr_ok();
}

static void set_number(json_t *body, const struct endpoint *endpoint, struct sr_arena *arena, const char *name,
                       int64_t value)
{
	if (endpoint->has_text_numbers) {
		sr_json_set_string(body, name, sr_arena_printf(arena, "%lld", (long long)value));
	} else {
		sr_json_set_int(body, name, value);
	}
}

static json_t *token_json(const struct sr_identity_request *request, const struct endpoint *endpoint,
                          const struct sr_token_claims *claims, const char *token)
{
	/* One second less than the token lives, for the way. */
	int64_t left_s = claims->lifetime_s - 1;
	json_t *body = json_object();
	sr_json_set_string(body, "token_type", "Bearer");
	set_number(body, endpoint, request->arena, "expires_in", left_s);
	set_number(body, endpoint, request->arena, "ext_expires_in", left_s);
	if (endpoint->has_text_numbers) {
		set_number(body, endpoint, request->arena, "expires_on", claims->issued_s + claims->lifetime_s);
		set_number(body, endpoint, request->arena, "not_before", claims->issued_s);
		sr_json_set_string(body, "resource", claims->audience);
	}
	sr_json_set_string(body, "access_token", token);
	return body;
}

static struct sr_result issue(const struct sr_identity_request *request, const struct endpoint *endpoint,
                              struct sr_identity_answer *answer)
{
	const struct sr_identity_options *options = &request->identity->options;
	if (endpoint->has_tenant) {
		SR_TRY(sr_tenant_check(request->store, request->parts[0]));
	}
	struct sr_token_request asked;
	SR_TRY(sr_token_request_read(request->arena, request->body, request->authorization, endpoint->takes_scope,
	                             endpoint->takes_resource, &asked));
	struct sr_application application;
	answer->audit.app_id = sr_is_guid(sr_bytes_str(asked.client_id)) ? asked.client_id : NULL;
	answer->audit.object = asked.resource;
	SR_TRY(identify(request, &asked, answer, &application));
	answer->audit.object_id = sr_arena_strdup(request->arena, application.object_id);
	answer->audit.name = sr_arena_strdup(request->arena, application.name);
	if (!sr_is_known_resource(&options->own, sr_bytes_str(asked.resource))) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_UNKNOWN_RESOURCE,
		                  "The resource principal named %.200s was not found in the tenant named %s.", asked.resource,
		                  request->store->tenant);
	}
	struct sr_token_claims claims = {
	    .version = endpoint->version,
	    .authority = options->authority,
	    .tenant = request->store->tenant,
	    .audience = asked.resource,
	    .object_id = application.object_id,
	    .client_id = application.client_id,
	    .issued_s = request->now_s,
	    .lifetime_s = options->token_lifetime_s,
	};
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	SR_TRY(sr_token_make(request->store->signing_keys, &claims, &token));
	answer->body = token_json(request, endpoint, &claims, sr_buf_text(&token));
	answer->is_secret = true;
	sr_wipe(token.data, token.len);
	return sr_ok();
}

static struct sr_result answer_and_count(const struct sr_identity_request *request, const struct endpoint *endpoint,
                                         struct sr_identity_answer *answer)
{
	struct sr_result issued = issue(request, endpoint, answer);
	struct sr_identity *identity = request->identity;
	atomic_fetch_add(sr_is_ok(issued) ? &identity->tokens_issued : &identity->tokens_refused, 1);
	return issued;
}

struct sr_result sr_token_v2(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return answer_and_count(request, &v2, answer);
}

struct sr_result sr_token_v1(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return answer_and_count(request, &v1, answer);
}

struct sr_result sr_token_adfs(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return answer_and_count(request, &adfs, answer);
}
