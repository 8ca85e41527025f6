/* A sealed database in a folder of its own, as the tests of the database and of its files need it. */
#ifndef SR_TEST_DATABASE_FIXTURE_H
#define SR_TEST_DATABASE_FIXTURE_H

#include "seal_init.h"

#include "seal/database_state.h"

#include "base/memory.h"
#include "base/random.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char *folder;
	char *path;
	char *log_path;
	struct sr_secret *dek;
	struct sr_id id;
	struct sr_database *database; /* NULL: closed */
};

static const char fixture_schema[] = "CREATE TABLE canary_table (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
                                     " value BLOB)";

static inline struct sr_database_options fixture_options(const struct fixture *fixture)
{
	return (struct sr_database_options){.path = fixture->path, .id = fixture->id, .schema = fixture_schema};
}

static inline void fixture_open(struct fixture *fixture)
{
	struct sr_database_options options = fixture_options(fixture);
	expect_ok(sr_database_open(&options, fixture->dek, &fixture->database));
}

static inline void fixture_close(struct fixture *fixture)
{
	sr_database_close(SR_TAKE(fixture->database));
}

static inline int fixture_make(void **state)
{
	const char *root = getenv("TMPDIR");
	struct fixture *fixture = sr_alloc(sizeof *fixture);
	fixture->folder = sr_strdupf("%s/database-XXXXXX", root ? root : "/tmp");
	if (!mkdtemp(fixture->folder)) {
		return -1;
	}
	fixture->path = sr_strdupf("%s/main.db", fixture->folder);
	fixture->log_path = sr_strdupf("%s/main.db-wal", fixture->folder);
	fixture->id = sr_id_random();
	expect_ok(sr_secret_random(SR_KEY_LEN, &fixture->dek));
	fixture_open(fixture);
	*state = fixture;
	return 0;
}

static inline int fixture_remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline int fixture_end(void **state)
{
	struct fixture *fixture = *state;
	fixture_close(fixture);
	nftw(fixture->folder, fixture_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	sr_secret_free(fixture->dek);
	sr_free(fixture->folder);
	sr_free(fixture->path);
	sr_free(fixture->log_path);
	sr_free(fixture);
	return 0;
}

/* A row to be written or read. */
struct row {
	int64_t id;
	char name[40];
	struct sr_bytes value;
	uint8_t found[8192]; /* after a read */
	size_t found_len;
	bool is_there;
};

static inline struct sr_result row_insert(struct sr_connection *connection, void *context)
{
	const struct row *row = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO canary_table(id,name,value) VALUES (?,?,?)", &statement));
	sr_bind_int(statement, 1, row->id);
	sr_bind_text(statement, 2, row->name);
	sr_bind_blob(statement, 3, row->value);
	return sr_run(statement);
}

static inline struct sr_result row_read(struct sr_connection *connection, void *context)
{
	struct row *row = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT value FROM canary_table WHERE name=?", &statement));
	sr_bind_text(statement, 1, row->name);
	SR_TRY(sr_step(statement, &row->is_there));
	if (row->is_there) {
		struct sr_bytes value = sr_column_blob(statement, 0);
		row->found_len = value.len;
		memcpy(row->found, value.data, value.len);
	}
	return sr_ok();
}

static inline struct row row_of(int64_t id, struct sr_bytes value)
{
	struct row row = {.id = id, .value = value};
	snprintf(row.name, sizeof row.name, "canary-name-%lld", (long long)id);
	return row;
}

static inline void fixture_insert(struct fixture *fixture, int64_t id, struct sr_bytes value)
{
	struct row row = row_of(id, value);
	expect_ok(sr_database_write(fixture->database, row_insert, &row));
}

static inline struct sr_result fixture_read(struct fixture *fixture, int64_t id, struct row *ret_row)
{
	*ret_row = row_of(id, (struct sr_bytes){0});
	return sr_database_read(fixture->database, row_read, ret_row);
}

/* The bytes of a file; the caller frees. */
static inline uint8_t *file_read(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	struct stat status;
	assert_int_equal(fstat(fileno(file), &status), 0);
	uint8_t *bytes = sr_alloc((size_t)status.st_size + 1);
	*ret_len = fread(bytes, 1, (size_t)status.st_size, file);
	fclose(file);
	return bytes;
}

static inline void file_write(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

#endif
