/*
 * Blocks: drafts of uncommitted blocks, and committed lists of segments. Every function runs inside a
 * transaction of the account's database. Which rules a request must keep is block_rules' and block_api.c's part.
 */
#ifndef SR_BLOB_BLOCK_STORE_H
#define SR_BLOB_BLOCK_STORE_H

#include "blob/piece.h"

enum { SR_BLOCKS_COMMITTED_MAX = 50000, SR_BLOCKS_UNCOMMITTED_MAX = 100000 };

/* Adds (or replaces) an uncommitted block that owns one reference on its piece. SR_INVALID "InvalidBlobOrBlock" where
 * the draft's ids have another length; SR_CONFLICT "BlockCountExceedsLimit". */
SR_MUST struct sr_result sr_block_stage(struct sr_connection *connection, int64_t container, struct sr_bytes name,
                                        struct sr_bytes id, const struct sr_piece *piece);
/* The draft of a name: *ret_number 0 where there is none. */
SR_MUST struct sr_result sr_draft_find(struct sr_connection *connection, int64_t container, struct sr_bytes name,
                                       int64_t *ret_number);
/* Forgets the uncommitted blocks of a name; they are swept later. */
SR_MUST struct sr_result sr_draft_discard(struct sr_connection *connection, int64_t container, struct sr_bytes name);

/* Where Put Block List looks for a block. */
enum sr_block_source { SR_BLOCK_COMMITTED, SR_BLOCK_UNCOMMITTED, SR_BLOCK_LATEST };
struct sr_block_wanted {
	enum sr_block_source source;
	struct sr_bytes id;
};
/*
 * Makes a list of segments from wanted blocks: uncommitted ones of `draft`, committed ones of `old_list` (each 0 where
 * there is none). Each segment takes a reference on its piece. *ret_list 0 for an empty list. SR_INVALID
 * "InvalidBlockList".
 */
SR_MUST struct sr_result sr_block_list_make(struct sr_connection *connection, int64_t draft, int64_t old_list,
                                            const struct sr_block_wanted *wanted, size_t count, int64_t *ret_list,
                                            uint64_t *ret_length);
/* Forgets a committed list; it is swept later. */
SR_MUST struct sr_result sr_block_list_discard(struct sr_connection *connection, int64_t list);

/* Calls `each` for the blocks of a committed list in order, or of a draft by id. */
typedef struct sr_result (*sr_block_visit)(struct sr_bytes id, uint64_t length, void *context);
SR_MUST struct sr_result sr_block_list_each(struct sr_connection *connection, int64_t list, sr_block_visit each,
                                            void *context);
SR_MUST struct sr_result sr_draft_each(struct sr_connection *connection, int64_t draft, sr_block_visit each,
                                       void *context);

/* A segment with its piece, for reading. */
struct sr_segment {
	uint64_t start; /* in the blob */
	struct sr_piece piece;
};
/* Reads up to `max` segments of a list, from the one that covers `offset` on. */
SR_MUST struct sr_result sr_segments_read(struct sr_connection *connection, struct sr_arena *arena, int64_t list,
                                          uint64_t offset, size_t max, struct sr_segment *ret_segments,
                                          size_t *ret_count);

#endif
