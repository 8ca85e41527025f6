/* The rows that sweeping reads and removes. Every function runs inside a transaction of the account's database. */
#ifndef SR_BLOB_SWEEP_STORE_H
#define SR_BLOB_SWEEP_STORE_H

#include "blob/piece.h"

enum sr_garbage_kind { SR_GARBAGE_CONTAINER = 1, SR_GARBAGE_LIST = 2, SR_GARBAGE_DRAFT = 3 };

struct sr_garbage {
	enum sr_garbage_kind kind;
	int64_t number; /* 0: there is none */
};
/* Some garbage, if there is any. */
SR_MUST struct sr_result sr_garbage_find(struct sr_connection *connection, struct sr_garbage *ret_garbage);
/* Takes up to `max` rows of it apart, letting go of what they refer to, and forgets it with its last row. */
SR_MUST struct sr_result sr_garbage_reduce(struct sr_connection *connection, const struct sr_garbage *garbage,
                                           unsigned max);
/* Throws up to `max` drafts away that were not touched since before `since`. */
SR_MUST struct sr_result sr_garbage_add_old_drafts(struct sr_connection *connection, int64_t since, unsigned max);

struct sr_unused_extent {
	int64_t piece;
	struct sr_id extent;
};
/* Up to `max` extents without references, and forgetting one whose file is gone. */
SR_MUST struct sr_result sr_unused_find(struct sr_connection *connection, size_t max,
                                        struct sr_unused_extent *ret_unused, size_t *ret_count);
SR_MUST struct sr_result sr_unused_forget(struct sr_connection *connection, int64_t piece);

#endif
