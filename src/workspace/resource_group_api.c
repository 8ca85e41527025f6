/* Resource groups as Resource Manager shows them. Deleting one is a promise: it is marked, the reaper does the rest,
 * and the client polls. */
#include "workspace/api.h"

#include "base/clock.h"
#include "workspace/resource_group.h"
#include "workspace/resource_group_reaper.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { LOCATION_MAX = 64, POLL_AGAIN_S = 1 };

struct group_work {
	struct sr_arm_call *call;
	struct sr_resource_group group;
	bool is_new;
	json_t *list;
};

static const char *group_id(const struct sr_arm_call *call, const char *name)
{
	return sr_arena_printf(call->arena, "/subscriptions/%s/resourceGroups/%s", call->installation.subscription, name);
}

static json_t *group_json(const struct sr_arm_call *call, const struct sr_resource_group *group)
{
	json_t *body = json_object(), *properties = json_object();
	sr_json_set_string(body, "id", group_id(call, group->name));
	sr_json_set_string(body, "name", group->name);
	sr_json_set_string(body, "type", "Microsoft.Resources/resourceGroups");
	sr_json_set_string(body, "location", group->location);
	sr_json_set_string(body, "managedBy", group->managed_by);
	sr_json_set_string(properties, "provisioningState", group->is_deleting ? "Deleting" : "Succeeded");
	if (group->tags) {
		sr_json_set(body, "tags", json_loads(group->tags, 0, NULL));
	}
	sr_json_set(body, "properties", properties);
	return body;
}

static struct sr_result find_work(struct sr_connection *connection, void *context)
{
	struct group_work *work = context;
	return sr_resource_group_find(connection, work->call->arena, work->call->parts[1], &work->group);
}

struct sr_result sr_resource_group_get(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	struct group_work work = {.call = call};
	SR_TRY(sr_workspace_read(call->workspace, find_work, &work));
	answer->body = group_json(call, &work.group);
	return sr_ok();
}

struct sr_result sr_resource_group_check(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	struct group_work work = {.call = call};
	answer->status = 204;
	return sr_workspace_read(call->workspace, find_work, &work);
}

static struct sr_result add_to_list(const struct sr_resource_group *group, void *context)
{
	struct group_work *work = context;
	json_array_append_new(work->list, group_json(work->call, group));
	return sr_ok();
}

static struct sr_result list_work(struct sr_connection *connection, void *context)
{
	struct group_work *work = context;
	return sr_resource_group_each(connection, work->call->arena, "", add_to_list, work);
}

struct sr_result sr_resource_groups_list(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	struct group_work work = {.call = call, .list = json_array()};
	answer->body = json_object();
	sr_json_set(answer->body, "value", work.list);
	return sr_workspace_read(call->workspace, list_work, &work);
}

/* "West Europe" is "westeurope". */
static struct sr_result read_location(struct sr_arm_call *call, const char **ret_location)
{
	const char *sent = NULL;
	SR_TRY(call->body ? sr_json_get_string(call->body, "location", &sent) : sr_ok());
	if (!sent || !*sent) {
		return sr_fail_as(SR_INVALID, "LocationRequired",
		                  "The location property is required for this definition: give it the name of a region.");
	}
	char *location = sr_arena_strdup(call->arena, sent);
	size_t len = 0;
	for (const char *at = sent; *at; at++) {
		if (*at == ' ') {
			continue;
		}
		if (!isalnum((unsigned char)*at) || len == LOCATION_MAX) {
			return sr_fail(SR_INVALID, "The location '%.64s' is no region's name.", sent);
		}
		location[len++] = (char)tolower((unsigned char)*at);
	}
	location[len] = 0;
	*ret_location = location;
	return sr_ok();
}

/* Tags as they are kept: an object of at most 50 texts. */
static struct sr_result read_tags(struct sr_arm_call *call, const char **ret_tags)
{
	const json_t *tags = NULL;
	SR_TRY(sr_json_get_object(call->body, "tags", &tags));
	if (!tags) {
		return sr_ok();
	}
	if (json_object_size(tags) > 50) {
		return sr_fail(SR_INVALID, "A resource has at most 50 tags.");
	}
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)tags, name, value)
	{
		if (!json_is_string(value) || json_string_length(value) > 256 || strlen(name) > 512) {
			return sr_fail(SR_INVALID, "The tag '%.64s' must be a text of at most 256 characters.", name);
		}
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_ARM_BODY_MAX);
	SR_TRY(sr_json_write(tags, &text));
	*ret_tags = sr_arena_text(call->arena, sr_buf_bytes(&text));
	return sr_ok();
}

static struct sr_result put_work(struct sr_connection *connection, void *context)
{
	struct group_work *work = context;
	struct sr_resource_group found;
	struct sr_result result = sr_resource_group_find(connection, work->call->arena, work->group.name, &found);
	work->is_new = sr_result_code(result) == SR_NOT_FOUND;
	if (work->is_new) {
		sr_ignore(result);
		return sr_resource_group_write(connection, &work->group);
	}
	SR_TRY(result);
	if (found.is_deleting) {
		return sr_fail_as(SR_CONFLICT, "ResourceGroupBeingDeleted",
		                  "The resource group '%s' is being deleted: wait until it is gone.", found.name);
	}
	if (strcmp(found.location, work->group.location) != 0) {
		return sr_fail_as(SR_CONFLICT, "InvalidResourceGroupLocation",
		                  "Invalid resource group location '%s'. The Resource group already exists in location '%s'.",
		                  work->group.location, found.location);
	}
	found.tags = work->group.tags;
	work->group = found;
	return sr_resource_group_write(connection, &work->group);
}

struct sr_result sr_resource_group_put(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	struct group_work work = {.call = call, .group = {.name = call->parts[1], .created = sr_unix_s()}};
	SR_TRY(sr_resource_group_name_check(work.group.name));
	SR_TRY(read_location(call, &work.group.location));
	SR_TRY(read_tags(call, &work.group.tags));
	SR_TRY(sr_json_get_string(call->body, "managedBy", &work.group.managed_by));
	SR_TRY(sr_workspace_write(call->workspace, put_work, &work));
	answer->status = work.is_new ? 201 : 200;
	answer->body = group_json(call, &work.group);
	return sr_ok();
}

static struct sr_result patch_work(struct sr_connection *connection, void *context)
{
	struct group_work *work = context;
	const char *tags = work->group.tags;
	SR_TRY(find_work(connection, work));
	if (tags) {
		work->group.tags = tags;
	}
	return sr_resource_group_write(connection, &work->group);
}

struct sr_result sr_resource_group_patch(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	struct group_work work = {.call = call};
	if (call->body) {
		SR_TRY(read_tags(call, &work.group.tags));
	}
	SR_TRY(sr_workspace_write(call->workspace, patch_work, &work));
	answer->body = group_json(call, &work.group);
	return sr_ok();
}

static struct sr_result delete_work(struct sr_connection *connection, void *context)
{
	struct group_work *work = context;
	SR_TRY(find_work(connection, work));
	if (strcasecmp(work->group.name, SR_DEFAULT_GROUP) == 0) {
		return sr_fail(SR_CONFLICT, "The resource group '%s' holds what was put into no other: it stays.",
		               work->group.name);
	}
	return sr_resource_group_mark_deleting(connection, work->group.name);
}

/* What polls name: the group, in a form that a path takes. */
static const char *operation_of(const struct sr_arm_call *call, const char *group)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1024);
	sr_base64url_encode(&text, sr_bytes_str(group));
	return sr_arena_printf(call->arena, "%s/subscriptions/%s/operationresults/%s?api-version=%s", call->base_url,
	                       call->installation.subscription, sr_arena_text(call->arena, sr_buf_bytes(&text)),
	                       call->api_version);
}

struct sr_result sr_resource_group_delete(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	struct group_work work = {.call = call};
	SR_TRY(sr_workspace_write(call->workspace, delete_work, &work));
	sr_resource_group_reaper_wake(call->workspace->reaper);
	answer->status = 202;
	answer->location = operation_of(call, work.group.name);
	answer->retry_after_s = POLL_AGAIN_S;
	return sr_ok();
}

/* 202 while the group is on its way out, 200 when it is gone. */
struct sr_result sr_resource_group_deletion(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	SR_CLEANUP(sr_buf) struct sr_buf name = SR_BUF(256);
	SR_TRY(sr_base64url_decode(sr_bytes_str(call->parts[1]), &name));
	struct group_work work = {.call = call};
	call->parts[1] = sr_arena_text(call->arena, sr_buf_bytes(&name));
	SR_TRY(sr_resource_group_name_check(call->parts[1]));
	SR_TRY(sr_arm_authorise(call, "Microsoft.Resources/subscriptions/resourceGroups/read",
	                        group_id(call, call->parts[1])));
	struct sr_result result = sr_workspace_read(call->workspace, find_work, &work);
	if (sr_result_code(result) == SR_NOT_FOUND) {
		sr_ignore(result);
		return sr_ok();
	}
	SR_TRY(result);
	answer->status = 202;
	answer->location = operation_of(call, work.group.name);
	answer->retry_after_s = POLL_AGAIN_S;
	return sr_ok();
}
