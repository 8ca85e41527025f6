/* Small durable files: replaced whole, read within a limit, nothing left beside them. */
#include "check.h"

#include "seal/file.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[256];
static char path[300];
static char beside[310];

static int make_folder(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/sr-file-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/small", folder);
	snprintf(beside, sizeof beside, "%s.new", path);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	unlink(beside);
	return rmdir(folder);
}

static void must_hold(const char *text)
{
	SR_CLEANUP(sr_buf) struct sr_buf buf = SR_BUF(1 << 20);
	SR_CLEANUP(sr_result) struct sr_result result = sr_file_read(path, 1 << 20, &buf);
	assert_true(sr_is_ok(result));
	assert_true(sr_equal_public(sr_buf_bytes(&buf), sr_bytes_str(text)));
}

static void replaces_the_whole_content(void **state)
{
	(void)state;
	expect_ok(sr_file_write_durable(path, SR_LITERAL("a longer first content")));
	must_hold("a longer first content");
	expect_ok(sr_file_write_durable(path, SR_LITERAL("second")));
	must_hold("second");
	expect_ok(sr_file_write_durable(path, (struct sr_bytes){0}));
	must_hold("");
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_not_equal(access(beside, F_OK), 0);
}

static void a_leftover_of_a_crash_is_written_over(void **state)
{
	(void)state;
	expect_ok(sr_file_write_durable(beside, SR_LITERAL("half of what was to be writt")));
	expect_ok(sr_file_write_durable(path, SR_LITERAL("whole")));
	must_hold("whole");
	assert_int_not_equal(access(beside, F_OK), 0);
}

static void a_missing_file_is_not_found(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf buf = SR_BUF(100);
	SR_CLEANUP(sr_result) struct sr_result result = sr_file_read(path, 100, &buf);
	assert_int_equal(sr_result_code(result), SR_NOT_FOUND);
	assert_non_null(strstr(sr_result_message(result), path));
}

static void the_limit_is_exact_and_leaves_the_buffer_as_it_was(void **state)
{
	(void)state;
	expect_ok(sr_file_write_durable(path, SR_LITERAL("0123456789")));
	SR_CLEANUP(sr_buf) struct sr_buf buf = SR_BUF(100);
	sr_buf_append_str(&buf, "x");
	expect_ok(sr_file_read(path, 10, &buf));
	assert_int_equal(buf.len, 11);
	SR_CLEANUP(sr_result) struct sr_result result = sr_file_read(path, 9, &buf);
	assert_int_equal(sr_result_code(result), SR_TOO_LARGE);
	assert_int_equal(buf.len, 11);
}

static void a_folder_that_is_missing_is_named(void **state)
{
	(void)state;
	SR_CLEANUP(sr_result) struct sr_result result = sr_file_write_durable("/nonexistent-folder/x", SR_LITERAL("x"));
	assert_int_equal(sr_result_code(result), SR_NOT_FOUND);
	assert_non_null(strstr(sr_result_message(result), "/nonexistent-folder/x"));
}

static void a_symbolic_link_is_not_followed(void **state)
{
	(void)state;
	assert_int_equal(symlink("/nonexistent-target", beside), 0);
	SR_CLEANUP(sr_result) struct sr_result result = sr_file_write_durable(path, SR_LITERAL("x"));
	assert_false(sr_is_ok(result));
	assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(replaces_the_whole_content, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_leftover_of_a_crash_is_written_over, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_missing_file_is_not_found, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(the_limit_is_exact_and_leaves_the_buffer_as_it_was, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_folder_that_is_missing_is_named, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_symbolic_link_is_not_followed, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
