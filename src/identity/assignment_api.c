/* Administration of role assignments on the Unix socket. Rows are assignment.c's. */
#include "identity/api.h"

#include "identity/assignment.h"
#include "identity/body.h"
#include "identity/custom_role.h"
#include "identity/object.h"
#include "identity/revision.h"

struct work {
	const struct sr_identity_request *request;
	const char *principal, *role, *scope; /* asked for */
	struct sr_connection *connection;
	json_t *made; /* owned */
	json_t *list;
};

/* {"principal", "role", "scope"}, all needed; texts are borrowed from *ret_asked, which the caller owns. */
static struct sr_result read_body(const struct sr_identity_request *request, json_t **ret_asked, struct work *work)
{
	SR_TRY(sr_json_parse(request->body, ret_asked));
	SR_TRY(sr_json_get_string(*ret_asked, "principal", &work->principal));
	SR_TRY(sr_json_get_string(*ret_asked, "role", &work->role));
	SR_TRY(sr_json_get_string(*ret_asked, "scope", &work->scope));
	if (!work->principal || !work->role || !work->scope) {
		return sr_fail(SR_INVALID, "'%s' is missing", !work->principal ? "principal" : !work->role ? "role" : "scope");
	}
	return sr_ok();
}

/* What went away meanwhile has no name. */
static struct sr_result absent(struct sr_result outcome)
{
	if (sr_result_code(outcome) == SR_NOT_FOUND) {
		sr_ignore(outcome);
		return sr_ok();
	}
	return outcome;
}

/* The assignment with the names of what it refers to; the caller owns *ret_body. */
static struct sr_result assignment_json(struct sr_connection *connection, struct sr_arena *arena,
                                        const struct sr_assignment *assignment, json_t **ret_body)
{
	struct sr_object object = {.kind = SR_OBJECT_APPLICATION};
	struct sr_role_definition definition = {.role.name = ""};
	SR_TRY(absent(sr_object_get(connection, assignment->principal, &object)));
	SR_TRY(absent(sr_role_definition_find(connection, arena, assignment->role, &definition)));
	json_t *body = json_object();
	sr_json_set_string(body, "id", assignment->id);
	sr_json_set_string(body, "principal", assignment->principal);
	sr_json_set_string(body, "principalName", object.name);
	sr_json_set_string(body, "principalType", sr_object_type(object.kind));
	sr_json_set_string(body, "role", assignment->role);
	sr_json_set_string(body, "roleName", definition.role.name);
	sr_json_set_string(body, "scope", assignment->scope);
	sr_body_set_time(body, "created", assignment->created_s);
	*ret_body = body;
	return sr_ok();
}

static struct sr_result append(const struct sr_assignment *assignment, void *context)
{
	const struct work *work = context;
	json_t *item;
	SR_TRY(assignment_json(work->connection, work->request->arena, assignment, &item));
	json_array_append_new(work->list, item);
	return sr_ok();
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	work->connection = connection;
	const char *object_id = NULL;
	struct sr_object object;
	if (work->principal) {
		SR_TRY(sr_object_find(connection, work->principal, &object));
		object_id = object.id;
	}
	return sr_assignment_each(connection, work->request->arena, object_id, append, work);
}

/* All, or with ?principal=… those of one. */
struct sr_result sr_assignments_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *value = json_array();
	struct work work = {.request = request, .principal = sr_parameter_get(&request->query, "principal"), .list = value};
	SR_TRY(sr_database_read(request->store->database, list, &work));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(value));
	return sr_ok();
}

static struct sr_result create(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	struct sr_object object;
	SR_TRY(sr_object_find(connection, work->principal, &object));
	struct sr_assignment made;
	SR_TRY(sr_assignment_make(connection, work->request->arena, object.id, work->role, work->scope,
	                          work->request->now_s, &made));
	SR_TRY(sr_revision_grow(connection));
	return assignment_json(connection, work->request->arena, &made, &work->made);
}

struct sr_result sr_assignments_create(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	struct work work = {.request = request};
	SR_TRY(read_body(request, &asked, &work));
	struct sr_result written = sr_database_write(request->store->database, create, &work);
	if (!sr_is_ok(written)) {
		json_decref(work.made);
		return written;
	}
	answer->status = 201;
	answer->is_change = true;
	answer->body = work.made;
	return sr_ok();
}

static struct sr_result remove_by_id(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	SR_TRY(sr_assignment_remove(connection, work->request->parts[0]));
	return sr_revision_grow(connection);
}

static struct sr_result remove_matching(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	struct sr_object object;
	SR_TRY(sr_object_find(connection, work->principal, &object));
	SR_TRY(sr_assignment_take_back(connection, work->request->arena, object.id, work->role, work->scope));
	return sr_revision_grow(connection);
}

static struct sr_result get(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	struct sr_assignment assignment;
	SR_TRY(sr_assignment_find(connection, work->request->arena, work->request->parts[0], &assignment));
	return assignment_json(connection, work->request->arena, &assignment, &work->made);
}

struct sr_result sr_assignments_get(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_read(request->store->database, get, &work));
	answer->body = work.made;
	return sr_ok();
}

struct sr_result sr_assignments_delete(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, remove_by_id, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}

struct sr_result sr_assignments_delete_matching(const struct sr_identity_request *request,
                                                struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	struct work work = {.request = request};
	SR_TRY(read_body(request, &asked, &work));
	SR_TRY(sr_database_write(request->store->database, remove_matching, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}
