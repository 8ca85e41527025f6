/* Who is in a group: rows, and what keeps groups from holding one another in a ring or without end. */
#include "identity/group.h"

/* The longest way outwards from a group, and whether `other` is on one of those ways. */
static struct sr_result look_outwards(struct sr_connection *connection, const char *group_id, const char *other,
                                      int64_t *ret_depth, bool *ret_is_met)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "WITH RECURSIVE outer_group (id, depth) AS (SELECT ?1, 0 UNION"
	                  " SELECT m.group_id, depth + 1 FROM group_member m JOIN outer_group ON m.member = outer_group.id"
	                  " WHERE depth <= ?3) SELECT max(depth), max(id = ?2) FROM outer_group",
	                  &select));
	sr_bind_text(select, 1, group_id);
	sr_bind_text(select, 2, other);
	sr_bind_int(select, 3, SR_GROUP_DEPTH_MAX);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	*ret_depth = sr_column_int(select, 0);
	*ret_is_met = sr_column_int(select, 1) != 0;
	return sr_ok();
}

/* The longest way inwards, over groups; 0 for what is none or holds none. */
static struct sr_result look_inwards(struct sr_connection *connection, const char *group_id, int64_t *ret_depth)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "WITH RECURSIVE inner_group (id, depth) AS (SELECT ?1, 0 UNION"
	                  " SELECT g.group_id, depth + 1 FROM inner_group JOIN group_member m"
	                  " ON m.group_id = inner_group.id JOIN member_group g ON g.group_id = m.member"
	                  " WHERE depth <= ?2) SELECT max(depth) FROM inner_group",
	                  &select));
	sr_bind_text(select, 1, group_id);
	sr_bind_int(select, 2, SR_GROUP_DEPTH_MAX);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	*ret_depth = sr_column_int(select, 0);
	return sr_ok();
}

static struct sr_result check_nesting(struct sr_connection *connection, const char *group_id,
                                      const struct sr_object *member)
{
	if (member->kind != SR_OBJECT_GROUP) {
		return sr_ok();
	}
	int64_t outwards;
	int64_t inwards;
	bool is_ring;
	SR_TRY(look_outwards(connection, group_id, member->id, &outwards, &is_ring));
	if (is_ring) {
		return sr_fail(SR_INVALID, "the group '%.100s' holds that one already, itself or through others", member->name);
	}
	SR_TRY(look_inwards(connection, member->id, &inwards));
	if (outwards + 1 + inwards >= SR_GROUP_DEPTH_MAX) {
		return sr_fail(SR_INVALID, "groups may hold groups to a depth of %d", SR_GROUP_DEPTH_MAX);
	}
	return sr_ok();
}

static struct sr_result check_room(struct sr_connection *connection, const char *group_id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM group_member WHERE group_id = ?1", &select));
	sr_bind_text(select, 1, group_id);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return sr_column_int(select, 0) < SR_GROUP_MEMBERS_MAX
	           ? sr_ok()
	           : sr_fail(SR_TOO_LARGE, "the group has %d members", SR_GROUP_MEMBERS_MAX);
}

struct sr_result sr_group_add(struct sr_connection *connection, const char *group_id, const char *member)
{
	struct sr_object object;
	SR_TRY(sr_object_get(connection, member, &object));
	SR_TRY(check_nesting(connection, group_id, &object));
	SR_TRY(check_room(connection, group_id));
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO group_member (group_id, member) VALUES (?1, ?2)", &insert));
	sr_bind_text(insert, 1, group_id);
	sr_bind_text(insert, 2, object.id);
	struct sr_result inserted = sr_run(insert);
	if (sr_result_code(inserted) == SR_EXISTS) {
		sr_ignore(inserted);
		return sr_fail(SR_EXISTS, "'%.100s' is a member already", object.name);
	}
	return inserted;
}

struct sr_result sr_group_take_out(struct sr_connection *connection, const char *group_id, const char *member)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM group_member WHERE group_id = ?1 AND member = lower(?2)", &remove));
	sr_bind_text(remove, 1, group_id);
	sr_bind_text(remove, 2, member);
	SR_TRY(sr_run(remove));
	return sr_changes(connection) ? sr_ok() : sr_fail(SR_NOT_FOUND, "'%.100s' is no member of the group", member);
}

struct sr_result sr_group_each_member(struct sr_connection *connection, const char *group_id,
                                      struct sr_result (*each)(const char *member, void *context), void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT member FROM group_member WHERE group_id = ?1 ORDER BY member", &select));
	sr_bind_text(select, 1, group_id);
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		struct sr_bytes member = sr_column_text(select, 0);
		char text[SR_GUID_TEXT_LEN] = {0};
		if (member.len >= sizeof text) {
			return sr_fail(SR_CORRUPT, "read a group's member: its id is too long");
		}
		for (size_t i = 0; i < member.len; i++) {
			text[i] = (char)member.data[i];
		}
		SR_TRY(each(text, context));
	}
}
