/* Entries of identity's audit log. The chain is the room audit's. */
#include "identity/audited.h"

#include "audit/audit_api.h"
#include "identity/api.h"
#include "identity/oauth_error.h"
#include "identity/store_visit.h"

#include <stdio.h>
#include <string.h>

#define LOCAL_PREFIX "/_strongroom/"

enum { NAME_MAX_LEN = 96 };

/* A route of several operations: the answer's audit names the one that was done, or none. */
#define NAMED_BY_ANSWER ""

/* Operations by their routes. A route that changes something and is not here is recorded by its method and path. */
static const struct {
	const char *method, *path, *operation;
} operations[] = {
    {"POST", "/{tenant}/oauth2/v2.0/token", "SignIn"},
    {"POST", "/{tenant}/oauth2/token", "SignIn"},
    {"POST", "/adfs/oauth2/token", "SignIn"},
    {"GET", "/metadata/identity/oauth2/token", "SignIn"},
    {"GET", "/msi/token", "SignIn"},
    {"POST", "/_strongroom/rotate-signing-key", "SigningKeyRotate"},
    {"POST", "/_strongroom/image", "BackupFreeze"},
    {"DELETE", "/_strongroom/image", "BackupThaw"},
    {"GET", "/_strongroom/principals", "PrincipalList"},
    {"POST", "/_strongroom/principals", "PrincipalCreate"},
    {"GET", "/_strongroom/principals/{principal}", "PrincipalGet"},
    {"PATCH", "/_strongroom/principals/{principal}", "PrincipalUpdate"},
    {"DELETE", "/_strongroom/principals/{principal}", "PrincipalDelete"},
    {"POST", "/_strongroom/principals/{principal}/secrets", "PrincipalSecretCreate"},
    {"DELETE", "/_strongroom/principals/{principal}/secrets/{secret}", "PrincipalSecretDelete"},
    {"POST", "/_strongroom/principals/{principal}/certificates", "PrincipalCertificateCreate"},
    {"DELETE", "/_strongroom/principals/{principal}/certificates/{certificate}", "PrincipalCertificateDelete"},
    {"POST", "/_strongroom/principals/{principal}/federated", "FederatedCredentialCreate"},
    {"DELETE", "/_strongroom/principals/{principal}/federated/{credential}", "FederatedCredentialDelete"},
    {"PUT", "/_strongroom/federation", "FederationSet"},
    {"DELETE", "/_strongroom/federation", "FederationDelete"},
    {"POST", "/{tenant}/oauth2/v2.0/devicecode", "DeviceAuthorize"},
    {"POST", "/{tenant}/oauth2/devicecode", "DeviceAuthorize"},
    {"POST", "/adfs/oauth2/devicecode", "DeviceAuthorize"},
    {"POST", "/devicelogin", NAMED_BY_ANSWER},
    {"POST", "/_strongroom/people", "PersonCreate"},
    {"PATCH", "/_strongroom/people/{person}", "PersonUpdate"},
    {"DELETE", "/_strongroom/people/{person}", "PersonDelete"},
    {"POST", "/_strongroom/people/{person}/reset-password", "PersonPasswordReset"},
    {"POST", "/_strongroom/people/{person}/unlock", "PersonUnlock"},
    {"POST", "/_strongroom/people/{person}/sign-out", "PersonSignOut"},
    {"PUT", "/_strongroom/public-clients/{client}", "PublicClientAllow"},
    {"DELETE", "/_strongroom/public-clients/{client}", "PublicClientDelete"},
    {"GET", "/_strongroom/assignments", "RoleAssignmentList"},
    {"POST", "/_strongroom/assignments", "RoleAssignmentCreate"},
    {"DELETE", "/_strongroom/assignments", "RoleAssignmentDelete"},
    {"DELETE", "/_strongroom/assignments/{assignment}", "RoleAssignmentDelete"},
    {"POST", "/_strongroom/groups", "GroupCreate"},
    {"PATCH", "/_strongroom/groups/{group}", "GroupUpdate"},
    {"DELETE", "/_strongroom/groups/{group}", "GroupDelete"},
    {"POST", "/_strongroom/groups/{group}/members", "GroupMemberAdd"},
    {"DELETE", "/_strongroom/groups/{group}/members/{member}", "GroupMemberRemove"},
    {"POST", "/_strongroom/roles", "RoleCreate"},
    {"PUT", "/_strongroom/roles/{role}", "RoleUpdate"},
    {"DELETE", "/_strongroom/roles/{role}", "RoleDelete"},
    {"POST", "/_strongroom/deny-assignments", "DenyAssignmentCreate"},
    {"DELETE", "/_strongroom/deny-assignments/{denial}", "DenyAssignmentDelete"},
    {"GET", "/v1.0/me", "DirectoryGet"},
    {"POST", "/v1.0/directoryObjects/getByIds", "DirectoryList"},
    {"GET", "/v1.0/groups/{group}/members", "DirectoryList"},
    {"GET", "/v1.0/{collection}", "DirectoryList"},
    {"GET", "/v1.0/{collection}/{object}", "DirectoryGet"},
    {"POST", "/_strongroom/management-groups", "ManagementGroupCreate"},
    {"PATCH", "/_strongroom/management-groups/{group}", "ManagementGroupUpdate"},
    {"DELETE", "/_strongroom/management-groups/{group}", "ManagementGroupDelete"},
    {"PUT", "/_strongroom/management-groups/{group}/subscriptions/{subscription}", "SubscriptionPlace"},
};

/* NULL: not recorded. */
static const char *operation_of(const struct sr_route *route, char name[static NAME_MAX_LEN])
{
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		if (strcmp(operations[i].method, route->method) == 0 && strcmp(operations[i].path, route->path) == 0) {
			return operations[i].operation;
		}
	}
	if (strcmp(route->method, "GET") == 0 || strcmp(route->method, "HEAD") == 0) {
		return NULL;
	}
	snprintf(name, NAME_MAX_LEN, "%s %s", route->method, route->path);
	return name;
}

/* One of our own services asks, on the internal listener. */
static bool is_service(const struct sr_identity_request *request)
{
	return request->peer_service && request->peer_service[0];
}

/* What an administrator's or a service's request is about: "principals/GUID", with the id of what it made. */
static const char *object_of(const struct sr_identity_request *request, const struct sr_identity_answer *answer)
{
	static const char *const ids[] = {"objectId", "id", "secretId", "certificateId", "credentialId"};
	const bool has_prefix = sr_bytes_start_with(request->path, SR_LITERAL(LOCAL_PREFIX));
	if (!has_prefix && !is_service(request)) {
		return NULL;
	}
	const size_t skip = has_prefix ? sizeof LOCAL_PREFIX - 1 : 1;
	const char *object =
	    sr_arena_text(request->arena, sr_bytes_of(request->path.data + skip, request->path.len - skip));
	for (size_t i = 0; answer->status == 201 && i < sizeof ids / sizeof ids[0]; i++) {
		const char *id = json_string_value(json_object_get(answer->body, ids[i]));
		if (id) {
			return sr_arena_printf(request->arena, "%s/%s", object, id);
		}
	}
	return object;
}

/* What they asked for: members that are names and settings, never values. */
static const char *detail_of(const struct sr_identity_request *request)
{
	static const char *const members[] = {"name",    "principal", "role",   "scope",   "group",    "member",   "kind",
	                                      "enabled", "userName",  "issuer", "subject", "audience", "resources"};
	enum { DETAIL_MAX = 1024 };
	SR_CLEANUP(sr_json) json_t *body = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(DETAIL_MAX);
	if (!(request->is_local || is_service(request)) || !request->body.len) {
		return NULL;
	}
	struct sr_result parsed = sr_json_parse(request->body, &body);
	const bool is_object = sr_is_ok(parsed) && json_is_object(body);
	sr_ignore(parsed);
	for (size_t i = 0; is_object && i < sizeof members / sizeof members[0]; i++) {
		const json_t *member = json_object_get(body, members[i]);
		const char *value =
		    json_is_boolean(member) ? (json_is_true(member) ? "true" : "false") : json_string_value(member);
		if (value) {
			sr_buf_printf(&text, "%s%s=%s", text.len ? " " : "", members[i], value);
		}
	}
	return text.len && !text.failed ? sr_arena_text(request->arena, sr_buf_bytes(&text)) : NULL;
}

/* Refused for their number, or asked again and again while a person decides. */
static bool is_throttled(struct sr_result handled)
{
	static const char *const reasons[] = {SR_AADSTS_THROTTLED, SR_AADSTS_PENDING, SR_AADSTS_TOO_OFTEN};
	const char *reason = sr_result_reason(handled);
	for (size_t i = 0; reason && i < sizeof reasons / sizeof reasons[0]; i++) {
		if (strcmp(reason, reasons[i]) == 0) {
			return true;
		}
	}
	return false;
}

bool sr_identity_is_audited(const struct sr_route *route, const struct sr_identity_answer *answer)
{
	char name[NAME_MAX_LEN];
	const char *operation = operation_of(route, name);
	return operation && (*operation || answer->audit.operation);
}

static struct sr_result append(struct sr_connection *connection, void *context)
{
	return sr_audit_append(connection, context);
}

struct sr_result sr_identity_audit(const struct sr_route *route, const struct sr_identity_request *request,
                                   const struct sr_identity_answer *answer, struct sr_result handled)
{
	char name[NAME_MAX_LEN];
	const char *operation = operation_of(route, name);
	if (!sr_identity_is_audited(route, answer) || is_throttled(handled)) {
		return handled;
	}
	struct sr_audit_event event = answer->audit;
	event.operation = *operation ? operation : event.operation;
	event.from = request->peer_address;
	event.request_id = request->request_id;
	event.object = event.object ? event.object : object_of(request, answer);
	event.detail = event.detail ? event.detail : detail_of(request);
	if (request->is_local) {
		event.object_id = event.object_id ? event.object_id : "local";
	}
	if (is_service(request)) {
		event.service = request->peer_service;
		event.object_id = event.object_id ? event.object_id : request->caller;
	}
	if (sr_is_ok(handled)) {
		event.status = answer->status ? answer->status : 200;
	} else {
		const char *reason = sr_result_reason(handled);
		event.outcome = event.outcome ? event.outcome : reason ? reason : "refused";
	}
	struct sr_result written = sr_visit_write(request, append, &event);
	if (!sr_is_ok(written)) {
		sr_result_free(handled);
		return written;
	}
	return handled;
}

static void abort_exchange(void *context)
{
	sr_exchange_abort(context);
}

struct sr_result sr_identity_audit_log(const struct sr_identity_request *request, struct sr_exchange *exchange)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_identity_store *store;
	SR_TRY(sr_identity_enter(request->identity, abort_exchange, exchange, &use, &store));
	return sr_audit_api_handle(exchange, request->parts[0], store->audit);
}
