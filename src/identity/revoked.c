/* Rows of credentials that were taken back. Who takes one back grows the directory's revision. */
#include "identity/revoked.h"

struct sr_result sr_revoke(struct sr_connection *connection, const char *credential_id, int64_t now_s)
{
	SR_TRY(sr_revoked_purge(connection, now_s));
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO revoked_credential (credential_id, until_s) VALUES (lower(?1), ?2)"
	                  " ON CONFLICT (credential_id) DO UPDATE SET until_s = max(until_s, ?2)",
	                  &insert));
	sr_bind_text(insert, 1, credential_id);
	sr_bind_int(insert, 2, now_s + SR_TOKEN_LIFETIME_MAX_S);
	return sr_run(insert);
}

struct sr_result sr_revoked_purge(struct sr_connection *connection, int64_t now_s)
{
	SR_CLEANUP(sr_statement) struct sr_statement *purge = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM revoked_credential WHERE until_s <= ?1", &purge));
	sr_bind_int(purge, 1, now_s);
	return sr_run(purge);
}

struct sr_result sr_revoked_each(struct sr_connection *connection,
                                 struct sr_result (*each)(struct sr_bytes credential_id, void *context), void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT credential_id FROM revoked_credential ORDER BY credential_id", &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		SR_TRY(each(sr_column_text(select, 0), context));
	}
}
