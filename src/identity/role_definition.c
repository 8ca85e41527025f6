/* Shapes and rules of role definitions. */
#include "identity/role_definition.h"

#include "identity/body.h"
#include "identity/object.h"
#include "identity/scope.h"

#include <string.h>

/* Azure's spellings, and those of the files that az takes. */
static const json_t *member_of(const json_t *object, const char *name)
{
	const json_t *found = json_object_get(object, name);
	if (found) {
		return found;
	}
	char pascal[64];
	size_t len = strlen(name);
	if (len >= sizeof pascal) {
		return NULL;
	}
	memcpy(pascal, name, len + 1);
	pascal[0] = (char)(pascal[0] >= 'a' && pascal[0] <= 'z' ? pascal[0] - 'a' + 'A' : pascal[0]);
	return json_object_get(object, pascal);
}

json_t *sr_texts_json(const char *const *texts)
{
	json_t *array = json_array();
	for (; texts && *texts; texts++) {
		json_array_append_new(array, json_string(*texts));
	}
	return array;
}

struct sr_result sr_texts_read(struct sr_arena *arena, const json_t *array, const char *name, size_t max,
                               const char *const **ret_texts)
{
	size_t count = array && !json_is_null(array) ? json_array_size(array) : 0;
	if ((array && !json_is_null(array) && !json_is_array(array)) || count > max) {
		return sr_fail(SR_INVALID, "'%s' is an array of at most %zu texts", name, max);
	}
	const char **texts = sr_arena_alloc(arena, (count + 1) * sizeof *texts);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(array, i));
		if (!text) {
			return sr_fail(SR_INVALID, "'%s' holds what is no text", name);
		}
		texts[i] = sr_arena_strdup(arena, text);
	}
	*ret_texts = texts;
	return sr_ok();
}

static struct sr_result read_text(struct sr_arena *arena, const json_t *object, const char *name, const char **ret_text)
{
	const json_t *member = member_of(object, name);
	if (member && !json_is_null(member)) {
		if (!json_is_string(member)) {
			return sr_fail(SR_INVALID, "'%s' is no text", name);
		}
		*ret_text = sr_arena_strdup(arena, json_string_value(member));
	}
	return sr_ok();
}

/* The four lists: in the only element of "permissions", or beside the name. */
static struct sr_result read_permission(struct sr_arena *arena, const json_t *body, struct sr_role *role)
{
	const json_t *permissions = member_of(body, "permissions");
	const json_t *from = body;
	if (permissions) {
		if (!json_is_array(permissions) || json_array_size(permissions) != 1) {
			return sr_fail_as(SR_INVALID, "InvalidRoleDefinition", "'permissions' is an array of one object");
		}
		from = json_array_get(permissions, 0);
	}
	const struct {
		const char *name;
		const char *const **list;
	} lists[] = {
	    {"actions", &role->actions},
	    {"notActions", &role->not_actions},
	    {"dataActions", &role->data_actions},
	    {"notDataActions", &role->not_data_actions},
	};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		SR_TRY(sr_texts_read(arena, member_of(from, lists[i].name), lists[i].name, SR_ROLE_ACTIONS_MAX, lists[i].list));
	}
	return sr_ok();
}

struct sr_result sr_role_definition_read(struct sr_arena *arena, const json_t *document,
                                         struct sr_role_definition *ret_definition)
{
	struct sr_role_definition definition = {.description = ""};
	const json_t *properties = json_object_get(document, "properties");
	const json_t *body = properties ? properties : document;
	if (!json_is_object(body)) {
		return sr_fail(SR_INVALID, "a role definition is a JSON object");
	}
	/* In what az lists, "name" is the id and "roleName" the name; in what it takes, "Name" is the name. */
	SR_TRY(read_text(arena, body, "roleName", &definition.role.name));
	if (!definition.role.name) {
		SR_TRY(read_text(arena, body, "name", &definition.role.name));
	}
	SR_TRY(read_text(arena, body, "description", &definition.description));
	SR_TRY(read_permission(arena, body, &definition.role));
	SR_TRY(sr_texts_read(arena, member_of(body, "assignableScopes"), "assignableScopes", SR_ROLE_SCOPES_MAX,
	                     &definition.assignable_scopes));
	*ret_definition = definition;
	return sr_ok();
}

static struct sr_result wrong_action(const char *action)
{
	return sr_fail_as(
	    SR_INVALID, "InvalidActionOrNotAction",
	    "'%.100s' is no action: it is written 'Provider.Name/type/verb', the verb being read, write, delete "
	    "or action, with '*' for any run of characters",
	    action);
}

static bool is_verb(const char *text)
{
	static const char *const verbs[] = {"read", "write", "delete", "action"};
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (sr_equal_nocase(sr_bytes_str(text), sr_bytes_str(verbs[i]))) {
			return true;
		}
	}
	return strchr(text, '*') != NULL;
}

struct sr_result sr_action_check(const char *action)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.*/_-$";
	size_t len = strlen(action);
	if (strcmp(action, "*") == 0) {
		return sr_ok();
	}
	const char *last_slash = strrchr(action, '/');
	size_t provider_len = strcspn(action, "/");
	bool is_provider = memchr(action, '.', provider_len) || memchr(action, '*', provider_len);
	if (!last_slash || len > SR_ROLE_ACTION_LEN_MAX || strspn(action, allowed) != len || action[0] == '/' ||
	    strstr(action, "//") || !is_provider || !is_verb(last_slash + 1)) {
		return wrong_action(action);
	}
	return sr_ok();
}

static struct sr_result check_actions(const struct sr_role *role)
{
	const char *const *const lists[] = {role->actions, role->not_actions, role->data_actions, role->not_data_actions};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		for (const char *const *action = lists[i]; *action; action++) {
			SR_TRY(sr_action_check(*action));
		}
	}
	if (!role->actions[0] && !role->data_actions[0]) {
		return sr_fail_as(SR_INVALID, "InvalidRoleDefinition", "a role has one action or data action at least");
	}
	return sr_ok();
}

static struct sr_result check_scopes(const struct sr_role_definition *definition)
{
	size_t management_groups = 0;
	if (!definition->assignable_scopes[0]) {
		return sr_fail_as(SR_INVALID, "InvalidRoleDefinition", "a custom role names one assignable scope at least");
	}
	for (const char *const *scope = definition->assignable_scopes; *scope; scope++) {
		enum sr_scope_kind kind = sr_scope_kind(*scope);
		management_groups += kind == SR_SCOPE_MANAGEMENT_GROUP;
		if (kind != SR_SCOPE_MANAGEMENT_GROUP && kind != SR_SCOPE_SUBSCRIPTION && kind != SR_SCOPE_RESOURCE_GROUP) {
			return sr_fail_as(SR_INVALID, "InvalidAssignableScope",
			                  "'%.200s' is no assignable scope of a custom role: that is a management group, a "
			                  "subscription (/subscriptions/ID) or a resource group",
			                  *scope);
		}
	}
	if (management_groups > 1) {
		return sr_fail_as(SR_INVALID, "InvalidAssignableScope", "a custom role names one management group at most");
	}
	if (management_groups && definition->role.data_actions[0]) {
		return sr_fail_as(SR_INVALID, "InvalidAssignableScope",
		                  "a custom role with data actions cannot be assigned at a management group");
	}
	return sr_ok();
}

struct sr_result sr_role_definition_check(const struct sr_role_definition *definition)
{
	const char *name = definition->role.name;
	if (!name || !*name) {
		return sr_fail_as(SR_INVALID, "InvalidRoleDefinition", "the role's name is missing ('roleName')");
	}
	SR_TRY(sr_object_check_name("a role's name", name, SR_ROLE_NAME_MAX));
	if (strlen(definition->description) > SR_ROLE_DESCRIPTION_MAX ||
	    !sr_is_utf8(sr_bytes_str(definition->description))) {
		return sr_fail_as(SR_INVALID, "InvalidRoleDefinition", "a role's description has at most %d bytes",
		                  SR_ROLE_DESCRIPTION_MAX);
	}
	SR_TRY(check_actions(&definition->role));
	return check_scopes(definition);
}

struct sr_role_definition sr_role_definition_builtin(const struct sr_role *role)
{
	static const char *const everywhere[] = {"/", NULL};
	return (struct sr_role_definition){
	    .role = *role, .description = "", .assignable_scopes = everywhere, .is_builtin = true};
}

json_t *sr_role_definition_json(const struct sr_role_definition *definition)
{
	const struct sr_role *role = &definition->role;
	json_t *permission = json_object();
	sr_json_set(permission, "actions", sr_texts_json(role->actions));
	sr_json_set(permission, "notActions", sr_texts_json(role->not_actions));
	sr_json_set(permission, "dataActions", sr_texts_json(role->data_actions));
	sr_json_set(permission, "notDataActions", sr_texts_json(role->not_data_actions));
	json_t *permissions = json_array();
	json_array_append_new(permissions, permission);
	json_t *body = json_object();
	sr_json_set_string(body, "name", role->id);
	sr_json_set_string(body, "roleName", role->name);
	sr_json_set_string(body, "roleType", definition->is_builtin ? "BuiltInRole" : "CustomRole");
	sr_json_set_string(body, "description", definition->description);
	sr_json_set(body, "permissions", permissions);
	sr_json_set(body, "assignableScopes", sr_texts_json(definition->assignable_scopes));
	if (!definition->is_builtin) {
		sr_body_set_time(body, "createdOn", definition->created_s);
		sr_body_set_time(body, "updatedOn", definition->changed_s);
	}
	return body;
}
