/* Rows of groups. Their members are in group_member.c. */
#include "identity/group.h"

#include <string.h>

#define WHAT "a group's name"

static struct sr_result no_such(const char *id_or_name)
{
	return sr_fail(SR_NOT_FOUND, "there is no group '%.100s'", id_or_name);
}

static struct sr_result taken(struct sr_result outcome, const char *name)
{
	if (sr_result_code(outcome) == SR_EXISTS) {
		sr_ignore(outcome);
		return sr_fail(SR_EXISTS, "there is a group '%.100s' already", name);
	}
	return outcome;
}

static struct sr_result check_description(const char *description)
{
	if (strlen(description) > SR_GROUP_DESCRIPTION_MAX || !sr_is_utf8(sr_bytes_str(description))) {
		return sr_fail(SR_INVALID, "a group's description is UTF-8 of at most %d bytes", SR_GROUP_DESCRIPTION_MAX);
	}
	return sr_ok();
}

static struct sr_result check_room(struct sr_connection *connection)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM member_group", &select));
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return sr_column_int(select, 0) < SR_GROUPS_MAX ? sr_ok()
	                                                : sr_fail(SR_TOO_LARGE, "there are %d groups", SR_GROUPS_MAX);
}

struct sr_result sr_group_make(struct sr_connection *connection, const char *name, const char *description,
                               int64_t now_s, struct sr_group *ret_group)
{
	description = description ? description : "";
	SR_TRY(sr_object_check_name(WHAT, name, SR_OBJECT_NAME_MAX));
	SR_TRY(check_description(description));
	SR_TRY(check_room(connection));
	struct sr_group group = {.created_s = now_s};
	struct sr_id id = sr_id_random();
	sr_guid_text(&id, group.id);
	memcpy(group.name, name, strlen(name) + 1);
	memcpy(group.description, description, strlen(description) + 1);
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO member_group (group_id, name, description, created_s) VALUES (?1, ?2, ?3, ?4)",
	                  &insert));
	sr_bind_text(insert, 1, group.id);
	sr_bind_text(insert, 2, name);
	sr_bind_text(insert, 3, description);
	sr_bind_int(insert, 4, now_s);
	SR_TRY(taken(sr_run(insert), name));
	*ret_group = group;
	return sr_ok();
}

static struct sr_result copy_text(struct sr_statement *statement, int column, char *to, size_t room)
{
	struct sr_bytes text = sr_column_text(statement, column);
	if (text.len >= room) {
		return sr_fail(SR_CORRUPT, "read a group's row: a column is too long");
	}
	memcpy(to, text.data, text.len);
	to[text.len] = 0;
	return sr_ok();
}

/* From the columns group_id, name, description, created_s. */
static struct sr_result read_row(struct sr_statement *statement, struct sr_group *ret_group)
{
	SR_TRY(copy_text(statement, 0, ret_group->id, sizeof ret_group->id));
	SR_TRY(copy_text(statement, 1, ret_group->name, sizeof ret_group->name));
	SR_TRY(copy_text(statement, 2, ret_group->description, sizeof ret_group->description));
	ret_group->created_s = sr_column_int(statement, 3);
	return sr_ok();
}

struct sr_result sr_group_find(struct sr_connection *connection, const char *id_or_name, struct sr_group *ret_group)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT group_id, name, description, created_s FROM member_group"
	                  " WHERE group_id = lower(?1) OR name = ?1",
	                  &select));
	sr_bind_text(select, 1, id_or_name);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return has_row ? read_row(select, ret_group) : no_such(id_or_name);
}

struct sr_result sr_group_change(struct sr_connection *connection, const char *group_id, const char *name,
                                 const char *description)
{
	if (name) {
		SR_TRY(sr_object_check_name(WHAT, name, SR_OBJECT_NAME_MAX));
	}
	if (description) {
		SR_TRY(check_description(description));
	}
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE member_group SET name = coalesce(?2, name), description = coalesce(?3, description)"
	                  " WHERE group_id = ?1",
	                  &update));
	sr_bind_text(update, 1, group_id);
	sr_bind_text(update, 2, name);
	sr_bind_text(update, 3, description);
	SR_TRY(taken(sr_run(update), name ? name : ""));
	return sr_changes(connection) ? sr_ok() : no_such(group_id);
}

static struct sr_result run_for(struct sr_connection *connection, const char *sql, const char *group_id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	sr_bind_text(statement, 1, group_id);
	return sr_run(statement);
}

struct sr_result sr_group_remove(struct sr_connection *connection, const char *group_id)
{
	SR_TRY(sr_object_forget(connection, group_id));
	SR_TRY(run_for(connection, "DELETE FROM group_member WHERE group_id = ?1", group_id));
	SR_TRY(run_for(connection, "DELETE FROM member_group WHERE group_id = ?1", group_id));
	return sr_changes(connection) ? sr_ok() : no_such(group_id);
}

struct sr_result sr_group_each(struct sr_connection *connection, const char *member,
                               struct sr_result (*each)(const struct sr_group *group, void *context), void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT group_id, name, description, created_s FROM member_group WHERE ?1 IS NULL OR group_id IN"
	                  " (SELECT group_id FROM group_member WHERE member = ?1) ORDER BY name",
	                  &select));
	sr_bind_text(select, 1, member);
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		struct sr_group group;
		SR_TRY(read_row(select, &group));
		SR_TRY(each(&group, context));
	}
}
