/* Reads all of a sealed database through the seal, a piece at a time so that writes go on between the pieces. */
#include "seal/database_state.h"

#include <stdio.h>

enum { PIECE_PAGES = 256 };

struct piece {
	struct sr_database *database;
	uint32_t first;
	uint32_t count;
};

/* On the writer thread, where neither a write nor a checkpoint can be under way. */
static struct sr_result check_piece(struct sr_connection *writer, void *context)
{
	(void)writer;
	const struct piece *piece = context;
	return sr_vfs_check_pages(piece->database->vfs, piece->first, piece->count);
}

static struct sr_result check_log(struct sr_connection *writer, void *context)
{
	(void)writer;
	const struct sr_database *database = context;
	return sr_vfs_check_log(database->vfs);
}

static struct sr_result check_integrity(struct sr_connection *connection, void *context)
{
	(void)context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "PRAGMA integrity_check(1)", &statement));
	bool row;
	SR_TRY(sr_step(statement, &row));
	SR_TRY(sr_vfs_failure(connection->native)); /* names the page, where the verdict knows only that one is bad */
	struct sr_bytes verdict = row ? sr_column_text(statement, 0) : SR_LITERAL("no verdict");
	if (!sr_equal_public(verdict, SR_LITERAL("ok"))) {
		return sr_fail(SR_CORRUPT, "the database is not consistent: %.*s", (int)verdict.len,
		               (const char *)verdict.data);
	}
	return sr_ok();
}

struct sr_result sr_database_verify(struct sr_database *database,
                                    void (*progress)(uint64_t done, uint64_t all, void *context), void *context)
{
	uint32_t page_count;
	SR_TRY(sr_vfs_page_count(database->vfs, &page_count));
	SR_TRY(sr_writer_ask(database, check_log, database, true));
	for (uint32_t done = 0; done < page_count;) {
		uint32_t left = page_count - done;
		struct piece piece = {database, done + 1, left < PIECE_PAGES ? left : PIECE_PAGES};
		SR_TRY(sr_writer_ask(database, check_piece, &piece, true));
		done += piece.count;
		if (progress) {
			progress(done, page_count, context);
		}
	}
	return sr_database_read(database, check_integrity, NULL);
}
