/* Reading and checking of client assertions. Keys and principals come from outside. */
#include "identity/assertion.h"

#include "identity/oauth_error.h"

#include <string.h>

void sr_assertion_cleanup(struct sr_assertion *assertion)
{
	sr_jwt_free(&assertion->jwt);
}

static struct sr_result malformed(const char *why)
{
	return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_BAD_JWT, "Invalid JWT token. %s.", why);
}

/* A text member of bounded length; "" where it is absent. */
static struct sr_result text_of(const json_t *object, const char *name, const char **ret_text)
{
	*ret_text = "";
	SR_CLEANUP(sr_result) struct sr_result got = sr_json_get_string(object, name, ret_text);
	if (!sr_is_ok(got) || strlen(*ret_text) > SR_ASSERTION_TEXT_MAX) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_BAD_JWT,
		                  "Invalid JWT token. The member '%s' is no text of at most %d bytes.", name,
		                  SR_ASSERTION_TEXT_MAX);
	}
	return sr_ok();
}

static struct sr_result read_header(struct sr_assertion *assertion)
{
	static const enum sr_alg taken[] = {SR_ALG_RS256, SR_ALG_PS256, SR_ALG_ES256};
	const json_t *header = assertion->jwt.header;
	const char *alg;
	SR_TRY(text_of(header, "alg", &alg));
	SR_TRY(text_of(header, "kid", &assertion->kid));
	SR_TRY(text_of(header, "x5t", &assertion->x5t));
	SR_TRY(text_of(header, "x5t#S256", &assertion->x5t_s256));
	if (json_object_get(header, "crit")) {
		return malformed("Its header has critical extensions");
	}
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		if (strcmp(alg, sr_alg_name(taken[i])) == 0) {
			assertion->alg = taken[i];
			return sr_ok();
		}
	}
	return malformed("Its algorithm is not RS256, PS256 or ES256");
}

static struct sr_result add_audience(struct sr_assertion *assertion, const json_t *audience)
{
	const char *text = json_string_value(audience);
	if (!text || strlen(text) > SR_ASSERTION_TEXT_MAX || assertion->audience_count == SR_ASSERTION_AUDIENCES_MAX) {
		return malformed("Its audience is no text, or a list of too many");
	}
	assertion->audiences[assertion->audience_count++] = text;
	return sr_ok();
}

/* RFC 7519 4.1.3: a text or a list of texts. */
static struct sr_result read_audiences(struct sr_assertion *assertion)
{
	const json_t *audience = json_object_get(assertion->jwt.claims, "aud");
	if (!json_is_array(audience)) {
		return add_audience(assertion, audience);
	}
	for (size_t i = 0; i < json_array_size(audience); i++) {
		SR_TRY(add_audience(assertion, json_array_get(audience, i)));
	}
	return sr_ok();
}

/* NumericDate (RFC 7519 2) as whole or broken seconds. */
static struct sr_result time_of(const json_t *claims, const char *name, int64_t *ret_s)
{
	const json_t *value = json_object_get(claims, name);
	if (!value) {
		return sr_ok();
	}
	double number = json_number_value(value);
	if (!json_is_number(value) || number < 0 || number > 1e15) {
		return malformed("One of its times is no number of seconds");
	}
	*ret_s = (int64_t)number;
	return sr_ok();
}

static struct sr_result read_claims(struct sr_assertion *assertion)
{
	const json_t *claims = assertion->jwt.claims;
	SR_TRY(text_of(claims, "iss", &assertion->issuer));
	SR_TRY(text_of(claims, "sub", &assertion->subject));
	SR_TRY(text_of(claims, "jti", &assertion->token_id));
	SR_TRY(read_audiences(assertion));
	assertion->not_before_s = INT64_MIN;
	assertion->expires_s = INT64_MIN;
	SR_TRY(time_of(claims, "iat", &assertion->not_before_s));
	SR_TRY(time_of(claims, "nbf", &assertion->not_before_s));
	return time_of(claims, "exp", &assertion->expires_s);
}

struct sr_result sr_assertion_read(struct sr_arena *arena, const char *text, struct sr_assertion *ret_assertion)
{
	SR_CLEANUP(sr_assertion) struct sr_assertion assertion = {0};
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_jwt_parse(arena, sr_bytes_str(text), &assertion.jwt);
	if (!sr_is_ok(parsed)) {
		return malformed("It is not three base64url parts of which two are JSON objects");
	}
	SR_TRY(read_header(&assertion));
	SR_TRY(read_claims(&assertion));
	*ret_assertion = assertion;
	assertion = (struct sr_assertion){0};
	return sr_ok();
}

struct sr_result sr_assertion_check_times(const struct sr_assertion *assertion, int64_t now_s, int64_t life_max_s)
{
	int64_t from_s = assertion->not_before_s == INT64_MIN ? now_s : assertion->not_before_s;
	if (assertion->expires_s == INT64_MIN) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_ASSERTION_TIME,
		                  "Client assertion is not within its valid time range: it says no time of expiry ('exp').");
	}
	if (assertion->expires_s + SR_ASSERTION_SKEW_S <= now_s || from_s > now_s + SR_ASSERTION_SKEW_S) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_ASSERTION_TIME,
		                  "Client assertion is not within its valid time range. Current time: %lld, valid from %lld to "
		                  "%lld (Unix seconds). Check the client's clock.",
		                  (long long)now_s, (long long)from_s, (long long)assertion->expires_s);
	}
	if (assertion->expires_s - from_s > life_max_s) {
		return sr_fail_as(
		    SR_UNAUTHENTICATED, SR_AADSTS_ASSERTION_TIME,
		    "Client assertion is not within its valid time range: it lives %lld seconds, at most %lld are "
		    "taken. Sign one with a nearer 'exp'.",
		    (long long)(assertion->expires_s - from_s), (long long)life_max_s);
	}
	return sr_ok();
}

bool sr_assertion_is_for(const struct sr_assertion *assertion, const char *audience)
{
	for (size_t i = 0; i < assertion->audience_count; i++) {
		if (strcmp(assertion->audiences[i], audience) == 0) {
			return true;
		}
	}
	return false;
}

struct sr_result sr_assertion_verify(const struct sr_assertion *assertion, const struct sr_keypair *key,
                                     bool *ret_valid)
{
	struct sr_key_spec spec = sr_keypair_spec(key);
	*ret_valid = false;
	if (!sr_alg_fits(assertion->alg, &spec)) {
		return sr_ok();
	}
	uint8_t digest[SR_DIGEST_MAX];
	size_t len = sr_digest_of(SR_DIGEST_SHA256, assertion->jwt.signed_part, digest); /* of all algorithms taken */
	SR_CLEANUP(sr_result)
	struct sr_result verified =
	    sr_keypair_verify(key, assertion->alg, sr_bytes_of(digest, len), assertion->jwt.signature, ret_valid);
	/* A signature of a wrong length is one that is wrong. */
	return sr_result_code(verified) == SR_NO_MEMORY ? sr_result_take(&verified) : sr_ok();
}
