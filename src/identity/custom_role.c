/* Rows of custom roles. */
#include "identity/custom_role.h"

#include "base/text.h"
#include "identity/management_group.h"
#include "identity/scope.h"

#include <string.h>

#define COLUMNS                                                                                                       \
	"role_id, name, description, actions, not_actions, data_actions, not_data_actions, assignable_scopes, created_s," \
	" changed_s"

static struct sr_result no_such(const char *id_or_name)
{
	return sr_fail(SR_NOT_FOUND, "there is no role '%.100s'", id_or_name);
}

static struct sr_result taken(struct sr_result outcome, const char *name)
{
	if (sr_result_code(outcome) == SR_EXISTS) {
		sr_ignore(outcome);
		return sr_fail_as(SR_EXISTS, "RoleDefinitionWithSameNameExists", "there is a role '%.100s' already", name);
	}
	return outcome;
}

/* A list in its column's form. */
static const char *list_text(struct sr_arena *arena, const char *const *texts)
{
	SR_CLEANUP(sr_json) json_t *array = sr_texts_json(texts);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
	sr_ignore(sr_json_write(array, &text));
	return sr_arena_strdup(arena, sr_buf_text(&text));
}

static struct sr_result read_list(struct sr_arena *arena, struct sr_statement *statement, int column,
                                  const char *const **ret_list)
{
	SR_CLEANUP(sr_json) json_t *array = NULL;
	SR_TRY(sr_json_parse(sr_column_text(statement, column), &array));
	return sr_texts_read(arena, array, "a role's list", SIZE_MAX, ret_list);
}

static struct sr_result read_row(struct sr_arena *arena, struct sr_statement *statement,
                                 struct sr_role_definition *ret_definition)
{
	struct sr_role_definition definition = {
	    .role = {.id = sr_arena_text(arena, sr_column_text(statement, 0)),
	             .name = sr_arena_text(arena, sr_column_text(statement, 1))},
	    .description = sr_arena_text(arena, sr_column_text(statement, 2)),
	    .created_s = sr_column_int(statement, 8),
	    .changed_s = sr_column_int(statement, 9),
	};
	SR_TRY(read_list(arena, statement, 3, &definition.role.actions));
	SR_TRY(read_list(arena, statement, 4, &definition.role.not_actions));
	SR_TRY(read_list(arena, statement, 5, &definition.role.data_actions));
	SR_TRY(read_list(arena, statement, 6, &definition.role.not_data_actions));
	SR_TRY(read_list(arena, statement, 7, &definition.assignable_scopes));
	*ret_definition = definition;
	return sr_ok();
}

/* Binds what both writing statements have from the second parameter on. */
static void bind_definition(struct sr_arena *arena, struct sr_statement *statement,
                            const struct sr_role_definition *definition, int64_t now_s)
{
	sr_bind_text(statement, 2, definition->role.name);
	sr_bind_text(statement, 3, definition->description);
	sr_bind_text(statement, 4, list_text(arena, definition->role.actions));
	sr_bind_text(statement, 5, list_text(arena, definition->role.not_actions));
	sr_bind_text(statement, 6, list_text(arena, definition->role.data_actions));
	sr_bind_text(statement, 7, list_text(arena, definition->role.not_data_actions));
	sr_bind_text(statement, 8, list_text(arena, definition->assignable_scopes));
	sr_bind_int(statement, 9, now_s);
}

static struct sr_result check_room(struct sr_connection *connection)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM custom_role", &select));
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return sr_column_int(select, 0) < SR_CUSTOM_ROLES_MAX
	           ? sr_ok()
	           : sr_fail_as(SR_TOO_LARGE, "RoleDefinitionLimitExceeded", "there are %d custom roles already",
	                        SR_CUSTOM_ROLES_MAX);
}

/* What is judged before a definition is written. */
static struct sr_result judge(const struct sr_role_definition *definition)
{
	SR_TRY(sr_role_definition_check(definition));
	return sr_role_find(definition->role.name) ? sr_fail_as(SR_EXISTS, "RoleDefinitionWithSameNameExists",
	                                                        "'%.100s' is a built-in role", definition->role.name)
	                                           : sr_ok();
}

static struct sr_result choose_id(const char *id, char ret_id[static SR_GUID_TEXT_LEN])
{
	if (!id) {
		struct sr_id fresh = sr_id_random();
		sr_guid_text(&fresh, ret_id);
		return sr_ok();
	}
	if (!sr_is_guid(sr_bytes_str(id))) {
		return sr_fail(SR_INVALID, "a role's id is a GUID, not '%.100s'", id);
	}
	if (sr_role_find(id)) {
		return sr_fail_as(SR_EXISTS, "RoleDefinitionWithSameNameExists", "'%s' is the id of a built-in role", id);
	}
	for (size_t i = 0; i < SR_GUID_TEXT_LEN; i++) {
		ret_id[i] = (char)(id[i] >= 'A' && id[i] <= 'F' ? id[i] | 0x20 : id[i]);
	}
	return sr_ok();
}

static struct sr_result find(struct sr_connection *connection, struct sr_arena *arena, const char *id_or_name,
                             struct sr_role_definition *ret_definition)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(
	    sr_prepare(connection, "SELECT " COLUMNS " FROM custom_role WHERE role_id = lower(?1) OR name = ?1", &select));
	sr_bind_text(select, 1, id_or_name);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return has_row ? read_row(arena, select, ret_definition) : no_such(id_or_name);
}

struct sr_result sr_custom_role_make(struct sr_connection *connection, struct sr_arena *arena, const char *id,
                                     const struct sr_role_definition *definition, int64_t now_s,
                                     struct sr_role_definition *ret_definition)
{
	char id_text[SR_GUID_TEXT_LEN];
	SR_TRY(judge(definition));
	SR_TRY(choose_id(id, id_text));
	SR_TRY(check_room(connection));
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(
	    connection, "INSERT INTO custom_role (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)", &insert));
	sr_bind_text(insert, 1, id_text);
	bind_definition(arena, insert, definition, now_s);
	SR_TRY(taken(sr_run(insert), definition->role.name));
	return find(connection, arena, id_text, ret_definition);
}

/* Each assignment of the role must still be where the new definition may be assigned. */
static struct sr_result check_assigned(struct sr_connection *connection, struct sr_arena *arena, const char *id,
                                       const struct sr_role_definition *definition)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT DISTINCT scope FROM assignment WHERE role = lower(?1)", &select));
	sr_bind_text(select, 1, id);
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		const char *scope = sr_arena_text(arena, sr_column_text(select, 0));
		SR_CLEANUP(sr_result) struct sr_result fits = sr_role_definition_fits(connection, definition, scope);
		if (!sr_is_ok(fits)) {
			return sr_fail_as(SR_CONFLICT, "RoleDefinitionHasAssignments",
			                  "the role is assigned at '%.200s': remove that assignment first", scope);
		}
	}
}

struct sr_result sr_custom_role_change(struct sr_connection *connection, struct sr_arena *arena, const char *id,
                                       const struct sr_role_definition *definition, int64_t now_s,
                                       struct sr_role_definition *ret_definition)
{
	SR_TRY(judge(definition));
	SR_TRY(check_assigned(connection, arena, id, definition));
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE custom_role SET name = ?2, description = ?3, actions = ?4, not_actions = ?5,"
	                  " data_actions = ?6, not_data_actions = ?7, assignable_scopes = ?8, changed_s = ?9"
	                  " WHERE role_id = lower(?1)",
	                  &update));
	sr_bind_text(update, 1, id);
	bind_definition(arena, update, definition, now_s);
	SR_TRY(taken(sr_run(update), definition->role.name));
	if (!sr_changes(connection)) {
		return no_such(id);
	}
	return find(connection, arena, id, ret_definition);
}

struct sr_result sr_custom_role_remove(struct sr_connection *connection, const char *id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection,
	                  "DELETE FROM custom_role WHERE role_id = lower(?1)"
	                  " AND NOT EXISTS (SELECT 1 FROM assignment WHERE role = lower(?1))",
	                  &remove));
	sr_bind_text(remove, 1, id);
	SR_TRY(sr_run(remove));
	if (sr_changes(connection)) {
		return sr_ok();
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_role_definition definition;
	SR_TRY(find(connection, arena, id, &definition));
	return sr_fail_as(SR_CONFLICT, "RoleDefinitionHasAssignments",
	                  "the role '%.100s' is assigned to somebody: remove its assignments first", definition.role.name);
}

struct sr_result
sr_custom_role_each(struct sr_connection *connection, struct sr_arena *arena,
                    struct sr_result (*each)(const struct sr_role_definition *definition, void *context), void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM custom_role ORDER BY name", &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		struct sr_role_definition definition;
		SR_TRY(read_row(arena, select, &definition));
		SR_TRY(each(&definition, context));
	}
}

struct sr_result sr_role_definition_find(struct sr_connection *connection, struct sr_arena *arena,
                                         const char *id_or_name, struct sr_role_definition *ret_definition)
{
	const char *last = strrchr(id_or_name, '/');
	const char *wanted = last && sr_is_guid(sr_bytes_str(last + 1)) ? last + 1 : id_or_name;
	const struct sr_role *builtin = sr_role_find(wanted);
	if (builtin) {
		*ret_definition = sr_role_definition_builtin(builtin);
		return sr_ok();
	}
	return find(connection, arena, wanted, ret_definition);
}

struct sr_result sr_role_definition_fits(struct sr_connection *connection, const struct sr_role_definition *definition,
                                         const char *scope)
{
	if (definition->is_builtin) {
		return sr_ok();
	}
	if (definition->role.data_actions[0] && sr_scope_kind(scope) == SR_SCOPE_MANAGEMENT_GROUP) {
		return sr_fail(SR_INVALID, "a custom role with data actions cannot be assigned at a management group");
	}
	for (const char *const *assignable = definition->assignable_scopes; *assignable; assignable++) {
		bool covers;
		SR_TRY(sr_management_group_covers(connection, *assignable, scope, &covers));
		if (covers) {
			return sr_ok();
		}
	}
	return sr_fail(SR_INVALID,
	               "the role '%.100s' may not be assigned at '%.200s': that is in none of its assignable scopes",
	               definition->role.name, scope);
}
