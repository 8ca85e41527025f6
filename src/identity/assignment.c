/* Rows of role assignments and the form of their scopes. */
#include "identity/assignment.h"

#include "identity/custom_role.h"

#include <string.h>

struct sr_result sr_assignment_scope(struct sr_arena *arena, const char *scope, const char **ret_scope)
{
	size_t len = strlen(scope);
	if (scope[0] != '/' || len > SR_SCOPE_MAX) {
		return sr_fail(SR_INVALID, "a scope starts with '/' and has at most %d bytes: '%.100s'", SR_SCOPE_MAX, scope);
	}
	if (len > 1 && scope[len - 1] == '/') {
		len--;
	}
	char *kept = sr_arena_text(arena, sr_bytes_of(scope, len));
	if (!sr_is_utf8(sr_bytes_of(kept, len))) {
		return sr_fail(SR_INVALID, "a scope is UTF-8");
	}
	for (const char *at = kept; len > 1 && *at;) {
		const char *segment = at + 1;
		size_t segment_len = strcspn(segment, "/");
		bool is_dots = segment[0] == '.' && (segment_len == 1 || (segment_len == 2 && segment[1] == '.'));
		if (segment_len == 0 || is_dots) {
			return sr_fail(SR_INVALID, "a scope has no empty, '.' or '..' segments: '%.100s'", scope);
		}
		at = segment + segment_len;
	}
	for (const char *at = kept; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f) {
			return sr_fail(SR_INVALID, "a scope has no control characters");
		}
	}
	*ret_scope = kept;
	return sr_ok();
}

static struct sr_result find_role(struct sr_connection *connection, struct sr_arena *arena, const char *id_or_name,
                                  struct sr_role_definition *ret_definition)
{
	struct sr_result found = sr_role_definition_find(connection, arena, id_or_name, ret_definition);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_fail(SR_INVALID, "there is no role '%.100s'", id_or_name);
	}
	return found;
}

/* A new id, or the one that was asked for. */
static struct sr_result choose_id(struct sr_arena *arena, const char *asked, const char **ret_id)
{
	if (asked) {
		if (!sr_is_guid(sr_bytes_str(asked))) {
			return sr_fail_as(SR_INVALID, "InvalidRoleAssignmentId",
			                  "The role assignment ID '%.64s' is not valid. The role assignment ID must be a GUID.",
			                  asked);
		}
		char *id = sr_arena_strdup(arena, asked);
		for (char *at = id; *at; at++) {
			*at = (char)(*at >= 'A' && *at <= 'F' ? *at | 0x20 : *at);
		}
		*ret_id = id;
		return sr_ok();
	}
	const struct sr_id id = sr_id_random();
	char *text = sr_arena_alloc(arena, SR_GUID_TEXT_LEN);
	sr_guid_text(&id, text);
	*ret_id = text;
	return sr_ok();
}

static struct sr_result insert_row(struct sr_connection *connection, const struct sr_assignment *assignment)
{
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(
	    sr_prepare(connection,
	               "INSERT INTO assignment (assignment_id, principal, role, scope, created_s, description, created_by)"
	               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	               &insert));
	sr_bind_text(insert, 1, assignment->id);
	sr_bind_text(insert, 2, assignment->principal);
	sr_bind_text(insert, 3, assignment->role);
	sr_bind_text(insert, 4, assignment->scope);
	sr_bind_int(insert, 5, assignment->created_s);
	sr_bind_text(insert, 6, assignment->description);
	sr_bind_text(insert, 7, assignment->created_by);
	return sr_run(insert);
}

static const char *copy_or_null(struct sr_arena *arena, const char *text)
{
	return text ? sr_arena_strdup(arena, text) : NULL;
}

struct sr_result sr_assignment_make_as(struct sr_connection *connection, struct sr_arena *arena,
                                       const struct sr_assignment *asked, int64_t now_s,
                                       struct sr_assignment *ret_assignment)
{
	struct sr_role_definition definition;
	struct sr_assignment made = {.created_s = now_s};
	SR_TRY(find_role(connection, arena, asked->role, &definition));
	SR_TRY(sr_assignment_scope(arena, asked->scope, &made.scope));
	SR_TRY(sr_role_definition_fits(connection, &definition, made.scope));
	SR_TRY(choose_id(arena, asked->id, &made.id));
	made.principal = sr_arena_strdup(arena, asked->principal);
	made.role = definition.role.id;
	made.description = copy_or_null(arena, asked->description);
	made.created_by = copy_or_null(arena, asked->created_by);
	struct sr_result inserted = insert_row(connection, &made);
	if (sr_result_code(inserted) == SR_EXISTS) {
		sr_ignore(inserted);
		return sr_fail_as(SR_EXISTS, "RoleAssignmentExists",
		                  "The role assignment already exists: the principal has the role '%s' at '%s'.",
		                  definition.role.name, made.scope);
	}
	SR_TRY(inserted);
	*ret_assignment = made;
	return sr_ok();
}

struct sr_result sr_assignment_make(struct sr_connection *connection, struct sr_arena *arena, const char *object_id,
                                    const char *role, const char *scope, int64_t now_s,
                                    struct sr_assignment *ret_assignment)
{
	const struct sr_assignment asked = {.principal = object_id, .role = role, .scope = scope};
	return sr_assignment_make_as(connection, arena, &asked, now_s, ret_assignment);
}

#define COLUMNS "assignment_id, principal, role, scope, description, created_by, created_s"

static const char *text_or_null(struct sr_arena *arena, struct sr_statement *select, int column)
{
	const struct sr_bytes text = sr_column_text(select, column);
	return text.len ? sr_arena_text(arena, text) : NULL;
}

static struct sr_assignment read_row(struct sr_arena *arena, struct sr_statement *select)
{
	return (struct sr_assignment){
	    .id = sr_arena_text(arena, sr_column_text(select, 0)),
	    .principal = sr_arena_text(arena, sr_column_text(select, 1)),
	    .role = sr_arena_text(arena, sr_column_text(select, 2)),
	    .scope = sr_arena_text(arena, sr_column_text(select, 3)),
	    .description = text_or_null(arena, select, 4),
	    .created_by = text_or_null(arena, select, 5),
	    .created_s = sr_column_int(select, 6),
	};
}

struct sr_result sr_assignment_find(struct sr_connection *connection, struct sr_arena *arena, const char *id,
                                    struct sr_assignment *ret_assignment)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM assignment WHERE assignment_id = lower(?1)", &select));
	sr_bind_text(select, 1, id);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return sr_fail_as(SR_NOT_FOUND, "RoleAssignmentNotFound", "The role assignment '%.100s' is not found.", id);
	}
	*ret_assignment = read_row(arena, select);
	return sr_ok();
}

struct sr_result sr_assignment_describe(struct sr_connection *connection, const char *id, const char *description)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE assignment SET description = ?2 WHERE assignment_id = lower(?1)", &update));
	sr_bind_text(update, 1, id);
	sr_bind_text(update, 2, description);
	return sr_run(update);
}

struct sr_result sr_assignment_remove(struct sr_connection *connection, const char *id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM assignment WHERE assignment_id = lower(?1)", &remove));
	sr_bind_text(remove, 1, id);
	SR_TRY(sr_run(remove));
	return sr_changes(connection) ? sr_ok() : sr_fail(SR_NOT_FOUND, "there is no role assignment '%.100s'", id);
}

struct sr_result sr_assignment_take_back(struct sr_connection *connection, struct sr_arena *arena,
                                         const char *object_id, const char *role, const char *scope)
{
	struct sr_role_definition definition;
	const char *kept_scope = NULL;
	SR_TRY(find_role(connection, arena, role, &definition));
	SR_TRY(sr_assignment_scope(arena, scope, &kept_scope));
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM assignment WHERE principal = ?1 AND role = ?2 AND scope = ?3", &remove));
	sr_bind_text(remove, 1, object_id);
	sr_bind_text(remove, 2, definition.role.id);
	sr_bind_text(remove, 3, kept_scope);
	SR_TRY(sr_run(remove));
	if (!sr_changes(connection)) {
		return sr_fail(SR_NOT_FOUND, "the principal does not have the role '%s' at '%s'", definition.role.name,
		               kept_scope);
	}
	return sr_ok();
}

struct sr_result sr_assignment_count(struct sr_connection *connection, int64_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM assignment", &select));
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	*ret_count = sr_column_int(select, 0);
	return sr_ok();
}

struct sr_result sr_assignment_each(struct sr_connection *connection, struct sr_arena *arena, const char *object_id,
                                    struct sr_result (*each)(const struct sr_assignment *assignment, void *context),
                                    void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM assignment"
	                  " WHERE ?1 IS NULL OR principal = ?1 ORDER BY principal, scope, role",
	                  &select));
	sr_bind_text(select, 1, object_id);
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		const struct sr_assignment assignment = read_row(arena, select);
		SR_TRY(each(&assignment, context));
	}
}
