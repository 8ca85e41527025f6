/* Authorization of requests. Signatures are computed here from wire's strings; roles are access's to judge. */
#include "blob/authorize.h"

#include "base/clock.h"
#include "base/text.h"
#include "blob/container_store.h"
#include "wire/credentials.h"
#include "wire/shared_key.h"
#include "wire/time.h"

#include <stdlib.h>
#include <string.h>

enum { SKEW_S = 15 * 60, HEADERS_MAX = 128, STRING_TO_SIGN_MAX = 128 * 1024 };

static struct sr_result authentication_failed(const char *why)
{
	return sr_fail_as(SR_DENIED, "AuthenticationFailed", "%s", why);
}

/* The request's own date must be near ours, so that a recorded request is of no use later. */
static struct sr_result check_date(const struct sr_blob_request *request)
{
	const char *text = sr_blob_header(request, "x-ms-date");
	text = text ? text : sr_blob_header(request, "date");
	int64_t date;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_http_date_parse(sr_bytes_str(text), &date);
	if (!sr_is_ok(parsed)) {
		return authentication_failed("the request bears no date");
	}
	return llabs(sr_unix_s() - date) <= SKEW_S ? sr_ok()
	                                           : authentication_failed("the request's date is too far from now");
}

static struct sr_result string_to_sign(const struct sr_blob_request *request, bool is_lite, struct sr_buf *text)
{
	struct sr_signed_header headers[HEADERS_MAX];
	size_t count = 0;
	while ((headers[count].name = sr_exchange_header_at(request->exchange, count, &headers[count].value))) {
		if (++count == HEADERS_MAX) {
			return authentication_failed("the request has too many headers to be signed");
		}
	}
	const struct sr_signed_request signed_request = {
	    .method = sr_exchange_method(request->exchange),
	    .path = sr_exchange_path(request->exchange),
	    .query = &request->query,
	    .headers = headers,
	    .header_count = count,
	    .account = request->target.account,
	};
	sr_shared_key_string(request->arena, &signed_request, is_lite, text);
	return sr_buf_result(text);
}

static struct sr_result check_signature(struct sr_blob_account *account, struct sr_bytes text,
                                        struct sr_bytes signature_base64)
{
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(64);
	SR_CLEANUP(sr_result) struct sr_result decoded = sr_base64_decode(signature_base64, &signature);
	if (!sr_is_ok(decoded) || signature.len != SR_SHA256_LEN) {
		return authentication_failed("the signature is no HMAC-SHA-256 in Base64");
	}
	SR_CLEANUP(sr_blob_shared_keys) struct sr_blob_shared_keys *keys = sr_blob_account_keys(account);
	for (int which = 0; which < 2; which++) {
		uint8_t mac[SR_SHA256_LEN];
		SR_TRY(sr_hmac_sha256(keys->key[which], text, mac));
		if (sr_equal_ct(sr_bytes_of(mac, sizeof mac), sr_buf_bytes(&signature))) {
			return sr_ok();
		}
	}
	return authentication_failed("the signature is not of either of the account's keys");
}

static struct sr_result by_shared_key(struct sr_blob_request *request, const char *authorization)
{
	bool is_lite = false;
	const char *account = NULL;
	struct sr_bytes signature;
	SR_CLEANUP(sr_result)
	struct sr_result parsed = sr_shared_key_parse(request->arena, authorization, &is_lite, &account, &signature);
	if (!sr_is_ok(parsed)) {
		return sr_fail_as(SR_UNAUTHENTICATED, "InvalidAuthenticationInfo", "the Authorization header is malformed");
	}
	if (strcmp(account, request->target.account) != 0) {
		return authentication_failed("the signature is for another account");
	}
	SR_TRY(check_date(request));
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(STRING_TO_SIGN_MAX);
	SR_TRY(string_to_sign(request, is_lite, &text));
	return check_signature(request->account, sr_buf_bytes(&text), signature);
}

static void set_challenge(struct sr_blob_request *request)
{
	struct sr_installation installation;
	SR_CLEANUP(sr_result)
	struct sr_result known = sr_access_installation(request->service->access, &installation);
	if (sr_is_ok(known)) {
		request->challenge = sr_arena_printf(
		    request->arena, "Bearer authorization_uri=%s/%s/oauth2/authorize resource_id=https://storage.azure.com",
		    sr_access_authority(request->service->access), installation.tenant);
	}
}

/* The narrowest scope that the operation touches. */
static struct sr_result scope_of(struct sr_blob_request *request, const char **ret_scope)
{
	struct sr_installation installation;
	SR_TRY(sr_access_installation(request->service->access, &installation));
	const struct sr_blob_account_record *record = &request->account->record;
	const char *account = sr_arena_printf(
	    request->arena, "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Storage/storageAccounts/%s",
	    installation.subscription, record->resource_group, record->name);
	*ret_scope = account;
	if (request->target.container.len) {
		*ret_scope = sr_arena_printf(request->arena, "%s/blobServices/default/containers/%s", account,
		                             sr_arena_text(request->arena, request->target.container));
	}
	return sr_ok();
}

static struct sr_result check_roles(struct sr_blob_request *request, const struct sr_principal *who)
{
	const struct sr_blob_operation *operation = request->operation;
	const char *action =
	    sr_arena_printf(request->arena, "Microsoft.Storage/storageAccounts/blobServices/%s", operation->action);
	const char *scope = NULL;
	SR_TRY(scope_of(request, &scope));
	struct sr_result allowed =
	    sr_access_check(request->service->access, who, action, operation->is_data_action, scope, NULL);
	if (sr_result_code(allowed) == SR_DENIED) {
		sr_result_free(allowed);
		return sr_fail_as(SR_DENIED, "AuthorizationPermissionMismatch", "no role assignment allows %s", action);
	}
	return allowed;
}

static struct sr_result by_token(struct sr_blob_request *request, const char *token)
{
	const struct sr_host *host = request->service->host; /* NULL in tests */
	const uint16_t own_port = host ? (uint16_t)sr_host_config(host)->blob_port : 0;
	const char *const audiences[] = {
	    "https://storage.azure.com",
	    sr_arena_printf(request->arena, "https://%s.blob.core.windows.net", request->target.account),
	    sr_access_own_origin(request->arena, sr_exchange_authority(request->exchange), own_port),
	    NULL,
	};
	struct sr_principal who;
	struct sr_result known =
	    sr_access_authenticate(request->service->access, request->arena, sr_bytes_str(token), audiences, &who);
	if (sr_result_code(known) == SR_UNAUTHENTICATED || sr_result_code(known) == SR_INVALID) {
		set_challenge(request);
		struct sr_result failed =
		    sr_fail_as(SR_UNAUTHENTICATED, "InvalidAuthenticationInfo", "%s", sr_result_message(known));
		sr_result_free(known);
		return failed;
	}
	SR_TRY(known);
	return check_roles(request, &who);
}

static struct sr_sas_use use_of(const struct sr_blob_request *request)
{
	const struct sr_blob_operation *operation = request->operation;
	return (struct sr_sas_use){
	    .now_us = sr_unix_us(),
	    .peer_address = sr_exchange_peer_address(request->exchange),
	    .resource = request->target.resource,
	    .allowed_by = request->sas->is_account ? operation->account_permissions : operation->service_permissions,
	};
}

static struct sr_result by_signature(struct sr_blob_request *request)
{
	struct sr_sas *sas = sr_arena_alloc(request->arena, sizeof *sas);
	SR_TRY(sr_sas_read(&request->query, sas));
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(STRING_TO_SIGN_MAX);
	sr_sas_string(sas, &request->target, &text);
	SR_TRY(sr_buf_result(&text));
	SR_TRY(check_signature(request->account, sr_buf_bytes(&text), sr_bytes_str(sas->sig)));
	request->sas = sas;
	if (*sas->si) {
		return sr_ok(); /* its policy decides: sr_blob_authorize_by_policy */
	}
	const struct sr_sas_use use = use_of(request);
	return sr_sas_check(sas, &use, NULL, &request->permissions);
}

static struct sr_result check_policy(struct sr_connection *connection, void *context)
{
	struct sr_blob_request *request = context;
	struct sr_container_row row;
	SR_TRY(sr_container_find(connection, request->arena, request->target.container, &row));
	struct sr_blob_policy policies[SR_BLOB_POLICY_MAX];
	size_t count = 0;
	SR_TRY(sr_blob_policies_unpack(row.acl, policies, &count));
	for (size_t i = 0; i < count; i++) {
		if (sr_equal_public(policies[i].id, sr_bytes_str(request->sas->si))) {
			const struct sr_sas_use use = use_of(request);
			return sr_sas_check(request->sas, &use, &policies[i], &request->permissions);
		}
	}
	return authentication_failed("the signature names a policy that is not there");
}

struct sr_result sr_blob_authorize_by_policy(struct sr_blob_request *request)
{
	if (!request->sas || !*request->sas->si) {
		return sr_ok();
	}
	struct sr_result result = sr_database_read(request->volume->database, check_policy, request);
	if (sr_result_code(result) == SR_NOT_FOUND) { /* what is not there is told only to those who may ask */
		sr_result_free(result);
		return authentication_failed("the signature names a policy that is not there");
	}
	return result;
}

struct sr_result sr_blob_authorize(struct sr_blob_request *request)
{
	const char *authorization = sr_blob_header(request, "authorization");
	if (!authorization && sr_sas_is_there(&request->query)) {
		return by_signature(request);
	}
	if (!authorization) {
		set_challenge(request);
		return sr_fail_as(SR_UNAUTHENTICATED, "NoAuthenticationInformation", "the request says not who asks");
	}
	if (sr_credentials(authorization, "SharedKey") || sr_credentials(authorization, "SharedKeyLite")) {
		return by_shared_key(request, authorization);
	}
	const char *token = sr_credentials(authorization, "Bearer");
	if (token) {
		return by_token(request, token);
	}
	set_challenge(request);
	return sr_fail_as(SR_UNAUTHENTICATED, "InvalidAuthenticationInfo", "the Authorization header's scheme is unknown");
}
