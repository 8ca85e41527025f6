/* The Unix socket: status, verification, the image for a backup. */
#include "workspace/api.h"

#include "base/clock.h"
#include "host/verification.h"
#include "seal/image.h"
#include "workspace/resource_group.h"

static struct sr_result count(const struct sr_resource_group *group, void *context)
{
	(void)group;
	++*(int64_t *)context;
	return sr_ok();
}

struct count_work {
	struct sr_arena *arena;
	int64_t groups;
};

static struct sr_result count_work(struct sr_connection *connection, void *context)
{
	struct count_work *work = context;
	return sr_resource_group_each(connection, work->arena, "", count, &work->groups);
}

struct sr_result sr_workspace_status(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	struct count_work work = {.arena = call->arena};
	SR_TRY(sr_workspace_read(call->workspace, count_work, &work));
	answer->body = json_object();
	sr_json_set_string(answer->body, "service", "workspace");
	sr_json_set_int(answer->body, "uptime_s", (int64_t)((sr_boottime_ms() - call->workspace->started_ms) / 1000));
	sr_json_set_int(answer->body, "resource_groups", work.groups);
	return sr_ok();
}

static struct sr_result verify_database(struct sr_workspace *workspace, struct sr_verification *report)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_workspace_store *store;
	SR_TRY(sr_workspace_enter(workspace, NULL, NULL, &use, &store));
	return sr_database_verify(store->database, sr_verification_pages, report);
}

struct sr_result sr_workspace_verify(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	SR_CLEANUP(sr_verification) struct sr_verification report = {0};
	SR_TRY(sr_verification_begin(call->exchange, &report));
	answer->is_sent = true;
	struct sr_result verified = verify_database(call->workspace, &report);
	if (!sr_is_ok(verified)) {
		sr_verification_find(&report, (struct sr_verified){"", "database", "workspace"}, verified);
	}
	return sr_verification_finish(&report);
}

/* There until it is deleted, or another is made. */
struct sr_result sr_workspace_freeze(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_workspace_store *store;
	SR_TRY(sr_workspace_enter(call->workspace, NULL, NULL, &use, &store));
	SR_CLEANUP(sr_image) struct sr_image *image = NULL;
	SR_TRY(sr_image_begin(sr_host_state_dir(call->workspace->host), &image));
	SR_TRY(sr_image_add_file(image, "resource"));
	SR_TRY(sr_image_add_database(image, "workspace.db", store->database));
	answer->body = json_object();
	return sr_ok();
}

struct sr_result sr_workspace_thaw(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	answer->status = 204;
	return sr_image_remove(sr_host_state_dir(call->workspace->host));
}
