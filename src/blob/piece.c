/* Rows of table piece. */
#include "blob/piece.h"

#include <string.h>

struct sr_result sr_piece_insert(struct sr_connection *connection, struct sr_piece *piece)
{
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO piece (reference_count, length, extent, kek_epoch, dek, bytes)"
	                  " VALUES (1, ?1, ?2, ?3, ?4, ?5)",
	                  &insert));
	sr_bind_int(insert, 1, (int64_t)piece->length);
	if (piece->is_extent) {
		sr_bind_id(insert, 2, &piece->extent);
		sr_bind_int(insert, 3, piece->kek_epoch);
		sr_bind_blob(insert, 4, sr_bytes_of(piece->dek, sizeof piece->dek));
	} else {
		sr_bind_blob(insert, 5, piece->bytes);
	}
	SR_TRY(sr_run(insert));
	SR_CLEANUP(sr_statement) struct sr_statement *last = NULL;
	SR_TRY(sr_prepare(connection, "SELECT last_insert_rowid()", &last));
	bool is_row = false;
	SR_TRY(sr_step(last, &is_row));
	piece->number = sr_column_int(last, 0);
	return sr_ok();
}

struct sr_result sr_piece_share(struct sr_connection *connection, int64_t number)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE piece SET reference_count = reference_count + 1 WHERE number = ?1", &update));
	sr_bind_int(update, 1, number);
	return sr_run(update);
}

struct sr_result sr_piece_drop(struct sr_connection *connection, int64_t number)
{
	SR_CLEANUP(sr_statement) struct sr_statement *erase = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM piece WHERE number = ?1 AND reference_count = 1 AND extent IS NULL",
	                  &erase));
	sr_bind_int(erase, 1, number);
	SR_TRY(sr_run(erase));
	if (sr_changes(connection) == 1) {
		return sr_ok();
	}
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(
	    connection, "UPDATE piece SET reference_count = reference_count - 1 WHERE number = ?1 AND reference_count > 0",
	    &update));
	sr_bind_int(update, 1, number);
	SR_TRY(sr_run(update));
	return sr_changes(connection) == 1 ? sr_ok() : sr_fail(SR_CORRUPT, "a row names a piece that is not there");
}

struct sr_result sr_piece_read(struct sr_statement *row, int first, struct sr_arena *arena, struct sr_piece *ret_piece)
{
	struct sr_piece piece = {
	    .number = sr_column_int(row, first),
	    .length = (uint64_t)sr_column_int(row, first + 1),
	    .is_extent = !sr_column_is_null(row, first + 2),
	};
	if (piece.is_extent) {
		SR_TRY(sr_column_id(row, first + 2, &piece.extent));
		piece.kek_epoch = (uint32_t)sr_column_int(row, first + 3);
		struct sr_bytes dek = sr_column_blob(row, first + 4);
		if (dek.len != sizeof piece.dek) {
			return sr_fail(SR_CORRUPT, "a piece's wrapped key has another length");
		}
		memcpy(piece.dek, dek.data, sizeof piece.dek);
	} else {
		piece.bytes = sr_arena_copy(arena, sr_column_blob(row, first + 5));
		if (piece.bytes.len != piece.length) {
			return sr_fail(SR_CORRUPT, "a piece's bytes are not as many as its row says");
		}
	}
	*ret_piece = piece;
	return sr_ok();
}

struct sr_result sr_piece_find_extent(struct sr_connection *connection, const struct sr_id *extent, bool *ret_is_named)
{
	SR_CLEANUP(sr_statement) struct sr_statement *find = NULL;
	SR_TRY(sr_prepare(connection, "SELECT 1 FROM piece WHERE extent = ?1", &find));
	sr_bind_id(find, 1, extent);
	return sr_step(find, ret_is_named);
}
