/* Rows of blobs. Every function runs inside a transaction of the account's database. */
#ifndef SR_BLOB_BLOB_STORE_H
#define SR_BLOB_BLOB_STORE_H

#include "blob/condition.h"
#include "blob/header.h"
#include "blob/lease.h"
#include "blob/piece.h"
#include "blob/volume.h"

enum sr_blob_kind { SR_BLOB_KIND_BLOCK = 1, SR_BLOB_KIND_APPEND = 2, SR_BLOB_KIND_PAGE = 3 };
enum sr_blob_tier { SR_BLOB_TIER_HOT = 1, SR_BLOB_TIER_COOL = 2, SR_BLOB_TIER_COLD = 3, SR_BLOB_TIER_ARCHIVE = 4 };

struct sr_blob_row {
	int64_t container; /* its number */
	struct sr_bytes name;
	enum sr_blob_kind kind;
	uint64_t length;
	int64_t piece_number; /* of a blob that was put whole; else 0 */
	int64_t list;         /* of a blob that was committed from blocks; else 0 */
	uint64_t etag;
	int64_t created, modified;
	struct sr_blob_content_headers headers;
	struct sr_bytes metadata; /* packed, header.h */
	enum sr_blob_tier tier;
	int64_t tier_changed; /* 0: nobody set a tier */
	struct sr_blob_lease lease;
};

/* A blob by its names, with its content where that is one piece (*ret_piece, may be NULL). SR_NOT_FOUND:
 * "ContainerNotFound" or "BlobNotFound". */
SR_MUST struct sr_result sr_blob_open(struct sr_connection *connection, struct sr_arena *arena,
                                      struct sr_bytes container, struct sr_bytes name, struct sr_blob_row *ret_row,
                                      struct sr_piece *ret_piece);
/* A blob by its container's number; *ret_exists false where there is none. */
SR_MUST struct sr_result sr_blob_find(struct sr_connection *connection, struct sr_arena *arena, int64_t container,
                                      struct sr_bytes name, bool *ret_exists, struct sr_blob_row *ret_row);
/*
 * Puts a row in the place of `old` (NULL: there was none): renews etag and modified, counts, and lets go of the old
 * content. What is uncommitted under the name goes too.
 */
SR_MUST struct sr_result sr_blob_put(struct sr_connection *connection, struct sr_volume *volume,
                                     struct sr_blob_row *row, const struct sr_blob_row *old);
/* Writes headers, metadata, tier and lease of a row that was found; `changes` renews etag and modified. */
SR_MUST struct sr_result sr_blob_update(struct sr_connection *connection, struct sr_volume *volume,
                                        struct sr_blob_row *row, bool changes);
SR_MUST struct sr_result sr_blob_delete(struct sr_connection *connection, struct sr_volume *volume,
                                        const struct sr_blob_row *row);

/* The columns of a blob's row in this order, for lists. */
#define SR_BLOB_COLUMNS                                                                                          \
	"blob.container, blob.name, blob.kind, blob.length, blob.piece, blob.list, blob.etag, blob.created, "        \
	"blob.modified, blob.content_type, blob.content_encoding, blob.content_language, blob.content_disposition, " \
	"blob.cache_control, blob.content_md5, blob.metadata, blob.tier, blob.tier_changed, blob.lease"
enum { SR_BLOB_COLUMN_COUNT = 19 };
/* Reads them; text is copied into the arena. */
SR_MUST struct sr_result sr_blob_row_read(struct sr_statement *row, struct sr_arena *arena,
                                          struct sr_blob_row *ret_row);

/* For conditions; a NULL row is a blob that does not exist. */
struct sr_blob_state sr_blob_row_state(const struct sr_blob_row *row);
/* "Hot" and back (case ignored); NULL, or 0, for what is no tier of block blobs. */
const char *sr_blob_tier_text(enum sr_blob_tier tier);
enum sr_blob_tier sr_blob_tier_of(const char *text);
const char *sr_blob_kind_text(enum sr_blob_kind kind);

#endif
