/* Opening a connection with the settings that sealing needs, and its cache of prepared statements. */
#include "seal/connection.h"

#include "seal/sqlite_error.h"

#include "base/memory.h"

#include <stdio.h>

/* Temporary tables and sorters stay in memory; checkpoints are the writer's; a deleted row's bytes are overwritten
 * where that costs no further page. */
static const char settings[] = "PRAGMA temp_store=2;"
                               "PRAGMA synchronous=FULL;"
                               "PRAGMA wal_autocheckpoint=0;"
                               "PRAGMA secure_delete=FAST;"
                               "PRAGMA foreign_keys=ON;"
                               "PRAGMA trusted_schema=OFF;"
                               "PRAGMA cell_size_check=ON;";

static int note_log_frames(void *context, sqlite3 *native, const char *schema, int frames)
{
	(void)native;
	(void)schema;
	((struct sr_connection *)context)->log_frames = frames;
	return SQLITE_OK;
}

static struct sr_result configure(struct sr_connection *connection, const struct sr_connection_options *options)
{
	sqlite3_extended_result_codes(connection->native, 1);
	if (sqlite3_db_config(connection->native, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(connection->native, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK) {
		return sr_fail(SR_INTERNAL, "configure a connection");
	}
	SR_TRY(sr_execute(connection, settings));
	sqlite3_wal_hook(connection->native, note_log_frames, connection); /* wal_autocheckpoint=0 clears it */
	char cache[64];
	snprintf(cache, sizeof cache, "PRAGMA cache_size=-%u", options->cache_kib);
	return sr_execute(connection, cache);
}

struct sr_result sr_connection_open(const struct sr_connection_options *options, struct sr_connection **ret_connection)
{
	SR_CLEANUP(sr_connection) struct sr_connection *connection = sr_alloc(sizeof *connection);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	int outcome = sqlite3_open_v2(options->path, &connection->native, flags, options->vfs_name);
	if (outcome != SQLITE_OK) {
		return sr_fail_sqlite(connection->native, outcome, "open the database");
	}
	SR_TRY(configure(connection, options));
	*ret_connection = SR_TAKE(connection);
	return sr_ok();
}

struct sr_result sr_connection_trust(struct sr_connection *connection)
{
	int outcome = sqlite3_db_config(connection->native, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return outcome == SQLITE_OK ? sr_ok() : sr_fail_sqlite(connection->native, outcome, "configure a connection");
}

void sr_connection_distrust(struct sr_connection *connection)
{
	(void)sqlite3_db_config(connection->native, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void sr_connection_close(struct sr_connection *connection)
{
	if (!connection) {
		return;
	}
	for (size_t i = 0; i < SR_CONNECTION_BUCKETS; i++) {
		while (connection->statements[i]) {
			struct sr_statement *statement = connection->statements[i];
			connection->statements[i] = statement->next;
			(void)sqlite3_finalize(statement->native);
			sr_free(statement);
		}
	}
	(void)sqlite3_close(connection->native);
	sr_free(connection);
}

void sr_connection_cleanup(struct sr_connection **connection)
{
	sr_connection_close(*connection);
	*connection = NULL;
}

static struct sr_statement **bucket_of(struct sr_connection *connection, const char *sql)
{
	uintptr_t hash = (uintptr_t)sql;
	hash ^= hash >> 6 ^ hash >> 12;
	return &connection->statements[hash % SR_CONNECTION_BUCKETS];
}

static struct sr_result prepare_new(struct sr_connection *connection, const char *sql,
                                    struct sr_statement **ret_statement)
{
	sqlite3_stmt *native;
	int outcome = sqlite3_prepare_v3(connection->native, sql, -1, SQLITE_PREPARE_PERSISTENT, &native, NULL);
	if (outcome != SQLITE_OK) {
		return sr_fail_sqlite(connection->native, outcome, "prepare a statement");
	}
	struct sr_statement *statement = sr_alloc(sizeof *statement);
	*statement = (struct sr_statement){.connection = connection, .native = native, .sql = sql};
	struct sr_statement **bucket = bucket_of(connection, sql);
	statement->next = *bucket;
	*bucket = statement;
	*ret_statement = statement;
	return sr_ok();
}

struct sr_result sr_prepare(struct sr_connection *connection, const char *sql, struct sr_statement **ret_statement)
{
	struct sr_statement *statement = *bucket_of(connection, sql);
	while (statement && (statement->sql != sql || statement->in_use)) {
		statement = statement->next;
	}
	if (!statement) {
		SR_TRY(prepare_new(connection, sql, &statement));
	}
	statement->in_use = true;
	connection->in_use_count++;
	*ret_statement = statement;
	return sr_ok();
}

void sr_connection_end_statements(struct sr_connection *connection)
{
	for (size_t i = 0; connection->in_use_count > 0 && i < SR_CONNECTION_BUCKETS; i++) {
		for (struct sr_statement *each = connection->statements[i]; each; each = each->next) {
			sr_statement_done(each);
		}
	}
}

struct sr_result sr_connection_run(struct sr_connection *connection, const char *literal)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, literal, &statement));
	return sr_run(statement);
}

struct sr_result sr_connection_get_int(struct sr_connection *connection, const char *literal, int64_t *ret_value)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, literal, &statement));
	bool row;
	SR_TRY(sr_step(statement, &row));
	if (!row) {
		return sr_fail(SR_CORRUPT, "a row that every database has is missing");
	}
	*ret_value = sr_column_int(statement, 0);
	/* Statements with RETURNING are done only when they have been stepped to the end. */
	SR_TRY(sr_step(statement, &row));
	return sr_ok();
}

struct sr_result sr_execute(struct sr_connection *connection, const char *sql)
{
	int outcome = sqlite3_exec(connection->native, sql, NULL, NULL, NULL);
	return outcome == SQLITE_OK ? sr_ok() : sr_fail_sqlite(connection->native, outcome, "run SQL");
}

int64_t sr_changes(struct sr_connection *connection)
{
	return sqlite3_changes64(connection->native);
}
