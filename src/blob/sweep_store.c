/* Table garbage, and what hangs on it. */
#include "blob/sweep_store.h"

struct sr_result sr_garbage_find(struct sr_connection *connection, struct sr_garbage *ret_garbage)
{
	SR_CLEANUP(sr_statement) struct sr_statement *find = NULL;
	SR_TRY(sr_prepare(connection, "SELECT kind, number FROM garbage LIMIT 1", &find));
	bool is_row = false;
	SR_TRY(sr_step(find, &is_row));
	*ret_garbage = (struct sr_garbage){0};
	if (is_row) {
		ret_garbage->kind = (enum sr_garbage_kind)sr_column_int(find, 0);
		ret_garbage->number = sr_column_int(find, 1);
	}
	return sr_ok();
}

/* Runs a statement with one or two numbers. */
static struct sr_result run(struct sr_connection *connection, const char *sql, int64_t first, int64_t second)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	sr_bind_int(statement, 1, first);
	sr_bind_int(statement, 2, second);
	return sr_run(statement);
}

static struct sr_result drop_pieces(struct sr_connection *connection, const char *select, int64_t number, unsigned max)
{
	SR_CLEANUP(sr_statement) struct sr_statement *rows = NULL;
	SR_TRY(sr_prepare(connection, select, &rows));
	sr_bind_int(rows, 1, number);
	sr_bind_int(rows, 2, max);
	for (;;) {
		bool is_row = false;
		SR_TRY(sr_step(rows, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		SR_TRY(sr_piece_drop(connection, sr_column_int(rows, 0)));
	}
}

static struct sr_result forget(struct sr_connection *connection, const struct sr_garbage *garbage)
{
	return run(connection, "DELETE FROM garbage WHERE kind = ?1 AND number = ?2", (int64_t)garbage->kind,
	           garbage->number);
}

static struct sr_result reduce_list(struct sr_connection *connection, const struct sr_garbage *garbage, unsigned max)
{
	SR_TRY(drop_pieces(connection, "SELECT piece FROM segment WHERE list = ?1 ORDER BY start LIMIT ?2", garbage->number,
	                   max));
	SR_TRY(run(connection,
	           "DELETE FROM segment WHERE list = ?1 AND start IN"
	           " (SELECT start FROM segment WHERE list = ?1 ORDER BY start LIMIT ?2)",
	           garbage->number, max));
	if (sr_changes(connection) == max) {
		return sr_ok();
	}
	SR_TRY(run(connection, "DELETE FROM list WHERE number = ?1 AND ?2 = 0", garbage->number, 0));
	return forget(connection, garbage);
}

static struct sr_result reduce_draft(struct sr_connection *connection, const struct sr_garbage *garbage, unsigned max)
{
	SR_TRY(
	    drop_pieces(connection, "SELECT piece FROM block WHERE draft = ?1 ORDER BY id LIMIT ?2", garbage->number, max));
	SR_TRY(run(connection,
	           "DELETE FROM block WHERE draft = ?1 AND id IN"
	           " (SELECT id FROM block WHERE draft = ?1 ORDER BY id LIMIT ?2)",
	           garbage->number, max));
	if (sr_changes(connection) == max) {
		return sr_ok();
	}
	SR_TRY(run(connection, "DELETE FROM list WHERE number = ?1 AND ?2 = 0", garbage->number, 0));
	return forget(connection, garbage);
}

/* A container's blobs let go of their pieces here, and leave their lists and drafts as garbage of their own. */
static struct sr_result reduce_container(struct sr_connection *connection, const struct sr_garbage *garbage,
                                         unsigned max)
{
	SR_TRY(drop_pieces(connection,
	                   "SELECT piece FROM (SELECT piece FROM blob WHERE container = ?1 ORDER BY name LIMIT ?2)"
	                   " WHERE piece IS NOT NULL",
	                   garbage->number, max));
	SR_TRY(run(connection,
	           "INSERT INTO garbage (kind, number) SELECT 2, list FROM"
	           " (SELECT list FROM blob WHERE container = ?1 ORDER BY name LIMIT ?2) WHERE list IS NOT NULL",
	           garbage->number, max));
	SR_TRY(run(connection,
	           "DELETE FROM blob WHERE container = ?1 AND name IN"
	           " (SELECT name FROM blob WHERE container = ?1 ORDER BY name LIMIT ?2)",
	           garbage->number, max));
	if (sr_changes(connection) == max) {
		return sr_ok();
	}
	SR_TRY(run(connection,
	           "INSERT INTO garbage (kind, number) SELECT 3, number FROM draft WHERE container = ?1 AND ?2 = 0",
	           garbage->number, 0));
	SR_TRY(run(connection, "DELETE FROM draft WHERE container = ?1 AND ?2 = 0", garbage->number, 0));
	return forget(connection, garbage);
}

struct sr_result sr_garbage_reduce(struct sr_connection *connection, const struct sr_garbage *garbage, unsigned max)
{
	switch (garbage->kind) {
	case SR_GARBAGE_CONTAINER:
		return reduce_container(connection, garbage, max);
	case SR_GARBAGE_LIST:
		return reduce_list(connection, garbage, max);
	case SR_GARBAGE_DRAFT:
		return reduce_draft(connection, garbage, max);
	}
	return sr_fail(SR_CORRUPT, "a row of garbage has an unknown kind");
}

struct sr_result sr_garbage_add_old_drafts(struct sr_connection *connection, int64_t since, unsigned max)
{
	SR_TRY(run(connection,
	           "INSERT INTO garbage (kind, number)"
	           " SELECT 3, number FROM draft WHERE modified < ?1 ORDER BY modified, number LIMIT ?2",
	           since, max));
	return run(connection,
	           "DELETE FROM draft WHERE number IN"
	           " (SELECT number FROM draft WHERE modified < ?1 ORDER BY modified, number LIMIT ?2)",
	           since, max);
}

struct sr_result sr_unused_find(struct sr_connection *connection, size_t max, struct sr_unused_extent *ret_unused,
                                size_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *rows = NULL;
	SR_TRY(sr_prepare(connection, "SELECT number, extent FROM piece WHERE reference_count = 0 ORDER BY number LIMIT ?1",
	                  &rows));
	sr_bind_int(rows, 1, (int64_t)max);
	size_t count = 0;
	for (;;) {
		bool is_row = false;
		SR_TRY(sr_step(rows, &is_row));
		if (!is_row) {
			*ret_count = count;
			return sr_ok();
		}
		ret_unused[count].piece = sr_column_int(rows, 0);
		SR_TRY(sr_column_id(rows, 1, &ret_unused[count].extent));
		count++;
	}
}

struct sr_result sr_unused_forget(struct sr_connection *connection, int64_t piece)
{
	return run(connection, "DELETE FROM piece WHERE number = ?1 AND reference_count = ?2", piece, 0);
}
