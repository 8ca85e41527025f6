/* A sealed database whose files were changed: each kind of damage is found, named, and leaves the files as they were;
 * what a crash may leave at the log's end is none. */
#include "database_fixture.h"

enum { PAGE_LEN = 4096, FRAME_HEADER_LEN = 68, FRAME_LEN = FRAME_HEADER_LEN + PAGE_LEN, LOG_HEADER_LEN = 72 };

/* The files as they were before the damage. */
struct copy {
	uint8_t *main;
	size_t main_len;
	uint8_t *log; /* NULL: there was none */
	size_t log_len;
};

static void copy_take(const struct fixture *fixture, struct copy *ret_copy)
{
	ret_copy->main = file_read(fixture->path, &ret_copy->main_len);
	ret_copy->log = access(fixture->log_path, F_OK) == 0 ? file_read(fixture->log_path, &ret_copy->log_len) : NULL;
}

static void copy_put(const struct fixture *fixture, const struct copy *copy)
{
	file_write(fixture->path, copy->main, copy->main_len);
	unlink(fixture->log_path);
	if (copy->log) {
		file_write(fixture->log_path, copy->log, copy->log_len);
	}
}

static void copy_cleanup(struct copy *copy)
{
	sr_free(copy->main);
	sr_free(copy->log);
}

static void fill(struct fixture *fixture, int row_count)
{
	static uint8_t value[3000];
	for (int i = 1; i <= row_count; i++) {
		memset(value, i, sizeof value);
		fixture_insert(fixture, i, sr_bytes_of(value, sizeof value));
	}
}

static void flip(const char *path, size_t offset)
{
	int descriptor = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;
	assert_int_equal(pread(descriptor, &byte, 1, (off_t)offset), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(descriptor, &byte, 1, (off_t)offset), 1);
	close(descriptor);
}

static void expect_unchanged(const struct fixture *fixture, const struct copy *damaged)
{
	SR_CLEANUP(copy) struct copy now = {0};
	copy_take(fixture, &now);
	assert_int_equal(now.main_len, damaged->main_len);
	assert_memory_equal(now.main, damaged->main, now.main_len);
	assert_int_equal(now.log != NULL, damaged->log != NULL);
	assert_int_equal(now.log_len, damaged->log_len);
	if (now.log) {
		assert_memory_equal(now.log, damaged->log, now.log_len);
	}
}

/* Opens and checks all; a database that does not open must be left as it is. */
static struct sr_result open_and_verify(struct fixture *fixture, const struct sr_secret *dek)
{
	SR_CLEANUP(copy) struct copy damaged = {0};
	copy_take(fixture, &damaged);
	struct sr_database_options options = fixture_options(fixture);
	struct sr_result result = sr_database_open(&options, dek, &fixture->database);
	if (!sr_is_ok(result)) {
		expect_unchanged(fixture, &damaged);
		return result;
	}
	result = sr_database_verify(fixture->database, NULL, NULL);
	fixture_close(fixture);
	return result;
}

static void expect_damage(struct fixture *fixture, const char *named)
{
	SR_CLEANUP(sr_result) struct sr_result result = open_and_verify(fixture, fixture->dek);
	assert_int_equal(sr_result_code(result), SR_CORRUPT);
	if (!strstr(sr_result_message(result), named)) {
		fail_msg("\"%s\" does not name %s", sr_result_message(result), named);
	}
}

static void another_key_is_told_from_damage(void **state)
{
	struct fixture *fixture = *state;
	fill(fixture, 3);
	fixture_close(fixture);
	SR_CLEANUP(sr_secret) struct sr_secret *other = NULL;
	expect_ok(sr_secret_random(SR_KEY_LEN, &other));
	expect_code(open_and_verify(fixture, other), SR_WRONG_KEY);
	expect_ok(open_and_verify(fixture, fixture->dek));
}

static void a_flipped_byte_of_the_header_is_found(void **state)
{
	struct fixture *fixture = *state;
	fixture_close(fixture);
	for (size_t offset = 0; offset < 4096; offset += offset < 100 ? 1 : 333) {
		flip(fixture->path, offset);
		expect_damage(fixture, "header");
		flip(fixture->path, offset);
	}
	expect_ok(open_and_verify(fixture, fixture->dek));
}

static void a_flipped_byte_of_any_page_is_found_and_the_page_named(void **state)
{
	struct fixture *fixture = *state;
	fill(fixture, 12);
	fixture_close(fixture);
	SR_CLEANUP(copy) struct copy copy = {0};
	copy_take(fixture, &copy);
	static const size_t positions[] = {0, 23, 24, 100, 2000, PAGE_LEN - 17, PAGE_LEN - 16, PAGE_LEN - 1};
	for (size_t page = 1; page < copy.main_len / PAGE_LEN; page++) {
		for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
			copy_put(fixture, &copy);
			flip(fixture->path, page * PAGE_LEN + positions[i]);
			char named[32];
			snprintf(named, sizeof named, "page %zu ", page);
			expect_damage(fixture, named);
		}
	}
}

static void swapped_pages_are_found(void **state)
{
	struct fixture *fixture = *state;
	fill(fixture, 12);
	fixture_close(fixture);
	size_t len;
	uint8_t *bytes = file_read(fixture->path, &len);
	uint8_t page[PAGE_LEN];
	memcpy(page, bytes + 5 * PAGE_LEN, PAGE_LEN);
	memcpy(bytes + 5 * PAGE_LEN, bytes + 6 * PAGE_LEN, PAGE_LEN);
	memcpy(bytes + 6 * PAGE_LEN, page, PAGE_LEN);
	file_write(fixture->path, bytes, len);
	sr_free(bytes);
	expect_damage(fixture, "page 5 ");
}

static void a_page_of_zeros_is_not_taken_for_content(void **state)
{
	struct fixture *fixture = *state;
	fill(fixture, 12);
	fixture_close(fixture);
	size_t len;
	uint8_t *bytes = file_read(fixture->path, &len);
	memset(bytes + 6 * PAGE_LEN, 0, PAGE_LEN);
	file_write(fixture->path, bytes, len);
	sr_free(bytes);
	expect_damage(fixture, "page 6 ");
}

static void a_cut_main_file_is_found(void **state)
{
	struct fixture *fixture = *state;
	fill(fixture, 12);
	fixture_close(fixture);
	SR_CLEANUP(copy) struct copy copy = {0};
	copy_take(fixture, &copy);
	for (size_t len = 0; len < copy.main_len; len += 1024) {
		copy_put(fixture, &copy);
		assert_int_equal(truncate(fixture->path, (off_t)len), 0);
		expect_damage(fixture, "");
	}
}

static void another_databases_page_and_file_are_refused(void **state)
{
	struct fixture *fixture = *state;
	fill(fixture, 12);
	fixture_close(fixture);
	SR_CLEANUP(copy) struct copy first = {0};
	copy_take(fixture, &first);
	unlink(fixture->path);
	fixture->id = sr_id_random(); /* under the same key */
	fixture_open(fixture);
	fill(fixture, 12);
	fixture_close(fixture);
	SR_CLEANUP(copy) struct copy second = {0};
	copy_take(fixture, &second);
	memcpy(second.main + 3 * PAGE_LEN, first.main + 3 * PAGE_LEN, PAGE_LEN);
	copy_put(fixture, &second);
	expect_damage(fixture, "page 3 ");
	copy_put(fixture, &first);
	expect_damage(fixture, "another database's");
}

/* Files with a log of several transactions, as a killed process leaves them. */
static void leave_a_log(struct fixture *fixture, struct copy *ret_copy)
{
	fill(fixture, 12);
	copy_take(fixture, ret_copy);
	fixture_close(fixture);
	copy_put(fixture, ret_copy);
	assert_true(ret_copy->log_len > LOG_HEADER_LEN + 20 * FRAME_LEN);
}

static void a_flipped_byte_of_the_logs_header_is_found(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(copy) struct copy copy = {0};
	leave_a_log(fixture, &copy);
	for (size_t offset = 0; offset < LOG_HEADER_LEN; offset += 3) {
		flip(fixture->log_path, offset);
		expect_damage(fixture, "log's header");
		flip(fixture->log_path, offset);
	}
	expect_ok(open_and_verify(fixture, fixture->dek));
}

static size_t rows_found(struct fixture *fixture, int row_count)
{
	size_t found = 0;
	for (int i = 1; i <= row_count; i++) {
		struct row row;
		expect_ok(fixture_read(fixture, i, &row));
		found += row.is_there && row.found_len == 3000 && row.found[0] == i && row.found[2999] == i;
	}
	return found;
}

/* A durable frame that was changed is named. In the last transaction, for which no later frame vouches, damage looks
 * like what a crash leaves: that transaction alone is gone, whole, and the anchor is there to see it. */
static void a_flipped_byte_of_a_frame_is_found_or_costs_the_last_transaction_alone(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(copy) struct copy copy = {0};
	leave_a_log(fixture, &copy);
	size_t frame_count = (copy.log_len - LOG_HEADER_LEN) / FRAME_LEN;
	static const size_t positions[] = {0, 30, FRAME_HEADER_LEN - 1, FRAME_HEADER_LEN, 2000, FRAME_LEN - 1};
	size_t unnamed = 0;
	for (size_t frame = 1; frame <= frame_count; frame++) {
		for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
			copy_put(fixture, &copy);
			flip(fixture->log_path, LOG_HEADER_LEN + (frame - 1) * FRAME_LEN + positions[i]);
			struct sr_database_options options = fixture_options(fixture);
			SR_CLEANUP(sr_result)
			struct sr_result result = sr_database_open(&options, fixture->dek, &fixture->database);
			if (sr_is_ok(result)) {
				unnamed++;
				assert_true(frame > frame_count - 6);
				assert_int_equal(rows_found(fixture, 12), 11);
				expect_ok(sr_database_verify(fixture->database, NULL, NULL));
				fixture_close(fixture);
				continue;
			}
			char named[32];
			snprintf(named, sizeof named, "frame %zu ", frame);
			assert_int_equal(sr_result_code(result), SR_CORRUPT);
			assert_non_null(strstr(sr_result_message(result), named));
		}
	}
	assert_true(unnamed > 0 && unnamed <= 6 * sizeof positions / sizeof *positions);
}

static void a_log_cut_within_a_frame_loses_only_what_was_cut(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(copy) struct copy copy = {0};
	leave_a_log(fixture, &copy);
	assert_int_equal(truncate(fixture->log_path, (off_t)(copy.log_len - 100)), 0);
	fixture_open(fixture);
	assert_int_equal(rows_found(fixture, 12), 11);
}

static void a_torn_first_page_is_healed_from_the_log(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(copy) struct copy copy = {0};
	leave_a_log(fixture, &copy);
	flip(fixture->path, PAGE_LEN + 3000);
	fixture_open(fixture);
	assert_int_equal(rows_found(fixture, 12), 12);
	expect_ok(sr_database_checkpoint(fixture->database));
	expect_ok(sr_database_verify(fixture->database, NULL, NULL));
}

static void a_log_without_its_main_file_is_an_alarm(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(copy) struct copy copy = {0};
	leave_a_log(fixture, &copy);
	unlink(fixture->path);
	struct sr_database_options options = fixture_options(fixture);
	expect_code(sr_database_open(&options, fixture->dek, &fixture->database), SR_CORRUPT);
	copy_put(fixture, &copy);
}

/* One bad page costs those who need it, and nobody else in the group. */
static struct sr_result read_all(struct sr_connection *connection, void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT sum(length(value)) FROM canary_table WHERE value>x''", &statement));
	return sr_step(statement, context);
}

static void a_bad_page_is_named_to_the_reader_and_others_go_on(void **state)
{
	struct fixture *fixture = *state;
	fill(fixture, 12);
	fixture_close(fixture);
	fixture_open(fixture);
	size_t len;
	sr_free(file_read(fixture->path, &len));
	flip(fixture->path, len - 100);
	bool row;
	SR_CLEANUP(sr_result) struct sr_result result = sr_database_write(fixture->database, read_all, &row);
	assert_int_equal(sr_result_code(result), SR_CORRUPT);
	assert_non_null(strstr(sr_result_message(result), "page "));
	struct row first;
	expect_ok(fixture_read(fixture, 1, &first));
	assert_true(first.is_there);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_end)
	const struct CMUnitTest tests[] = {
	    TEST(another_key_is_told_from_damage),
	    TEST(a_flipped_byte_of_the_header_is_found),
	    TEST(a_flipped_byte_of_any_page_is_found_and_the_page_named),
	    TEST(swapped_pages_are_found),
	    TEST(a_page_of_zeros_is_not_taken_for_content),
	    TEST(a_cut_main_file_is_found),
	    TEST(another_databases_page_and_file_are_refused),
	    TEST(a_flipped_byte_of_the_logs_header_is_found),
	    TEST(a_flipped_byte_of_a_frame_is_found_or_costs_the_last_transaction_alone),
	    TEST(a_log_cut_within_a_frame_loses_only_what_was_cut),
	    TEST(a_torn_first_page_is_healed_from_the_log),
	    TEST(a_log_without_its_main_file_is_an_alarm),
	    TEST(a_bad_page_is_named_to_the_reader_and_others_go_on),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
