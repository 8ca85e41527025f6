/* The thread that empties and removes resource groups which are marked as being deleted. What it does is kept nowhere
 * but in the mark, so a crash loses nothing: the next start goes on. */
#ifndef SR_WORKSPACE_RESOURCE_GROUP_REAPER_H
#define SR_WORKSPACE_RESOURCE_GROUP_REAPER_H

#include "base/result.h"

struct sr_workspace;
struct sr_resource_group_reaper;

/* Makes sure that the default group is there, and starts the thread; borrows the workspace. */
SR_MUST struct sr_result sr_resource_group_reaper_start(struct sr_workspace *workspace,
                                                        struct sr_resource_group_reaper **ret_reaper);
/* A group was marked. NULL is allowed. */
void sr_resource_group_reaper_wake(struct sr_resource_group_reaper *reaper);
void sr_resource_group_reaper_stop(struct sr_resource_group_reaper *reaper);

#endif
