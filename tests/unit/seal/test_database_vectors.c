/*
 * Known answers: a database written by the first version of the format, with a log that was never moved, opens and
 * holds the same rows for ever. tests/vectors/database_v1.db and database_v1.db-wal: key 32 bytes 0x11, id 16 bytes
 * 0x22.
 */
#include "database_fixture.h"

enum { ROWS = 6 };

static uint8_t *vector_read(const char *name, size_t *ret_len)
{
	const char *folder = getenv("SR_VECTORS");
	assert_non_null(folder);
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/%s", folder, name);
	return file_read(path, ret_len);
}

static void copy_vector(const char *name, const char *to)
{
	size_t len;
	uint8_t *bytes = vector_read(name, &len);
	file_write(to, bytes, len);
	sr_free(bytes);
}

static int make_from_vector(void **state)
{
	if (fixture_make(state) != 0) {
		return -1;
	}
	struct fixture *fixture = *state;
	fixture_close(fixture);
	sr_secret_free(SR_TAKE(fixture->dek));
	uint8_t key[SR_KEY_LEN];
	memset(key, 0x11, sizeof key);
	expect_ok(sr_secret_from_bytes(sr_bytes_of(key, sizeof key), &fixture->dek));
	memset(fixture->id.bytes, 0x22, SR_ID_LEN);
	copy_vector("database_v1.db", fixture->path);
	copy_vector("database_v1.db-wal", fixture->log_path);
	return 0;
}

/* Row i has i·1000 bytes of i; rows from 4 on are in the log alone. */
static void a_database_of_version_1_opens_for_ever(void **state)
{
	struct fixture *fixture = *state;
	fixture_open(fixture);
	for (int i = 1; i <= ROWS; i++) {
		struct row row;
		expect_ok(fixture_read(fixture, i, &row));
		assert_true(row.is_there);
		assert_int_equal(row.found_len, i * 1000);
		assert_int_equal(row.found[0], i);
		assert_int_equal(row.found[row.found_len - 1], i);
	}
	expect_ok(sr_database_verify(fixture->database, NULL, NULL));
}

static void its_main_file_opens_by_itself_with_the_rows_moved_by_then(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(unlink(fixture->log_path), 0);
	fixture_open(fixture);
	struct row row;
	expect_ok(fixture_read(fixture, 3, &row));
	assert_true(row.is_there);
	expect_ok(fixture_read(fixture, 4, &row));
	assert_false(row.is_there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_database_of_version_1_opens_for_ever, make_from_vector, fixture_end),
	    cmocka_unit_test_setup_teardown(its_main_file_opens_by_itself_with_the_rows_moved_by_then, make_from_vector,
	                                    fixture_end),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
