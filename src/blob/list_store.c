/* The walk behind List Blobs. */
#include "blob/list_store.h"

#include <string.h>

/* A name that has only uncommitted blocks, in the columns of a blob. */
#define DRAFT_COLUMNS                                                                                               \
	"container, name, 1, 0, NULL, NULL, 0, modified, modified, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, " \
	"NULL"

static struct sr_result open_cursor(struct sr_connection *connection, const struct sr_list_query *query,
                                    struct sr_bytes from, struct sr_statement **ret_cursor)
{
	if (query->with_uncommitted) {
		SR_TRY(sr_prepare(connection,
		                  "SELECT " SR_BLOB_COLUMNS " FROM blob WHERE container = ?1 AND name >= ?2"
		                  " UNION ALL SELECT " DRAFT_COLUMNS " FROM draft WHERE container = ?1 AND name >= ?2"
		                  " AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.container = draft.container"
		                  " AND blob.name = draft.name) ORDER BY 2",
		                  ret_cursor));
	} else {
		SR_TRY(sr_prepare(connection,
		                  "SELECT " SR_BLOB_COLUMNS " FROM blob WHERE container = ?1 AND name >= ?2 ORDER BY name",
		                  ret_cursor));
	}
	sr_bind_int(*ret_cursor, 1, query->container);
	sr_bind_bytes_as_text(*ret_cursor, 2, from);
	return sr_ok();
}

/* The part of a name up to and with the first delimiter behind the prefix; empty where there is none. */
static struct sr_bytes common_prefix(struct sr_bytes name, const struct sr_list_query *query)
{
	if (query->delimiter.len == 0) {
		return (struct sr_bytes){0};
	}
	const uint8_t *rest = name.data + query->prefix.len;
	const uint8_t *found = memmem(rest, name.len - query->prefix.len, query->delimiter.data, query->delimiter.len);
	return found ? sr_bytes_of(name.data, (size_t)(found - name.data) + query->delimiter.len) : (struct sr_bytes){0};
}

/* The least text that sorts behind everything with this prefix. A UTF-8 text never ends in 0xff. */
static struct sr_bytes behind(struct sr_arena *arena, struct sr_bytes prefix)
{
	struct sr_bytes copy = sr_arena_copy(arena, prefix);
	uint8_t *bytes = sr_arena_alloc(arena, copy.len);
	memcpy(bytes, copy.data, copy.len);
	bytes[copy.len - 1]++;
	return sr_bytes_of(bytes, copy.len);
}

struct walk {
	struct sr_connection *connection;
	struct sr_arena *arena;
	const struct sr_list_query *query;
	const struct sr_list_visitor *visitor;
	struct sr_arena *row_arena; /* emptied after each row */
	unsigned count;
	struct sr_bytes seek; /* where the next cursor starts, once `is_moved` */
	bool is_moved, is_over;
	struct sr_bytes next;
};

static struct sr_result visit_row(struct walk *walk, struct sr_statement *cursor)
{
	struct sr_bytes name = sr_column_text(cursor, 1);
	if (!sr_bytes_start_with(name, walk->query->prefix)) {
		walk->is_over = true;
		return sr_ok();
	}
	if (walk->count == walk->query->max) {
		walk->next = sr_arena_copy(walk->arena, name);
		walk->is_over = true;
		return sr_ok();
	}
	walk->count++;
	struct sr_bytes common = common_prefix(name, walk->query);
	if (common.len) {
		walk->seek = behind(walk->arena, common);
		walk->is_moved = true;
		return walk->visitor->prefix(common, walk->visitor->context);
	}
	struct sr_blob_row row;
	SR_TRY(sr_blob_row_read(cursor, walk->row_arena, &row));
	SR_TRY(walk->visitor->blob(&row, walk->visitor->context));
	sr_arena_reset(walk->row_arena);
	return sr_ok();
}

/* Runs one cursor until the walk ends or jumps. */
static struct sr_result run_cursor(struct walk *walk)
{
	SR_CLEANUP(sr_statement) struct sr_statement *cursor = NULL;
	SR_TRY(open_cursor(walk->connection, walk->query, walk->seek, &cursor));
	walk->is_moved = false;
	while (!walk->is_over && !walk->is_moved) {
		bool is_row = false;
		SR_TRY(sr_step(cursor, &is_row));
		if (!is_row) {
			walk->is_over = true;
		} else {
			SR_TRY(visit_row(walk, cursor));
		}
	}
	return sr_ok();
}

/* In the order of the rows: by bytes. */
static bool is_before(struct sr_bytes a, struct sr_bytes b)
{
	size_t at = 0;
	while (at < a.len && at < b.len && a.data[at] == b.data[at]) {
		at++;
	}
	return at < b.len && (at == a.len || a.data[at] < b.data[at]);
}

struct sr_result sr_list_walk(struct sr_connection *connection, struct sr_arena *arena,
                              const struct sr_list_query *query, const struct sr_list_visitor *visitor,
                              struct sr_bytes *ret_next)
{
	SR_CLEANUP(sr_arena) struct sr_arena *row_arena = sr_arena_new();
	struct walk walk = {
	    .connection = connection,
	    .arena = arena,
	    .query = query,
	    .visitor = visitor,
	    .row_arena = row_arena,
	    .seek = is_before(query->prefix, query->from) ? query->from : query->prefix,
	};
	while (!walk.is_over) {
		SR_TRY(run_cursor(&walk));
	}
	*ret_next = walk.next;
	return sr_ok();
}
