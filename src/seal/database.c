/* Opening and closing of a sealed database, and its readers. Its writer is in writer.c, its check in database_check.c.
 */
#include "seal/database.h"

#include "seal/database_state.h"
#include "seal/sqlite_error.h"

#include "base/memory.h"

#include <stdio.h>
#include <unistd.h>

enum { READERS_DEFAULT = 4, CACHE_KIB_DEFAULT = 2048, PAGE_LEN_DEFAULT = 4096 };

/* In every database beside the owner's tables: the counter that seal/database.h speaks of. */
static const char anchor_schema[] = "CREATE TABLE strongroom_anchor (counter INTEGER NOT NULL);"
                                    "INSERT INTO strongroom_anchor VALUES (0);";

struct sr_result sr_database_enter(struct sr_database *database)
{
	SR_LOCKED(&database->mutex);
	if (database->closing) {
		return sr_fail(SR_REVOKED, "the database is being closed");
	}
	database->user_count++;
	return sr_ok();
}

void sr_database_leave(struct sr_database *database)
{
	SR_LOCKED(&database->mutex);
	if (--database->user_count == 0 && database->closing) {
		sr_cond_signal(&database->changed);
	}
}

static struct sr_connection_options connection_options(const struct sr_database *database)
{
	return (struct sr_connection_options){database->path, sr_vfs_name(database->vfs), database->cache_kib};
}

static bool must_wait(const struct sr_database *database)
{
	return database->gate_is_shut || (!database->idle_readers && database->reader_count == database->reader_max);
}

/* Waits for a reader, and tells the pool only where it does wait; database->mutex is held. */
static void wait_for_reader(struct sr_database *database)
{
	sr_blocking_begin();
	while (must_wait(database)) {
		sr_cond_wait(&database->reader_free, &database->mutex);
	}
}

/* Takes a reader; NULL means that the caller opens a further one, which is counted already. */
static struct sr_connection *take_reader(struct sr_database *database)
{
	sr_mutex_lock(&database->mutex);
	bool waits = must_wait(database);
	if (waits) {
		wait_for_reader(database);
	}
	database->busy_count++;
	struct sr_connection *reader = database->idle_readers;
	if (reader) {
		database->idle_readers = reader->next;
	} else {
		database->reader_count++;
	}
	sr_mutex_unlock(&database->mutex);
	if (waits) {
		sr_blocking_end();
	}
	return reader;
}

/* Gives a reader back; NULL: the one that was counted could not be opened. */
static void give_reader(struct sr_database *database, struct sr_connection *reader)
{
	SR_LOCKED(&database->mutex);
	database->busy_count--;
	if (reader) {
		reader->next = database->idle_readers;
		database->idle_readers = reader;
	} else {
		database->reader_count--;
	}
	if (database->gate_is_shut) {
		sr_cond_signal(&database->changed);
	} else {
		sr_cond_signal(&database->reader_free);
	}
}

static struct sr_result open_reader(struct sr_database *database, struct sr_connection **ret_reader)
{
	struct sr_connection_options options = connection_options(database);
	SR_CLEANUP(sr_connection) struct sr_connection *reader = NULL;
	SR_TRY(sr_connection_open(&options, &reader));
	SR_TRY(sr_connection_trust(reader));
	SR_TRY(sr_execute(reader, "PRAGMA query_only=ON"));
	*ret_reader = SR_TAKE(reader);
	return sr_ok();
}

static struct sr_result read_snapshot(struct sr_connection *reader, sr_database_work work, void *context)
{
	SR_TRY(sr_connection_run(reader, "BEGIN"));
	struct sr_result result = work(reader, context);
	sr_connection_end_statements(reader);
	struct sr_result end = sr_connection_run(reader, "COMMIT");
	if (!sr_is_ok(end) && !sqlite3_get_autocommit(reader->native)) {
		sr_ignore(sr_connection_run(reader, "ROLLBACK"));
	}
	return sr_first_error(result, end);
}

static struct sr_result read_on_reader(struct sr_database *database, sr_database_work work, void *context)
{
	struct sr_connection *reader = take_reader(database);
	struct sr_result result = reader ? sr_ok() : open_reader(database, &reader);
	if (sr_is_ok(result)) {
		result = read_snapshot(reader, work, context);
	}
	give_reader(database, reader);
	return result;
}

struct sr_result sr_database_read(struct sr_database *database, sr_database_work work, void *context)
{
	SR_TRY(sr_database_enter(database));
	struct sr_result result = read_on_reader(database, work, context);
	sr_database_leave(database);
	return result;
}

/* SQLite writes page 1, in a file that has no name yet: no journal is needed, since a crash leaves nothing. */
static struct sr_result write_first_page(const char *path, const struct sr_database_options *options,
                                         const struct sr_secret *dek, const char *base_vfs, uint32_t page_len)
{
	struct sr_vfs_options vfs_options = {path, base_vfs, &options->id, page_len};
	SR_CLEANUP(sr_vfs) struct sr_vfs *vfs = NULL;
	SR_TRY(sr_vfs_new(&vfs_options, dek, &vfs));
	struct sr_connection_options connection_options = {path, sr_vfs_name(vfs), CACHE_KIB_DEFAULT};
	SR_CLEANUP(sr_connection) struct sr_connection *connection = NULL;
	SR_TRY(sr_connection_open(&connection_options, &connection));
	SR_TRY(sr_connection_trust(connection));
	int reserved = SR_AEAD_OVERHEAD;
	int outcome = sqlite3_file_control(connection->native, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
	if (outcome != SQLITE_OK) {
		return sr_fail_sqlite(connection->native, outcome, "reserve bytes in pages");
	}
	SR_CLEANUP(sr_string)
	char *sql = sr_strdupf("PRAGMA page_size=%u; PRAGMA auto_vacuum=NONE; PRAGMA journal_mode=MEMORY;"
	                       "PRAGMA journal_mode=WAL;",
	                       page_len);
	return sr_execute(connection, sql);
}

static struct sr_result make_file(const struct sr_database_options *options, const struct sr_secret *dek,
                                  const char *base_vfs, uint32_t page_len, struct sr_database_file *ret_file)
{
	SR_CLEANUP(sr_string) char *log_path = sr_strdupf("%s-wal", options->path);
	if (access(log_path, F_OK) == 0) {
		return sr_fail(SR_CORRUPT, "the database %s is missing, but its log is there", options->path);
	}
	SR_CLEANUP(sr_string) char *new_path = sr_strdupf("%s.new", options->path);
	SR_CLEANUP(sr_database_file) struct sr_database_file file = {.descriptor = -1};
	SR_TRY(sr_database_file_make(new_path, &options->id, dek, page_len, &file));
	SR_TRY(write_first_page(new_path, options, dek, base_vfs, page_len));
	SR_TRY(sr_database_file_publish(&file, new_path, options->path));
	*ret_file = file;
	file.descriptor = -1;
	return sr_ok();
}

static struct sr_result open_or_make_file(const struct sr_database_options *options, const struct sr_secret *dek,
                                          const char *base_vfs, uint32_t page_len, struct sr_database_file *ret_file)
{
	struct sr_result result = sr_database_file_open(options->path, &options->id, dek, ret_file);
	if (sr_result_code(result) != SR_NOT_FOUND) {
		return result;
	}
	sr_result_free(result);
	if (options->least_anchor > 0) {
		return sr_fail(SR_CORRUPT, "the database %s is missing", options->path);
	}
	return make_file(options, dek, base_vfs, page_len, ret_file);
}

/* Runs two pieces of SQL (each may be NULL) and notes the version that they lead to, as one transaction. */
static struct sr_result run_schema(struct sr_connection *writer, const char *first, const char *second, int64_t version)
{
	char note[64];
	snprintf(note, sizeof note, "PRAGMA user_version=%lld; COMMIT", (long long)version);
	SR_TRY(sr_execute(writer, "BEGIN IMMEDIATE"));
	struct sr_result result = first ? sr_execute(writer, first) : sr_ok();
	result = sr_is_ok(result) && second ? sr_execute(writer, second) : result;
	result = sr_is_ok(result) ? sr_execute(writer, note) : result;
	if (!sr_is_ok(result) && !sqlite3_get_autocommit(writer->native)) {
		sr_ignore(sr_execute(writer, "ROLLBACK"));
	}
	return result;
}

/* The owner's tables and ours, once, and what the owner's later versions add. */
static struct sr_result ensure_schema(struct sr_connection *writer, const struct sr_database_options *options)
{
	int64_t version, newest = 1;
	SR_TRY(sr_connection_get_int(writer, "PRAGMA user_version", &version));
	if (version == 0) {
		SR_TRY(run_schema(writer, anchor_schema, options->schema, 1));
		version = 1;
	}
	for (const char *const *upgrade = options->upgrades; upgrade && *upgrade; upgrade++) {
		if (version == newest++) {
			SR_TRY(run_schema(writer, *upgrade, NULL, newest));
			version = newest;
		}
	}
	if (version > newest) {
		return sr_fail(SR_INVALID, "%s was written by a newer program (schema %lld, this one knows %lld)",
		               options->path, (long long)version, (long long)newest);
	}
	return sr_ok();
}

/* Refuses files that are older than the owner knows them; else a new anchor begins here. */
static struct sr_result check_anchor(struct sr_database *database, uint64_t least_anchor)
{
	int64_t counter;
	SR_TRY(sr_connection_get_int(database->writer, "SELECT counter FROM strongroom_anchor", &counter));
	if ((uint64_t)counter < least_anchor) {
		return sr_fail(SR_CORRUPT, "the database is rolled back: its anchor is %llu, and has been %llu",
		               (unsigned long long)counter, (unsigned long long)least_anchor);
	}
	uint64_t anchor;
	SR_TRY(sr_writer_advance_anchor(database->writer, &anchor));
	database->anchor = anchor;
	return sr_ok();
}

/* After a crash the main file may hold torn pages that the log has whole: they are healed before anybody else reads. */
static struct sr_result heal_from_log(struct sr_database *database)
{
	sqlite3 *native = database->writer->native;
	int outcome = sqlite3_wal_checkpoint_v2(native, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	database->anchor_is_due = true;
	return outcome == SQLITE_OK ? sr_ok() : sr_fail_sqlite(native, outcome, "move the log into the database");
}

/* The writer's connection, on files that are changed only when all of them was found to be in order. */
static struct sr_result open_writer(struct sr_database *database, const struct sr_database_options *options,
                                    bool had_log)
{
	SR_TRY(sr_vfs_check_log(database->vfs));
	struct sr_connection_options connection = connection_options(database);
	SR_TRY(sr_connection_open(&connection, &database->writer));
	SR_TRY(ensure_schema(database->writer, options));
	SR_TRY(check_anchor(database, options->least_anchor));
	SR_TRY(sr_connection_trust(database->writer));
	return had_log ? heal_from_log(database) : sr_ok();
}

static void database_free(struct sr_database *database)
{
	while (database->idle_readers) {
		struct sr_connection *reader = database->idle_readers;
		database->idle_readers = reader->next;
		sr_connection_close(reader);
	}
	sr_connection_close(database->writer);
	sr_vfs_free(database->vfs);
	sr_database_file_close(&database->file);
	sr_cond_destroy(&database->changed);
	sr_cond_destroy(&database->reader_free);
	sr_cond_destroy(&database->work_waits);
	sr_mutex_destroy(&database->mutex);
	sr_free(database->path);
	sr_free(database);
}

static void database_cleanup(struct sr_database **database)
{
	if (*database) {
		database_free(*database);
	}
	*database = NULL;
}

static struct sr_database *database_new(const struct sr_database_options *options)
{
	struct sr_database *database = sr_alloc(sizeof *database);
	sr_mutex_init(&database->mutex, SR_RANK_DATABASE);
	sr_cond_init(&database->work_waits);
	sr_cond_init(&database->reader_free);
	sr_cond_init(&database->changed);
	database->last = &database->first;
	database->file.descriptor = -1;
	database->path = sr_strdup(options->path);
	database->reader_max = options->reader_count ? options->reader_count : READERS_DEFAULT;
	database->cache_kib = options->cache_kib ? options->cache_kib : CACHE_KIB_DEFAULT;
	return database;
}

struct sr_result sr_database_open_over(const struct sr_database_options *options, const struct sr_secret *dek,
                                       const char *base_vfs, uint32_t page_len, struct sr_database **ret_database)
{
	SR_CLEANUP(database) struct sr_database *database = database_new(options);
	SR_TRY(open_or_make_file(options, dek, base_vfs, page_len ? page_len : PAGE_LEN_DEFAULT, &database->file));
	struct sr_vfs_options vfs_options = {options->path, base_vfs, &options->id, database->file.page_len};
	SR_TRY(sr_vfs_new(&vfs_options, dek, &database->vfs));
	SR_CLEANUP(sr_string) char *log_path = sr_strdupf("%s-wal", options->path);
	bool had_log = access(log_path, F_OK) == 0;
	struct sr_result result = open_writer(database, options, had_log);
	result = sr_is_ok(result) ? sr_writer_start(database) : result;
	if (!sr_is_ok(result)) {
		sr_connection_cleanup(&database->writer);
		if (!had_log) { /* SQLite makes an empty one as it looks for it */
			(void)unlink(log_path);
		}
		return result;
	}
	*ret_database = SR_TAKE(database);
	return sr_ok();
}

struct sr_result sr_database_open(const struct sr_database_options *options, const struct sr_secret *dek,
                                  struct sr_database **ret_database)
{
	return sr_database_open_over(options, dek, NULL, 0, ret_database);
}

void sr_database_close(struct sr_database *database)
{
	if (!database) {
		return;
	}
	sr_mutex_lock(&database->mutex);
	database->closing = true;
	while (database->user_count > 0) {
		sr_cond_wait(&database->changed, &database->mutex);
	}
	sr_mutex_unlock(&database->mutex);
	sr_writer_stop(database);
	database_free(database);
}

struct sr_database_anchor sr_database_anchor_now(struct sr_database *database)
{
	return (struct sr_database_anchor){database->anchor};
}
