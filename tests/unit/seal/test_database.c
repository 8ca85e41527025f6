/* The sealed database as its owner uses it: durable writes in groups, snapshots, errors that stay with the one who
 * made them, closing, freshness, and the same contents as a plain SQLite database. */
#include "database_fixture.h"

#include "base/clock.h"

static void a_written_row_is_read_back_and_outlives_reopening(void **state)
{
	struct fixture *fixture = *state;
	fixture_insert(fixture, 1, SR_LITERAL("value one"));
	for (int i = 0; i < 2; i++) {
		struct row row;
		expect_ok(fixture_read(fixture, 1, &row));
		assert_true(row.is_there);
		assert_memory_equal(row.found, "value one", row.found_len);
		fixture_close(fixture);
		fixture_open(fixture);
	}
	expect_ok(sr_database_verify(fixture->database, NULL, NULL));
}

static void a_second_opening_is_refused_while_the_first_lasts(void **state)
{
	struct fixture *fixture = *state;
	struct sr_database_options options = fixture_options(fixture);
	struct sr_database *second;
	expect_code(sr_database_open(&options, fixture->dek, &second), SR_CONFLICT);
}

static struct sr_result insert_then_fail(struct sr_connection *connection, void *context)
{
	SR_TRY(row_insert(connection, context));
	return sr_fail(SR_PRECONDITION, "as the test wants");
}

static void a_failed_work_leaves_nothing_behind(void **state)
{
	struct fixture *fixture = *state;
	struct row row = row_of(7, SR_LITERAL("x"));
	expect_code(sr_database_write(fixture->database, insert_then_fail, &row), SR_PRECONDITION);
	expect_ok(fixture_read(fixture, 7, &row));
	assert_false(row.is_there);
}

static void a_commit_waits_a_moment_for_a_write_that_was_announced(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t before_ns = sr_boottime_ns();
	sr_database_announce(fixture->database); /* and does not come */
	fixture_insert(fixture, 1, SR_LITERAL("one"));
	assert_true(sr_boottime_ns() - before_ns >= 2000000);
	sr_database_retract(fixture->database);
	assert_int_equal(fixture->database->announced, 0);
	struct row row;
	expect_ok(fixture_read(fixture, 1, &row));
	assert_true(row.is_there);
}

/* A write that nobody waits for. */
struct later {
	struct row row;
	struct sr_result result;
	sem_t heard;
};

static struct sr_result later_work(struct sr_connection *connection, void *context)
{
	struct later *later = context;
	return later->row.id == 8 ? insert_then_fail(connection, &later->row) : row_insert(connection, &later->row);
}

static void later_heard(void *context, struct sr_result result)
{
	struct later *later = context;
	later->result = result;
	sem_post(&later->heard);
}

static struct sr_result write_later(struct fixture *fixture, int64_t id)
{
	struct later later = {.row = row_of(id, SR_LITERAL("x"))};
	sem_init(&later.heard, 0, 0);
	sr_database_write_later(fixture->database, later_work, &later, later_heard);
	while (sem_wait(&later.heard) != 0) {
	}
	sem_destroy(&later.heard);
	return later.result;
}

static void a_write_that_nobody_waits_for_tells_its_outcome(void **state)
{
	struct fixture *fixture = *state;
	struct row row;
	expect_ok(write_later(fixture, 7));
	expect_code(write_later(fixture, 7), SR_EXISTS);
	expect_code(write_later(fixture, 8), SR_PRECONDITION);
	expect_ok(fixture_read(fixture, 7, &row));
	assert_true(row.is_there);
	expect_ok(fixture_read(fixture, 8, &row));
	assert_false(row.is_there);
}

static void a_broken_uniqueness_is_told_apart(void **state)
{
	struct fixture *fixture = *state;
	fixture_insert(fixture, 1, SR_LITERAL("x"));
	struct row row = row_of(1, SR_LITERAL("y"));
	expect_code(sr_database_write(fixture->database, row_insert, &row), SR_EXISTS);
	row.id = 2;
	expect_code(sr_database_write(fixture->database, row_insert, &row), SR_EXISTS);
}

static struct sr_result write_on_reader(struct sr_connection *connection, void *context)
{
	return row_insert(connection, context);
}

static void a_reader_cannot_write(void **state)
{
	struct fixture *fixture = *state;
	struct row row = row_of(1, SR_LITERAL("x"));
	expect_code(sr_database_read(fixture->database, write_on_reader, &row), SR_INTERNAL);
}

/* Writers that come at once, every third of which fails. */
enum { WRITERS = 32, ROWS_OF_WRITER = 30 };
struct writer {
	struct fixture *fixture;
	int number;
	int acknowledged;
	int wrong;
};

static void write_rows(void *context)
{
	struct writer *writer = context;
	for (int i = 0; i < ROWS_OF_WRITER; i++) {
		struct row row = row_of(writer->number * 1000 + i, SR_LITERAL("some value"));
		bool fails = i % 3 == 2;
		SR_CLEANUP(sr_result)
		struct sr_result result =
		    sr_database_write(writer->fixture->database, fails ? insert_then_fail : row_insert, &row);
		writer->wrong += fails ? sr_result_code(result) != SR_PRECONDITION : !sr_is_ok(result);
		writer->acknowledged += sr_is_ok(result);
	}
}

static struct sr_result count_rows(struct sr_connection *connection, void *context)
{
	return sr_connection_get_int(connection, "SELECT count(*) FROM canary_table", context);
}

static void many_writers_share_commits_and_keep_their_own_errors(void **state)
{
	struct fixture *fixture = *state;
	struct writer writers[WRITERS];
	struct sr_thread threads[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.fixture = fixture, .number = i};
		expect_ok(sr_thread_start("writer", 0, write_rows, &writers[i], &threads[i]));
	}
	int acknowledged = 0;
	for (int i = 0; i < WRITERS; i++) {
		sr_thread_join(threads[i]);
		assert_int_equal(writers[i].wrong, 0);
		acknowledged += writers[i].acknowledged;
	}
	assert_int_equal(acknowledged, WRITERS * ROWS_OF_WRITER * 2 / 3);
	int64_t count;
	expect_ok(sr_database_read(fixture->database, count_rows, &count));
	assert_int_equal(count, acknowledged);
}

struct snapshot {
	struct fixture *fixture;
	int64_t before, after;
};

static void insert_in_thread(void *context)
{
	fixture_insert(context, 500, SR_LITERAL("meanwhile"));
}

static struct sr_result count_around_a_write(struct sr_connection *connection, void *context)
{
	struct snapshot *snapshot = context;
	SR_TRY(count_rows(connection, &snapshot->before));
	struct sr_thread thread;
	SR_TRY(sr_thread_start("other", 0, insert_in_thread, snapshot->fixture, &thread));
	sr_thread_join(thread);
	return count_rows(connection, &snapshot->after);
}

static void a_read_sees_one_snapshot(void **state)
{
	struct fixture *fixture = *state;
	struct snapshot snapshot = {.fixture = fixture};
	expect_ok(sr_database_read(fixture->database, count_around_a_write, &snapshot));
	assert_int_equal(snapshot.before, snapshot.after);
	int64_t count;
	expect_ok(sr_database_read(fixture->database, count_rows, &count));
	assert_int_equal(count, snapshot.after + 1);
}

static size_t length_of(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 ? (size_t)status.st_size : 0;
}

/* Keeps some reader's snapshot open at any moment, each for a little while. */
static struct sr_result linger(struct sr_connection *connection, void *context)
{
	int64_t count;
	SR_TRY(count_rows(connection, &count));
	sr_sleep_ms(3);
	*(int64_t *)context = count;
	return sr_ok();
}

struct reader {
	struct fixture *fixture;
	_Atomic bool *stop;
};

static void read_without_pause(void *context)
{
	struct reader *reader = context;
	while (!*reader->stop) {
		int64_t count;
		expect_ok(sr_database_read(reader->fixture->database, linger, &count));
	}
}

static struct sr_result insert_many(struct sr_connection *connection, void *context)
{
	int64_t *next = context;
	static const uint8_t value[4096] = {1};
	for (int i = 0; i < 100; i++) {
		struct row row = row_of(++*next, sr_bytes_of(value, sizeof value));
		SR_TRY(row_insert(connection, &row));
	}
	return sr_ok();
}

static void the_log_stays_bounded_under_readers_that_never_pause(void **state)
{
	struct fixture *fixture = *state;
	_Atomic bool stop = false;
	struct sr_thread threads[2];
	struct reader reader = {fixture, &stop};
	for (int i = 0; i < 2; i++) {
		expect_ok(sr_thread_start("reader", 0, read_without_pause, &reader, &threads[i]));
	}
	int64_t next = 0;
	size_t longest = 0;
	for (int i = 0; i < 80; i++) {
		expect_ok(sr_database_write(fixture->database, insert_many, &next));
		size_t len = length_of(fixture->log_path);
		longest = len > longest ? len : longest;
	}
	stop = true;
	for (int i = 0; i < 2; i++) {
		sr_thread_join(threads[i]);
	}
	/* 8,000 rows make over 12,000 frames: without the gate the log has them all. */
	assert_true(longest < (size_t)6000 * 4200);
}

static void a_checkpoint_makes_the_main_file_whole_by_itself(void **state)
{
	struct fixture *fixture = *state;
	fixture_insert(fixture, 1, SR_LITERAL("moved"));
	expect_ok(sr_database_checkpoint(fixture->database));
	assert_int_equal(length_of(fixture->log_path), 0);
	size_t len;
	uint8_t *bytes = file_read(fixture->path, &len);
	fixture_close(fixture);
	file_write(fixture->path, bytes, len);
	sr_free(bytes);
	unlink(fixture->log_path);
	fixture_open(fixture);
	struct row row;
	expect_ok(fixture_read(fixture, 1, &row));
	assert_true(row.is_there);
}

static void an_older_copy_is_refused_by_its_anchor(void **state)
{
	struct fixture *fixture = *state;
	fixture_insert(fixture, 1, SR_LITERAL("old"));
	fixture_close(fixture);
	size_t len;
	uint8_t *old = file_read(fixture->path, &len);
	fixture_open(fixture);
	uint64_t known = sr_database_anchor_now(fixture->database).counter;
	fixture_close(fixture);
	struct sr_database_options options = fixture_options(fixture);
	options.least_anchor = known;
	expect_ok(sr_database_open(&options, fixture->dek, &fixture->database));
	assert_true(sr_database_anchor_now(fixture->database).counter > known);
	fixture_close(fixture);
	file_write(fixture->path, old, len);
	sr_free(old);
	expect_code(sr_database_open(&options, fixture->dek, &fixture->database), SR_CORRUPT);
	unlink(fixture->path);
	expect_code(sr_database_open(&options, fixture->dek, &fixture->database), SR_CORRUPT);
}

static void each_log_begins_with_an_anchor_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before = sr_database_anchor_now(fixture->database).counter;
	expect_ok(sr_database_checkpoint(fixture->database));
	fixture_insert(fixture, 1, SR_LITERAL("x"));
	assert_int_equal(sr_database_anchor_now(fixture->database).counter, before + 1);
	fixture_insert(fixture, 2, SR_LITERAL("x"));
	assert_int_equal(sr_database_anchor_now(fixture->database).counter, before + 1);
}

/* Closing while somebody reads. */
struct slow {
	struct sr_database *database;
	_Atomic bool inside;
	_Atomic bool left;
	enum sr_code late;
};

static struct sr_result read_slowly(struct sr_connection *connection, void *context)
{
	struct slow *slow = context;
	int64_t count;
	slow->inside = true;
	sr_sleep_ms(50);
	SR_TRY(count_rows(connection, &count));
	struct sr_result late = sr_database_write(slow->database, row_insert, NULL);
	slow->late = sr_result_code(late);
	sr_result_free(late);
	slow->left = true;
	return sr_ok();
}

static void run_slow_read(void *context)
{
	struct slow *slow = context;
	expect_ok(sr_database_read(slow->database, read_slowly, slow));
}

static void closing_waits_for_users_and_refuses_new_ones(void **state)
{
	struct fixture *fixture = *state;
	struct slow slow = {.database = fixture->database};
	struct sr_thread thread;
	expect_ok(sr_thread_start("slow", 0, run_slow_read, &slow, &thread));
	while (!slow.inside) {
		sr_sleep_ms(1);
	}
	fixture_close(fixture);
	assert_true(slow.left);
	assert_int_equal(slow.late, SR_REVOKED);
	sr_thread_join(thread);
}

/* Each step notes its name, so that the notes tell which ran and in which order. */
#define STEP(name) "INSERT INTO canary_table(name, value) VALUES ('" name "', NULL);"

/* Opens the database with these upgrades, after closing it. */
static struct sr_result open_with(struct fixture *fixture, const char *const *upgrades)
{
	struct sr_database_options options = fixture_options(fixture);
	options.upgrades = upgrades;
	fixture_close(fixture);
	return sr_database_open(&options, fixture->dek, &fixture->database);
}

static struct sr_result read_notes(struct sr_connection *connection, void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT group_concat(name, ' ') FROM (SELECT name FROM canary_table ORDER BY id)",
	                  &select));
	bool is_row;
	SR_TRY(sr_step(select, &is_row));
	sr_buf_append(context, sr_column_text(select, 0));
	return sr_ok();
}

static void expect_notes(struct fixture *fixture, const char *notes)
{
	SR_CLEANUP(sr_buf) struct sr_buf found = SR_BUF(256);
	expect_ok(sr_database_read(fixture->database, read_notes, &found));
	assert_string_equal(sr_buf_text(&found), notes);
}

static void upgrades_run_once_and_in_their_order(void **state)
{
	struct fixture *fixture = *state;
	static const char *const two[] = {STEP("a"), STEP("b"), NULL};
	static const char *const three[] = {STEP("a"), STEP("b"), STEP("c"), NULL};
	for (int i = 0; i < 2; i++) {
		expect_ok(open_with(fixture, two));
		expect_notes(fixture, "a b");
	}
	for (int i = 0; i < 2; i++) {
		expect_ok(open_with(fixture, three));
		expect_notes(fixture, "a b c");
	}
}

static void an_upgrade_that_fails_leaves_the_version_before_it(void **state)
{
	struct fixture *fixture = *state;
	static const char *const broken[] = {STEP("a"), STEP("half") "INSERT INTO no_such_table VALUES (1);", STEP("c"),
	                                     NULL};
	static const char *const mended[] = {STEP("a"), STEP("b"), STEP("c"), NULL};
	static const char *const first[] = {STEP("a"), NULL};
	for (int i = 0; i < 2; i++) {
		struct sr_result opened = open_with(fixture, broken);
		assert_false(sr_is_ok(opened));
		sr_ignore(opened);
		assert_null(fixture->database);
	}
	expect_ok(open_with(fixture, first));
	expect_notes(fixture, "a");
	expect_ok(open_with(fixture, mended));
	expect_notes(fixture, "a b c");
}

static void a_database_of_a_newer_program_is_refused_and_left_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	static const char *const newer[] = {STEP("a"), STEP("b"), NULL};
	static const char *const older[] = {STEP("other"), NULL};
	expect_ok(open_with(fixture, newer));
	expect_code(open_with(fixture, older), SR_INVALID);
	expect_code(open_with(fixture, NULL), SR_INVALID);
	expect_ok(open_with(fixture, newer));
	expect_notes(fixture, "a b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_written_row_is_read_back_and_outlives_reopening, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(a_second_opening_is_refused_while_the_first_lasts, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(a_failed_work_leaves_nothing_behind, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(a_write_that_nobody_waits_for_tells_its_outcome, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(a_broken_uniqueness_is_told_apart, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(a_reader_cannot_write, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(many_writers_share_commits_and_keep_their_own_errors, fixture_make,
	                                    fixture_end),
	    cmocka_unit_test_setup_teardown(a_read_sees_one_snapshot, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(a_commit_waits_a_moment_for_a_write_that_was_announced, fixture_make,
	                                    fixture_end),
	    cmocka_unit_test_setup_teardown(the_log_stays_bounded_under_readers_that_never_pause, fixture_make,
	                                    fixture_end),
	    cmocka_unit_test_setup_teardown(a_checkpoint_makes_the_main_file_whole_by_itself, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(an_older_copy_is_refused_by_its_anchor, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(each_log_begins_with_an_anchor_of_its_own, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(closing_waits_for_users_and_refuses_new_ones, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(upgrades_run_once_and_in_their_order, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(an_upgrade_that_fails_leaves_the_version_before_it, fixture_make, fixture_end),
	    cmocka_unit_test_setup_teardown(a_database_of_a_newer_program_is_refused_and_left_as_it_is, fixture_make,
	                                    fixture_end),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
