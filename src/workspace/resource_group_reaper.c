/* Looks for marked groups when woken, at the start, and every few seconds, when it also signs the audit log. */
#include "workspace/resource_group_reaper.h"

#include "access/role.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "workspace/forward.h"
#include "workspace/resource_group.h"
#include "workspace/service.h"

#include <string.h>

enum { RETRY_MS = 3000, ROUND_MS = 10000, MARKED_MAX = 64 };
#define VAULT_VERSION "?api-version=2023-07-01"

struct sr_resource_group_reaper {
	struct sr_workspace *workspace;
	struct sr_thread thread;
	struct sr_mutex mutex; /* guards what follows */
	struct sr_cond changed;
	bool is_stopping, is_woken;
};

struct marked {
	struct sr_arena *arena;
	const char *names[MARKED_MAX];
	size_t count;
	const char *removed;
};

static struct sr_result note(const struct sr_resource_group *group, void *context)
{
	struct marked *marked = context;
	if (group->is_deleting && marked->count < MARKED_MAX) {
		marked->names[marked->count++] = group->name;
	}
	return sr_ok();
}

static struct sr_result find_marked(struct sr_connection *connection, void *context)
{
	struct marked *marked = context;
	return sr_resource_group_each(connection, marked->arena, "", note, marked);
}

static struct sr_result remove_work(struct sr_connection *connection, void *context)
{
	const struct marked *marked = context;
	return sr_resource_group_remove(connection, marked->removed);
}

static const struct sr_forward_caller ourselves = {"workspace", "", "group-deletion"};

static struct sr_result delete_one(struct sr_workspace *workspace, const char *service, const char *target)
{
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	int status;
	SR_TRY(sr_forward_request(workspace, service, "DELETE", target, NULL, &ourselves, &status, &answer));
	return status < 300 || status == 404 ? sr_ok()
	                                     : sr_fail(SR_UNAVAILABLE, "delete a resource of a group: status %d", status);
}

static struct sr_result list_of(struct sr_workspace *workspace, const char *service, const char *target,
                                json_t **ret_page)
{
	int status;
	SR_TRY(sr_forward_request(workspace, service, "GET", target, NULL, &ourselves, &status, ret_page));
	return status == 200 ? sr_ok() : sr_fail(SR_UNAVAILABLE, "list the resources of a group: status %d", status);
}

/* Asks the vault to delete what it has in the group; *ret_left counts what was there. */
static struct sr_result delete_vaults(struct sr_workspace *workspace, struct sr_arena *arena, const char *list,
                                      size_t *ret_left)
{
	SR_CLEANUP(sr_json) json_t *page = NULL;
	SR_TRY(list_of(workspace, "vault", list, &page));
	const json_t *items = json_object_get(page, "value");
	*ret_left = json_array_size(items);
	for (size_t i = 0; i < *ret_left; i++) {
		const char *id = json_string_value(json_object_get(json_array_get(items, i), "id"));
		SR_TRY(delete_one(workspace, "vault", sr_arena_printf(arena, "%s" VAULT_VERSION, id ? id : "")));
	}
	return sr_ok();
}

/* The managed identities that are resources of the group. */
static struct sr_result delete_identities(struct sr_workspace *workspace, struct sr_arena *arena, const char *scope)
{
	SR_CLEANUP(sr_json) json_t *page = NULL;
	SR_TRY(list_of(workspace, "identity", "/managed-identities", &page));
	size_t index;
	json_t *item;
	json_array_foreach(json_object_get(page, "value"), index, item)
	{
		const char *id = json_string_value(json_object_get(item, "id"));
		const char *kind = json_string_value(json_object_get(item, "kind"));
		const char *object_id = json_string_value(json_object_get(item, "principalId"));
		const bool is_user = kind && strcmp(kind, "UserAssigned") == 0;
		if (id && object_id && is_user && sr_scope_covers(scope, id)) {
			SR_TRY(delete_one(workspace, "identity", sr_arena_printf(arena, "/managed-identities/%s", object_id)));
		}
	}
	return sr_ok();
}

static struct sr_result reap(struct sr_workspace *workspace, struct sr_arena *arena, const char *group)
{
	struct sr_installation installation;
	SR_TRY(sr_access_installation(workspace->access, &installation));
	const char *scope = sr_arena_printf(arena, "/subscriptions/%s/resourceGroups/%s", installation.subscription, group);
	const char *list = sr_arena_printf(arena, "%s/providers/Microsoft.KeyVault/vaults" VAULT_VERSION, scope);
	size_t left;
	do {
		SR_TRY(delete_vaults(workspace, arena, list, &left));
	} while (left > 0);
	SR_TRY(delete_identities(workspace, arena, scope));
	struct marked marked = {.removed = group};
	return sr_workspace_write(workspace, remove_work, &marked);
}

static struct sr_result sign_audit_log(struct sr_workspace *workspace)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_workspace_store *store;
	SR_TRY(sr_workspace_enter(workspace, NULL, NULL, &use, &store));
	return sr_audit_sign(store->audit, sr_unix_s());
}

static struct sr_result look(struct sr_workspace *workspace)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct marked marked = {.arena = arena};
	SR_TRY(sr_workspace_read(workspace, find_marked, &marked));
	for (size_t i = 0; i < marked.count; i++) {
		SR_TRY(reap(workspace, arena, marked.names[i]));
	}
	return sign_audit_log(workspace);
}

/* Until woken, or for a while: a shorter one after a failure; false when it is time to stop. */
static bool wait(struct sr_resource_group_reaper *reaper, bool has_failed)
{
	const uint64_t deadline_ns = sr_boottime_ns() + (uint64_t)(has_failed ? RETRY_MS : ROUND_MS) * 1000000;
	SR_LOCKED(&reaper->mutex);
	while (!reaper->is_stopping && !reaper->is_woken) {
		if (!sr_cond_wait_until(&reaper->changed, &reaper->mutex, deadline_ns)) {
			break;
		}
	}
	reaper->is_woken = false;
	return !reaper->is_stopping;
}

static void run(void *context)
{
	struct sr_resource_group_reaper *reaper = context;
	bool has_failed;
	do {
		SR_CLEANUP(sr_result) struct sr_result looked = look(reaper->workspace);
		has_failed = !sr_is_ok(looked);
		if (has_failed) {
			sr_log(SR_LOG_NOTICE, "resource groups that are being deleted have to wait: %s", sr_result_message(looked));
		}
	} while (wait(reaper, has_failed));
}

static struct sr_result make_default_group(struct sr_connection *connection, void *context)
{
	(void)context;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_resource_group group = {.name = SR_DEFAULT_GROUP, .location = "local", .created = sr_unix_s()};
	struct sr_result found = sr_resource_group_find(connection, arena, SR_DEFAULT_GROUP, &group);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_resource_group_write(connection, &group);
	}
	return found;
}

struct sr_result sr_resource_group_reaper_start(struct sr_workspace *workspace,
                                                struct sr_resource_group_reaper **ret_reaper)
{
	SR_TRY(sr_workspace_write(workspace, make_default_group, NULL));
	struct sr_resource_group_reaper *reaper = sr_alloc(sizeof *reaper);
	reaper->workspace = workspace;
	sr_mutex_init(&reaper->mutex, SR_RANK_LEAF);
	sr_cond_init(&reaper->changed);
	struct sr_result started = sr_thread_start("group-reaper", 0, run, reaper, &reaper->thread);
	if (!sr_is_ok(started)) {
		sr_cond_destroy(&reaper->changed);
		sr_mutex_destroy(&reaper->mutex);
		sr_free(reaper);
		return started;
	}
	*ret_reaper = reaper;
	return sr_ok();
}

void sr_resource_group_reaper_wake(struct sr_resource_group_reaper *reaper)
{
	if (reaper) {
		SR_LOCKED(&reaper->mutex);
		reaper->is_woken = true;
		sr_cond_signal(&reaper->changed);
	}
}

void sr_resource_group_reaper_stop(struct sr_resource_group_reaper *reaper)
{
	if (!reaper) {
		return;
	}
	{
		SR_LOCKED(&reaper->mutex);
		reaper->is_stopping = true;
		sr_cond_signal(&reaper->changed);
	}
	sr_thread_join(reaper->thread);
	sr_cond_destroy(&reaper->changed);
	sr_mutex_destroy(&reaper->mutex);
	sr_free(reaper);
}
