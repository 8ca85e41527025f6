/* The JSON of token answers. Who may have one is decided before. */
#include "identity/token_answer.h"

#include "identity/oauth_error.h"
#include "wire/jwt.h"

void sr_token_answer_number(json_t *body, const struct sr_token_endpoint *endpoint, struct sr_arena *arena,
                            const char *name, int64_t value)
{
	if (endpoint->has_text_numbers) {
		sr_json_set_string(body, name, sr_arena_printf(arena, "%lld", (long long)value));
	} else {
		sr_json_set_int(body, name, value);
	}
}

static json_t *token_json(const struct sr_identity_request *request, const struct sr_token_endpoint *endpoint,
                          const struct sr_token_claims *claims, const char *token)
{
	/* One second less than the token lives, for the way. */
	int64_t left_s = claims->lifetime_s - 1;
	json_t *body = json_object();
	sr_json_set_string(body, "token_type", "Bearer");
	sr_token_answer_number(body, endpoint, request->arena, "expires_in", left_s);
	sr_token_answer_number(body, endpoint, request->arena, "ext_expires_in", left_s);
	if (endpoint->has_text_numbers) {
		sr_token_answer_number(body, endpoint, request->arena, "expires_on", claims->issued_s + claims->lifetime_s);
		sr_token_answer_number(body, endpoint, request->arena, "not_before", claims->issued_s);
		sr_json_set_string(body, "resource", claims->audience);
	}
	sr_json_set_string(body, "access_token", token);
	return body;
}

struct sr_result sr_token_answer_begin(const struct sr_identity_request *request,
                                       const struct sr_token_endpoint *endpoint, const struct sr_token_claims *claims,
                                       struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	SR_TRY(sr_token_make(request->store->signing_keys, claims, &token));
	answer->body = token_json(request, endpoint, claims, sr_buf_text(&token));
	answer->is_secret = true;
	return sr_ok();
}

struct sr_result sr_resource_check(const struct sr_identity_request *request, const char *resource)
{
	if (!sr_is_known_resource(&request->identity->options.own, sr_bytes_str(resource))) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_UNKNOWN_RESOURCE,
		                  "The resource principal named %.200s was not found in the tenant named %s.", resource,
		                  request->store->tenant);
	}
	return sr_ok();
}
