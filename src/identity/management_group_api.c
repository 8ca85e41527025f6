/* Administration of the tree of management groups on the Unix socket. Rows are management_group.c's. */
#include "identity/api.h"

#include "identity/body.h"
#include "identity/management_group.h"
#include "identity/revision.h"
#include "identity/scope.h"

struct work {
	const struct sr_identity_request *request;
	const json_t *asked; /* the parsed body */
	struct sr_management_group_row group;
	json_t *groups, *subscriptions;
};

static json_t *group_json(const struct sr_identity_request *request, const struct sr_management_group_row *group)
{
	json_t *body = json_object();
	sr_json_set_string(body, "name", group->name);
	sr_json_set_string(body, "displayName", group->display_name);
	sr_json_set_string(body, "id", sr_arena_printf(request->arena, SR_MANAGEMENT_GROUP_PREFIX "%s", group->name));
	sr_json_set_string(body, "parent", group->parent);
	return body;
}

static struct sr_result append(const struct sr_management_group_row *group, void *context)
{
	const struct work *work = context;
	json_array_append_new(work->groups, group_json(work->request, group));
	return sr_ok();
}

static struct sr_result append_subscription(const char *subscription, const char *group, void *context)
{
	const struct work *work = context;
	json_t *item = json_object();
	sr_json_set_string(item, "id", subscription);
	sr_json_set_string(item, "managementGroup", group);
	json_array_append_new(work->subscriptions, item);
	return sr_ok();
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_management_group_each(connection, work->request->arena, append, work));
	return sr_subscription_each(connection, work->request->arena, append_subscription, work);
}

struct sr_result sr_management_groups_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *groups = json_array();
	SR_CLEANUP(sr_json) json_t *subscriptions = json_array();
	struct work work = {.request = request, .groups = groups, .subscriptions = subscriptions};
	SR_TRY(sr_database_read(request->store->database, list, &work));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(groups));
	sr_json_set(answer->body, "subscriptions", SR_TAKE(subscriptions));
	return sr_ok();
}

static struct sr_result get(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	return sr_management_group_find(connection, work->request->arena, work->request->parts[0], &work->group);
}

struct sr_result sr_management_groups_get(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_read(request->store->database, get, &work));
	answer->body = group_json(request, &work.group);
	return sr_ok();
}

static struct sr_result create(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *name;
	const char *display_name = NULL;
	const char *parent = NULL;
	SR_TRY(sr_body_need(work->asked, "name", &name));
	SR_TRY(sr_json_get_string(work->asked, "displayName", &display_name));
	SR_TRY(sr_json_get_string(work->asked, "parent", &parent));
	SR_TRY(sr_management_group_make(connection, work->request->arena, name, display_name, parent, work->request->now_s,
	                                &work->group));
	return sr_revision_grow(connection);
}

struct sr_result sr_management_groups_create(const struct sr_identity_request *request,
                                             struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, create, &work));
	answer->status = 201;
	answer->is_change = true;
	answer->body = group_json(request, &work.group);
	return sr_ok();
}

static struct sr_result update(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *display_name = NULL;
	const char *parent = NULL;
	SR_TRY(sr_json_get_string(work->asked, "displayName", &display_name));
	SR_TRY(sr_json_get_string(work->asked, "parent", &parent));
	SR_TRY(sr_management_group_change(connection, work->request->parts[0], display_name, parent));
	SR_TRY(get(connection, work));
	return sr_revision_grow(connection);
}

struct sr_result sr_management_groups_update(const struct sr_identity_request *request,
                                             struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, update, &work));
	answer->is_change = true;
	answer->body = group_json(request, &work.group);
	return sr_ok();
}

static struct sr_result remove_group(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	SR_TRY(sr_management_group_remove(connection, work->request->parts[0]));
	return sr_revision_grow(connection);
}

struct sr_result sr_management_groups_delete(const struct sr_identity_request *request,
                                             struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, remove_group, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}

static struct sr_result place(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	SR_TRY(sr_subscription_place(connection, work->request->parts[1], work->request->parts[0]));
	return sr_revision_grow(connection);
}

/* PUT …/GROUP/subscriptions/ID: under that group; under the root's name it is taken out of any. */
struct sr_result sr_management_groups_place(const struct sr_identity_request *request,
                                            struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, place, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}
