/*
 * Groups of directory objects; a group may hold others, not in a ring and not deeper than SR_GROUP_DEPTH_MAX. Rows of
 * identity's database; functions run on a connection, within the caller's transaction.
 */
#ifndef SR_IDENTITY_GROUP_H
#define SR_IDENTITY_GROUP_H

#include "identity/object.h"

enum {
	SR_GROUP_DEPTH_MAX = 8, /* groups on the longest way from an outermost one to an innermost one */
	SR_GROUP_MEMBERS_MAX = 100000,
	SR_GROUPS_MAX = 50000,
	SR_GROUP_DESCRIPTION_MAX = 1024
};

struct sr_group {
	char id[SR_GUID_TEXT_LEN];
	char name[SR_OBJECT_NAME_MAX + 1];
	char description[SR_GROUP_DESCRIPTION_MAX + 1];
	int64_t created_s;
};

/* SR_INVALID: no fit name or description; SR_EXISTS: the name is taken; SR_TOO_LARGE. `description` may be NULL. */
SR_MUST struct sr_result sr_group_make(struct sr_connection *connection, const char *name, const char *description,
                                       int64_t now_s, struct sr_group *ret_group);
/* By id or name (case ignored). SR_NOT_FOUND. */
SR_MUST struct sr_result sr_group_find(struct sr_connection *connection, const char *id_or_name,
                                       struct sr_group *ret_group);
/* Another name or description; NULL leaves it. Errors as sr_group_make's, SR_NOT_FOUND. */
SR_MUST struct sr_result sr_group_change(struct sr_connection *connection, const char *group_id, const char *name,
                                         const char *description);
/* Removes the group, its memberships both ways and its role assignments; members stay. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_group_remove(struct sr_connection *connection, const char *group_id);
/* Calls `each` for every group, by name; with `member` (object id) only for those that it is in directly. */
SR_MUST struct sr_result sr_group_each(struct sr_connection *connection, const char *member,
                                       struct sr_result (*each)(const struct sr_group *group, void *context),
                                       void *context);

/* SR_EXISTS: it is a member already; SR_INVALID: that would be a ring, or too deep; SR_TOO_LARGE. Both must exist. */
SR_MUST struct sr_result sr_group_add(struct sr_connection *connection, const char *group_id, const char *member);
/* SR_NOT_FOUND if it is no direct member. */
SR_MUST struct sr_result sr_group_take_out(struct sr_connection *connection, const char *group_id, const char *member);
/* Calls `each` with the object id of every direct member, in order; borrowed during the call. */
SR_MUST struct sr_result sr_group_each_member(struct sr_connection *connection, const char *group_id,
                                              struct sr_result (*each)(const char *member, void *context),
                                              void *context);

#endif
