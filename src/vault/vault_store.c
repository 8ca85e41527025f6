/* SQL on the table `vault`, and counts for status. */
#include "vault/vault_store.h"

#include "vault/key_rules.h"
#include "vault/system_vault.h"

#include <string.h>

#define COLUMNS                                                                                                \
	"name, resource_group, created, retention_days, purge_protection, subscription, location, sku, by_roles, " \
	"is_public, denies, bypasses, tags, extras, updated, created_by, updated_by, deleted_at, purge_at"
/* ?2 is an enum sr_vault_presence. */
#define PRESENT "(?2 = 2 OR (deleted_at IS NOT NULL) = ?2)"

static const char *column_text(struct sr_arena *arena, struct sr_statement *statement, int column)
{
	return sr_column_is_null(statement, column) ? NULL : sr_arena_text(arena, sr_column_text(statement, column));
}

static int64_t column_time(struct sr_statement *statement, int column)
{
	return sr_column_is_null(statement, column) ? SR_NO_TIME : sr_column_int(statement, column);
}

static void bind_time(struct sr_statement *statement, int index, int64_t time)
{
	if (time == SR_NO_TIME || time == 0) {
		sr_bind_null(statement, index);
	} else {
		sr_bind_int(statement, index, time);
	}
}

static struct sr_vault_record read_row(struct sr_arena *arena, struct sr_statement *statement)
{
	return (struct sr_vault_record){
	    .name = column_text(arena, statement, 0),
	    .resource_group = column_text(arena, statement, 1),
	    .created = sr_column_int(statement, 2),
	    .retention_days = sr_column_int(statement, 3),
	    .is_purge_protected = sr_column_int(statement, 4) != 0,
	    .subscription = column_text(arena, statement, 5),
	    .location = column_text(arena, statement, 6),
	    .sku = column_text(arena, statement, 7),
	    .is_by_roles = sr_column_int(statement, 8) != 0,
	    .is_closed = sr_column_int(statement, 9) == 0,
	    .denies = sr_column_int(statement, 10) != 0,
	    .has_no_bypass = sr_column_int(statement, 11) == 0,
	    .tags = column_text(arena, statement, 12),
	    .extras = column_text(arena, statement, 13),
	    .updated = sr_column_int(statement, 14),
	    .created_by = column_text(arena, statement, 15),
	    .updated_by = column_text(arena, statement, 16),
	    .deleted_at = column_time(statement, 17),
	    .purge_at = column_time(statement, 18),
	};
}

struct sr_result sr_vault_find_any(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                                   enum sr_vault_presence presence, struct sr_vault_record *ret_vault)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM vault WHERE name = ?1 AND " PRESENT, &statement));
	sr_bind_text(statement, 1, name);
	sr_bind_int(statement, 2, presence);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail_as(SR_NOT_FOUND, "VaultNotFound", "There is no vault named %.127s.", name);
	}
	*ret_vault = read_row(arena, statement);
	return sr_ok();
}

struct sr_result sr_vault_find(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                               struct sr_vault_record *ret_vault)
{
	return sr_vault_find_any(connection, arena, name, SR_VAULT_LIVE, ret_vault);
}

/* What sr_vault_insert and sr_vault_update both write, from ?1 to ?12. */
static void bind_settings(struct sr_statement *statement, const struct sr_vault_record *vault)
{
	sr_bind_text(statement, 1, vault->name);
	sr_bind_int(statement, 2, vault->is_purge_protected);
	sr_bind_text(statement, 3, vault->sku ? vault->sku : "standard");
	sr_bind_int(statement, 4, vault->is_by_roles);
	sr_bind_int(statement, 5, !vault->is_closed);
	sr_bind_int(statement, 6, vault->denies);
	sr_bind_int(statement, 7, !vault->has_no_bypass);
	sr_bind_text(statement, 8, vault->tags);
	sr_bind_text(statement, 9, vault->extras);
	bind_time(statement, 10, vault->updated);
	sr_bind_text(statement, 11, vault->updated_by);
}

struct sr_result sr_vault_insert(struct sr_connection *connection, const struct sr_vault_record *vault)
{
	if (!sr_is_key_name(vault->name)) {
		return sr_fail(SR_INVALID, "a vault's name has 1 to 127 letters, digits and hyphens");
	}
	if (vault->retention_days < SR_RETENTION_DAYS_LEAST || vault->retention_days > SR_RETENTION_DAYS) {
		return sr_fail(SR_INVALID, "what is deleted is kept for 7 to 90 days");
	}
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO vault(name, purge_protection, sku, by_roles, is_public, denies, bypasses, tags, "
	                  "extras, updated, updated_by, resource_group, created, retention_days, subscription, location, "
	                  "created_by) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
	                  &statement));
	bind_settings(statement, vault);
	sr_bind_text(statement, 12, vault->resource_group);
	sr_bind_int(statement, 13, vault->created);
	sr_bind_int(statement, 14, vault->retention_days);
	sr_bind_text(statement, 15, vault->subscription);
	sr_bind_text(statement, 16, vault->location ? vault->location : "local");
	sr_bind_text(statement, 17, vault->created_by);
	return sr_run(statement);
}

struct sr_result sr_vault_update(struct sr_connection *connection, const struct sr_vault_record *vault)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE vault SET purge_protection = max(purge_protection, ?2), sku = ?3, by_roles = ?4, "
	                  "is_public = ?5, denies = ?6, bypasses = ?7, tags = ?8, extras = ?9, updated = ?10, "
	                  "updated_by = ?11 WHERE name = ?1",
	                  &statement));
	bind_settings(statement, vault);
	return sr_run(statement);
}

struct sr_result sr_vault_mark_deleted(struct sr_connection *connection, const char *name, int64_t deleted_at,
                                       int64_t purge_at)
{
	SR_TRY(sr_system_vault_check(name, "DELETE"));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE vault SET deleted_at = ?2, purge_at = ?3 WHERE name = ?1", &statement));
	sr_bind_text(statement, 1, name);
	bind_time(statement, 2, deleted_at);
	bind_time(statement, 3, purge_at);
	return sr_run(statement);
}

/*
 * The tables of the database that have a column `vault`, so that no kind of thing can be forgotten here. What outlives
 * the vault is left: KEKs, which are shredded, and objects of the hardware module, which hardware.c has yet to destroy.
 */
static struct sr_result tables_of_vaults(struct sr_connection *connection, struct sr_arena *arena, const char **tables,
                                         size_t max, size_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT m.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c "
	                  "WHERE m.type = 'table' AND c.name = 'vault' COLLATE NOCASE AND m.name NOT IN ('kek', "
	                  "'hardware_object') ORDER BY m.name",
	                  &statement));
	size_t count = 0;
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			*ret_count = count;
			return sr_ok();
		}
		if (count == max) {
			return sr_fail(SR_INTERNAL, "more tables than were thought of");
		}
		tables[count++] = column_text(arena, statement, 0);
	}
}

struct sr_result sr_vault_purge(struct sr_connection *connection, const char *name)
{
	enum { TABLES_MAX = 64 };
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *tables[TABLES_MAX];
	size_t count;
	if (!sr_is_key_name(name)) { /* it becomes part of the SQL below */
		return sr_fail(SR_INVALID, "a vault's name has 1 to 127 letters, digits and hyphens");
	}
	SR_TRY(tables_of_vaults(connection, arena, tables, TABLES_MAX, &count));
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON")); /* freed pages keep nothing of what was in it */
	SR_TRY(sr_execute(connection, "PRAGMA defer_foreign_keys = ON"));
	for (size_t i = 0; i < count; i++) {
		SR_TRY(sr_execute(connection, sr_arena_printf(arena, "DELETE FROM \"%s\" WHERE vault = '%s' COLLATE NOCASE",
		                                              tables[i], name)));
	}
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM vault WHERE name = ?1", &statement));
	sr_bind_text(statement, 1, name);
	return sr_run(statement);
}

struct sr_result sr_vault_check_lease(struct sr_connection *connection, const char *name)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT 1 FROM vault WHERE name = ?1 AND deleted_at IS NULL", &statement));
	sr_bind_text(statement, 1, name);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	return is_row ? sr_ok() : sr_fail_as(SR_REVOKED, "KeyNotFound", "the key's vault was deleted");
}

struct sr_result sr_vault_next_purge(struct sr_connection *connection, struct sr_arena *arena, int64_t *ret_time,
                                     const char **ret_name)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT purge_at, name FROM vault WHERE purge_at IS NOT NULL ORDER BY purge_at LIMIT 1",
	                  &statement));
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_time = is_row ? sr_column_int(statement, 0) : SR_NO_TIME;
	*ret_name = is_row ? column_text(arena, statement, 1) : NULL;
	return sr_ok();
}

struct sr_result sr_vault_list(struct sr_connection *connection, struct sr_arena *arena,
                               const struct sr_vault_filter *filter, const char *after, size_t limit,
                               struct sr_vault_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM vault WHERE name > ?1 AND " PRESENT
	                  " AND (?4 IS NULL OR ifnull(subscription, ?3) = ?4 COLLATE NOCASE) "
	                  "AND (?5 IS NULL OR resource_group = ?5 COLLATE NOCASE) ORDER BY name LIMIT ?6",
	                  &statement));
	sr_bind_text(statement, 1, after);
	sr_bind_int(statement, 2, filter->presence);
	sr_bind_text(statement, 3, filter->default_subscription);
	sr_bind_text(statement, 4, filter->subscription);
	sr_bind_text(statement, 5, filter->resource_group);
	sr_bind_int(statement, 6, (int64_t)limit + 1);
	struct sr_vault_page page = {.items = sr_arena_alloc(arena, (limit + 1) * sizeof *page.items)};
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row || page.count == limit) {
			page.has_more = is_row;
			*ret_page = page;
			return sr_ok();
		}
		page.items[page.count++] = read_row(arena, statement);
	}
}

struct sr_result sr_vault_count(struct sr_connection *connection, struct sr_vault_counts *ret_counts)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT (SELECT count(*) FROM vault WHERE deleted_at IS NULL), (SELECT count(*) FROM key), "
	                  "(SELECT count(*) FROM key_version)",
	                  &statement));
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_counts =
	    (struct sr_vault_counts){sr_column_int(statement, 0), sr_column_int(statement, 1), sr_column_int(statement, 2)};
	return sr_ok();
}
