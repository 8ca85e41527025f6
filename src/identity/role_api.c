/* Administration of role definitions, and of deny assignments, on the Unix socket and for our services. */
#include "identity/api.h"

#include "identity/body.h"
#include "identity/custom_role.h"
#include "identity/deny_assignment.h"
#include "identity/manager.h"
#include "identity/revision.h"

struct work {
	const struct sr_identity_request *request;
	const json_t *asked; /* the parsed body */
	struct sr_role_definition definition;
	char id[SR_GUID_TEXT_LEN];
	json_t *list;
};

static struct sr_result append(const struct sr_role_definition *definition, void *context)
{
	json_array_append_new(context, sr_role_definition_json(definition));
	return sr_ok();
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	return sr_custom_role_each(connection, work->request->arena, append, work->list);
}

/* Built-in and custom ones; ?custom=true leaves the built-in ones out. */
struct sr_result sr_roles_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *value = json_array();
	struct work work = {.request = request, .list = value};
	const struct sr_role *role;
	for (size_t i = 0; !sr_parameter_get(&request->query, "custom") && (role = sr_role_at(i)); i++) {
		struct sr_role_definition builtin = sr_role_definition_builtin(role);
		json_array_append_new(value, sr_role_definition_json(&builtin));
	}
	SR_TRY(sr_database_read(request->store->database, list, &work));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(value));
	return sr_ok();
}

static struct sr_result get(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	return sr_role_definition_find(connection, work->request->arena, work->request->parts[0], &work->definition);
}

struct sr_result sr_roles_get(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_read(request->store->database, get, &work));
	answer->body = sr_role_definition_json(&work.definition);
	return sr_ok();
}

static struct sr_result create(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	struct sr_role_definition asked;
	SR_TRY(sr_role_definition_read(work->request->arena, work->asked, &asked));
	SR_TRY(
	    sr_custom_role_make(connection, work->request->arena, NULL, &asked, work->request->now_s, &work->definition));
	return sr_revision_grow(connection);
}

struct sr_result sr_roles_create(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, create, &work));
	answer->status = 201;
	answer->is_change = true;
	answer->body = sr_role_definition_json(&work.definition);
	return sr_ok();
}

/* A custom role by id or name; a built-in one is none. */
static struct sr_result find_custom(struct sr_connection *connection, struct work *work)
{
	SR_TRY(get(connection, work));
	return work->definition.is_builtin
	           ? sr_fail(SR_CONFLICT, "'%.100s' is a built-in role and stays as it is", work->definition.role.name)
	           : sr_ok();
}

static struct sr_result update(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	struct sr_role_definition asked;
	SR_TRY(find_custom(connection, work));
	SR_TRY(sr_role_definition_read(work->request->arena, work->asked, &asked));
	SR_TRY(sr_custom_role_change(connection, work->request->arena, work->definition.role.id, &asked,
	                             work->request->now_s, &work->definition));
	return sr_revision_grow(connection);
}

struct sr_result sr_roles_update(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, update, &work));
	answer->is_change = true;
	answer->body = sr_role_definition_json(&work.definition);
	return sr_ok();
}

static struct sr_result remove_role(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(find_custom(connection, work));
	SR_TRY(sr_custom_role_remove(connection, work->definition.role.id));
	return sr_revision_grow(connection);
}

struct sr_result sr_roles_delete(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, remove_role, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}

static struct sr_result append_denial(const struct sr_deny_assignment *denial, void *context)
{
	json_t *item = json_deep_copy(denial->body);
	sr_json_set_string(item, "id", denial->id);
	sr_json_set_string(item, "name", denial->name);
	sr_json_set_string(item, "scope", denial->scope);
	sr_body_set_time(item, "created", denial->created_s);
	json_array_append_new(context, item);
	return sr_ok();
}

static struct sr_result list_denials(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	return sr_deny_assignment_each(connection, work->request->arena, append_denial, work->list);
}

struct sr_result sr_denials_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	SR_CLEANUP(sr_json) json_t *value = json_array();
	struct work work = {.request = request, .list = value};
	SR_TRY(sr_database_read(request->store->database, list_denials, &work));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(value));
	return sr_ok();
}

static struct sr_result deny(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *name;
	const char *scope;
	SR_TRY(sr_body_need(work->asked, "name", &name));
	SR_TRY(sr_body_need(work->asked, "scope", &scope));
	SR_TRY(sr_deny_assignment_make(connection, work->request->arena, name, scope, work->asked, work->request->now_s,
	                               work->id));
	return sr_revision_grow(connection);
}

struct sr_result sr_denials_create(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, deny, &work));
	answer->status = 201;
	answer->is_change = true;
	answer->body = json_object();
	sr_json_set_string(answer->body, "id", work.id);
	return sr_ok();
}

static struct sr_result allow_again(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	SR_TRY(sr_deny_assignment_remove(connection, work->request->parts[0]));
	return sr_revision_grow(connection);
}

struct sr_result sr_denials_delete(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, allow_again, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}
