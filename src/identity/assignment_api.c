/* Administration of role assignments on the Unix socket. Rows are assignment.c's. */
#include "identity/api.h"

#include "identity/assignment.h"
#include "identity/object.h"
#include "identity/revision.h"

struct work {
	const struct sr_identity_request *request;
	const char *principal, *role, *scope; /* asked for */
	struct sr_assignment made;
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

static json_t *assignment_json(const struct sr_assignment *assignment)
{
	json_t *body = json_object();
	sr_json_set_string(body, "id", assignment->id);
	sr_json_set_string(body, "principal", assignment->principal);
	sr_json_set_string(body, "role", assignment->role);
	sr_json_set_string(body, "scope", assignment->scope);
	return body;
}

static struct sr_result append(const struct sr_assignment *assignment, void *context)
{
	json_array_append_new(context, assignment_json(assignment));
	return sr_ok();
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *object_id = NULL;
	struct sr_object object;
	if (work->principal) {
		SR_TRY(sr_object_find(connection, work->principal, &object));
		object_id = object.id;
	}
	return sr_assignment_each(connection, work->request->arena, object_id, append, work->list);
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
	SR_TRY(sr_assignment_make(connection, work->request->arena, object.id, work->role, work->scope,
	                          work->request->now_s, &work->made));
	return sr_revision_grow(connection);
}

struct sr_result sr_assignments_create(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	struct work work = {.request = request};
	SR_TRY(read_body(request, &asked, &work));
	SR_TRY(sr_database_write(request->store->database, create, &work));
	answer->status = 201;
	answer->is_change = true;
	answer->body = assignment_json(&work.made);
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
