/*
 * Walking the blobs of a container in order of their names, with prefix, delimiter and place to start. With a
 * delimiter each common prefix costs one seek, however many blobs lie below it. Runs inside a transaction.
 */
#ifndef SR_BLOB_LIST_STORE_H
#define SR_BLOB_LIST_STORE_H

#include "blob/blob_store.h"

struct sr_list_query {
	int64_t container;
	struct sr_bytes prefix;    /* may be empty */
	struct sr_bytes delimiter; /* empty: a flat list */
	struct sr_bytes from;      /* the first name to look at, inclusive; may be empty */
	unsigned max;              /* entries (blobs and prefixes) at most */
	bool with_uncommitted;     /* also names that have only uncommitted blocks; their etag is 0 */
};
struct sr_list_visitor {
	struct sr_result (*blob)(const struct sr_blob_row *row, void *context);
	struct sr_result (*prefix)(struct sr_bytes prefix, void *context);
	void *context;
};
/* Visits entries in order; what they are given lives until they return. *ret_next (in `arena`) is where the next page
 * starts, empty at the end. */
SR_MUST struct sr_result sr_list_walk(struct sr_connection *connection, struct sr_arena *arena,
                                      const struct sr_list_query *query, const struct sr_list_visitor *visitor,
                                      struct sr_bytes *ret_next);

#endif
