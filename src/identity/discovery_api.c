/* Metadata: OIDC discovery, instance discovery, published keys, health. Nothing here is secret. */
#include "identity/api.h"

#include "identity/oauth_error.h"
#include "identity/tenant.h"

#include <string.h>

/* What differs between the kinds of metadata; paths follow the origin and, where `has_tenant`, the tenant. */
struct metadata_kind {
	bool has_tenant;
	const char *issuer;
	const char *authorization;
	const char *token;
	const char *device;
	const char *keys;
};
static const struct metadata_kind v2 = {
    true, "/v2.0", "/oauth2/v2.0/authorize", "/oauth2/v2.0/token", "/oauth2/v2.0/devicecode", "/discovery/v2.0/keys"};
static const struct metadata_kind v1 = {
    true, "/", "/oauth2/authorize", "/oauth2/token", "/oauth2/devicecode", "/discovery/keys"};
static const struct metadata_kind adfs = {
    false, "/adfs", "/adfs/oauth2/authorize", "/adfs/oauth2/token", "/adfs/oauth2/devicecode", "/adfs/discovery/keys"};

static json_t *text_array(const char *const *texts)
{
	json_t *array = json_array();
	for (; *texts; texts++) {
		json_array_append_new(array, json_string(*texts));
	}
	return array;
}

static void set_url(json_t *object, const char *name, struct sr_arena *arena, const char *base, const char *path)
{
	sr_json_set_string(object, name, sr_arena_printf(arena, "%s%s", base, path));
}

static struct sr_result describe(const struct sr_identity_request *request, const struct metadata_kind *kind,
                                 struct sr_identity_answer *answer)
{
	const char *base = request->origin;
	if (kind->has_tenant) {
		SR_TRY(sr_tenant_check(request->store, request->parts[0]));
		base = sr_arena_printf(request->arena, "%s/%s", request->origin, request->store->tenant);
	}
	json_t *body = json_object();
	set_url(body, "issuer", request->arena, base, kind->issuer);
	set_url(body, "authorization_endpoint", request->arena, base, kind->authorization);
	set_url(body, "token_endpoint", request->arena, base, kind->token);
	set_url(body, "device_authorization_endpoint", request->arena, base, kind->device);
	set_url(body, "jwks_uri", request->arena, base, kind->keys);
	sr_json_set(body, "grant_types_supported",
	            text_array((const char *const[]){"client_credentials", "refresh_token",
	                                             "urn:ietf:params:oauth:grant-type:device_code", NULL}));
	sr_json_set(
	    body, "token_endpoint_auth_methods_supported",
	    text_array((const char *const[]){"client_secret_post", "private_key_jwt", "client_secret_basic", NULL}));
	sr_json_set(body, "id_token_signing_alg_values_supported", text_array((const char *const[]){"RS256", NULL}));
	sr_json_set(body, "scopes_supported",
	            text_array((const char *const[]){"openid", "profile", "email", "offline_access", NULL}));
	sr_json_set(body, "subject_types_supported", text_array((const char *const[]){"pairwise", NULL}));
	sr_json_set_string(body, "cloud_instance_name", request->origin + strlen("https://"));
	answer->body = body;
	return sr_ok();
}

struct sr_result sr_discovery_v2(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return describe(request, &v2, answer);
}

struct sr_result sr_discovery_v1(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return describe(request, &v1, answer);
}

struct sr_result sr_discovery_adfs(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return describe(request, &adfs, answer);
}

/* The tenant in "https://HOST:PORT/TENANT/…", or NULL unless the host is ours. */
static const char *tenant_of_endpoint(const struct sr_identity_request *request, const char *endpoint)
{
	struct sr_bytes host;
	struct sr_bytes rest;
	uint16_t port;
	if (!endpoint || !sr_origin_parse(sr_bytes_str(endpoint), &host, &port, &rest) || port != request->identity->port ||
	    !sr_is_own_host(&request->identity->options.own, host) || rest.len < 2) {
		return NULL;
	}
	const char *tenant = sr_arena_text(request->arena, sr_bytes_of(rest.data + 1, rest.len - 1));
	return sr_arena_text(request->arena, sr_bytes_of(tenant, strcspn(tenant, "/?")));
}

struct sr_result sr_discovery_instance(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	const char *endpoint = sr_parameter_get(&request->query, "authorization_endpoint");
	const char *tenant = tenant_of_endpoint(request, endpoint);
	if (!tenant) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_UNKNOWN_INSTANCE, "Unknown or invalid instance.");
	}
	const char *version = sr_parameter_get(&request->query, "api-version");
	bool is_v1 = version && strcmp(version, "1.0") == 0;
	const char *host = request->origin + strlen("https://");
	json_t *instance = json_object();
	sr_json_set_string(instance, "preferred_network", host);
	sr_json_set_string(instance, "preferred_cache", host);
	sr_json_set(instance, "aliases", text_array((const char *const[]){host, NULL}));
	json_t *instances = json_array();
	json_array_append_new(instances, instance);

	json_t *body = json_object();
	sr_json_set_string(body, "tenant_discovery_endpoint",
	                   sr_arena_printf(request->arena, "%s/%s%s/.well-known/openid-configuration", request->origin,
	                                   tenant, is_v1 ? "" : "/v2.0"));
	sr_json_set_string(body, "api-version", is_v1 ? "1.0" : "1.1");
	sr_json_set(body, "metadata", instances);
	answer->body = body;
	return sr_ok();
}

static struct sr_result read_keys(struct sr_connection *connection, void *context)
{
	return sr_signing_keys_jwks(connection, context);
}

struct sr_result sr_discovery_keys(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	if (request->parts[0][0]) {
		SR_TRY(sr_tenant_check(request->store, request->parts[0]));
	}
	json_t *keys;
	SR_TRY(sr_database_read(request->store->database, read_keys, &keys));
	answer->body = json_object();
	sr_json_set(answer->body, "keys", keys);
	return sr_ok();
}

struct sr_result sr_discovery_health(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	bool is_open = sr_keyring_counts_now(request->identity->keyring).leases_held > 0;
	answer->body = json_object();
	sr_json_set_string(answer->body, "service", "identity");
	sr_json_set_string(answer->body, "status", is_open ? "ok" : "waiting for the vault");
	return sr_ok();
}

/* Where error_uri leads: what is known of a number. */
struct sr_result sr_discovery_error(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	const char *code = sr_parameter_get(&request->query, "code");
	uint64_t number;
	SR_TRY(sr_parse_u64(sr_bytes_str(code), INT64_MAX, &number));
	const struct sr_oauth_error *row = sr_oauth_error_at(0);
	for (size_t i = 0; row && sr_oauth_error_number(row) != (int64_t)number; i++) {
		row = sr_oauth_error_at(i + 1);
	}
	if (!row) {
		return sr_fail(SR_NOT_FOUND, "there is no error of this number");
	}
	answer->body = json_object();
	sr_json_set_string(answer->body, "code", row->reason);
	sr_json_set_string(answer->body, "error", row->error);
	sr_json_set_int(answer->body, "status", row->status);
	return sr_ok();
}
