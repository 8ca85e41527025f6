/* Finding objects across the tables that hold them. */
#include "identity/object.h"

#include <string.h>

const char *sr_object_type(enum sr_object_kind kind)
{
	static const char *const types[] = {
	    [SR_OBJECT_APPLICATION] = "ServicePrincipal",
	    [SR_OBJECT_MANAGED_IDENTITY] = "ServicePrincipal",
	    [SR_OBJECT_PERSON] = "User",
	    [SR_OBJECT_GROUP] = "Group",
	};
	return types[kind];
}

struct sr_result sr_object_check_name(const char *what, const char *name, size_t max)
{
	size_t len = strlen(name);
	if (len == 0 || len > max) {
		return sr_fail(SR_INVALID, "%s has 1 to %zu bytes; this one has %zu", what, max, len);
	}
	if (!sr_is_utf8(sr_bytes_str(name))) {
		return sr_fail(SR_INVALID, "%s is UTF-8", what);
	}
	for (const char *at = name; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f) {
			return sr_fail(SR_INVALID, "%s has no control characters", what);
		}
	}
	if (sr_is_guid(sr_bytes_str(name))) {
		return sr_fail(SR_INVALID, "%s is no GUID, so that names and ids stay apart", what);
	}
	if (name[0] == ' ' || name[len - 1] == ' ') {
		return sr_fail(SR_INVALID, "%s neither starts nor ends with a space", what);
	}
	return sr_ok();
}

/* From the columns id, kind, name, is_enabled. */
static struct sr_result read_row(struct sr_statement *statement, struct sr_object *ret_object)
{
	struct sr_object object = {.kind = (enum sr_object_kind)sr_column_int(statement, 1),
	                           .is_enabled = sr_column_int(statement, 3) != 0};
	struct sr_bytes id = sr_column_text(statement, 0);
	struct sr_bytes name = sr_column_text(statement, 2);
	if (id.len >= sizeof object.id || name.len >= sizeof object.name) {
		return sr_fail(SR_CORRUPT, "read an object's row: a column is too long");
	}
	memcpy(object.id, id.data, id.len);
	memcpy(object.name, name.data, name.len);
	*ret_object = object;
	return sr_ok();
}

struct sr_result sr_object_get(struct sr_connection *connection, const char *object_id, struct sr_object *ret_object)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT object_id, 0, name, is_enabled FROM principal WHERE object_id = lower(?1)"
	                  " UNION ALL"
	                  " SELECT object_id, 1, name, is_enabled FROM managed_identity WHERE object_id = lower(?1)"
	                  " UNION ALL"
	                  " SELECT object_id, 2, user_name, is_enabled FROM person WHERE object_id = lower(?1)"
	                  " UNION ALL"
	                  " SELECT group_id, 3, name, 1 FROM member_group WHERE group_id = lower(?1)",
	                  &select));
	sr_bind_text(select, 1, object_id);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return has_row
	           ? read_row(select, ret_object)
	           : sr_fail(SR_NOT_FOUND, "there is no principal, managed identity, person or group '%.100s'", object_id);
}

struct sr_result sr_object_find(struct sr_connection *connection, const char *id_or_name, struct sr_object *ret_object)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT object_id, 0, name, is_enabled FROM principal"
	                  " WHERE object_id = lower(?1) OR client_id = lower(?1) OR name = ?1"
	                  " UNION ALL"
	                  " SELECT object_id, 1, name, is_enabled FROM managed_identity"
	                  " WHERE object_id = lower(?1) OR client_id = lower(?1) OR resource_id = ?1 OR name = ?1"
	                  " UNION ALL"
	                  " SELECT object_id, 2, user_name, is_enabled FROM person"
	                  " WHERE object_id = lower(?1) OR user_name = ?1"
	                  " UNION ALL"
	                  " SELECT group_id, 3, name, 1 FROM member_group WHERE group_id = lower(?1) OR name = ?1",
	                  &select));
	sr_bind_text(select, 1, id_or_name);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return sr_fail(SR_NOT_FOUND, "there is no principal, managed identity, person or group '%.100s'", id_or_name);
	}
	struct sr_object object;
	SR_TRY(read_row(select, &object));
	SR_TRY(sr_step(select, &has_row));
	if (has_row) {
		return sr_fail(SR_CONFLICT, "there are several '%.100s': say which by its object id", id_or_name);
	}
	*ret_object = object;
	return sr_ok();
}

static struct sr_result run_for(struct sr_connection *connection, const char *sql, const char *object_id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	sr_bind_text(statement, 1, object_id);
	return sr_run(statement);
}

struct sr_result sr_object_forget(struct sr_connection *connection, const char *object_id)
{
	SR_TRY(run_for(connection, "DELETE FROM assignment WHERE principal = ?1", object_id));
	SR_TRY(run_for(connection, "DELETE FROM held_identity WHERE identity = ?1", object_id));
	return run_for(connection, "DELETE FROM group_member WHERE member = ?1", object_id);
}
