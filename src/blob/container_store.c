/* Tables container, totals and setting. */
#include "blob/container_store.h"

#include "base/clock.h"

#define COLUMNS "number, name, etag, modified, metadata, acl, lease, objects, bytes"

static struct sr_result read_row(struct sr_statement *row, struct sr_arena *arena, struct sr_container_row *ret_row)
{
	struct sr_container_row container = {
	    .number = sr_column_int(row, 0),
	    .name = sr_arena_copy(arena, sr_column_text(row, 1)),
	    .etag = (uint64_t)sr_column_int(row, 2),
	    .modified = sr_column_int(row, 3),
	    .metadata = sr_arena_copy(arena, sr_column_blob(row, 4)),
	    .acl = sr_arena_copy(arena, sr_column_blob(row, 5)),
	    .objects = sr_column_int(row, 7),
	    .bytes = sr_column_int(row, 8),
	};
	SR_TRY(sr_blob_lease_unpack(sr_column_blob(row, 6), &container.lease));
	*ret_row = container;
	return sr_ok();
}

static struct sr_result not_found(void)
{
	return sr_fail_as(SR_NOT_FOUND, "ContainerNotFound", "no such container");
}

struct sr_result sr_container_find(struct sr_connection *connection, struct sr_arena *arena, struct sr_bytes name,
                                   struct sr_container_row *ret_row)
{
	SR_CLEANUP(sr_statement) struct sr_statement *find = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM container WHERE name = ?1", &find));
	sr_bind_bytes_as_text(find, 1, name);
	bool is_row = false;
	SR_TRY(sr_step(find, &is_row));
	return is_row ? read_row(find, arena, ret_row) : not_found();
}

struct sr_result sr_container_number(struct sr_connection *connection, struct sr_bytes name, int64_t *ret_number)
{
	SR_CLEANUP(sr_statement) struct sr_statement *find = NULL;
	SR_TRY(sr_prepare(connection, "SELECT number FROM container WHERE name = ?1", &find));
	sr_bind_bytes_as_text(find, 1, name);
	bool is_row = false;
	SR_TRY(sr_step(find, &is_row));
	if (!is_row) {
		return not_found();
	}
	*ret_number = sr_column_int(find, 0);
	return sr_ok();
}

static struct sr_result save_etag(struct sr_connection *connection, const struct sr_volume *volume)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE totals SET etag = ?1", &update));
	sr_bind_int(update, 1, (int64_t)volume->etag);
	return sr_run(update);
}

static void touch(struct sr_volume *volume, struct sr_container_row *row)
{
	row->etag = sr_volume_next_etag(volume);
	row->modified = sr_unix_s();
}

struct sr_result sr_container_insert(struct sr_connection *connection, struct sr_volume *volume,
                                     struct sr_container_row *row)
{
	touch(volume, row);
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO container (name, etag, modified, metadata) VALUES (?1, ?2, ?3, ?4)",
	                  &insert));
	sr_bind_bytes_as_text(insert, 1, row->name);
	sr_bind_int(insert, 2, (int64_t)row->etag);
	sr_bind_int(insert, 3, row->modified);
	sr_bind_blob(insert, 4, row->metadata);
	struct sr_result result = sr_run(insert);
	if (sr_result_code(result) == SR_EXISTS) {
		sr_result_free(result);
		return sr_fail_as(SR_EXISTS, "ContainerAlreadyExists", "the container exists already");
	}
	SR_TRY(result);
	return save_etag(connection, volume);
}

struct sr_result sr_container_update(struct sr_connection *connection, struct sr_volume *volume,
                                     struct sr_container_row *row, bool changes)
{
	if (changes) {
		touch(volume, row);
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE container SET etag = ?2, modified = ?3, metadata = ?4, acl = ?5, lease = ?6"
	                  " WHERE number = ?1",
	                  &update));
	sr_bind_int(update, 1, row->number);
	sr_bind_int(update, 2, (int64_t)row->etag);
	sr_bind_int(update, 3, row->modified);
	sr_bind_blob(update, 4, row->metadata);
	sr_bind_blob(update, 5, row->acl);
	sr_bind_blob(update, 6, sr_blob_lease_pack(arena, &row->lease));
	SR_TRY(sr_run(update));
	return save_etag(connection, volume);
}

struct sr_result sr_container_count(struct sr_connection *connection, const struct sr_volume *volume, int64_t number,
                                    int64_t objects, int64_t bytes)
{
	SR_CLEANUP(sr_statement) struct sr_statement *one = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE container SET objects = objects + ?2, bytes = bytes + ?3 WHERE number = ?1",
	                  &one));
	sr_bind_int(one, 1, number);
	sr_bind_int(one, 2, objects);
	sr_bind_int(one, 3, bytes);
	SR_TRY(sr_run(one));
	SR_CLEANUP(sr_statement) struct sr_statement *all = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE totals SET objects = objects + ?1, bytes = bytes + ?2, etag = ?3", &all));
	sr_bind_int(all, 1, objects);
	sr_bind_int(all, 2, bytes);
	sr_bind_int(all, 3, (int64_t)volume->etag);
	return sr_run(all);
}

static struct sr_result run_with_number(struct sr_connection *connection, const char *sql, int64_t number)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	sr_bind_int(statement, 1, number);
	return sr_run(statement);
}

struct sr_result sr_container_delete(struct sr_connection *connection, const struct sr_container_row *row)
{
	SR_CLEANUP(sr_statement) struct sr_statement *totals = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE totals SET objects = objects - ?1, bytes = bytes - ?2", &totals));
	sr_bind_int(totals, 1, row->objects);
	sr_bind_int(totals, 2, row->bytes);
	SR_TRY(sr_run(totals));
	SR_TRY(run_with_number(connection, "DELETE FROM container WHERE number = ?1", row->number));
	return run_with_number(connection, "INSERT INTO garbage (kind, number) VALUES (1, ?1)", row->number);
}

struct sr_result sr_container_each(struct sr_connection *connection, struct sr_arena *arena, struct sr_bytes prefix,
                                   struct sr_bytes from, unsigned max,
                                   struct sr_result (*each)(const struct sr_container_row *row, void *context),
                                   void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *list = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM container WHERE name >= ?1 AND name >= ?2 ORDER BY name",
	                  &list));
	sr_bind_bytes_as_text(list, 1, prefix);
	sr_bind_bytes_as_text(list, 2, from);
	for (unsigned i = 0; i < max; i++) {
		bool is_row = false;
		SR_TRY(sr_step(list, &is_row));
		if (!is_row || !sr_bytes_start_with(sr_column_text(list, 1), prefix)) {
			return sr_ok();
		}
		struct sr_container_row row;
		SR_TRY(read_row(list, arena, &row));
		SR_TRY(each(&row, context));
	}
	return sr_ok();
}

struct sr_result sr_setting_read(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                                 struct sr_bytes *ret_value)
{
	SR_CLEANUP(sr_statement) struct sr_statement *find = NULL;
	SR_TRY(sr_prepare(connection, "SELECT value FROM setting WHERE name = ?1", &find));
	sr_bind_text(find, 1, name);
	bool is_row = false;
	SR_TRY(sr_step(find, &is_row));
	*ret_value = is_row ? sr_arena_copy(arena, sr_column_blob(find, 0)) : (struct sr_bytes){0};
	return sr_ok();
}

struct sr_result sr_setting_write(struct sr_connection *connection, const char *name, struct sr_bytes value)
{
	SR_CLEANUP(sr_statement) struct sr_statement *write = NULL;
	SR_TRY(sr_prepare(connection, "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)", &write));
	sr_bind_text(write, 1, name);
	sr_bind_blob(write, 2, value);
	return sr_run(write);
}
