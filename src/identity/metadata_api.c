/*
 * Tokens of managed identities: the instance metadata endpoint, whose callers are known by where they ask from, and
 * App Service's endpoint, whose callers show a header that they were given.
 */
#include "identity/api.h"

#include "base/clock.h"
#include "identity/identity_holder.h"
#include "identity/managed_identity.h"
#include "identity/metadata_error.h"
#include "identity/oauth_error.h"
#include "identity/token.h"
#include "wire/jwt.h"

#include <string.h>

/* Names by which a caller says whose token it wants, and what each is. */
enum selector { BY_CLIENT_ID, BY_OBJECT_ID, BY_RESOURCE_ID };
static const struct {
	const char *name;
	enum selector selector;
} selectors[] = {
    {"client_id", BY_CLIENT_ID},    {"object_id", BY_OBJECT_ID},   {"principal_id", BY_OBJECT_ID},
    {"msi_res_id", BY_RESOURCE_ID}, {"mi_res_id", BY_RESOURCE_ID},
};

/* What is asked for, and what of it was found among the holder's identities. */
struct choice {
	const struct sr_identity_request *request;
	char holder[SR_GUID_TEXT_LEN];
	const char *wanted; /* NULL: whichever is meant by default */
	enum selector selector;
	struct sr_managed_identity system, any, match;
	size_t system_count, count, match_count;
};

static struct sr_result read_selector(struct choice *choice)
{
	for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
		const char *value = sr_parameter_get(&choice->request->query, selectors[i].name);
		if (value && choice->wanted) {
			return sr_fail(SR_INVALID, "client_id, object_id and msi_res_id exclude one another");
		}
		if (value) {
			choice->wanted = value;
			choice->selector = selectors[i].selector;
		}
	}
	return sr_ok();
}

static struct sr_result consider(const struct sr_managed_identity *identity, void *context)
{
	struct choice *choice = context;
	const char *const ids[] = {[BY_CLIENT_ID] = identity->client_id,
	                           [BY_OBJECT_ID] = identity->object_id,
	                           [BY_RESOURCE_ID] = identity->resource_id};
	choice->any = identity[0];
	choice->count++;
	if (identity->kind == SR_MANAGED_SYSTEM) {
		choice->system = *identity;
		choice->system_count++;
	}
	if (choice->wanted && sr_equal_nocase(sr_bytes_str(ids[choice->selector]), sr_bytes_str(choice->wanted))) {
		choice->match = *identity;
		choice->match_count++;
	}
	return sr_ok();
}

/* By name; else the system-assigned one; else the only one. */
static struct sr_result decide(const struct choice *choice, struct sr_managed_identity *ret_identity)
{
	if (choice->wanted ? !choice->match_count : !choice->count) {
		return sr_fail(SR_INVALID, "Identity not found");
	}
	if (!choice->wanted && choice->system_count != 1 && choice->count != 1) {
		return sr_fail(SR_INVALID,
		               "Multiple %s assigned identities exist, please specify the clientId / resourceId of "
		               "the identity in the token request",
		               choice->system_count ? "system" : "user");
	}
	*ret_identity = choice->wanted ? choice->match : choice->system_count == 1 ? choice->system : choice->any;
	return ret_identity->is_enabled ? sr_ok() : sr_fail(SR_INVALID, "The identity is disabled");
}

/*
 * The binding of who asks. The kernel says which user a process of this machine runs as; at a loopback address nothing
 * else counts.
 */
static struct sr_result find_binding(struct sr_connection *connection, struct choice *choice)
{
	const struct sr_identity_request *request = choice->request;
	struct sr_imds_binding binding;
	struct sr_result found = request->has_peer_uid ? sr_imds_binding_find(connection, request->peer_address,
	                                                                      (int64_t)request->peer_uid, &binding)
	                                               : sr_fail(SR_NOT_FOUND, "no user");
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		found = sr_imds_binding_find(connection, request->peer_address, SR_ANY_UID, &binding);
	}
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_fail(SR_INVALID,
		               "Identity not found: no managed identity is bound to the caller's address (and user)");
	}
	SR_TRY(found);
	memcpy(choice->holder, binding.id, sizeof choice->holder);
	return sr_ok();
}

static struct sr_result choose_by_address(struct sr_connection *connection, void *context)
{
	struct choice *choice = context;
	SR_TRY(find_binding(connection, choice));
	return sr_managed_identity_each_held(connection, choice->request->arena, choice->holder, consider, choice);
}

static struct sr_result choose_by_header(struct sr_connection *connection, void *context)
{
	struct choice *choice = context;
	const struct sr_identity_request *request = choice->request;
	SR_TRY(sr_identity_header_check(connection, request->identity_header ? request->identity_header : "",
	                                request->now_s, choice->holder));
	return sr_managed_identity_each_held(connection, request->arena, choice->holder, consider, choice);
}

/* "YYYY-MM-DD", not before `least`. */
static struct sr_result check_version(const struct sr_identity_request *request, const char *least)
{
	const char *version = sr_parameter_get(&request->query, "api-version");
	bool is_date = version && strlen(version) == strlen(least);
	for (size_t i = 0; is_date && version[i]; i++) {
		is_date = least[i] == '-' ? version[i] == '-' : version[i] >= '0' && version[i] <= '9';
	}
	if (!is_date || strcmp(version, least) < 0) {
		return sr_fail_as(SR_INVALID, SR_METADATA_VERSION,
		                  "Bad request. api-version is %s in the request; %s or later is served",
		                  version ? "invalid" : "not specified", least);
	}
	return sr_ok();
}

/* What keeps a request that a server was tricked into making from being taken for its own. */
static struct sr_result check_metadata(const struct sr_identity_request *request)
{
	if (!request->metadata || !sr_equal_nocase(sr_bytes_str(request->metadata), SR_LITERAL("true"))) {
		return sr_fail(SR_INVALID, "Required metadata header not specified");
	}
	if (request->forwarded_for) {
		return sr_fail(SR_INVALID, "A request with an X-Forwarded-For header is not served");
	}
	return check_version(request, "2018-02-01");
}

static struct sr_result read_resource(const struct sr_identity_request *request, const char **ret_resource)
{
	const char *resource = sr_parameter_get(&request->query, "resource");
	if (!resource || !*resource) {
		return sr_fail(SR_INVALID, "Required audience parameter not specified");
	}
	if (!sr_is_known_resource(&request->identity->options.own, sr_bytes_str(resource))) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_UNKNOWN_RESOURCE,
		                  "AADSTS500011: The resource principal named %.200s was not found in the tenant named %s.",
		                  resource, request->store->tenant);
	}
	*ret_resource = resource;
	return sr_ok();
}

/* A job that guesses headers, or asks without end, has to wait. */
static struct sr_result check_rate(const struct sr_identity_request *request, const char *what,
                                   struct sr_identity_answer *answer)
{
	if (!sr_rate_limit_allows(request->identity->metadata_limit, what, request->peer_address, sr_boottime_ms(),
	                          &answer->retry_after_s)) {
		return sr_fail_as(SR_UNAVAILABLE, SR_AADSTS_THROTTLED, "Too many requests. Try again in %u seconds.",
		                  answer->retry_after_s);
	}
	return sr_ok();
}

static void set_number(const struct sr_identity_request *request, json_t *body, const char *name, int64_t value)
{
	sr_json_set_string(body, name, sr_arena_printf(request->arena, "%lld", (long long)value));
}

/* Numbers are strings here, as clients expect. */
static json_t *token_json(const struct sr_identity_request *request, const struct sr_token_claims *claims,
                          const char *token)
{
	json_t *body = json_object();
	sr_json_set_string(body, "access_token", token);
	sr_json_set_string(body, "client_id", claims->client_id);
	set_number(request, body, "expires_in", claims->lifetime_s - 1); /* a second for the way */
	set_number(request, body, "expires_on", claims->issued_s + claims->lifetime_s);
	set_number(request, body, "ext_expires_in", claims->lifetime_s - 1);
	set_number(request, body, "not_before", claims->issued_s);
	sr_json_set_string(body, "resource", claims->audience);
	sr_json_set_string(body, "token_type", "Bearer");
	sr_json_set_string(body, "object_id", claims->object_id);
	sr_json_set_string(body, "msi_res_id", claims->resource_id);
	return body;
}

static struct sr_result issue(const struct sr_identity_request *request, sr_database_work choose,
                              struct sr_identity_answer *answer)
{
	const char *resource = NULL;
	struct choice choice = {.request = request};
	struct sr_managed_identity identity;
	SR_TRY(read_resource(request, &resource));
	SR_TRY(read_selector(&choice));
	SR_TRY(sr_database_read(request->store->database, choose, &choice));
	SR_TRY(decide(&choice, &identity));
	struct sr_token_claims claims = {
	    .version = SR_TOKEN_V1,
	    .authority = request->identity->options.authority,
	    .tenant = request->store->tenant,
	    .audience = resource,
	    .object_id = identity.object_id,
	    .client_id = identity.client_id,
	    .client_proof = "2",
	    .credential_id = choice.holder,
	    .resource_id = identity.resource_id,
	    .issued_s = request->now_s,
	    .lifetime_s = request->identity->options.token_lifetime_s,
	};
	answer->audit.object_id = sr_arena_strdup(request->arena, identity.object_id);
	answer->audit.app_id = sr_arena_strdup(request->arena, identity.client_id);
	answer->audit.object = resource;
	answer->audit.detail = "managed identity";
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	SR_TRY(sr_token_make(request->store->signing_keys, &claims, &token));
	answer->body = token_json(request, &claims, sr_buf_text(&token));
	answer->is_secret = true;
	sr_wipe(token.data, token.len);
	return sr_ok();
}

static struct sr_result counted(const struct sr_identity_request *request, struct sr_result issued)
{
	struct sr_identity *identity = request->identity;
	atomic_fetch_add(sr_is_ok(issued) ? &identity->tokens_issued : &identity->tokens_refused, 1);
	return issued;
}

struct sr_result sr_metadata_token(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(check_metadata(request));
	SR_TRY(check_rate(request, "metadata", answer));
	sr_rate_limit_charge(request->identity->metadata_limit, "metadata", request->peer_address, sr_boottime_ms());
	return counted(request, issue(request, choose_by_address, answer));
}

struct sr_result sr_metadata_info(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(check_metadata(request));
	answer->body = json_object();
	sr_json_set_string(answer->body, "tenantId", request->store->tenant);
	return sr_ok();
}

/* The header is what tells callers apart, so only wrong ones count against an address. */
struct sr_result sr_job_token(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(check_version(request, "2019-08-01"));
	SR_TRY(check_rate(request, "header", answer));
	struct sr_result issued = issue(request, choose_by_header, answer);
	if (sr_result_code(issued) == SR_UNAUTHENTICATED) {
		sr_rate_limit_charge(request->identity->metadata_limit, "header", request->peer_address, sr_boottime_ms());
	}
	return counted(request, issued);
}
