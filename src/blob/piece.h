/*
 * Pieces: bytes written at once, kept in a row or in a sealed extent, counted by what refers to them. Every
 * function runs inside a transaction of the account's database.
 */
#ifndef SR_BLOB_PIECE_H
#define SR_BLOB_PIECE_H

#include "base/arena.h"
#include "seal/crypto.h"
#include "seal/database.h"

enum { SR_PIECE_INLINE_MAX = 16384 };

struct sr_piece {
	int64_t number; /* of its row; 0 before there is one */
	uint64_t length;
	bool is_extent;
	struct sr_id extent;
	uint32_t kek_epoch;
	uint8_t dek[SR_WRAPPED_KEY_LEN]; /* the extent's, wrapped by the KEK of that epoch */
	struct sr_bytes bytes;           /* where it is no extent; borrowed */
};

/* Adds a piece with one reference and numbers it. */
SR_MUST struct sr_result sr_piece_insert(struct sr_connection *connection, struct sr_piece *piece);
/* One reference more, one less. A piece in a row goes with its last reference; an extent's row waits for the sweeper.
 */
SR_MUST struct sr_result sr_piece_share(struct sr_connection *connection, int64_t number);
SR_MUST struct sr_result sr_piece_drop(struct sr_connection *connection, int64_t number);

/* The columns of a piece, to be joined into a SELECT: `first` is the index of the first of the six. */
#define SR_PIECE_COLUMNS "piece.number, piece.length, piece.extent, piece.kek_epoch, piece.dek, piece.bytes"
enum { SR_PIECE_COLUMN_COUNT = 6 };
/* Reads them; bytes are copied into the arena. SR_CORRUPT. */
SR_MUST struct sr_result sr_piece_read(struct sr_statement *row, int first, struct sr_arena *arena,
                                       struct sr_piece *ret_piece);
/* True if some row names the extent. */
SR_MUST struct sr_result sr_piece_find_extent(struct sr_connection *connection, const struct sr_id *extent,
                                              bool *ret_is_named);

#endif
