/* Table blob: finding, putting, changing and deleting, with the counts and references that go along. */
#include "blob/blob_store.h"

#include "base/clock.h"
#include "blob/block_store.h"
#include "blob/container_store.h"

#include <strings.h>

static const char *const tier_texts[] = {NULL, "Hot", "Cool", "Cold", "Archive"};

const char *sr_blob_tier_text(enum sr_blob_tier tier)
{
	return tier_texts[tier];
}

enum sr_blob_tier sr_blob_tier_of(const char *text)
{
	for (int tier = SR_BLOB_TIER_HOT; tier <= SR_BLOB_TIER_ARCHIVE; tier++) {
		if (strcasecmp(text, tier_texts[tier]) == 0) {
			return (enum sr_blob_tier)tier;
		}
	}
	return (enum sr_blob_tier)0;
}

const char *sr_blob_kind_text(enum sr_blob_kind kind)
{
	static const char *const texts[] = {NULL, "BlockBlob", "AppendBlob", "PageBlob"};
	return texts[kind];
}

struct sr_blob_state sr_blob_row_state(const struct sr_blob_row *row)
{
	return row ? (struct sr_blob_state){true, row->etag, row->modified} : (struct sr_blob_state){0};
}

static const char *text_or_null(struct sr_statement *row, int column, struct sr_arena *arena)
{
	return sr_column_is_null(row, column) ? NULL : sr_arena_text(arena, sr_column_text(row, column));
}

/* NULL columns are not worth a copy, and the arena's copy of nothing is nothing. */
static struct sr_bytes bytes_or_empty(struct sr_statement *row, int column, struct sr_arena *arena)
{
	struct sr_bytes bytes = sr_column_blob(row, column);
	return bytes.len ? sr_arena_copy(arena, bytes) : (struct sr_bytes){0};
}

static struct sr_result check_domain(const struct sr_blob_row *row)
{
	bool is_kind = row->kind >= SR_BLOB_KIND_BLOCK && row->kind <= SR_BLOB_KIND_PAGE;
	bool is_tier = row->tier >= SR_BLOB_TIER_HOT && row->tier <= SR_BLOB_TIER_ARCHIVE;
	return is_kind && is_tier ? sr_ok() : sr_fail(SR_CORRUPT, "a blob's row has a kind or tier out of its domain");
}

struct sr_result sr_blob_row_read(struct sr_statement *row, struct sr_arena *arena, struct sr_blob_row *ret_row)
{
	struct sr_blob_row blob = {
	    .container = sr_column_int(row, 0),
	    .name = sr_arena_copy(arena, sr_column_text(row, 1)),
	    .kind = (enum sr_blob_kind)sr_column_int(row, 2),
	    .length = (uint64_t)sr_column_int(row, 3),
	    .piece_number = sr_column_int(row, 4),
	    .list = sr_column_int(row, 5),
	    .etag = (uint64_t)sr_column_int(row, 6),
	    .created = sr_column_int(row, 7),
	    .modified = sr_column_int(row, 8),
	    .headers =
	        {
	            .content_type = text_or_null(row, 9, arena),
	            .content_encoding = text_or_null(row, 10, arena),
	            .content_language = text_or_null(row, 11, arena),
	            .content_disposition = text_or_null(row, 12, arena),
	            .cache_control = text_or_null(row, 13, arena),
	            .content_md5 = bytes_or_empty(row, 14, arena),
	        },
	    .metadata = bytes_or_empty(row, 15, arena),
	    .tier = (enum sr_blob_tier)sr_column_int(row, 16),
	    .tier_changed = sr_column_int(row, 17),
	};
	SR_TRY(sr_blob_lease_unpack(sr_column_blob(row, 18), &blob.lease));
	SR_TRY(check_domain(&blob));
	*ret_row = blob;
	return sr_ok();
}

/* Not found, but what: the container or the blob? */
static struct sr_result say_what_is_missing(struct sr_connection *connection, struct sr_bytes container)
{
	int64_t number = 0;
	SR_TRY(sr_container_number(connection, container, &number));
	return sr_fail_as(SR_NOT_FOUND, "BlobNotFound", "no such blob");
}

struct sr_result sr_blob_open(struct sr_connection *connection, struct sr_arena *arena, struct sr_bytes container,
                              struct sr_bytes name, struct sr_blob_row *ret_row, struct sr_piece *ret_piece)
{
	SR_CLEANUP(sr_statement) struct sr_statement *find = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " SR_BLOB_COLUMNS ", " SR_PIECE_COLUMNS
	                  " FROM container JOIN blob ON blob.container = container.number AND blob.name = ?2"
	                  " LEFT JOIN piece ON piece.number = blob.piece WHERE container.name = ?1",
	                  &find));
	sr_bind_bytes_as_text(find, 1, container);
	sr_bind_bytes_as_text(find, 2, name);
	bool is_row = false;
	SR_TRY(sr_step(find, &is_row));
	if (!is_row) {
		return say_what_is_missing(connection, container);
	}
	struct sr_blob_row row;
	SR_TRY(sr_blob_row_read(find, arena, &row));
	if (ret_piece && row.piece_number) {
		if (sr_column_is_null(find, SR_BLOB_COLUMN_COUNT)) {
			return sr_fail(SR_CORRUPT, "a blob names a piece that is not there");
		}
		SR_TRY(sr_piece_read(find, SR_BLOB_COLUMN_COUNT, arena, ret_piece));
	}
	*ret_row = row;
	return sr_ok();
}

struct sr_result sr_blob_find(struct sr_connection *connection, struct sr_arena *arena, int64_t container,
                              struct sr_bytes name, bool *ret_exists, struct sr_blob_row *ret_row)
{
	SR_CLEANUP(sr_statement) struct sr_statement *find = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " SR_BLOB_COLUMNS " FROM blob WHERE container = ?1 AND name = ?2", &find));
	sr_bind_int(find, 1, container);
	sr_bind_bytes_as_text(find, 2, name);
	bool is_row = false;
	SR_TRY(sr_step(find, &is_row));
	if (is_row) {
		SR_TRY(sr_blob_row_read(find, arena, ret_row));
	}
	*ret_exists = is_row;
	return sr_ok();
}

static void bind_number_or_null(struct sr_statement *statement, int index, int64_t number)
{
	if (number) {
		sr_bind_int(statement, index, number);
	} else {
		sr_bind_null(statement, index);
	}
}

static void bind_bytes_or_null(struct sr_statement *statement, int index, struct sr_bytes bytes)
{
	if (bytes.len) {
		sr_bind_blob(statement, index, bytes);
	} else {
		sr_bind_null(statement, index);
	}
}

/* The columns that a change of properties touches; they stand at the end of both statements below. */
static void bind_properties(struct sr_statement *statement, int first, const struct sr_blob_row *row,
                            struct sr_arena *arena)
{
	sr_bind_int(statement, first, (int64_t)row->etag);
	sr_bind_int(statement, first + 1, row->modified);
	sr_bind_text(statement, first + 2, row->headers.content_type);
	sr_bind_text(statement, first + 3, row->headers.content_encoding);
	sr_bind_text(statement, first + 4, row->headers.content_language);
	sr_bind_text(statement, first + 5, row->headers.content_disposition);
	sr_bind_text(statement, first + 6, row->headers.cache_control);
	bind_bytes_or_null(statement, first + 7, row->headers.content_md5);
	bind_bytes_or_null(statement, first + 8, row->metadata);
	sr_bind_int(statement, first + 9, (int64_t)row->tier);
	bind_number_or_null(statement, first + 10, row->tier_changed);
	bind_bytes_or_null(statement, first + 11, sr_blob_lease_pack(arena, &row->lease));
}

static struct sr_result write_row(struct sr_connection *connection, const struct sr_blob_row *row)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_statement) struct sr_statement *write = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT OR REPLACE INTO blob (container, name, kind, length, piece, list, created,"
	                  " etag, modified, content_type, content_encoding, content_language, content_disposition,"
	                  " cache_control, content_md5, metadata, tier, tier_changed, lease) VALUES"
	                  " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
	                  &write));
	sr_bind_int(write, 1, row->container);
	sr_bind_bytes_as_text(write, 2, row->name);
	sr_bind_int(write, 3, (int64_t)row->kind);
	sr_bind_int(write, 4, (int64_t)row->length);
	bind_number_or_null(write, 5, row->piece_number);
	bind_number_or_null(write, 6, row->list);
	sr_bind_int(write, 7, row->created);
	bind_properties(write, 8, row, arena);
	return sr_run(write);
}

static void touch(struct sr_volume *volume, struct sr_blob_row *row)
{
	row->etag = sr_volume_next_etag(volume);
	row->modified = sr_unix_s();
}

static struct sr_result let_go_of_content(struct sr_connection *connection, const struct sr_blob_row *row)
{
	if (row->piece_number) {
		SR_TRY(sr_piece_drop(connection, row->piece_number));
	}
	return row->list ? sr_block_list_discard(connection, row->list) : sr_ok();
}

struct sr_result sr_blob_put(struct sr_connection *connection, struct sr_volume *volume, struct sr_blob_row *row,
                             const struct sr_blob_row *old)
{
	touch(volume, row);
	SR_TRY(write_row(connection, row));
	if (old) {
		SR_TRY(let_go_of_content(connection, old));
	}
	SR_TRY(sr_draft_discard(connection, row->container, row->name));
	int64_t bytes = (int64_t)row->length - (old ? (int64_t)old->length : 0);
	return sr_container_count(connection, volume, row->container, old ? 0 : 1, bytes);
}

struct sr_result sr_blob_update(struct sr_connection *connection, struct sr_volume *volume, struct sr_blob_row *row,
                                bool changes)
{
	if (changes) {
		touch(volume, row);
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE blob SET etag = ?3, modified = ?4, content_type = ?5, content_encoding = ?6,"
	                  " content_language = ?7, content_disposition = ?8, cache_control = ?9, content_md5 = ?10,"
	                  " metadata = ?11, tier = ?12, tier_changed = ?13, lease = ?14"
	                  " WHERE container = ?1 AND name = ?2",
	                  &update));
	sr_bind_int(update, 1, row->container);
	sr_bind_bytes_as_text(update, 2, row->name);
	bind_properties(update, 3, row, arena);
	SR_TRY(sr_run(update));
	return changes ? sr_container_count(connection, volume, row->container, 0, 0) : sr_ok();
}

struct sr_result sr_blob_delete(struct sr_connection *connection, struct sr_volume *volume,
                                const struct sr_blob_row *row)
{
	SR_CLEANUP(sr_statement) struct sr_statement *erase = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM blob WHERE container = ?1 AND name = ?2", &erase));
	sr_bind_int(erase, 1, row->container);
	sr_bind_bytes_as_text(erase, 2, row->name);
	SR_TRY(sr_run(erase));
	SR_TRY(let_go_of_content(connection, row));
	SR_TRY(sr_draft_discard(connection, row->container, row->name));
	return sr_container_count(connection, volume, row->container, -1, -(int64_t)row->length);
}
