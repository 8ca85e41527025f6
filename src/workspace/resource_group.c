/* SQL on the table `resource_group`. */
#include "workspace/resource_group.h"

#include <string.h>

struct sr_result sr_resource_group_name_check(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.()";
	const size_t len = strspn(name, allowed);
	if (len < 1 || len > 90 || name[len] || name[len - 1] == '.') {
		return sr_fail_as(SR_INVALID, "InvalidResourceGroup",
		                  "The resource group name '%.90s' is not valid: it has 1 to 90 letters, digits and -_.() and "
		                  "does not end with a dot.",
		                  name);
	}
	return sr_ok();
}

static const char *text_or_null(struct sr_statement *statement, int column, struct sr_arena *arena)
{
	return sr_column_is_null(statement, column) ? NULL : sr_arena_text(arena, sr_column_text(statement, column));
}

static struct sr_resource_group read_row(struct sr_statement *statement, struct sr_arena *arena)
{
	return (struct sr_resource_group){
	    .name = sr_arena_text(arena, sr_column_text(statement, 0)),
	    .location = sr_arena_text(arena, sr_column_text(statement, 1)),
	    .tags = text_or_null(statement, 2, arena),
	    .managed_by = text_or_null(statement, 3, arena),
	    .created = sr_column_int(statement, 4),
	    .is_deleting = sr_column_int(statement, 5) != 0,
	};
}

struct sr_result sr_resource_group_find(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                                        struct sr_resource_group *ret_group)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(
	    connection, "SELECT name, location, tags, managed_by, created, is_deleting FROM resource_group WHERE name = ?1",
	    &statement));
	sr_bind_text(statement, 1, name);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail_as(SR_NOT_FOUND, "ResourceGroupNotFound", "Resource group '%.90s' could not be found.", name);
	}
	*ret_group = read_row(statement, arena);
	return sr_ok();
}

struct sr_result sr_resource_group_write(struct sr_connection *connection, const struct sr_resource_group *group)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(
	    sr_prepare(connection,
	               "INSERT INTO resource_group(name, location, tags, managed_by, created) VALUES(?1, ?2, ?3, ?4, ?5) "
	               "ON CONFLICT(name) DO UPDATE SET tags = excluded.tags",
	               &statement));
	sr_bind_text(statement, 1, group->name);
	sr_bind_text(statement, 2, group->location);
	sr_bind_text(statement, 3, group->tags);
	sr_bind_text(statement, 4, group->managed_by);
	sr_bind_int(statement, 5, group->created);
	return sr_run(statement);
}

struct sr_result sr_resource_group_mark_deleting(struct sr_connection *connection, const char *name)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE resource_group SET is_deleting = 1 WHERE name = ?1", &statement));
	sr_bind_text(statement, 1, name);
	return sr_run(statement);
}

struct sr_result sr_resource_group_remove(struct sr_connection *connection, const char *name)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM resource_group WHERE name = ?1", &statement));
	sr_bind_text(statement, 1, name);
	return sr_run(statement);
}

struct sr_result sr_resource_group_each(struct sr_connection *connection, struct sr_arena *arena, const char *after,
                                        struct sr_result (*each)(const struct sr_resource_group *group, void *context),
                                        void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT name, location, tags, managed_by, created, is_deleting FROM resource_group "
	                  "WHERE name > ?1 ORDER BY name",
	                  &statement));
	sr_bind_text(statement, 1, after);
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		const struct sr_resource_group group = read_row(statement, arena);
		SR_TRY(each(&group, context));
	}
}
