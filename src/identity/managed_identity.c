/* Rows of managed identities, and what a resource id must be to have one. */
#include "identity/managed_identity.h"

#include "identity/assignment.h"
#include "identity/object.h"
#include "identity/scope.h"

#include <string.h>

#define COLUMNS "object_id, client_id, name, resource_id, kind, is_enabled, location, tags, created_s"

static const char user_assigned[] = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/";

static struct sr_result no_such(const char *id_or_name)
{
	return sr_fail(SR_NOT_FOUND, "there is no managed identity '%.200s'", id_or_name);
}

static struct sr_managed_identity read_row(struct sr_arena *arena, struct sr_statement *statement)
{
	return (struct sr_managed_identity){
	    .object_id = sr_arena_text(arena, sr_column_text(statement, 0)),
	    .client_id = sr_arena_text(arena, sr_column_text(statement, 1)),
	    .name = sr_arena_text(arena, sr_column_text(statement, 2)),
	    .resource_id = sr_arena_text(arena, sr_column_text(statement, 3)),
	    .kind = (enum sr_managed_kind)sr_column_int(statement, 4),
	    .is_enabled = sr_column_int(statement, 5) != 0,
	    .location = sr_arena_text(arena, sr_column_text(statement, 6)),
	    .tags = sr_arena_text(arena, sr_column_text(statement, 7)),
	    .created_s = sr_column_int(statement, 8),
	};
}

/* What stands behind the resource group: "/providers/…"; the scope is a resource's. */
static const char *provider_part(const char *resource_id)
{
	const char *at = resource_id;
	for (int i = 0; at && i < 4; i++) { /* subscriptions, S, resourceGroups, G */
		at = strchr(at + 1, '/');
	}
	return at ? at : "";
}

static bool is_user_assigned(const char *resource_id)
{
	const char *part = provider_part(resource_id);
	size_t len = sizeof user_assigned - 1;
	return strlen(part) > len && sr_equal_nocase(sr_bytes_of(part, len), sr_bytes_str(user_assigned));
}

/* Azure's rule for user-assigned identities: letters, digits, '-' and '_', the first a letter or digit. */
static struct sr_result check_user_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len = strlen(name);
	if (len < SR_MANAGED_NAME_MIN || len > SR_MANAGED_NAME_MAX || strspn(name, allowed) != len || name[0] == '-' ||
	    name[0] == '_') {
		return sr_fail(SR_INVALID,
		               "a user-assigned identity's name has %d to %d letters, digits, '-' and '_', and starts with a "
		               "letter or digit",
		               SR_MANAGED_NAME_MIN, SR_MANAGED_NAME_MAX);
	}
	return sr_ok();
}

static struct sr_result check_resource(struct sr_arena *arena, const char *resource_id, enum sr_managed_kind kind,
                                       const char **ret_resource_id, const char **ret_name)
{
	const char *kept = NULL;
	SR_TRY(sr_assignment_scope(arena, resource_id, &kept));
	const char *name = strrchr(kept, '/') + 1;
	bool is_user = is_user_assigned(kept);
	if (sr_scope_kind(kept) != SR_SCOPE_RESOURCE || is_user != (kind == SR_MANAGED_USER) ||
	    strlen(name) > SR_RESOURCE_NAME_MAX) {
		return sr_fail(SR_INVALID, "'%.200s' is no resource id of %s identity: /subscriptions/ID/resourceGroups/NAME%s",
		               resource_id, kind == SR_MANAGED_USER ? "a user-assigned" : "a system-assigned",
		               kind == SR_MANAGED_USER ? "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME"
		                                       : "/providers/PROVIDER/TYPE/NAME");
	}
	if (kind == SR_MANAGED_USER) {
		SR_TRY(check_user_name(name));
	}
	*ret_resource_id = kept;
	*ret_name = name;
	return sr_ok();
}

/* Looks by resource id; *ret_is_found false where there is none. */
static struct sr_result look(struct sr_connection *connection, struct sr_arena *arena, const char *resource_id,
                             struct sr_managed_identity *ret_identity, bool *ret_is_found)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM managed_identity WHERE resource_id = ?1", &select));
	sr_bind_text(select, 1, resource_id);
	SR_TRY(sr_step(select, ret_is_found));
	if (*ret_is_found) {
		*ret_identity = read_row(arena, select);
	}
	return sr_ok();
}

static struct sr_result renew_tags(struct sr_connection *connection, const char *object_id, const char *tags)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE managed_identity SET tags = ?2 WHERE object_id = ?1", &update));
	sr_bind_text(update, 1, object_id);
	sr_bind_text(update, 2, tags);
	return sr_run(update);
}

static struct sr_result insert_row(struct sr_connection *connection, const struct sr_managed_identity *identity)
{
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(
	    connection, "INSERT INTO managed_identity (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8)", &insert));
	sr_bind_text(insert, 1, identity->object_id);
	sr_bind_text(insert, 2, identity->client_id);
	sr_bind_text(insert, 3, identity->name);
	sr_bind_text(insert, 4, identity->resource_id);
	sr_bind_int(insert, 5, identity->kind);
	sr_bind_text(insert, 6, identity->location);
	sr_bind_text(insert, 7, identity->tags);
	sr_bind_int(insert, 8, identity->created_s);
	return sr_run(insert);
}

static const char *new_guid(struct sr_arena *arena)
{
	struct sr_id id = sr_id_random();
	char text[SR_GUID_TEXT_LEN];
	sr_guid_text(&id, text);
	return sr_arena_strdup(arena, text);
}

struct sr_result sr_managed_identity_make(struct sr_connection *connection, struct sr_arena *arena,
                                          const char *resource_id, enum sr_managed_kind kind, const char *location,
                                          const char *tags, int64_t now_s, struct sr_managed_identity *ret_identity,
                                          bool *ret_is_new)
{
	const char *name = NULL;
	struct sr_managed_identity identity;
	bool is_found;
	SR_TRY(check_resource(arena, resource_id, kind, &resource_id, &name));
	SR_TRY(look(connection, arena, resource_id, &identity, &is_found));
	if (is_found) {
		if (tags) {
			SR_TRY(renew_tags(connection, identity.object_id, tags));
			identity.tags = tags;
		}
		*ret_identity = identity;
		*ret_is_new = false;
		return sr_ok();
	}
	identity = (struct sr_managed_identity){
	    .object_id = new_guid(arena),
	    .client_id = new_guid(arena),
	    .name = name,
	    .resource_id = resource_id,
	    .kind = kind,
	    .is_enabled = true,
	    .location = location ? location : "local",
	    .tags = tags ? tags : "{}",
	    .created_s = now_s,
	};
	SR_TRY(insert_row(connection, &identity));
	*ret_identity = identity;
	*ret_is_new = true;
	return sr_ok();
}

struct sr_result sr_managed_identity_find(struct sr_connection *connection, struct sr_arena *arena,
                                          const char *id_or_name, struct sr_managed_identity *ret_identity)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM managed_identity WHERE object_id = lower(?1) OR client_id = lower(?1)"
	                  " OR resource_id = ?1 OR name = ?1",
	                  &select));
	sr_bind_text(select, 1, id_or_name);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return no_such(id_or_name);
	}
	struct sr_managed_identity identity = read_row(arena, select);
	SR_TRY(sr_step(select, &has_row));
	if (has_row) {
		return sr_fail(SR_CONFLICT, "there are several managed identities '%.100s': say which by its resource id",
		               id_or_name);
	}
	*ret_identity = identity;
	return sr_ok();
}

struct sr_result sr_managed_identity_enable(struct sr_connection *connection, const char *object_id, bool is_enabled)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE managed_identity SET is_enabled = ?2 WHERE object_id = ?1", &update));
	sr_bind_text(update, 1, object_id);
	sr_bind_int(update, 2, is_enabled);
	SR_TRY(sr_run(update));
	return sr_changes(connection) ? sr_ok() : no_such(object_id);
}

struct sr_result sr_managed_identity_remove(struct sr_connection *connection, const char *object_id)
{
	SR_TRY(sr_object_forget(connection, object_id));
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM managed_identity WHERE object_id = ?1", &remove));
	sr_bind_text(remove, 1, object_id);
	SR_TRY(sr_run(remove));
	return sr_changes(connection) ? sr_ok() : no_such(object_id);
}

static struct sr_result each_row(struct sr_arena *arena, struct sr_statement *select,
                                 struct sr_result (*each)(const struct sr_managed_identity *identity, void *context),
                                 void *context)
{
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		struct sr_managed_identity identity = read_row(arena, select);
		SR_TRY(each(&identity, context));
	}
}

struct sr_result sr_managed_identity_each(struct sr_connection *connection, struct sr_arena *arena,
                                          struct sr_result (*each)(const struct sr_managed_identity *identity,
                                                                   void *context),
                                          void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM managed_identity ORDER BY resource_id", &select));
	return each_row(arena, select, each, context);
}

struct sr_result
sr_managed_identity_each_held(struct sr_connection *connection, struct sr_arena *arena, const char *holder,
                              struct sr_result (*each)(const struct sr_managed_identity *identity, void *context),
                              void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM managed_identity WHERE object_id IN"
	                  " (SELECT identity FROM held_identity WHERE holder = ?1) ORDER BY resource_id",
	                  &select));
	sr_bind_text(select, 1, holder);
	return each_row(arena, select, each, context);
}
