/*
 * Makes of a database what the first version would have left: its tables with the columns that they had, the rows in
 * them, and user_version 1. What later versions added is gone. So tests fill a database through the functions of today
 * and then see whether an upgrade keeps what was in it.
 */
#ifndef SR_TESTS_FIRST_VERSION_H
#define SR_TESTS_FIRST_VERSION_H

#include "check.h"

#include "seal/crypto.h"
#include "seal/database.h"

/* Appends the SQL that a query (a literal) gives, a row a statement. */
static inline struct sr_result collect_rows(struct sr_connection *connection, const char *query, struct sr_buf *sql)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, query, &select));
	bool is_row;
	SR_TRY(sr_step(select, &is_row));
	while (is_row) {
		sr_buf_append(sql, sr_column_text(select, 0));
		sr_buf_append_str(sql, ";");
		SR_TRY(sr_step(select, &is_row));
	}
	return sr_buf_result(sql);
}

static inline struct sr_result run_each_row(struct sr_connection *connection, const char *query)
{
	SR_CLEANUP(sr_buf) struct sr_buf sql = SR_BUF(65536);
	SR_TRY(collect_rows(connection, query, &sql));
	return sr_execute(connection, sr_buf_text(&sql));
}

/* A database's work; `context` is the first version's schema. */
static inline struct sr_result first_version_leave(struct sr_connection *connection, void *context)
{
	const char *schema = context;
	SR_TRY(run_each_row(connection, "SELECT 'DROP ' || type || ' ' || name FROM sqlite_master"
	                                " WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"));
	SR_TRY(run_each_row(connection, "SELECT 'ALTER TABLE \"' || name || '\" RENAME TO \"later_' || name || '\"'"
	                                " FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	                                " AND name <> 'strongroom_anchor'"));
	SR_TRY(sr_execute(connection, schema));
	SR_TRY(run_each_row(connection, "SELECT 'INSERT INTO \"' || t.name || '\"(' || c.names || ') SELECT ' || c.names ||"
	                                " ' FROM \"later_' || t.name || '\"' FROM sqlite_master t,"
	                                " (SELECT m.name, (SELECT group_concat('\"' || name || '\"')"
	                                "  FROM pragma_table_info(m.name)) AS names FROM sqlite_master m) c"
	                                " WHERE c.name = t.name AND t.type = 'table' AND t.name NOT LIKE 'later_%'"
	                                " AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'strongroom_anchor'"));
	SR_TRY(run_each_row(connection, "SELECT 'DROP TABLE \"' || name || '\"' FROM sqlite_master"
	                                " WHERE type = 'table' AND name LIKE 'later_%'"));
	return sr_execute(connection, "PRAGMA user_version=1");
}

/* The first version's tables never change: the SQL is what it was. */
static inline void expect_schema(const char *schema, const char *sha256)
{
	uint8_t digest[SR_DIGEST_MAX];
	char text[2 * SR_SHA256_LEN + 1];
	sr_digest_of(SR_DIGEST_SHA256, sr_bytes_str(schema), digest);
	sr_hex_encode(sr_bytes_of(digest, SR_SHA256_LEN), text);
	assert_string_equal(text, sha256);
}

#endif
