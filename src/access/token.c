/*
 * Bearer tokens (RFC 8725 is the list of what goes wrong with them): the key decides the algorithm, never the
 * token; nothing is read from the claims before the signature is checked.
 */
#include "access/token.h"

#include "access/access.h"
#include "wire/jwt.h"

#include <stdio.h>
#include <string.h>

enum { NOT_BEFORE_SKEW_S = 300, ISSUER_MAX = 1024 };

static struct sr_result refuse(const char *why)
{
	return sr_fail(SR_UNAUTHENTICATED, "the token is refused: %s", why);
}

/* A member of the token's; "" where it is absent. */
static struct sr_result text_of(const json_t *object, const char *name, const char **ret_text)
{
	*ret_text = "";
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_json_get_string(object, name, ret_text);
	return sr_is_ok(outcome) ? sr_ok() : refuse(sr_result_message(outcome));
}

static struct sr_result time_of(const json_t *claims, const char *name, int64_t *ret_s)
{
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_json_get_int(claims, name, ret_s);
	return sr_is_ok(outcome) ? sr_ok() : refuse(sr_result_message(outcome));
}

/* The key that the header names, if the header says no more than we understand. */
static struct sr_result find_key(const struct sr_directory *directory, const json_t *header,
                                 const struct sr_keypair **ret_key, enum sr_alg *ret_alg)
{
	const char *kid;
	const char *alg;
	SR_TRY(text_of(header, "kid", &kid));
	SR_TRY(text_of(header, "alg", &alg));
	if (json_object_get(header, "crit")) {
		return refuse("its header has critical extensions (RFC 7515 4.1.11)");
	}
	const struct sr_keypair *key = sr_directory_key(directory, kid, ret_alg);
	if (!key) {
		return refuse("it is signed by a key that is not known");
	}
	if (strcmp(alg, sr_alg_name(*ret_alg)) != 0) {
		return refuse("its algorithm is not its key's");
	}
	*ret_key = key;
	return sr_ok();
}

static struct sr_result check_signature(const struct sr_directory *directory, const struct sr_jwt *jwt)
{
	const struct sr_keypair *key = NULL;
	enum sr_alg alg;
	SR_TRY(find_key(directory, jwt->header, &key, &alg));
	uint8_t digest[SR_DIGEST_MAX];
	size_t digest_len = sr_digest_of(SR_DIGEST_SHA256, jwt->signed_part, digest); /* of RS256 and of ES256 */
	bool is_valid = false;
	SR_CLEANUP(sr_result)
	struct sr_result outcome = sr_keypair_verify(key, alg, sr_bytes_of(digest, digest_len), jwt->signature, &is_valid);
	if (sr_result_code(outcome) == SR_NO_MEMORY) {
		return sr_result_take(&outcome);
	}
	return sr_is_ok(outcome) && is_valid ? sr_ok() : refuse("its signature does not fit");
}

/* The issuers of version 1 and version 2 tokens. */
static bool is_our_issuer(const char *issuer, const char *authority, const char *tenant)
{
	char v1[ISSUER_MAX];
	char v2[ISSUER_MAX];
	snprintf(v1, sizeof v1, "%s/%s/", authority, tenant);
	snprintf(v2, sizeof v2, "%s/%s/v2.0", authority, tenant);
	return strcmp(issuer, v1) == 0 || strcmp(issuer, v2) == 0;
}

static struct sr_result check_issuer(const struct sr_directory *directory, const char *authority, const json_t *claims)
{
	const char *issuer;
	const char *tenant;
	SR_TRY(text_of(claims, "iss", &issuer));
	SR_TRY(text_of(claims, "tid", &tenant));
	if (!sr_equal_nocase(sr_bytes_str(tenant), sr_bytes_str(sr_directory_tenant(directory)))) {
		return refuse("its tenant is not known");
	}
	if (!is_our_issuer(issuer, authority, sr_directory_tenant(directory))) {
		return refuse("its issuer is another");
	}
	return sr_ok();
}

/* No skew at the end: a token that has ended is used by nobody with a right clock. */
static struct sr_result check_times(const json_t *claims, int64_t now_s, struct sr_token_facts *facts)
{
	int64_t not_before_s = INT64_MIN;
	facts->expires_s = INT64_MIN;
	SR_TRY(time_of(claims, "exp", &facts->expires_s));
	SR_TRY(time_of(claims, "nbf", &not_before_s));
	if (facts->expires_s <= now_s) {
		return refuse("it has expired, or says no time of expiry");
	}
	if (not_before_s > now_s + NOT_BEFORE_SKEW_S) {
		return refuse("it is not valid yet");
	}
	return sr_ok();
}

/* A token that was got by a credential, or in a sign-in, that was taken back since. */
static struct sr_result check_credential(const struct sr_directory *directory, const json_t *claims)
{
	const char *credential;
	SR_TRY(text_of(claims, SR_CREDENTIAL_CLAIM, &credential));
	if (sr_directory_has_revoked(directory, credential)) {
		return refuse("the credential by which it was got has been taken back");
	}
	return sr_ok();
}

/* Version 1 tokens name the application as appid, version 2 as azp; one that is there must be the principal's. A
 * person's token names the application that asked for them, which is another object. */
static struct sr_result check_application(const json_t *claims, const struct sr_principal_entry *principal)
{
	static const char *const names[] = {"appid", "azp"};
	if (principal->kind == SR_PRINCIPAL_PERSON) {
		return sr_ok();
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *app_id;
		SR_TRY(text_of(claims, names[i], &app_id));
		if (*app_id && !sr_equal_nocase(sr_bytes_str(app_id), sr_bytes_str(principal->app_id))) {
			return refuse("its application is another than its principal's");
		}
	}
	return sr_ok();
}

static struct sr_result find_principal(const struct sr_directory *directory, const json_t *claims,
                                       struct sr_token_facts *facts)
{
	const char *object_id;
	SR_TRY(text_of(claims, "oid", &object_id));
	facts->principal = sr_directory_principal(directory, object_id);
	if (!facts->principal) {
		return refuse("its principal is not known");
	}
	if (!facts->principal->is_enabled) {
		return refuse("its principal is disabled");
	}
	return check_application(claims, facts->principal);
}

static struct sr_result read_audience(const json_t *claims, struct sr_token_facts *facts)
{
	const char *audience;
	SR_TRY(text_of(claims, "aud", &audience));
	size_t len = strlen(audience);
	if (len == 0 || len >= sizeof facts->audience) {
		return refuse("it names no audience of ours");
	}
	memcpy(facts->audience, audience, len + 1);
	return sr_ok();
}

struct sr_result sr_token_check(const struct sr_directory *directory, const char *authority, struct sr_arena *arena,
                                struct sr_bytes token, int64_t now_s, struct sr_token_facts *ret_facts)
{
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_jwt_parse(arena, token, &jwt);
	if (!sr_is_ok(outcome)) {
		return refuse(sr_result_message(outcome));
	}
	struct sr_token_facts facts = {0};
	SR_TRY(check_signature(directory, &jwt));
	SR_TRY(check_issuer(directory, authority, jwt.claims));
	SR_TRY(check_times(jwt.claims, now_s, &facts));
	SR_TRY(check_credential(directory, jwt.claims));
	SR_TRY(find_principal(directory, jwt.claims, &facts));
	SR_TRY(read_audience(jwt.claims, &facts));
	*ret_facts = facts;
	return sr_ok();
}

static struct sr_bytes without_slash(const char *text)
{
	struct sr_bytes bytes = sr_bytes_str(text);
	bytes.len -= bytes.len && bytes.data[bytes.len - 1] == '/';
	return bytes;
}

bool sr_token_is_for(const struct sr_token_facts *facts, const char *const *audiences)
{
	struct sr_bytes audience = without_slash(facts->audience);
	for (; *audiences; audiences++) {
		if (sr_equal_public(audience, without_slash(*audiences))) {
			return true;
		}
	}
	return false;
}
