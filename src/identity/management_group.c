/* Rows of management groups and of the subscriptions under them. */
#include "identity/management_group.h"

#include "access/role.h"
#include "identity/object.h"
#include "identity/scope.h"

#include <string.h>

static struct sr_result no_such(const char *name)
{
	return sr_fail(SR_NOT_FOUND, "there is no management group '%.100s'", name);
}

static struct sr_result tenant_of(struct sr_connection *connection, struct sr_arena *arena, const char **ret_tenant)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT tenant FROM installation", &select));
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	*ret_tenant = has_row ? sr_arena_text(arena, sr_column_text(select, 0)) : "";
	return sr_ok();
}

static bool is_root(const char *tenant, const char *name)
{
	return sr_equal_nocase(sr_bytes_str(tenant), sr_bytes_str(name));
}

/* One number of a statement that is bound to a name. */
static struct sr_result number_of(struct sr_connection *connection, const char *sql, const char *name,
                                  int64_t *ret_number)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, sql, &select));
	sr_bind_text(select, 1, name);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	*ret_number = has_row ? sr_column_int(select, 0) : 0;
	return sr_ok();
}

/* Levels from the group up to below the root: 1 for one right under it. */
static struct sr_result depth_of(struct sr_connection *connection, const char *name, int64_t *ret_depth)
{
	return number_of(connection,
	                 "WITH RECURSIVE above (name, depth) AS (SELECT parent, 1 FROM management_group WHERE name = ?1"
	                 " UNION ALL SELECT g.parent, depth + 1 FROM management_group g JOIN above ON g.name = above.name"
	                 " WHERE depth < 100) SELECT max(depth) FROM above",
	                 name, ret_depth);
}

/* Levels of groups below it: 0 if there are none. */
static struct sr_result height_of(struct sr_connection *connection, const char *name, int64_t *ret_height)
{
	return number_of(connection,
	                 "WITH RECURSIVE below (name, depth) AS (SELECT ?1, 0 UNION ALL SELECT g.name, depth + 1"
	                 " FROM management_group g JOIN below ON g.parent = below.name WHERE depth < 100)"
	                 " SELECT max(depth) FROM below",
	                 name, ret_height);
}

/* The parent as it is kept: NULL for the root. */
static struct sr_result check_parent(struct sr_connection *connection, struct sr_arena *arena, const char *parent,
                                     int64_t height, const char **ret_parent)
{
	const char *tenant;
	SR_TRY(tenant_of(connection, arena, &tenant));
	if (!parent || is_root(tenant, parent)) {
		*ret_parent = NULL;
		return sr_ok();
	}
	int64_t depth = 0;
	SR_TRY(depth_of(connection, parent, &depth));
	if (!depth) {
		return sr_fail(SR_INVALID, "there is no management group '%.100s' to put it under", parent);
	}
	if (depth + 1 + height > SR_MANAGEMENT_GROUP_DEPTH_MAX) {
		return sr_fail(SR_INVALID, "management groups have at most %d levels below the root",
		               SR_MANAGEMENT_GROUP_DEPTH_MAX);
	}
	*ret_parent = parent;
	return sr_ok();
}

static struct sr_result check_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.()";
	size_t len = strlen(name);
	if (!len || len > SR_MANAGEMENT_GROUP_NAME_MAX || strspn(name, allowed) != len || name[len - 1] == '.' ||
	    name[0] == '.') {
		return sr_fail(SR_INVALID,
		               "a management group's name has 1 to %d letters, digits, '-', '_', '(', ')' and '.', and neither "
		               "starts nor ends with '.'",
		               SR_MANAGEMENT_GROUP_NAME_MAX);
	}
	return sr_ok();
}

static struct sr_result check_room(struct sr_connection *connection, const char *name)
{
	int64_t count = 0;
	SR_TRY(number_of(connection, "SELECT count(*) FROM management_group WHERE name <> ?1", name, &count));
	return count < SR_MANAGEMENT_GROUPS_MAX
	           ? sr_ok()
	           : sr_fail(SR_TOO_LARGE, "there are %d management groups", SR_MANAGEMENT_GROUPS_MAX);
}

struct sr_result sr_management_group_make(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                                          const char *display_name, const char *parent, int64_t now_s,
                                          struct sr_management_group_row *ret_group)
{
	const char *tenant;
	SR_TRY(check_name(name));
	display_name = display_name ? display_name : name;
	if (!sr_is_guid(sr_bytes_str(display_name))) {
		SR_TRY(
		    sr_object_check_name("a management group's display name", display_name, SR_MANAGEMENT_GROUP_DISPLAY_MAX));
	}
	SR_TRY(tenant_of(connection, arena, &tenant));
	SR_TRY(check_parent(connection, arena, parent, 0, &parent));
	SR_TRY(check_room(connection, name));
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO management_group (name, display_name, parent, created_s) VALUES (?1, ?2, ?3, ?4)",
	                  &insert));
	sr_bind_text(insert, 1, name);
	sr_bind_text(insert, 2, display_name);
	sr_bind_text(insert, 3, parent);
	sr_bind_int(insert, 4, now_s);
	struct sr_result inserted = is_root(tenant, name) ? sr_fail(SR_EXISTS, "the root") : sr_run(insert);
	if (sr_result_code(inserted) == SR_EXISTS) {
		sr_ignore(inserted);
		return sr_fail(SR_EXISTS, "there is a management group '%s' already", name);
	}
	SR_TRY(inserted);
	return sr_management_group_find(connection, arena, name, ret_group);
}

static struct sr_management_group_row read_row(struct sr_arena *arena, struct sr_statement *statement,
                                               const char *tenant)
{
	return (struct sr_management_group_row){
	    .name = sr_arena_text(arena, sr_column_text(statement, 0)),
	    .display_name = sr_arena_text(arena, sr_column_text(statement, 1)),
	    .parent = sr_column_is_null(statement, 2) ? tenant : sr_arena_text(arena, sr_column_text(statement, 2)),
	    .created_s = sr_column_int(statement, 3),
	};
}

static struct sr_management_group_row root_row(const char *tenant)
{
	return (struct sr_management_group_row){.name = tenant, .display_name = "Tenant Root Group"};
}

struct sr_result sr_management_group_find(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                                          struct sr_management_group_row *ret_group)
{
	const char *tenant;
	SR_TRY(tenant_of(connection, arena, &tenant));
	if (is_root(tenant, name)) {
		*ret_group = root_row(tenant);
		return sr_ok();
	}
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT name, display_name, parent, created_s FROM management_group WHERE name = ?1",
	                  &select));
	sr_bind_text(select, 1, name);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return no_such(name);
	}
	*ret_group = read_row(arena, select, tenant);
	return sr_ok();
}

/* A group cannot be put under itself, nor under what is below it. */
static struct sr_result check_ring(struct sr_connection *connection, const char *name, const char *parent)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "WITH RECURSIVE below (name, depth) AS (SELECT ?1, 0 UNION ALL SELECT g.name, depth + 1"
	                  " FROM management_group g JOIN below ON g.parent = below.name WHERE depth < 100)"
	                  " SELECT count(*) FROM below WHERE name = ?2 COLLATE NOCASE",
	                  &select));
	sr_bind_text(select, 1, name);
	sr_bind_text(select, 2, parent);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return sr_column_int(select, 0) ? sr_fail(SR_INVALID, "'%.100s' is below '%.100s' itself", parent, name) : sr_ok();
}

static struct sr_result move(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                             const char *parent)
{
	int64_t height = 0;
	SR_TRY(check_ring(connection, name, parent));
	SR_TRY(height_of(connection, name, &height));
	SR_TRY(check_parent(connection, arena, parent, height, &parent));
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE management_group SET parent = ?2 WHERE name = ?1", &update));
	sr_bind_text(update, 1, name);
	sr_bind_text(update, 2, parent);
	return sr_run(update);
}

struct sr_result sr_management_group_change(struct sr_connection *connection, const char *name,
                                            const char *display_name, const char *parent)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_management_group_row group;
	SR_TRY(sr_management_group_find(connection, arena, name, &group));
	if (!group.parent) {
		return sr_fail(SR_INVALID, "the root management group stays as it is");
	}
	if (parent) {
		SR_TRY(move(connection, arena, group.name, parent));
	}
	if (!display_name) {
		return sr_ok();
	}
	SR_TRY(sr_object_check_name("a management group's display name", display_name, SR_MANAGEMENT_GROUP_DISPLAY_MAX));
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE management_group SET display_name = ?2 WHERE name = ?1", &update));
	sr_bind_text(update, 1, name);
	sr_bind_text(update, 2, display_name);
	return sr_run(update);
}

struct sr_result sr_management_group_remove(struct sr_connection *connection, const char *name)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_management_group_row group;
	SR_TRY(sr_management_group_find(connection, arena, name, &group));
	int64_t count = 0;
	SR_TRY(number_of(connection,
	                 "SELECT (SELECT count(*) FROM management_group WHERE parent = ?1)"
	                 " + (SELECT count(*) FROM placed_subscription WHERE management_group = ?1)",
	                 name, &count));
	if (count || !group.parent) {
		return sr_fail(SR_CONFLICT, "the management group '%s' %s", group.name,
		               group.parent ? "has groups or subscriptions under it: move them first" : "is the root");
	}
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM management_group WHERE name = ?1", &remove));
	sr_bind_text(remove, 1, name);
	SR_TRY(sr_run(remove));
	SR_CLEANUP(sr_statement) struct sr_statement *forget = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM assignment WHERE scope = ?1", &forget));
	sr_bind_text(forget, 1, sr_arena_printf(arena, SR_MANAGEMENT_GROUP_PREFIX "%s", group.name));
	return sr_run(forget);
}

struct sr_result sr_management_group_each(struct sr_connection *connection, struct sr_arena *arena,
                                          struct sr_result (*each)(const struct sr_management_group_row *group,
                                                                   void *context),
                                          void *context)
{
	const char *tenant;
	SR_TRY(tenant_of(connection, arena, &tenant));
	struct sr_management_group_row root = root_row(tenant);
	SR_TRY(each(&root, context));
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "WITH RECURSIVE tree (name, depth) AS (SELECT name, 0 FROM management_group WHERE parent IS NULL"
	                  " UNION ALL SELECT g.name, depth + 1 FROM management_group g JOIN tree ON g.parent = tree.name)"
	                  " SELECT g.name, g.display_name, g.parent, g.created_s FROM tree"
	                  " JOIN management_group g ON g.name = tree.name ORDER BY tree.depth, g.name",
	                  &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		struct sr_management_group_row group = read_row(arena, select, tenant);
		SR_TRY(each(&group, context));
	}
}
