/* The Unix socket: what `strongroom status` shows of this service. */
#include "workspace/api.h"

#include "base/clock.h"
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
