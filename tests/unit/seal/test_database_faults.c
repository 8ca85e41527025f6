/* A disk that fills up or fails below a sealed database: who waits is told, nothing half done stays, and after a
 * failed sync nothing more is promised until the database is opened again. */
#include "database_fixture.h"

#include <sys/stat.h>

/* `unix` with writes and syncs that fail on demand. */
static struct {
	_Atomic bool is_full;
	_Atomic bool sync_fails;
	sqlite3_vfs *base;
	sqlite3_vfs native;
	sqlite3_io_methods methods;
	const sqlite3_io_methods *base_methods;
} faulty;

static int faulty_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 offset)
{
	return faulty.is_full ? SQLITE_FULL : faulty.base_methods->xWrite(file, from, len, offset);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
	return faulty.sync_fails ? SQLITE_IOERR_FSYNC : faulty.base_methods->xSync(file, flags);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	(void)vfs;
	int outcome = faulty.base->xOpen(faulty.base, name, file, flags, ret_flags);
	if (outcome == SQLITE_OK) {
		faulty.base_methods = file->pMethods;
		faulty.methods = *file->pMethods;
		faulty.methods.xWrite = faulty_write;
		faulty.methods.xSync = faulty_sync;
		file->pMethods = &faulty.methods;
	}
	return outcome;
}

static int make_on_faulty(void **state)
{
	if (fixture_make(state) != 0) {
		return -1;
	}
	struct fixture *fixture = *state;
	fixture_close(fixture);
	struct sr_database_options options = fixture_options(fixture);
	expect_ok(sr_database_open_over(&options, fixture->dek, "faulty", 0, &fixture->database));
	return 0;
}

static int end_on_faulty(void **state)
{
	faulty.is_full = false;
	faulty.sync_fails = false;
	return fixture_end(state);
}

static struct sr_result insert(struct fixture *fixture, int64_t id)
{
	static const uint8_t value[3000];
	struct row row = row_of(id, sr_bytes_of(value, sizeof value));
	return sr_database_write(fixture->database, row_insert, &row);
}

static bool is_there(struct fixture *fixture, int64_t id)
{
	struct row row;
	expect_ok(fixture_read(fixture, id, &row));
	return row.is_there;
}

static void a_full_disk_fails_the_write_and_space_heals_it(void **state)
{
	struct fixture *fixture = *state;
	expect_ok(insert(fixture, 1));
	faulty.is_full = true;
	expect_code(insert(fixture, 2), SR_NO_SPACE);
	expect_code(insert(fixture, 3), SR_NO_SPACE);
	assert_true(is_there(fixture, 1));
	assert_false(is_there(fixture, 2));
	faulty.is_full = false;
	expect_ok(insert(fixture, 4));
	fixture_close(fixture);
	fixture_open(fixture);
	assert_true(is_there(fixture, 1) && !is_there(fixture, 2) && !is_there(fixture, 3) && is_there(fixture, 4));
	expect_ok(sr_database_verify(fixture->database, NULL, NULL));
}

static void after_a_failed_sync_writes_are_refused_and_reads_go_on(void **state)
{
	struct fixture *fixture = *state;
	expect_ok(insert(fixture, 1));
	faulty.sync_fails = true;
	expect_code(insert(fixture, 2), SR_IO);
	faulty.sync_fails = false;
	expect_code(insert(fixture, 3), SR_IO);
	assert_true(is_there(fixture, 1));
	fixture_close(fixture);
	fixture_open(fixture);
	assert_true(is_there(fixture, 1) && !is_there(fixture, 3));
	expect_ok(insert(fixture, 4));
}

/* What a checkpoint wrote before its sync failed may be lost: only the log is known to have it. */
static void a_failed_sync_of_a_checkpoint_keeps_the_log(void **state)
{
	struct fixture *fixture = *state;
	expect_ok(insert(fixture, 1));
	faulty.sync_fails = true;
	expect_code(sr_database_checkpoint(fixture->database), SR_IO);
	faulty.sync_fails = false;
	expect_code(insert(fixture, 2), SR_IO);
	expect_code(sr_database_checkpoint(fixture->database), SR_IO);
	assert_true(is_there(fixture, 1));
	fixture_close(fixture);
	SR_CLEANUP(sr_string) char *log = sr_strdupf("%s-wal", fixture_options(fixture).path);
	struct stat status;
	assert_int_equal(stat(log, &status), 0);
	assert_true(status.st_size > 0);
	fixture_open(fixture);
	assert_true(is_there(fixture, 1) && !is_there(fixture, 2));
	expect_ok(insert(fixture, 3));
}

static int set_up(void **state)
{
	if (init_seal(state) != 0 || sqlite3_initialize() != SQLITE_OK) {
		return -1;
	}
	faulty.base = sqlite3_vfs_find("unix");
	faulty.native = *faulty.base;
	faulty.native.zName = "faulty";
	faulty.native.xOpen = faulty_open;
	return sqlite3_vfs_register(&faulty.native, 0) == SQLITE_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_full_disk_fails_the_write_and_space_heals_it, make_on_faulty, end_on_faulty),
	    cmocka_unit_test_setup_teardown(after_a_failed_sync_writes_are_refused_and_reads_go_on, make_on_faulty,
	                                    end_on_faulty),
	    cmocka_unit_test_setup_teardown(a_failed_sync_of_a_checkpoint_keeps_the_log, make_on_faulty, end_on_faulty),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
