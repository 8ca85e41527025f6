/* Tables draft, block, list and segment. */
#include "blob/block_store.h"

#include "base/clock.h"

struct draft {
	int64_t number; /* 0: none */
	int64_t id_len, block_count;
};

static struct sr_result draft_read(struct sr_connection *connection, int64_t container, struct sr_bytes name,
                                   struct draft *ret_draft)
{
	SR_CLEANUP(sr_statement) struct sr_statement *find = NULL;
	SR_TRY(sr_prepare(connection, "SELECT number, id_len, block_count FROM draft WHERE container = ?1 AND name = ?2",
	                  &find));
	sr_bind_int(find, 1, container);
	sr_bind_bytes_as_text(find, 2, name);
	bool is_row = false;
	SR_TRY(sr_step(find, &is_row));
	*ret_draft = is_row ? (struct draft){sr_column_int(find, 0), sr_column_int(find, 1), sr_column_int(find, 2)}
	                    : (struct draft){0};
	return sr_ok();
}

struct sr_result sr_draft_find(struct sr_connection *connection, int64_t container, struct sr_bytes name,
                               int64_t *ret_number)
{
	struct draft draft;
	SR_TRY(draft_read(connection, container, name, &draft));
	*ret_number = draft.number;
	return sr_ok();
}

/* Numbers of lists and drafts come from one sequence that never repeats. */
static struct sr_result new_number(struct sr_connection *connection, int64_t *ret_number)
{
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO list DEFAULT VALUES", &insert));
	SR_TRY(sr_run(insert));
	SR_CLEANUP(sr_statement) struct sr_statement *last = NULL;
	SR_TRY(sr_prepare(connection, "SELECT last_insert_rowid()", &last));
	bool is_row = false;
	SR_TRY(sr_step(last, &is_row));
	*ret_number = sr_column_int(last, 0);
	return sr_ok();
}

static struct sr_result draft_write(struct sr_connection *connection, int64_t container, struct sr_bytes name,
                                    const struct draft *draft)
{
	SR_CLEANUP(sr_statement) struct sr_statement *write = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT OR REPLACE INTO draft (container, name, number, id_len, block_count, modified)"
	                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	                  &write));
	sr_bind_int(write, 1, container);
	sr_bind_bytes_as_text(write, 2, name);
	sr_bind_int(write, 3, draft->number);
	sr_bind_int(write, 4, draft->id_len);
	sr_bind_int(write, 5, draft->block_count);
	sr_bind_int(write, 6, sr_unix_s());
	return sr_run(write);
}

/* A block of the draft: *ret_piece 0 where it has none of that id. */
static struct sr_result block_find(struct sr_connection *connection, int64_t draft, struct sr_bytes id,
                                   int64_t *ret_piece, uint64_t *ret_length)
{
	SR_CLEANUP(sr_statement) struct sr_statement *find = NULL;
	SR_TRY(sr_prepare(connection, "SELECT piece, length FROM block WHERE draft = ?1 AND id = ?2", &find));
	sr_bind_int(find, 1, draft);
	sr_bind_bytes_as_text(find, 2, id);
	bool is_row = false;
	SR_TRY(sr_step(find, &is_row));
	*ret_piece = is_row ? sr_column_int(find, 0) : 0;
	*ret_length = is_row ? (uint64_t)sr_column_int(find, 1) : 0;
	return sr_ok();
}

static struct sr_result block_write(struct sr_connection *connection, int64_t draft, struct sr_bytes id,
                                    const struct sr_piece *piece)
{
	SR_CLEANUP(sr_statement) struct sr_statement *write = NULL;
	SR_TRY(sr_prepare(connection, "INSERT OR REPLACE INTO block (draft, id, length, piece) VALUES (?1, ?2, ?3, ?4)",
	                  &write));
	sr_bind_int(write, 1, draft);
	sr_bind_bytes_as_text(write, 2, id);
	sr_bind_int(write, 3, (int64_t)piece->length);
	sr_bind_int(write, 4, piece->number);
	return sr_run(write);
}

struct sr_result sr_block_stage(struct sr_connection *connection, int64_t container, struct sr_bytes name,
                                struct sr_bytes id, const struct sr_piece *piece)
{
	struct draft draft;
	SR_TRY(draft_read(connection, container, name, &draft));
	if (!draft.number) {
		draft.id_len = (int64_t)id.len;
		SR_TRY(new_number(connection, &draft.number));
	}
	if (draft.id_len != (int64_t)id.len) {
		return sr_fail_as(SR_INVALID, "InvalidBlobOrBlock", "the blob's other block ids have another length");
	}
	int64_t replaced = 0;
	uint64_t replaced_length;
	SR_TRY(block_find(connection, draft.number, id, &replaced, &replaced_length));
	draft.block_count += !replaced;
	if (draft.block_count > SR_BLOCKS_UNCOMMITTED_MAX) {
		return sr_fail_as(SR_CONFLICT, "BlockCountExceedsLimit", "the blob has 100,000 uncommitted blocks");
	}
	SR_TRY(block_write(connection, draft.number, id, piece));
	if (replaced) {
		SR_TRY(sr_piece_drop(connection, replaced));
	}
	return draft_write(connection, container, name, &draft);
}

static struct sr_result throw_away(struct sr_connection *connection, int kind, int64_t number)
{
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO garbage (kind, number) VALUES (?1, ?2)", &insert));
	sr_bind_int(insert, 1, kind);
	sr_bind_int(insert, 2, number);
	return sr_run(insert);
}

struct sr_result sr_block_list_discard(struct sr_connection *connection, int64_t list)
{
	return throw_away(connection, 2, list);
}

struct sr_result sr_draft_discard(struct sr_connection *connection, int64_t container, struct sr_bytes name)
{
	int64_t number = 0;
	SR_TRY(sr_draft_find(connection, container, name, &number));
	if (!number) {
		return sr_ok();
	}
	SR_CLEANUP(sr_statement) struct sr_statement *erase = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM draft WHERE container = ?1 AND name = ?2", &erase));
	sr_bind_int(erase, 1, container);
	sr_bind_bytes_as_text(erase, 2, name);
	SR_TRY(sr_run(erase));
	return throw_away(connection, 3, number);
}

/* A block of a committed list: *ret_piece 0 where it has none of that id. */
static struct sr_result committed_find(struct sr_connection *connection, int64_t list, struct sr_bytes id,
                                       int64_t *ret_piece, uint64_t *ret_length)
{
	SR_CLEANUP(sr_statement) struct sr_statement *find = NULL;
	SR_TRY(
	    sr_prepare(connection, "SELECT piece, length FROM segment WHERE list = ?1 AND block_id = ?2 LIMIT 1", &find));
	sr_bind_int(find, 1, list);
	sr_bind_bytes_as_text(find, 2, id);
	bool is_row = false;
	SR_TRY(sr_step(find, &is_row));
	*ret_piece = is_row ? sr_column_int(find, 0) : 0;
	*ret_length = is_row ? (uint64_t)sr_column_int(find, 1) : 0;
	return sr_ok();
}

static struct sr_result wanted_find(struct sr_connection *connection, int64_t draft, int64_t old_list,
                                    const struct sr_block_wanted *wanted, int64_t *ret_piece, uint64_t *ret_length)
{
	*ret_piece = 0;
	if (wanted->source != SR_BLOCK_COMMITTED && draft) {
		SR_TRY(block_find(connection, draft, wanted->id, ret_piece, ret_length));
	}
	if (!*ret_piece && wanted->source != SR_BLOCK_UNCOMMITTED && old_list) {
		SR_TRY(committed_find(connection, old_list, wanted->id, ret_piece, ret_length));
	}
	return *ret_piece ? sr_ok()
	                  : sr_fail_as(SR_INVALID, "InvalidBlockList", "the list names a block that is not there");
}

static struct sr_result segment_write(struct sr_connection *connection, int64_t list, uint64_t start,
                                      struct sr_bytes id, uint64_t length, int64_t piece)
{
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(
	    connection, "INSERT INTO segment (list, start, block_id, length, piece) VALUES (?1, ?2, ?3, ?4, ?5)", &insert));
	sr_bind_int(insert, 1, list);
	sr_bind_int(insert, 2, (int64_t)start);
	sr_bind_bytes_as_text(insert, 3, id);
	sr_bind_int(insert, 4, (int64_t)length);
	sr_bind_int(insert, 5, piece);
	SR_TRY(sr_run(insert));
	return sr_piece_share(connection, piece);
}

struct sr_result sr_block_list_make(struct sr_connection *connection, int64_t draft, int64_t old_list,
                                    const struct sr_block_wanted *wanted, size_t count, int64_t *ret_list,
                                    uint64_t *ret_length)
{
	int64_t list = 0;
	uint64_t start = 0;
	if (count > 0) {
		SR_TRY(new_number(connection, &list));
	}
	for (size_t i = 0; i < count; i++) {
		int64_t piece = 0;
		uint64_t length = 0;
		SR_TRY(wanted_find(connection, draft, old_list, &wanted[i], &piece, &length));
		SR_TRY(segment_write(connection, list, start, wanted[i].id, length, piece));
		start += length;
	}
	*ret_list = list;
	*ret_length = start;
	return sr_ok();
}

static struct sr_result visit_all(struct sr_statement *rows, sr_block_visit each, void *context)
{
	for (;;) {
		bool is_row = false;
		SR_TRY(sr_step(rows, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		SR_TRY(each(sr_column_text(rows, 0), (uint64_t)sr_column_int(rows, 1), context));
	}
}

struct sr_result sr_block_list_each(struct sr_connection *connection, int64_t list, sr_block_visit each, void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *rows = NULL;
	SR_TRY(sr_prepare(connection, "SELECT block_id, length FROM segment WHERE list = ?1 ORDER BY start", &rows));
	sr_bind_int(rows, 1, list);
	return visit_all(rows, each, context);
}

struct sr_result sr_draft_each(struct sr_connection *connection, int64_t draft, sr_block_visit each, void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *rows = NULL;
	SR_TRY(sr_prepare(connection, "SELECT id, length FROM block WHERE draft = ?1 ORDER BY id", &rows));
	sr_bind_int(rows, 1, draft);
	return visit_all(rows, each, context);
}

struct sr_result sr_segments_read(struct sr_connection *connection, struct sr_arena *arena, int64_t list,
                                  uint64_t offset, size_t max, struct sr_segment *ret_segments, size_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *rows = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT segment.start, " SR_PIECE_COLUMNS
	                  " FROM segment JOIN piece ON piece.number = segment.piece WHERE segment.list = ?1"
	                  " AND segment.start >= (SELECT max(start) FROM segment WHERE list = ?1 AND start <= ?2)"
	                  " ORDER BY segment.start LIMIT ?3",
	                  &rows));
	sr_bind_int(rows, 1, list);
	sr_bind_int(rows, 2, (int64_t)offset);
	sr_bind_int(rows, 3, (int64_t)max);
	size_t count = 0;
	for (;;) {
		bool is_row = false;
		SR_TRY(sr_step(rows, &is_row));
		if (!is_row) {
			break;
		}
		ret_segments[count].start = (uint64_t)sr_column_int(rows, 0);
		SR_TRY(sr_piece_read(rows, 1, arena, &ret_segments[count].piece));
		count++;
	}
	*ret_count = count;
	return sr_ok();
}
