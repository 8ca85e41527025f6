/* Role definitions, deny assignments, and what the caller may do, at any scope. */
#include "workspace/api.h"

#include "access/role.h"
#include "workspace/authorization.h"
#include "workspace/authorization_filter.h"
#include "workspace/identity_call.h"

#include <string.h>
#include <strings.h>

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* Azure's shape around what identity says of a role. */
static json_t *definition_json(const struct sr_arm_call *call, const json_t *row)
{
	static const char *const members[] = {"roleName",         "description", "permissions",
	                                      "assignableScopes", "createdOn",   "updatedOn"};
	const char *scope = sr_arena_printf(call->arena, "/subscriptions/%s", call->installation.subscription);
	const char *name = text_of(row, "name");
	json_t *properties = json_object(), *body = json_object();
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *member = json_object_get(row, members[i]);
		if (member) {
			json_object_set(properties, members[i], member);
		}
	}
	sr_json_set_string(properties, "type", text_of(row, "roleType"));
	sr_json_set(body, "properties", properties);
	sr_json_set_string(body, "id", sr_authorization_id(call->arena, scope, "roleDefinitions", name));
	sr_json_set_string(body, "type", "Microsoft.Authorization/roleDefinitions");
	sr_json_set_string(body, "name", name);
	return body;
}

/* May the role be assigned at the scope, or somewhere below it? */
static struct sr_result is_assignable(struct sr_arm_call *call, const json_t *row, const char *scope, bool *ret_is)
{
	const json_t *scopes = json_object_get(row, "assignableScopes");
	*ret_is = false;
	for (size_t i = 0; i < json_array_size(scopes) && !*ret_is; i++) {
		const char *at = json_string_value(json_array_get(scopes, i));
		SR_TRY(at ? sr_authorization_is_shown(call, at, scope, false, ret_is) : sr_ok());
	}
	return sr_ok();
}

static struct sr_result add_fitting(struct sr_arm_call *call, const char *scope,
                                    const struct sr_authorization_filter *filter, const json_t *row, json_t *list)
{
	bool fits = (!filter->role_name || strcasecmp(filter->role_name, text_of(row, "roleName")) == 0) &&
	            (!filter->type || strcasecmp(filter->type, text_of(row, "roleType")) == 0);
	if (fits) {
		SR_TRY(is_assignable(call, row, scope, &fits));
	}
	if (fits) {
		json_array_append_new(list, definition_json(call, row));
	}
	return sr_ok();
}

struct sr_result sr_role_definitions_list(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope;
	struct sr_authorization_filter filter;
	SR_TRY(sr_authorization_scope(call, &scope));
	SR_TRY(sr_authorization_check(call, "roleDefinitions/read", scope));
	SR_TRY(sr_authorization_filter_parse(call->arena, sr_parameter_get(&call->query, "$filter"), &filter));
	SR_CLEANUP(sr_json) json_t *rows = NULL;
	int status;
	SR_TRY(sr_identity_call(call, "GET", "/role-definitions", NULL, &status, &rows));
	json_t *list = json_array();
	answer->body = json_object();
	sr_json_set(answer->body, "value", list);
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(rows, "value"), index, row)
	{
		SR_TRY(add_fitting(call, scope, &filter, row, list));
	}
	return sr_ok();
}

/* The role of the path; SR_NOT_FOUND "RoleDefinitionDoesNotExist". The caller owns it. */
static struct sr_result find(struct sr_arm_call *call, json_t **ret_row)
{
	SR_CLEANUP(sr_json) json_t *rows = NULL;
	int status;
	SR_TRY(sr_identity_call(call, "GET", "/role-definitions", NULL, &status, &rows));
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(rows, "value"), index, row)
	{
		if (strcasecmp(text_of(row, "name"), call->parts[1]) == 0) {
			*ret_row = json_incref(row);
			return sr_ok();
		}
	}
	return sr_fail_as(SR_NOT_FOUND, "RoleDefinitionDoesNotExist",
	                  "The specified role definition with ID '%.64s' does not exist.", call->parts[1]);
}

struct sr_result sr_role_definition_get(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope;
	SR_TRY(sr_authorization_scope(call, &scope));
	SR_TRY(sr_authorization_check(call, "roleDefinitions/read", scope));
	SR_CLEANUP(sr_json) json_t *row = NULL;
	SR_TRY(find(call, &row));
	answer->body = definition_json(call, row);
	return sr_ok();
}

/* A role may be changed by who may do so wherever it can be assigned. */
static struct sr_result check_scopes(struct sr_arm_call *call, const json_t *scopes, const char *action)
{
	for (size_t i = 0; i < json_array_size(scopes); i++) {
		const char *scope = json_string_value(json_array_get(scopes, i));
		SR_TRY(sr_authorization_check(call, action, scope ? scope : "/"));
	}
	return sr_ok();
}

/* What is there already; *ret_row stays NULL where there is none. */
static struct sr_result find_if_any(struct sr_arm_call *call, json_t **ret_row)
{
	struct sr_result found = find(call, ret_row);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	return found;
}

static const char *target_of(const struct sr_arm_call *call)
{
	return sr_arena_printf(call->arena, "/role-definitions/%s", sr_identity_escaped(call->arena, call->parts[1]));
}

/* What is asked for, by the names that are checked here and by no others. */
static struct sr_result read_asked(const struct sr_arm_call *call, json_t *ret_asked)
{
	static const char *const members[] = {"roleName", "description", "permissions", "assignableScopes"};
	const json_t *properties = NULL;
	SR_TRY(call->body ? sr_json_get_object(call->body, "properties", &properties) : sr_ok());
	if (!properties) {
		return sr_fail_as(SR_INVALID, "InvalidRequestContent",
		                  "The request content was invalid: 'properties' is required.");
	}
	json_t *asked = json_object();
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *member = json_object_get(properties, members[i]);
		if (member) {
			json_object_set(asked, members[i], member);
		}
	}
	sr_json_set(ret_asked, "properties", asked);
	return sr_ok();
}

struct sr_result sr_role_definition_put(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope;
	SR_CLEANUP(sr_json) json_t *asked = json_object();
	SR_CLEANUP(sr_json) json_t *old = NULL;
	SR_CLEANUP(sr_json) json_t *row = NULL;
	SR_TRY(sr_authorization_scope(call, &scope));
	SR_TRY(sr_authorization_check(call, "roleDefinitions/write", scope));
	SR_TRY(read_asked(call, asked));
	SR_TRY(check_scopes(call, json_object_get(json_object_get(asked, "properties"), "assignableScopes"),
	                    "roleDefinitions/write"));
	SR_TRY(find_if_any(call, &old));
	SR_TRY(check_scopes(call, json_object_get(old, "assignableScopes"), "roleDefinitions/write"));
	int status; /* 201 in either case, as the service answers */
	SR_TRY(sr_identity_call(call, "PUT", target_of(call), asked, &status, &row));
	answer->status = 201;
	answer->body = definition_json(call, row);
	return sr_ok();
}

/* 204 where there is none. */
struct sr_result sr_role_definition_delete(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope;
	SR_CLEANUP(sr_json) json_t *row = NULL;
	SR_CLEANUP(sr_json) json_t *none = NULL;
	SR_TRY(sr_authorization_scope(call, &scope));
	SR_TRY(sr_authorization_check(call, "roleDefinitions/delete", scope));
	SR_TRY(find_if_any(call, &row));
	if (!row) {
		answer->status = 204;
		return sr_ok();
	}
	SR_TRY(check_scopes(call, json_object_get(row, "assignableScopes"), "roleDefinitions/delete"));
	int status;
	SR_TRY(sr_identity_call(call, "DELETE", target_of(call), NULL, &status, &none));
	answer->body = definition_json(call, row);
	return sr_ok();
}

static json_t *principals_json(const json_t *ids)
{
	json_t *list = json_array();
	for (size_t i = 0; i < json_array_size(ids); i++) {
		json_t *item = json_object();
		sr_json_set_string(item, "id", json_string_value(json_array_get(ids, i)));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *denial_json(const struct sr_arm_call *call, const json_t *row)
{
	static const char *const lists[] = {"actions", "notActions", "dataActions", "notDataActions"};
	json_t *permission = json_object(), *properties = json_object(), *body = json_object();
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		json_t *list = json_object_get(row, lists[i]);
		sr_json_set(permission, lists[i], list ? json_incref(list) : json_array());
	}
	sr_json_set_string(properties, "denyAssignmentName", text_of(row, "name"));
	sr_json_set(properties, "permissions", json_pack("[o]", permission));
	sr_json_set_string(properties, "scope", text_of(row, "scope"));
	sr_json_set_bool(properties, "doNotApplyToChildScopes",
	                 json_is_true(json_object_get(row, "doNotApplyToChildScopes")));
	sr_json_set(properties, "principals", principals_json(json_object_get(row, "principals")));
	sr_json_set(properties, "excludePrincipals", principals_json(json_object_get(row, "excludePrincipals")));
	sr_json_set_bool(properties, "isSystemProtected", true);
	sr_json_set(body, "properties", properties);
	sr_json_set_string(body, "id",
	                   sr_authorization_id(call->arena, text_of(row, "scope"), "denyAssignments", text_of(row, "id")));
	sr_json_set_string(body, "type", "Microsoft.Authorization/denyAssignments");
	sr_json_set_string(body, "name", text_of(row, "id"));
	return body;
}

struct sr_result sr_deny_assignments_list(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope;
	struct sr_authorization_filter filter;
	SR_TRY(sr_authorization_scope(call, &scope));
	SR_TRY(sr_authorization_check(call, "denyAssignments/read", scope));
	SR_TRY(sr_authorization_filter_parse(call->arena, sr_parameter_get(&call->query, "$filter"), &filter));
	SR_CLEANUP(sr_json) json_t *rows = NULL;
	int status;
	SR_TRY(sr_identity_call(call, "GET", "/deny-assignments", NULL, &status, &rows));
	json_t *list = json_array();
	answer->body = json_object();
	sr_json_set(answer->body, "value", list);
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(rows, "value"), index, row)
	{
		bool is_shown;
		SR_TRY(sr_authorization_is_shown(call, text_of(row, "scope"), scope, filter.is_at_scope, &is_shown));
		if (is_shown) {
			json_array_append_new(list, denial_json(call, row));
		}
	}
	return sr_ok();
}

static json_t *texts_json(const char *const *texts)
{
	json_t *list = json_array();
	for (; *texts; texts++) {
		json_array_append_new(list, json_string(*texts));
	}
	return list;
}

static struct sr_result add_permission(const struct sr_role *role, void *context)
{
	json_t *item = json_object();
	sr_json_set(item, "actions", texts_json(role->actions));
	sr_json_set(item, "notActions", texts_json(role->not_actions));
	sr_json_set(item, "dataActions", texts_json(role->data_actions));
	sr_json_set(item, "notDataActions", texts_json(role->not_data_actions));
	json_array_append_new(context, item);
	return sr_ok();
}

/* What the caller's roles allow at the scope: everybody may ask that about themselves. */
struct sr_result sr_permissions_list(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope;
	SR_TRY(sr_authorization_scope(call, &scope));
	json_t *list = json_array();
	answer->body = json_object();
	sr_json_set(answer->body, "value", list);
	return sr_access_each_role(call->workspace->access, &call->who, scope, add_permission, list);
}
