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

/* The id as it is kept. */
static struct sr_result choose_id(const char *id, char ret_id[static SR_GUID_TEXT_LEN])
{
	if (!id) {
		struct sr_id fresh = sr_id_random();
		sr_guid_text(&fresh, ret_id);
		return sr_ok();
	}
	if (!sr_is_guid(sr_bytes_str(id))) {
		return sr_fail(SR_INVALID, "a role assignment's id is a GUID, not '%.100s'", id);
	}
	for (size_t i = 0; i < SR_GUID_TEXT_LEN; i++) {
		ret_id[i] = (char)(id[i] >= 'A' && id[i] <= 'F' ? id[i] | 0x20 : id[i]);
	}
	return sr_ok();
}

static struct sr_result insert_row(struct sr_connection *connection, const struct sr_assignment *assignment)
{
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO assignment (assignment_id, principal, role, scope, created_s)"
	                  " VALUES (?1, ?2, ?3, ?4, ?5)",
	                  &insert));
	sr_bind_text(insert, 1, assignment->id);
	sr_bind_text(insert, 2, assignment->principal);
	sr_bind_text(insert, 3, assignment->role);
	sr_bind_text(insert, 4, assignment->scope);
	sr_bind_int(insert, 5, assignment->created_s);
	return sr_run(insert);
}

struct sr_result sr_assignment_make_as(struct sr_connection *connection, struct sr_arena *arena, const char *id,
                                       const char *object_id, const char *role, const char *scope, int64_t now_s,
                                       struct sr_assignment *ret_assignment)
{
	struct sr_role_definition definition;
	const char *kept_scope = NULL;
	char id_text[SR_GUID_TEXT_LEN];
	SR_TRY(find_role(connection, arena, role, &definition));
	SR_TRY(sr_assignment_scope(arena, scope, &kept_scope));
	SR_TRY(sr_role_definition_fits(connection, &definition, kept_scope));
	SR_TRY(choose_id(id, id_text));
	struct sr_assignment assignment = {
	    .id = sr_arena_strdup(arena, id_text),
	    .principal = sr_arena_strdup(arena, object_id),
	    .role = definition.role.id,
	    .scope = kept_scope,
	    .created_s = now_s,
	};
	struct sr_result inserted = insert_row(connection, &assignment);
	if (sr_result_code(inserted) == SR_EXISTS) {
		sr_ignore(inserted);
		return sr_fail_as(SR_EXISTS, "RoleAssignmentExists", "the principal has the role '%s' at '%s' already%s",
		                  definition.role.name, kept_scope, id ? ", or an assignment has that id" : "");
	}
	SR_TRY(inserted);
	*ret_assignment = assignment;
	return sr_ok();
}

struct sr_result sr_assignment_make(struct sr_connection *connection, struct sr_arena *arena, const char *object_id,
                                    const char *role, const char *scope, int64_t now_s,
                                    struct sr_assignment *ret_assignment)
{
	return sr_assignment_make_as(connection, arena, NULL, object_id, role, scope, now_s, ret_assignment);
}

/* From the columns assignment_id, principal, role, scope, created_s. */
static struct sr_assignment read_row(struct sr_arena *arena, struct sr_statement *statement)
{
	return (struct sr_assignment){
	    .id = sr_arena_text(arena, sr_column_text(statement, 0)),
	    .principal = sr_arena_text(arena, sr_column_text(statement, 1)),
	    .role = sr_arena_text(arena, sr_column_text(statement, 2)),
	    .scope = sr_arena_text(arena, sr_column_text(statement, 3)),
	    .created_s = sr_column_int(statement, 4),
	};
}

struct sr_result sr_assignment_find(struct sr_connection *connection, struct sr_arena *arena, const char *id,
                                    struct sr_assignment *ret_assignment)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT assignment_id, principal, role, scope, created_s FROM assignment"
	                  " WHERE assignment_id = lower(?1)",
	                  &select));
	sr_bind_text(select, 1, id);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return sr_fail(SR_NOT_FOUND, "there is no role assignment '%.100s'", id);
	}
	*ret_assignment = read_row(arena, select);
	return sr_ok();
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
	                  "SELECT assignment_id, principal, role, scope, created_s FROM assignment"
	                  " WHERE ?1 IS NULL OR principal = ?1 ORDER BY principal, scope, role",
	                  &select));
	sr_bind_text(select, 1, object_id);
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		struct sr_assignment assignment = read_row(arena, select);
		SR_TRY(each(&assignment, context));
	}
}
