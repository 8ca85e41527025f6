/* Administration of groups and their members on the Unix socket. Rows are group.c's. */
#include "identity/api.h"

#include "identity/body.h"
#include "identity/group.h"
#include "identity/revision.h"

struct work {
	const struct sr_identity_request *request;
	const json_t *asked; /* the parsed body */
	struct sr_connection *connection;
	struct sr_group group;
	json_t *list;
};

static json_t *group_json(const struct sr_group *group)
{
	json_t *body = json_object();
	sr_json_set_string(body, "id", group->id);
	sr_json_set_string(body, "name", group->name);
	sr_json_set_string(body, "description", group->description);
	sr_body_set_time(body, "created", group->created_s);
	return body;
}

static struct sr_result append(const struct sr_group *group, void *context)
{
	json_array_append_new(context, group_json(group));
	return sr_ok();
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	const char *member = sr_parameter_get(&work->request->query, "member");
	struct sr_object object;
	if (member) {
		SR_TRY(sr_object_find(connection, member, &object));
	}
	return sr_group_each(connection, member ? object.id : NULL, append, work->list);
}

/* All, or with ?member=… those that it is in directly. */
struct sr_result sr_groups_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *value = json_array();
	struct work work = {.request = request, .list = value};
	SR_TRY(sr_database_read(request->store->database, list, &work));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(value));
	return sr_ok();
}

static struct sr_result create(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *name;
	const char *description = NULL;
	SR_TRY(sr_body_need(work->asked, "name", &name));
	SR_TRY(sr_json_get_string(work->asked, "description", &description));
	SR_TRY(sr_group_make(connection, name, description, work->request->now_s, &work->group));
	return sr_revision_grow(connection);
}

struct sr_result sr_groups_create(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, create, &work));
	answer->status = 201;
	answer->is_change = true;
	answer->body = group_json(&work.group);
	return sr_ok();
}

static struct sr_result append_member(const char *member, void *context)
{
	const struct work *work = context;
	struct sr_object object;
	SR_TRY(sr_object_get(work->connection, member, &object));
	json_t *item = json_object();
	sr_json_set_string(item, "id", object.id);
	sr_json_set_string(item, "type", sr_object_type(object.kind));
	sr_json_set_string(item, "name", object.name);
	json_array_append_new(work->list, item);
	return sr_ok();
}

static struct sr_result get(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	work->connection = connection;
	SR_TRY(sr_group_find(connection, work->request->parts[0], &work->group));
	return sr_group_each_member(connection, work->group.id, append_member, work);
}

struct sr_result sr_groups_get(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *members = json_array();
	struct work work = {.request = request, .list = members};
	SR_TRY(sr_database_read(request->store->database, get, &work));
	answer->body = group_json(&work.group);
	sr_json_set(answer->body, "members", SR_TAKE(members));
	return sr_ok();
}

static struct sr_result update(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *name = NULL;
	const char *description = NULL;
	SR_TRY(sr_json_get_string(work->asked, "name", &name));
	SR_TRY(sr_json_get_string(work->asked, "description", &description));
	SR_TRY(sr_group_find(connection, work->request->parts[0], &work->group));
	SR_TRY(sr_group_change(connection, work->group.id, name, description));
	SR_TRY(sr_group_find(connection, work->group.id, &work->group));
	return sr_revision_grow(connection);
}

struct sr_result sr_groups_update(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, update, &work));
	answer->is_change = true;
	answer->body = group_json(&work.group);
	return sr_ok();
}

static struct sr_result remove_group(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_group_find(connection, work->request->parts[0], &work->group));
	SR_TRY(sr_group_remove(connection, work->group.id));
	return sr_revision_grow(connection);
}

struct sr_result sr_groups_delete(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, remove_group, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}

static struct sr_result add_member(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *member;
	struct sr_object object;
	SR_TRY(sr_body_need(work->asked, "member", &member));
	SR_TRY(sr_group_find(connection, work->request->parts[0], &work->group));
	SR_TRY(sr_object_find(connection, member, &object));
	SR_TRY(sr_group_add(connection, work->group.id, object.id));
	return sr_revision_grow(connection);
}

struct sr_result sr_groups_add_member(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, add_member, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}

static struct sr_result remove_member(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	struct sr_object object;
	SR_TRY(sr_group_find(connection, work->request->parts[0], &work->group));
	SR_TRY(sr_object_find(connection, work->request->parts[1], &object));
	SR_TRY(sr_group_take_out(connection, work->group.id, object.id));
	return sr_revision_grow(connection);
}

struct sr_result sr_groups_remove_member(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, remove_member, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}
