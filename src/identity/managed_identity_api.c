/* Managed identities, for the administrator and for the services whose resources have one. Rows are
 * managed_identity.c's. */
#include "identity/api.h"

#include "identity/body.h"
#include "identity/managed_identity.h"
#include "identity/manager.h"
#include "identity/revision.h"

#include <string.h>

enum { TAGS_MAX = 16384 };

struct work {
	const struct sr_identity_request *request;
	const json_t *asked; /* the parsed body */
	const char *wanted;  /* by which id */
	const char *tags;    /* JSON text, or NULL */
	struct sr_managed_identity identity;
	bool is_new;
	json_t *list;
};

static json_t *identity_json(const struct sr_managed_identity *identity)
{
	json_t *body = json_object();
	sr_json_set_string(body, "name", identity->name);
	sr_json_set_string(body, "id", identity->resource_id);
	sr_json_set_string(body, "kind", identity->kind == SR_MANAGED_SYSTEM ? "SystemAssigned" : "UserAssigned");
	sr_json_set_string(body, "clientId", identity->client_id);
	sr_json_set_string(body, "principalId", identity->object_id);
	sr_json_set_string(body, "location", identity->location);
	sr_json_set_bool(body, "enabled", identity->is_enabled);
	sr_body_set_time(body, "created", identity->created_s);
	json_t *tags = NULL;
	sr_ignore(sr_json_parse(sr_bytes_str(identity->tags), &tags));
	sr_json_set(body, "tags", tags ? tags : json_object());
	return body;
}

static struct sr_result append(const struct sr_managed_identity *identity, void *context)
{
	json_array_append_new(context, identity_json(identity));
	return sr_ok();
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	return sr_managed_identity_each(connection, work->request->arena, append, work->list);
}

/* A tag's value is a text, as everywhere in Azure. */
static struct sr_result read_tags(struct work *work)
{
	const json_t *tags = NULL;
	SR_TRY(sr_json_get_object(work->asked, "tags", &tags));
	if (!tags) {
		return sr_ok();
	}
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)tags, name, value)
	{
		if (!json_is_string(value)) {
			return sr_fail(SR_INVALID, "the tag '%.100s' is no text", name);
		}
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(TAGS_MAX);
	SR_TRY(sr_json_write(tags, &text));
	work->tags = sr_arena_strdup(work->request->arena, sr_buf_text(&text));
	return sr_ok();
}

static struct sr_result create(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *resource_id;
	const char *kind = "UserAssigned";
	const char *location = NULL;
	SR_TRY(sr_body_need(work->asked, "resourceId", &resource_id));
	SR_TRY(sr_json_get_string(work->asked, "kind", &kind));
	SR_TRY(sr_json_get_string(work->asked, "location", &location));
	bool is_system = strcmp(kind, "SystemAssigned") == 0;
	if (!is_system && strcmp(kind, "UserAssigned") != 0) {
		return sr_fail(SR_INVALID, "'kind' is SystemAssigned or UserAssigned");
	}
	SR_TRY(sr_managed_identity_make(connection, work->request->arena, resource_id,
	                                is_system ? SR_MANAGED_SYSTEM : SR_MANAGED_USER, location, work->tags,
	                                work->request->now_s, &work->identity, &work->is_new));
	return work->is_new ? sr_revision_grow(connection) : sr_ok();
}

/* {"resourceId", "kind", "location", "tags"}. Whoever asks again gets the same identity (200 instead of 201). */
struct sr_result sr_managed_create(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(read_tags(&work));
	SR_TRY(sr_database_write(request->store->database, create, &work));
	answer->status = work.is_new ? 201 : 200;
	answer->is_change = work.is_new;
	answer->body = identity_json(&work.identity);
	return sr_ok();
}

/* By the path's id, or by ?resourceId=…, whose slashes no path can hold. */
static struct sr_result read_wanted(struct work *work)
{
	const char *part = work->request->parts[0];
	work->wanted = part && *part ? part : sr_parameter_get(&work->request->query, "resourceId");
	return work->wanted ? sr_ok() : sr_fail(SR_INVALID, "'resourceId' is missing");
}

static struct sr_result get(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	return sr_managed_identity_find(connection, work->request->arena, work->wanted, &work->identity);
}

struct sr_result sr_managed_get(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	struct work work = {.request = request};
	SR_TRY(read_wanted(&work));
	SR_TRY(sr_database_read(request->store->database, get, &work));
	answer->body = identity_json(&work.identity);
	return sr_ok();
}

/* All, or with ?resourceId=… the one that it has. */
struct sr_result sr_managed_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	if (sr_parameter_get(&request->query, "resourceId")) {
		return sr_managed_get(request, answer);
	}
	SR_CLEANUP(sr_json) json_t *value = json_array();
	struct work work = {.request = request, .list = value};
	SR_TRY(sr_database_read(request->store->database, list, &work));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(value));
	return sr_ok();
}

static struct sr_result update(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(get(connection, work));
	SR_TRY(sr_json_get_bool(work->asked, "enabled", &work->identity.is_enabled));
	SR_TRY(sr_managed_identity_enable(connection, work->identity.object_id, work->identity.is_enabled));
	return sr_revision_grow(connection);
}

/* {"enabled": false}: no token of it is good any more, and none is given. */
struct sr_result sr_managed_update(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(read_wanted(&work));
	SR_TRY(sr_database_write(request->store->database, update, &work));
	answer->is_change = true;
	answer->body = identity_json(&work.identity);
	return sr_ok();
}

static struct sr_result remove_identity(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(get(connection, work));
	SR_TRY(sr_managed_identity_remove(connection, work->identity.object_id));
	return sr_revision_grow(connection);
}

struct sr_result sr_managed_delete(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	struct work work = {.request = request};
	SR_TRY(read_wanted(&work));
	SR_TRY(sr_database_write(request->store->database, remove_identity, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}
