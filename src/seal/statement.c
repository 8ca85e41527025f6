/* A prepared statement's bindings, steps and columns. */
#include "seal/connection.h"
#include "seal/sqlite_error.h"

#include <string.h>

void sr_statement_done(struct sr_statement *statement)
{
	if (!statement || !statement->in_use) {
		return;
	}
	(void)sqlite3_reset(statement->native); /* repeats the error of the last step, which was reported */
	(void)sqlite3_clear_bindings(statement->native);
	statement->bind_outcome = SQLITE_OK;
	statement->in_use = false;
	statement->connection->in_use_count--;
}

void sr_statement_cleanup(struct sr_statement **statement)
{
	sr_statement_done(*statement);
	*statement = NULL;
}

/* Bindings cannot fail but for a wrong index or a value past SQLite's limits; the next step tells. */
static void note(struct sr_statement *statement, int outcome)
{
	if (statement->bind_outcome == SQLITE_OK) {
		statement->bind_outcome = outcome;
	}
}

void sr_bind_int(struct sr_statement *statement, int index, int64_t value)
{
	note(statement, sqlite3_bind_int64(statement->native, index, value));
}

void sr_bind_text(struct sr_statement *statement, int index, const char *text)
{
	note(statement, sqlite3_bind_text(statement->native, index, text, -1, SQLITE_STATIC));
}

void sr_bind_bytes_as_text(struct sr_statement *statement, int index, struct sr_bytes text)
{
	const char *data = text.data ? (const char *)text.data : "";
	note(statement, sqlite3_bind_text64(statement->native, index, data, text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void sr_bind_blob(struct sr_statement *statement, int index, struct sr_bytes bytes)
{
	const void *data = bytes.data ? (const void *)bytes.data : "";
	note(statement, sqlite3_bind_blob64(statement->native, index, data, bytes.len, SQLITE_STATIC));
}

void sr_bind_id(struct sr_statement *statement, int index, const struct sr_id *id)
{
	note(statement, sqlite3_bind_blob(statement->native, index, id->bytes, SR_ID_LEN, SQLITE_STATIC));
}

void sr_bind_null(struct sr_statement *statement, int index)
{
	note(statement, sqlite3_bind_null(statement->native, index));
}

struct sr_result sr_step(struct sr_statement *statement, bool *ret_row)
{
	if (statement->bind_outcome != SQLITE_OK) {
		return sr_fail_sqlite(NULL, statement->bind_outcome, "bind a value");
	}
	int outcome = sqlite3_step(statement->native);
	if (outcome != SQLITE_ROW && outcome != SQLITE_DONE) {
		return sr_fail_sqlite(statement->connection->native, outcome, "run a statement");
	}
	*ret_row = outcome == SQLITE_ROW;
	return sr_ok();
}

struct sr_result sr_run(struct sr_statement *statement)
{
	bool row;
	SR_TRY(sr_step(statement, &row));
	return row ? sr_fail(SR_INTERNAL, "a statement that gives no rows gave one") : sr_ok();
}

bool sr_column_is_null(struct sr_statement *statement, int column)
{
	return sqlite3_column_type(statement->native, column) == SQLITE_NULL;
}

int64_t sr_column_int(struct sr_statement *statement, int column)
{
	return sqlite3_column_int64(statement->native, column);
}

struct sr_bytes sr_column_blob(struct sr_statement *statement, int column)
{
	const void *data = sqlite3_column_blob(statement->native, column);
	return sr_bytes_of(data, (size_t)sqlite3_column_bytes(statement->native, column));
}

struct sr_bytes sr_column_text(struct sr_statement *statement, int column)
{
	const void *data = sqlite3_column_text(statement->native, column);
	return sr_bytes_of(data, (size_t)sqlite3_column_bytes(statement->native, column));
}

struct sr_result sr_column_id(struct sr_statement *statement, int column, struct sr_id *ret_id)
{
	struct sr_bytes bytes = sr_column_blob(statement, column);
	if (bytes.len != SR_ID_LEN || sqlite3_column_type(statement->native, column) != SQLITE_BLOB) {
		return sr_fail(SR_CORRUPT, "an identifier in the database is not one");
	}
	memcpy(ret_id->bytes, bytes.data, SR_ID_LEN);
	return sr_ok();
}
