/*
 * Management groups: a tree over subscriptions. Its root is named like the tenant and is always there; what was put
 * nowhere is under it. Rows of identity's database; functions run on a connection, within the caller's transaction.
 */
#ifndef SR_IDENTITY_MANAGEMENT_GROUP_H
#define SR_IDENTITY_MANAGEMENT_GROUP_H

#include "base/arena.h"
#include "base/text.h"
#include "seal/database.h"

enum {
	SR_MANAGEMENT_GROUP_NAME_MAX = 90,
	SR_MANAGEMENT_GROUP_DISPLAY_MAX = 256,
	SR_MANAGEMENT_GROUP_DEPTH_MAX = 6, /* levels below the root */
	SR_MANAGEMENT_GROUPS_MAX = 10000
};

struct sr_management_group_row {
	const char *name; /* its id: letters, digits, '-', '_', '.', '(', ')' */
	const char *display_name;
	const char *parent; /* a name; the tenant's id: right under the root; NULL: it is the root */
	int64_t created_s;
};

/* SR_INVALID (names, depth, no such parent), SR_EXISTS, SR_TOO_LARGE. `display_name` NULL: as the name; `parent` NULL:
 * the root. */
SR_MUST struct sr_result sr_management_group_make(struct sr_connection *connection, struct sr_arena *arena,
                                                  const char *name, const char *display_name, const char *parent,
                                                  int64_t now_s, struct sr_management_group_row *ret_group);
/* By name (case ignored), the root's too. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_management_group_find(struct sr_connection *connection, struct sr_arena *arena,
                                                  const char *name, struct sr_management_group_row *ret_group);
/* Another display name or parent; NULL leaves it. SR_INVALID: that would be a ring, or too deep, or it is the root. */
SR_MUST struct sr_result sr_management_group_change(struct sr_connection *connection, const char *name,
                                                    const char *display_name, const char *parent);
/* Removes it with the role assignments at it. SR_CONFLICT while anything is under it. */
SR_MUST struct sr_result sr_management_group_remove(struct sr_connection *connection, const char *name);
/* Calls `each` for the root and then every group, each after its parent. */
SR_MUST struct sr_result sr_management_group_each(struct sr_connection *connection, struct sr_arena *arena,
                                                  struct sr_result (*each)(const struct sr_management_group_row *group,
                                                                           void *context),
                                                  void *context);

/* Puts a subscription (GUID) under a group; the root's name takes it out of any. SR_INVALID, SR_NOT_FOUND (the group).
 */
SR_MUST struct sr_result sr_subscription_place(struct sr_connection *connection, const char *subscription,
                                               const char *group);
/* Calls `each` for each subscription that is under a group other than the root. */
SR_MUST struct sr_result sr_subscription_each(struct sr_connection *connection, struct sr_arena *arena,
                                              struct sr_result (*each)(const char *subscription, const char *group,
                                                                       void *context),
                                              void *context);
/* True if `assigned` is the scope or above it, by text or by the tree. */
SR_MUST struct sr_result sr_management_group_covers(struct sr_connection *connection, const char *assigned,
                                                    const char *scope, bool *ret_covers);

#endif
