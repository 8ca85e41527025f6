/* Role assignments and role definitions for Resource Manager's front, which has checked that the caller may. What it
 * gets are plain rows; Azure's shapes are its own. */
#include "identity/api.h"

#include "identity/assignment.h"
#include "identity/body.h"
#include "identity/custom_role.h"
#include "identity/manager.h"
#include "identity/object.h"
#include "identity/revision.h"

#include <string.h>
#include <strings.h>

struct work {
	const struct sr_identity_request *request;
	const json_t *asked; /* the parsed body */
	const char *principal;
	struct sr_connection *connection;
	struct sr_assignment assignment;
	struct sr_role_definition definition;
	json_t *made, *list; /* owned by the handler */
	bool is_new;
};

/* What went away meanwhile is of no type that is known. */
static struct sr_result assignment_json(struct sr_connection *connection, const struct sr_assignment *assignment,
                                        json_t **ret_body)
{
	struct sr_object object;
	const char *type = "Unknown";
	struct sr_result found = sr_object_get(connection, assignment->principal, &object);
	if (sr_is_ok(found)) {
		type = sr_object_type(object.kind);
	} else if (sr_result_code(found) != SR_NOT_FOUND) {
		return found;
	}
	sr_ignore(found);
	json_t *body = json_object();
	sr_json_set_string(body, "id", assignment->id);
	sr_json_set_string(body, "principalId", assignment->principal);
	sr_json_set_string(body, "principalType", type);
	sr_json_set_string(body, "roleId", assignment->role);
	sr_json_set_string(body, "scope", assignment->scope);
	sr_json_set_string(body, "description", assignment->description);
	sr_json_set_string(body, "createdBy", assignment->created_by);
	sr_body_set_time(body, "created", assignment->created_s);
	*ret_body = body;
	return sr_ok();
}

static struct sr_result append(const struct sr_assignment *assignment, void *context)
{
	const struct work *work = context;
	json_t *item;
	SR_TRY(assignment_json(work->connection, assignment, &item));
	json_array_append_new(work->list, item);
	return sr_ok();
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	work->connection = connection;
	return sr_assignment_each(connection, work->request->arena, work->principal, append, work);
}

/* All, or with ?principal=OBJECT-ID those of one. */
struct sr_result sr_authorization_assignments(const struct sr_identity_request *request,
                                              struct sr_identity_answer *answer)
{
	SR_TRY(sr_front_check(request));
	SR_CLEANUP(sr_json) json_t *value = json_array();
	struct work work = {.request = request, .list = value, .principal = sr_parameter_get(&request->query, "principal")};
	SR_TRY(sr_database_read(request->store->database, list, &work));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(value));
	return sr_ok();
}

static struct sr_result get(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_assignment_find(connection, work->request->arena, work->request->parts[0], &work->assignment));
	return assignment_json(connection, &work->assignment, &work->made);
}

struct sr_result sr_authorization_assignment_get(const struct sr_identity_request *request,
                                                 struct sr_identity_answer *answer)
{
	SR_TRY(sr_front_check(request));
	struct work work = {.request = request};
	SR_TRY(sr_database_read(request->store->database, get, &work));
	answer->body = work.made;
	return sr_ok();
}

static struct sr_result check_principal(struct sr_connection *connection, const char *principal)
{
	struct sr_object object;
	struct sr_result found = sr_object_get(connection, principal, &object);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_fail_as(SR_INVALID, "PrincipalNotFound",
		                  "Principal '%.64s' does not exist in the directory: name it by its object id.", principal);
	}
	return found;
}

/* Of what is there already only the description changes. */
static struct sr_result change(struct sr_connection *connection, struct work *work, const struct sr_assignment *asked)
{
	struct sr_assignment *found = &work->assignment;
	struct sr_role_definition definition;
	SR_TRY(sr_role_definition_find(connection, work->request->arena, asked->role, &definition));
	if (strcasecmp(found->principal, asked->principal) != 0 || strcasecmp(found->scope, asked->scope) != 0 ||
	    strcmp(found->role, definition.role.id) != 0) {
		return sr_fail_as(SR_CONFLICT, "RoleAssignmentUpdateNotPermitted",
		                  "Role, principal and scope of a role assignment are not allowed to be updated.");
	}
	found->description = asked->description;
	return sr_assignment_describe(connection, found->id, asked->description);
}

static struct sr_result put(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	struct sr_arena *arena = work->request->arena;
	struct sr_assignment asked = {.id = work->request->parts[0], .created_by = work->request->caller};
	SR_TRY(sr_body_need(work->asked, "principalId", &asked.principal));
	SR_TRY(sr_body_need(work->asked, "roleId", &asked.role));
	SR_TRY(sr_body_need(work->asked, "scope", &asked.scope));
	SR_TRY(sr_json_get_string(work->asked, "description", &asked.description));
	SR_TRY(check_principal(connection, asked.principal));
	SR_CLEANUP(sr_result) struct sr_result found = sr_assignment_find(connection, arena, asked.id, &work->assignment);
	work->is_new = sr_result_code(found) == SR_NOT_FOUND;
	if (work->is_new) {
		struct sr_object object;
		SR_TRY(sr_object_get(connection, asked.principal, &object));
		asked.principal = object.id;
		SR_TRY(sr_assignment_make_as(connection, arena, &asked, work->request->now_s, &work->assignment));
		SR_TRY(sr_revision_grow(connection));
	} else {
		SR_TRY(sr_result_take(&found));
		SR_TRY(change(connection, work, &asked));
	}
	return assignment_json(connection, &work->assignment, &work->made);
}

/* {"principalId", "roleId", "scope", "description"} */
struct sr_result sr_authorization_assignment_put(const struct sr_identity_request *request,
                                                 struct sr_identity_answer *answer)
{
	SR_TRY(sr_front_check(request));
	answer->audit.object = sr_arena_printf(request->arena, "assignments/%s", request->parts[0]);
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	struct sr_result written = sr_database_write(request->store->database, put, &work);
	if (!sr_is_ok(written)) {
		json_decref(work.made);
		return written;
	}
	answer->audit.detail = sr_arena_printf(request->arena, "principal=%s role=%s scope=%s", work.assignment.principal,
	                                       work.assignment.role, work.assignment.scope);
	answer->status = work.is_new ? 201 : 200;
	answer->is_change = work.is_new;
	answer->body = work.made;
	return sr_ok();
}

static struct sr_result remove_assignment(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	SR_TRY(sr_assignment_remove(connection, work->request->parts[0]));
	return sr_revision_grow(connection);
}

struct sr_result sr_authorization_assignment_delete(const struct sr_identity_request *request,
                                                    struct sr_identity_answer *answer)
{
	SR_TRY(sr_front_check(request));
	answer->audit.object = sr_arena_printf(request->arena, "assignments/%s", request->parts[0]);
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, remove_assignment, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}

struct sr_result sr_authorization_definitions(const struct sr_identity_request *request,
                                              struct sr_identity_answer *answer)
{
	SR_TRY(sr_front_check(request));
	return sr_roles_list(request, answer);
}

static struct sr_result put_definition(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	struct sr_arena *arena = work->request->arena;
	const char *id = work->request->parts[0];
	struct sr_role_definition asked;
	SR_TRY(sr_role_definition_read(arena, work->asked, &asked));
	SR_CLEANUP(sr_result) struct sr_result found = sr_role_definition_find(connection, arena, id, &work->definition);
	work->is_new = sr_result_code(found) == SR_NOT_FOUND;
	if (work->is_new) {
		SR_TRY(sr_custom_role_make(connection, arena, id, &asked, work->request->now_s, &work->definition));
	} else {
		SR_TRY(sr_result_take(&found));
		if (work->definition.is_builtin) {
			return sr_fail(SR_CONFLICT, "'%.100s' is a built-in role and stays as it is", work->definition.role.name);
		}
		SR_TRY(sr_custom_role_change(connection, arena, work->definition.role.id, &asked, work->request->now_s,
		                             &work->definition));
	}
	return sr_revision_grow(connection);
}

/* The body is Azure's: {"properties": {"roleName", …}}. */
struct sr_result sr_authorization_definition_put(const struct sr_identity_request *request,
                                                 struct sr_identity_answer *answer)
{
	SR_TRY(sr_front_check(request));
	answer->audit.object = sr_arena_printf(request->arena, "roles/%s", request->parts[0]);
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, put_definition, &work));
	answer->status = work.is_new ? 201 : 200;
	answer->is_change = true;
	answer->body = sr_role_definition_json(&work.definition);
	return sr_ok();
}

struct sr_result sr_authorization_definition_delete(const struct sr_identity_request *request,
                                                    struct sr_identity_answer *answer)
{
	SR_TRY(sr_front_check(request));
	answer->audit.object = sr_arena_printf(request->arena, "roles/%s", request->parts[0]);
	return sr_roles_delete(request, answer);
}
