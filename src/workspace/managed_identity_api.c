/* Microsoft.ManagedIdentity/userAssignedIdentities. Identity keeps them. */
#include "workspace/managed_identity_api.h"

#include "workspace/identity_call.h"
#include "workspace/route.h"

#include <string.h>
#include <strings.h>

#define TYPE "Microsoft.ManagedIdentity/userAssignedIdentities"

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static json_t *identity_json(const struct sr_arm_call *call, const json_t *row)
{
	json_t *properties = json_object(), *body = json_object();
	json_t *tags = json_object_get(row, "tags");
	sr_json_set_string(properties, "tenantId", call->installation.tenant);
	sr_json_set_string(properties, "principalId", text_of(row, "principalId"));
	sr_json_set_string(properties, "clientId", text_of(row, "clientId"));
	sr_json_set_string(body, "id", text_of(row, "id"));
	sr_json_set_string(body, "name", text_of(row, "name"));
	sr_json_set_string(body, "type", TYPE);
	sr_json_set_string(body, "location", text_of(row, "location"));
	sr_json_set(body, "tags", tags ? json_incref(tags) : json_object());
	sr_json_set(body, "properties", properties);
	return body;
}

struct sr_result sr_managed_identities_collect(struct sr_arm_call *call, const char *scope, json_t *list)
{
	SR_CLEANUP(sr_json) json_t *rows = NULL;
	int status;
	SR_TRY(sr_identity_call(call, "GET", "/managed-identities", NULL, &status, &rows));
	const char *prefix = sr_arena_printf(call->arena, "%s/", scope);
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(rows, "value"), index, row)
	{
		if (strcmp(text_of(row, "kind"), "UserAssigned") == 0 &&
		    strncasecmp(text_of(row, "id"), prefix, strlen(prefix)) == 0) {
			json_array_append_new(list, identity_json(call, row));
		}
	}
	return sr_ok();
}

/* "/subscriptions/S[/resourceGroups/G]" of a call's path, which has a known group by now. */
static const char *scope_of(const struct sr_arm_call *call)
{
	const bool is_group = strstr(call->route->path, "{group}");
	const char *subscription = call->installation.subscription;
	return is_group ? sr_arena_printf(call->arena, "/subscriptions/%s/resourceGroups/%s", subscription, call->parts[1])
	                : sr_arena_printf(call->arena, "/subscriptions/%s", subscription);
}

static struct sr_result list(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	json_t *value = json_array();
	answer->body = json_object();
	sr_json_set(answer->body, "value", value);
	return sr_managed_identities_collect(call, scope_of(call), value);
}

static const char *id_of(const struct sr_arm_call *call, const char *name)
{
	return sr_arena_printf(call->arena, "%s/providers/" TYPE "/%s", scope_of(call), name);
}

static const char *target_of(const struct sr_arm_call *call, const char *name)
{
	return sr_arena_printf(call->arena, "/managed-identities/%s", sr_identity_escaped(call->arena, id_of(call, name)));
}

/* The caller owns the row. SR_NOT_FOUND "ResourceNotFound" in Resource Manager's words. */
static struct sr_result find(struct sr_arm_call *call, const char *name, json_t **ret_row)
{
	int status;
	struct sr_result found = sr_identity_call(call, "GET", target_of(call, name), NULL, &status, ret_row);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_fail_as(SR_NOT_FOUND, "ResourceNotFound",
		                  "The Resource '" TYPE "/%.128s' under resource group '%.90s' was not found.", name,
		                  call->parts[1]);
	}
	return found;
}

static struct sr_result get(struct sr_arm_call *call, const char *name, struct sr_arm_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *row = NULL;
	SR_TRY(find(call, name, &row));
	answer->body = identity_json(call, row);
	return sr_ok();
}

static struct sr_result put(struct sr_arm_call *call, const char *name, bool is_patch, struct sr_arm_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *row = NULL;
	SR_CLEANUP(sr_json) json_t *asked = json_object();
	const char *location = NULL;
	const json_t *tags = NULL;
	if (call->body) {
		SR_TRY(sr_json_get_object(call->body, "tags", &tags));
	}
	if (is_patch) {
		SR_CLEANUP(sr_json) json_t *old = NULL;
		SR_TRY(find(call, name, &old));
	} else {
		SR_TRY(sr_arm_require_text(call, "location", &location));
	}
	sr_json_set_string(asked, "resourceId", id_of(call, name));
	sr_json_set_string(asked, "kind", "UserAssigned");
	sr_json_set_string(asked, "location", location);
	if (tags) {
		json_object_set(asked, "tags", (json_t *)(uintptr_t)tags);
	}
	SR_TRY(sr_identity_call(call, "POST", "/managed-identities", asked, &answer->status, &row));
	answer->body = identity_json(call, row);
	return sr_ok();
}

/* 204 where there is none. */
static struct sr_result delete (struct sr_arm_call *call, const char *name, struct sr_arm_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *none = NULL;
	int status;
	struct sr_result deleted = sr_identity_call(call, "DELETE", target_of(call, name), NULL, &status, &none);
	if (sr_result_code(deleted) == SR_NOT_FOUND) {
		sr_ignore(deleted);
		answer->status = 204;
		return sr_ok();
	}
	return deleted;
}

struct sr_result sr_managed_identity_call(struct sr_arm_call *call, const char *rest, struct sr_arm_answer *answer)
{
	static const char collection[] = TYPE;
	const size_t len = sizeof collection - 1;
	const bool is_type = strncasecmp(rest, collection, len) == 0;
	const char *name = is_type && rest[len] == '/' ? rest + len + 1 : NULL;
	const bool is_one = name && *name && !strchr(name, '/') && strstr(call->route->path, "{group}");
	const bool is_list = is_type && !rest[len];
	const char *method = call->method;
	if (!is_one && !is_list) {
		return sr_fail_as(SR_NOT_FOUND, "InvalidResourceType",
		                  "The resource type could not be found in the namespace 'Microsoft.ManagedIdentity'.");
	}
	if (is_list && strcmp(method, "GET") == 0) {
		return list(call, answer);
	}
	if (is_one && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)) {
		return get(call, name, answer);
	}
	if (is_one && (strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0)) {
		return put(call, name, method[1] == 'A', answer);
	}
	if (is_one && strcmp(method, "DELETE") == 0) {
		return delete (call, name, answer);
	}
	return sr_fail_as(SR_INVALID, "MethodNotAllowed", "The requested resource does not support http method '%.16s'.",
	                  method);
}
