/* The token endpoints: who the client is, whether it may have a token, and the answer. */
#include "identity/api.h"

#include "identity/client_proof.h"
#include "identity/oauth_error.h"
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
	struct sr_client_proof proof;
	SR_TRY(sr_client_prove(request, &asked, answer, &proof));
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
	    .object_id = proof.application.object_id,
	    .client_id = proof.application.client_id,
	    .client_proof = proof.by_assertion ? "2" : "1",
	    .credential_id = proof.credential_id,
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
