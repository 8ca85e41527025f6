/* SQL on the table `certificate_operation`. Declared in certificate_store.h. */
#include "vault/certificate_store.h"

#include "vault/column.h"

struct sr_result sr_certificate_operation_find(struct sr_connection *connection, struct sr_arena *arena,
                                               const char *vault, const char *name,
                                               struct sr_certificate_operation *ret_operation)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(
	    sr_prepare(connection,
	               "SELECT o.vault, c.name, o.version, o.request_id, o.status, o.issuer, o.csr, o.sealed, o.enabled, "
	               "o.tags, o.created FROM certificate_operation AS o JOIN certificate AS c ON c.vault = o.vault AND "
	               "c.name = o.certificate WHERE o.vault = ?1 AND o.certificate = ?2 AND c.deleted_at IS NULL",
	               &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail_as(SR_NOT_FOUND, "PendingCertificateNotFound", "Pending certificate not found: %s", name);
	}
	*ret_operation = (struct sr_certificate_operation){
	    .vault = sr_column_arena_text(arena, statement, 0),
	    .name = sr_column_arena_text(arena, statement, 1),
	    .version = sr_column_arena_text(arena, statement, 2),
	    .request_id = sr_column_arena_text(arena, statement, 3),
	    .status = sr_column_arena_text(arena, statement, 4),
	    .issuer = sr_column_arena_text(arena, statement, 5),
	    .csr = sr_arena_copy(arena, sr_column_blob(statement, 6)),
	    .sealed = sr_arena_copy(arena, sr_column_blob(statement, 7)),
	    .is_enabled = sr_column_int(statement, 8) != 0,
	    .tags = sr_column_arena_text(arena, statement, 9),
	    .created = sr_column_int(statement, 10),
	};
	return sr_ok();
}

struct sr_result sr_certificate_operation_put(struct sr_connection *connection,
                                              const struct sr_certificate_operation *operation)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(
	    sr_prepare(connection,
	               "INSERT OR REPLACE INTO certificate_operation(vault, certificate, version, request_id, status, "
	               "issuer, csr, sealed, enabled, tags, created) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	               &statement));
	sr_bind_text(statement, 1, operation->vault);
	sr_bind_text(statement, 2, operation->name);
	sr_bind_text(statement, 3, operation->version);
	sr_bind_text(statement, 4, operation->request_id);
	sr_bind_text(statement, 5, operation->status);
	sr_bind_text(statement, 6, operation->issuer);
	sr_bind_blob(statement, 7, operation->csr);
	if (operation->sealed.len) {
		sr_bind_blob(statement, 8, operation->sealed);
	} else {
		sr_bind_null(statement, 8);
	}
	sr_bind_int(statement, 9, operation->is_enabled);
	sr_bind_text(statement, 10, operation->tags);
	sr_bind_int(statement, 11, operation->created);
	return sr_run(statement);
}

struct sr_result sr_certificate_operation_end(struct sr_connection *connection, const char *vault, const char *name,
                                              const char *status)
{
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON"));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(
	    connection, "UPDATE certificate_operation SET status = ?3, sealed = NULL WHERE vault = ?1 AND certificate = ?2",
	    &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_text(statement, 3, status);
	return sr_run(statement);
}

struct sr_result sr_certificate_operation_remove(struct sr_connection *connection, const char *vault, const char *name)
{
	static const char *const steps[] = {
	    "DELETE FROM certificate_operation WHERE vault = ?1 AND certificate = ?2",
	    "DELETE FROM certificate WHERE vault = ?1 AND name = ?2 AND NOT EXISTS(SELECT 1 FROM certificate_version AS v "
	    "WHERE v.vault = ?1 AND v.certificate = ?2)",
	};
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON"));
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
		SR_TRY(sr_prepare(connection, steps[i], &statement));
		sr_bind_text(statement, 1, vault);
		sr_bind_text(statement, 2, name);
		SR_TRY(sr_run(statement));
	}
	return sr_ok();
}
