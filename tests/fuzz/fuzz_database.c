/*
 * A sealed database whose main file and log were damaged as the input says (first byte of a step: which of the two):
 * it opens to a state that it once had, or says that it is damaged.
 */
#include "ground.h"

#include "seal/crypto.h"
#include "seal/database.h"

enum { ROWS = 24, VALUE_LEN = 1500 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct sr_secret *dek;
static char path[sizeof ground_folder + 20], log_path[sizeof ground_folder + 24];
static struct sr_buf main_file, log_file;

static struct sr_database_options options(void)
{
	struct sr_database_options options = {.path = path,
	                                      .schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB NOT NULL);"};
	memset(options.id.bytes, 9, sizeof options.id.bytes);
	return options;
}

static struct sr_result insert(struct sr_connection *connection, void *context)
{
	const int64_t *id = context;
	uint8_t value[VALUE_LEN];
	memset(value, (int)*id, sizeof value);
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO t (id, value) VALUES (?, ?)", &statement));
	sr_bind_int(statement, 1, *id);
	sr_bind_blob(statement, 2, sr_bytes_of(value, sizeof value));
	return sr_run(statement);
}

/* Half of the rows end in the main file, half in the log. */
static void set_up(void)
{
	ground_make();
	require_ok(sr_seal_init());
	snprintf(path, sizeof path, "%s/fuzz.db", ground_folder);
	snprintf(log_path, sizeof log_path, "%s-wal", path);
	require_ok(sr_secret_random(SR_KEY_LEN, &dek));
	struct sr_database_options how = options();
	struct sr_database *database;
	require_ok(sr_database_open(&how, dek, &database));
	for (int64_t id = 1; id <= ROWS; id++) {
		require_ok(sr_database_write(database, insert, &id));
		if (id == ROWS / 2) {
			require_ok(sr_database_checkpoint(database));
		}
	}
	main_file = ground_read(path);
	log_file = ground_read(log_path);
	require(log_file.len > 0);
	sr_database_close(database);
}

static struct sr_result check_row(struct sr_statement *row, int64_t expected_id)
{
	struct sr_bytes value = sr_column_blob(row, 1);
	require(sr_column_int(row, 0) == expected_id && value.len == VALUE_LEN);
	for (size_t i = 0; i < value.len; i++) {
		require(value.data[i] == (uint8_t)expected_id);
	}
	return sr_ok();
}

static struct sr_result check_rows(struct sr_connection *connection, void *context)
{
	(void)context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT id, value FROM t ORDER BY id", &statement));
	for (int64_t id = 1;; id++) {
		bool is_row = false;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			require(id - 1 >= ROWS / 2 && id - 1 <= ROWS);
			return sr_ok();
		}
		SR_TRY(check_row(statement, id));
	}
}

static void open_and_read(void)
{
	struct sr_database_options how = options();
	struct sr_database *database = NULL;
	struct sr_result result = sr_database_open(&how, dek, &database);
	if (!sr_is_ok(result)) {
		require_damage(result);
		return;
	}
	result = sr_database_read(database, check_rows, NULL);
	if (!sr_is_ok(result)) {
		require_damage(result);
	}
	result = sr_database_verify(database, NULL, NULL);
	if (!sr_is_ok(result)) {
		require_damage(result);
	}
	sr_database_close(database);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!dek) {
		set_up();
	}
	SR_CLEANUP(sr_buf) struct sr_buf main_copy = SR_BUF(1 << 20);
	SR_CLEANUP(sr_buf) struct sr_buf log_copy = SR_BUF(1 << 20);
	sr_buf_append(&main_copy, sr_buf_bytes(&main_file));
	sr_buf_append(&log_copy, sr_buf_bytes(&log_file));
	struct sr_reader steps = sr_reader_of(sr_bytes_of(data, len));
	while (damage(sr_reader_u8(&steps) % 2 ? &log_copy : &main_copy, &steps)) {
	}
	ground_write(path, sr_buf_bytes(&main_copy));
	ground_write(log_path, sr_buf_bytes(&log_copy));
	open_and_read();
	return 0;
}
