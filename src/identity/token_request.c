/* Reading of token requests. Scopes are taken apart in audience.c; who the client is, token_api.c finds out. */
#include "identity/token_request.h"

#include "identity/audience.h"
#include "identity/oauth_error.h"
#include "seal/secret.h"
#include "wire/credentials.h"

#include <string.h>

enum { BASIC_MAX = 4096 };

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static const char *const single_parameters[] = {
    "client_id",     "client_secret", "client_assertion", "client_assertion_type",
    "client_info",   "code",          "device_code",      "grant_type",
    "refresh_token", "scope",         "resource"};

/* RFC 6749 3.2: parameters must not be given more than once. */
static struct sr_result check_repeats(const struct sr_parameters *form)
{
	for (size_t i = 0; i < sizeof single_parameters / sizeof *single_parameters; i++) {
		if (sr_parameter_count(form, single_parameters[i]) > 1) {
			return sr_fail_as(SR_INVALID, SR_AADSTS_MALFORMED, "The parameter '%s' is given more than once.",
			                  single_parameters[i]);
		}
	}
	return sr_ok();
}

/* An empty parameter counts as a missing one (RFC 6749 3.2). */
static const char *given(const struct sr_parameters *form, const char *name)
{
	const char *value = sr_parameter_get(form, name);
	return value && *value ? value : NULL;
}

static struct sr_result missing(const char *name)
{
	return sr_fail_as(SR_INVALID, SR_AADSTS_MISSING_PARAMETER,
	                  "The request body must contain the following parameter: '%s'.", name);
}

/* "Basic" and Base64 of ID:SECRET, each form-encoded (RFC 6749 2.3.1). */
static struct sr_result read_basic(struct sr_arena *arena, struct sr_bytes credentials,
                                   struct sr_token_request *request)
{
	SR_CLEANUP(sr_buf) struct sr_buf pair = SR_BUF(BASIC_MAX);
	struct sr_bytes id = {0};
	struct sr_bytes secret = {0};
	struct sr_result decoded = sr_base64_decode(credentials, &pair);
	const uint8_t *colon = sr_is_ok(decoded) && pair.len ? memchr(pair.data, ':', pair.len) : NULL;
	if (sr_is_ok(decoded) && colon) {
		size_t id_len = (size_t)(colon - pair.data);
		decoded = sr_url_decode(arena, sr_bytes_of(pair.data, id_len), true, &id);
		decoded =
		    sr_first_error(decoded, sr_url_decode(arena, sr_bytes_of(colon + 1, pair.len - id_len - 1), true, &secret));
	}
	sr_wipe(pair.data, pair.len);
	bool is_good = sr_is_ok(decoded) && colon && id.len && secret.len;
	sr_ignore(decoded);
	if (!is_good) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_MALFORMED, "The Authorization header holds no client id and secret.");
	}
	request->client_id = (const char *)id.data;
	request->client_secret = (const char *)secret.data;
	return sr_ok();
}

/* RFC 7521 4.2; RFC 6749 2.3: one way of proof in each request. */
static struct sr_result check_assertion_type(const struct sr_parameters *form, const struct sr_token_request *request)
{
	const char *type = given(form, "client_assertion_type");
	if (!type) {
		return missing("client_assertion_type");
	}
	if (strcmp(type, ASSERTION_TYPE) != 0) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_MALFORMED, "The 'client_assertion_type' must be '%s'.", ASSERTION_TYPE);
	}
	if (request->client_secret) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_MALFORMED,
		                  "The request has both a 'client_secret' and a 'client_assertion': send one.");
	}
	return sr_ok();
}

static struct sr_result read_client(struct sr_arena *arena, const struct sr_parameters *form, const char *authorization,
                                    struct sr_token_request *request)
{
	const char *basic = sr_credentials(authorization, "Basic");
	if (basic && *basic) {
		SR_TRY(read_basic(arena, sr_bytes_str(basic), request));
		const char *named = given(form, "client_id");
		if (named && !sr_equal_nocase(sr_bytes_str(named), sr_bytes_str(request->client_id))) {
			return sr_fail_as(SR_INVALID, SR_AADSTS_MALFORMED, "The header and the body name different clients.");
		}
		return sr_ok();
	}
	request->client_id = given(form, "client_id");
	request->client_secret = given(form, "client_secret");
	request->client_assertion = given(form, "client_assertion");
	if (!request->client_id) {
		return missing("client_id");
	}
	if (request->client_assertion) {
		return check_assertion_type(form, request);
	}
	if (!request->client_secret) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_NO_CREDENTIAL,
		                  "The request body must contain the following parameter: 'client_assertion' or "
		                  "'client_secret'.");
	}
	return sr_ok();
}

/* Grants by their names; those of version 1 beside them. Passwords are not in the list: they are for the sign-in page.
 */
static const struct {
	const char *name;
	enum sr_grant grant;
} grants[] = {
    {"client_credentials", SR_GRANT_CLIENT},
    {"urn:ietf:params:oauth:grant-type:device_code", SR_GRANT_DEVICE},
    {"device_code", SR_GRANT_DEVICE},
    {"refresh_token", SR_GRANT_REFRESH},
};

static struct sr_result read_grant(const struct sr_parameters *form, enum sr_grant *ret_grant)
{
	const char *name = given(form, "grant_type");
	if (!name) {
		return missing("grant_type");
	}
	for (size_t i = 0; i < sizeof grants / sizeof *grants; i++) {
		if (strcmp(name, grants[i].name) == 0) {
			*ret_grant = grants[i].grant;
			return sr_ok();
		}
	}
	return sr_fail_as(SR_INVALID, SR_AADSTS_BAD_GRANT, "The app requested an unsupported grant type '%.100s'.", name);
}

/* What a parameter of the endpoint names: scope or resource. */
static struct sr_result read_client_resource(struct sr_arena *arena, const struct sr_parameters *form, bool takes_scope,
                                             bool takes_resource, struct sr_token_request *request)
{
	const char *scope = takes_scope ? given(form, "scope") : NULL;
	request->resource = takes_resource ? given(form, "resource") : NULL;
	if (scope && !request->resource) {
		SR_TRY(sr_scope_resource(arena, scope, &request->resource));
	}
	return request->resource ? sr_ok() : missing(takes_scope ? "scope" : "resource");
}

/* A public client names itself and shows what it was given. */
static struct sr_result read_device(const struct sr_parameters *form, struct sr_token_request *request)
{
	request->device_code = given(form, "device_code");
	request->device_code = request->device_code ? request->device_code : given(form, "code");
	return request->device_code ? sr_ok() : missing("device_code");
}

static struct sr_result read_refresh(struct sr_arena *arena, const struct sr_parameters *form, bool takes_scope,
                                     bool takes_resource, struct sr_token_request *request)
{
	struct sr_scopes scopes = {.openid = true};
	request->refresh_token = given(form, "refresh_token");
	if (!request->refresh_token) {
		return missing("refresh_token");
	}
	request->scope = takes_scope ? given(form, "scope") : NULL;
	request->resource = takes_resource ? given(form, "resource") : NULL;
	if (request->scope && !request->resource) {
		SR_TRY(sr_scopes_read(arena, request->scope, &scopes));
		request->resource = scopes.resource;
	}
	request->wants_id_token = scopes.openid;
	return request->resource ? sr_ok() : missing(takes_scope ? "scope" : "resource");
}

static struct sr_result read_public(struct sr_arena *arena, const struct sr_parameters *form, bool takes_scope,
                                    bool takes_resource, struct sr_token_request *request)
{
	const char *client_info = given(form, "client_info");
	request->wants_client_info = client_info && strcmp(client_info, "1") == 0;
	request->client_id = given(form, "client_id");
	if (!request->client_id) {
		return missing("client_id");
	}
	return request->grant == SR_GRANT_DEVICE ? read_device(form, request)
	                                         : read_refresh(arena, form, takes_scope, takes_resource, request);
}

struct sr_result sr_token_request_read(struct sr_arena *arena, struct sr_bytes form, const char *authorization,
                                       bool takes_scope, bool takes_resource, struct sr_token_request *ret_request)
{
	struct sr_parameters parameters;
	struct sr_token_request request = {0};
	SR_TRY(sr_parameters_parse(arena, form, true, &parameters));
	SR_TRY(check_repeats(&parameters));
	SR_TRY(read_grant(&parameters, &request.grant));
	if (request.grant == SR_GRANT_CLIENT) {
		SR_TRY(read_client(arena, &parameters, authorization, &request));
		SR_TRY(read_client_resource(arena, &parameters, takes_scope, takes_resource, &request));
	} else {
		SR_TRY(read_public(arena, &parameters, takes_scope, takes_resource, &request));
	}
	*ret_request = request;
	return sr_ok();
}
