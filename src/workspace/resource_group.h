/* Resource groups: rows of the workspace's database. Functions run on a connection, within the caller's transaction. */
#ifndef SR_WORKSPACE_RESOURCE_GROUP_H
#define SR_WORKSPACE_RESOURCE_GROUP_H

#include "base/arena.h"
#include "seal/database.h"

struct sr_resource_group {
	const char *name;
	const char *location;   /* "westeurope": any name, kept as it was given, in lower case without spaces */
	const char *tags;       /* JSON object or NULL */
	const char *managed_by; /* resource id or NULL */
	int64_t created;
	bool is_deleting;
};

/* The group that is there from the first start: what was made before there were groups is in it. */
#define SR_DEFAULT_GROUP "default"

/* SR_INVALID "InvalidResourceGroup": 1 to 90 letters, digits and -_.(), no dot at the end. */
SR_MUST struct sr_result sr_resource_group_name_check(const char *name);
/* Texts go into the arena. SR_NOT_FOUND "ResourceGroupNotFound". */
SR_MUST struct sr_result sr_resource_group_find(struct sr_connection *connection, struct sr_arena *arena,
                                                const char *name, struct sr_resource_group *ret_group);
/* Makes the group or writes its tags; its name, location and what manages it stay as they are. */
SR_MUST struct sr_result sr_resource_group_write(struct sr_connection *connection,
                                                 const struct sr_resource_group *group);
/* From now on nothing is put into it. */
SR_MUST struct sr_result sr_resource_group_mark_deleting(struct sr_connection *connection, const char *name);
SR_MUST struct sr_result sr_resource_group_remove(struct sr_connection *connection, const char *name);
/* Groups after `after` ("" from the start), by name; those that are being deleted too. */
SR_MUST struct sr_result
sr_resource_group_each(struct sr_connection *connection, struct sr_arena *arena, const char *after,
                       struct sr_result (*each)(const struct sr_resource_group *group, void *context), void *context);

#endif
