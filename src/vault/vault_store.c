/* SQL on the table `vault`, and counts for status. */
#include "vault/vault_store.h"

#include "vault/key_rules.h"

struct sr_result sr_vault_find(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                               struct sr_vault_record *ret_vault)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT name, resource_group, created, retention_days, purge_protection FROM vault "
	                  "WHERE name = ?1",
	                  &statement));
	sr_bind_text(statement, 1, name);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail_as(SR_NOT_FOUND, "VaultNotFound", "There is no vault named %.127s.", name);
	}
	*ret_vault = (struct sr_vault_record){
	    .name = sr_arena_text(arena, sr_column_text(statement, 0)),
	    .resource_group = sr_arena_text(arena, sr_column_text(statement, 1)),
	    .created = sr_column_int(statement, 2),
	    .retention_days = sr_column_int(statement, 3),
	    .is_purge_protected = sr_column_int(statement, 4) != 0,
	};
	return sr_ok();
}

struct sr_result sr_vault_insert(struct sr_connection *connection, const struct sr_vault_record *vault)
{
	if (!sr_is_key_name(vault->name)) {
		return sr_fail(SR_INVALID, "a vault's name has 1 to 127 letters, digits and hyphens");
	}
	if (vault->retention_days < 7 || vault->retention_days > 90) {
		return sr_fail(SR_INVALID, "what is deleted is kept for 7 to 90 days");
	}
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO vault(name, resource_group, created, retention_days, purge_protection) "
	                  "VALUES(?1, ?2, ?3, ?4, ?5)",
	                  &statement));
	sr_bind_text(statement, 1, vault->name);
	sr_bind_text(statement, 2, vault->resource_group);
	sr_bind_int(statement, 3, vault->created);
	sr_bind_int(statement, 4, vault->retention_days);
	sr_bind_int(statement, 5, vault->is_purge_protected);
	return sr_run(statement);
}

struct sr_result sr_vault_count(struct sr_connection *connection, struct sr_vault_counts *ret_counts)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT (SELECT count(*) FROM vault), (SELECT count(*) FROM key), "
	                  "(SELECT count(*) FROM key_version)",
	                  &statement));
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_counts =
	    (struct sr_vault_counts){sr_column_int(statement, 0), sr_column_int(statement, 1), sr_column_int(statement, 2)};
	return sr_ok();
}
