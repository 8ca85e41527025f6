/* Role assignments at any scope. Identity keeps them; here it is checked who may see and make them. */
#include "workspace/api.h"

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

/* Where role definitions are named from: the subscription, whatever the scope, so that the ids of a list fit. */
static const char *definition_id(const struct sr_arm_call *call, const char *role)
{
	const char *scope = sr_arena_printf(call->arena, "/subscriptions/%s", call->installation.subscription);
	return sr_authorization_id(call->arena, scope, "roleDefinitions", role);
}

static json_t *assignment_json(const struct sr_arm_call *call, const json_t *row)
{
	const char *created_by = text_of(row, "createdBy");
	json_t *properties = json_object(), *body = json_object();
	sr_json_set_string(properties, "roleDefinitionId", definition_id(call, text_of(row, "roleId")));
	sr_json_set_string(properties, "principalId", text_of(row, "principalId"));
	sr_json_set_string(properties, "principalType", text_of(row, "principalType"));
	sr_json_set_string(properties, "scope", text_of(row, "scope"));
	sr_json_set_string(properties, "description", json_string_value(json_object_get(row, "description")));
	sr_json_set(properties, "condition", json_null());
	sr_json_set(properties, "conditionVersion", json_null());
	sr_json_set_string(properties, "createdOn", text_of(row, "created"));
	sr_json_set_string(properties, "updatedOn", text_of(row, "created"));
	sr_json_set_string(properties, "createdBy", created_by);
	sr_json_set_string(properties, "updatedBy", created_by);
	sr_json_set(body, "properties", properties);
	sr_json_set_string(body, "id",
	                   sr_authorization_id(call->arena, text_of(row, "scope"), "roleAssignments", text_of(row, "id")));
	sr_json_set_string(body, "type", "Microsoft.Authorization/roleAssignments");
	sr_json_set_string(body, "name", text_of(row, "id"));
	return body;
}

/* True where the assignment is the principal's, or that of a group that it is in. */
static struct sr_result is_assigned_to(const struct sr_arm_call *call, const char *holder, const char *principal,
                                       bool *ret_is_assigned)
{
	if (strcasecmp(holder, principal) == 0) {
		*ret_is_assigned = true;
		return sr_ok();
	}
	return sr_access_is_member(call->workspace->access, principal, holder, ret_is_assigned);
}

static struct sr_result add_fitting(struct sr_arm_call *call, const char *scope,
                                    const struct sr_authorization_filter *filter, const json_t *row, json_t *list)
{
	bool fits;
	SR_TRY(sr_authorization_is_shown(call, text_of(row, "scope"), scope, filter->is_at_scope, &fits));
	fits = fits && (!filter->principal || strcasecmp(filter->principal, text_of(row, "principalId")) == 0);
	if (fits && filter->assigned_to) {
		SR_TRY(is_assigned_to(call, text_of(row, "principalId"), filter->assigned_to, &fits));
	}
	if (fits) {
		json_array_append_new(list, assignment_json(call, row));
	}
	return sr_ok();
}

struct sr_result sr_role_assignments_list(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope;
	struct sr_authorization_filter filter;
	SR_TRY(sr_authorization_scope(call, &scope));
	SR_TRY(sr_authorization_check(call, "roleAssignments/read", scope));
	SR_TRY(sr_authorization_filter_parse(call->arena, sr_parameter_get(&call->query, "$filter"), &filter));
	SR_CLEANUP(sr_json) json_t *rows = NULL;
	int status;
	SR_TRY(sr_identity_call(call, "GET", "/role-assignments", NULL, &status, &rows));
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

static const char *target_of(const struct sr_arm_call *call)
{
	return sr_arena_printf(call->arena, "/role-assignments/%s", sr_identity_escaped(call->arena, call->parts[1]));
}

/* The assignment, if it is one of the path's scope; SR_NOT_FOUND "RoleAssignmentNotFound". The caller owns the row. */
static struct sr_result find(struct sr_arm_call *call, const char *scope, json_t **ret_row)
{
	SR_CLEANUP(sr_json) json_t *row = NULL;
	int status;
	SR_TRY(sr_identity_call(call, "GET", target_of(call), NULL, &status, &row));
	if (strcasecmp(text_of(row, "scope"), scope) != 0) {
		return sr_fail_as(SR_NOT_FOUND, "RoleAssignmentNotFound", "The role assignment '%.64s' is not found.",
		                  call->parts[1]);
	}
	*ret_row = SR_TAKE(row);
	return sr_ok();
}

struct sr_result sr_role_assignment_get(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope;
	SR_TRY(sr_authorization_scope(call, &scope));
	SR_TRY(sr_authorization_check(call, "roleAssignments/read", scope));
	SR_CLEANUP(sr_json) json_t *row = NULL;
	SR_TRY(find(call, scope, &row));
	answer->body = assignment_json(call, row);
	return sr_ok();
}

/* May who asks give (or take) this role there? */
static struct sr_result check_assigning(struct sr_arm_call *call, const char *role, bool is_taken, const char *scope)
{
	struct sr_result checked = sr_access_check_assigning(call->workspace->access, &call->who, role, is_taken, scope);
	if (sr_result_code(checked) == SR_DENIED) {
		sr_ignore(checked);
		return sr_arm_refuse(call,
		                     is_taken ? "Microsoft.Authorization/roleAssignments/delete"
		                              : "Microsoft.Authorization/roleAssignments/write",
		                     scope);
	}
	return checked;
}

/* What is asked for, from "properties" (or beside it, as old versions had it), as identity takes it. */
static struct sr_result read_asked(struct sr_arm_call *call, const char *scope, json_t *ret_asked,
                                   const char **ret_role)
{
	const json_t *properties = NULL;
	const char *principal = NULL, *role = NULL, *condition = NULL, *description = NULL;
	SR_TRY(call->body ? sr_json_get_object(call->body, "properties", &properties) : sr_ok());
	if (properties) {
		SR_TRY(sr_json_get_string(properties, "principalId", &principal));
		SR_TRY(sr_json_get_string(properties, "roleDefinitionId", &role));
		SR_TRY(sr_json_get_string(properties, "condition", &condition));
		SR_TRY(sr_json_get_string(properties, "description", &description));
	}
	if (!principal || !role) {
		return sr_fail_as(SR_INVALID, "InvalidRequestContent",
		                  "The request content was invalid: 'properties.%s' is required.",
		                  principal ? "roleDefinitionId" : "principalId");
	}
	if (condition) {
		return sr_fail_as(
		    SR_INVALID, "InvalidRequestContent",
		    "Conditions on role assignments are not supported: leave 'condition' out, and give the role at "
		    "a narrower scope.");
	}
	*ret_role = sr_authorization_name_of(role);
	if (!sr_is_guid(sr_bytes_str(*ret_role))) {
		return sr_fail_as(SR_INVALID, "InvalidRequestContent",
		                  "'roleDefinitionId' ends in the role's GUID, as in '%s'.",
		                  definition_id(call, "acdd72a7-3385-48ef-bd42-f606fba81ae7"));
	}
	sr_json_set_string(ret_asked, "principalId", principal);
	sr_json_set_string(ret_asked, "roleId", *ret_role);
	sr_json_set_string(ret_asked, "scope", scope);
	sr_json_set_string(ret_asked, "description", description);
	return sr_ok();
}

struct sr_result sr_role_assignment_put(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope, *role;
	SR_CLEANUP(sr_json) json_t *asked = json_object();
	SR_CLEANUP(sr_json) json_t *row = NULL;
	SR_TRY(sr_authorization_scope(call, &scope));
	SR_TRY(read_asked(call, scope, asked, &role));
	SR_TRY(check_assigning(call, role, false, scope));
	SR_TRY(sr_identity_call(call, "PUT", target_of(call), asked, &answer->status, &row));
	answer->body = assignment_json(call, row);
	return sr_ok();
}

/* 204 where there is none, as in the service. */
struct sr_result sr_role_assignment_delete(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope;
	SR_CLEANUP(sr_json) json_t *row = NULL;
	SR_CLEANUP(sr_json) json_t *none = NULL;
	SR_TRY(sr_authorization_scope(call, &scope));
	struct sr_result found = find(call, scope, &row);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		answer->status = 204;
		return sr_authorization_check(call, "roleAssignments/read", scope);
	}
	SR_TRY(found);
	SR_TRY(check_assigning(call, text_of(row, "roleId"), true, scope));
	int status;
	SR_TRY(sr_identity_call(call, "DELETE", target_of(call), NULL, &status, &none));
	answer->body = assignment_json(call, row);
	return sr_ok();
}
