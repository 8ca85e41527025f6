/* Where subscriptions stand in the tree of management groups, and what covers what by it. */
#include "identity/management_group.h"

#include "access/role.h"
#include "identity/scope.h"

#include <string.h>

struct sr_result sr_subscription_place(struct sr_connection *connection, const char *subscription, const char *group)
{
	if (!sr_is_guid(sr_bytes_str(subscription))) {
		return sr_fail(SR_INVALID, "a subscription's id is a GUID, not '%.100s'", subscription);
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_management_group_row found;
	SR_TRY(sr_management_group_find(connection, arena, group, &found));
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM placed_subscription WHERE subscription = lower(?1)", &remove));
	sr_bind_text(remove, 1, subscription);
	SR_TRY(sr_run(remove));
	if (!found.parent) {
		return sr_ok(); /* the root: where it is if it is nowhere */
	}
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO placed_subscription (subscription, management_group) VALUES (lower(?1), ?2)",
	                  &insert));
	sr_bind_text(insert, 1, subscription);
	sr_bind_text(insert, 2, found.name);
	return sr_run(insert);
}

struct sr_result sr_subscription_each(struct sr_connection *connection, struct sr_arena *arena,
                                      struct sr_result (*each)(const char *subscription, const char *group,
                                                               void *context),
                                      void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT subscription, management_group FROM placed_subscription ORDER BY subscription", &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		SR_TRY(each(sr_arena_text(arena, sr_column_text(select, 0)), sr_arena_text(arena, sr_column_text(select, 1)),
		            context));
	}
}

/* True if the group is the one from which the search starts, or above it. The root is above everything. */
static struct sr_result is_above(struct sr_connection *connection, struct sr_bytes group, struct sr_bytes subscription,
                                 struct sr_bytes below, bool *ret_is_above)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "WITH RECURSIVE above (name, depth) AS (SELECT management_group, 0 FROM placed_subscription"
	                  " WHERE subscription = lower(?2) UNION ALL SELECT ?3, 0 WHERE ?3 <> ''"
	                  " UNION ALL SELECT g.parent, depth + 1 FROM management_group g JOIN above ON g.name = above.name"
	                  " WHERE depth < 100) SELECT (SELECT count(*) FROM above WHERE name = ?1 COLLATE NOCASE)"
	                  " + (SELECT count(*) FROM installation WHERE tenant = lower(?1))",
	                  &select));
	sr_bind_bytes_as_text(select, 1, group);
	sr_bind_bytes_as_text(select, 2, subscription);
	sr_bind_bytes_as_text(select, 3, below);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	*ret_is_above = has_row && sr_column_int(select, 0) > 0;
	return sr_ok();
}

struct sr_result sr_management_group_covers(struct sr_connection *connection, const char *assigned, const char *scope,
                                            bool *ret_covers)
{
	if (sr_scope_covers(assigned, scope)) {
		*ret_covers = true;
		return sr_ok();
	}
	*ret_covers = false;
	struct sr_bytes subscription = sr_scope_subscription(scope);
	struct sr_bytes below = sr_scope_management_group(scope);
	if (sr_scope_kind(assigned) != SR_SCOPE_MANAGEMENT_GROUP || (!subscription.len && !below.len)) {
		return sr_ok();
	}
	return is_above(connection, sr_scope_management_group(assigned), subscription, below, ret_covers);
}
