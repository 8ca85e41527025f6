/*
 * Process death. A child writes rows from several threads and tells each acknowledged one through a pipe; it is
 * killed at a random moment, and what it was told must be there. At other moments it is stopped, and none of its
 * files may show a value, a name, or anything of SQLite's own formats in clear.
 */
#include "database_fixture.h"

#include "base/clock.h"

#include <signal.h>
#include <sys/wait.h>

enum { TRIALS = 120, THREADS = 4, LIFE_MAX_US = 25000, STOPS = 4, NUMBER_MAX = 1 << 20 };

static const uint8_t key[SR_KEY_LEN] = "a key that only this test knows";
static const char *this_program;

static void fill_fixture(struct fixture *fixture, const char *folder)
{
	fixture->folder = sr_strdup(folder);
	fixture->path = sr_strdupf("%s/main.db", folder);
	fixture->log_path = sr_strdupf("%s/main.db-wal", folder);
	memset(fixture->id.bytes, 7, SR_ID_LEN);
	expect_ok(sr_secret_from_bytes(sr_bytes_of(key, sizeof key), &fixture->dek));
}

/* The child's side. */
struct child {
	struct fixture *fixture;
	_Atomic int64_t next;
};

static void value_of(int64_t number, uint8_t *value, size_t *ret_len)
{
	*ret_len = (size_t)(number * 7919 % 5000) + 40;
	memset(value, (int)(number & 0xff), *ret_len);
	memcpy(value, "canary-value", 12);
}

static void write_for_ever(void *context)
{
	struct child *child = context;
	uint8_t value[8192];
	for (;;) {
		int64_t number = child->next++;
		size_t len;
		value_of(number, value, &len);
		struct row row = row_of(number, sr_bytes_of(value, len));
		struct sr_result result = sr_database_write(child->fixture->database, row_insert, &row);
		if (!sr_is_ok(result)) {
			fprintf(stderr, "child: %s\n", sr_result_message(result));
			_exit(1);
		}
		if (write(STDOUT_FILENO, &number, sizeof number) != sizeof number) {
			_exit(1);
		}
	}
}

static int run_child(const char *folder, const char *first)
{
	void *state = NULL;
	if (init_seal(&state) != 0) {
		return 1;
	}
	struct fixture fixture = {0};
	fill_fixture(&fixture, folder);
	struct sr_database_options options = fixture_options(&fixture);
	struct sr_result result = sr_database_open(&options, fixture.dek, &fixture.database);
	if (!sr_is_ok(result)) {
		fprintf(stderr, "child: %s\n", sr_result_message(result));
		return 1;
	}
	struct child child = {.fixture = &fixture, .next = atoll(first)};
	struct sr_thread threads[THREADS];
	for (int i = 0; i < THREADS; i++) {
		sr_ignore(sr_thread_start("writer", 0, write_for_ever, &child, &threads[i]));
	}
	for (;;) {
		pause();
	}
}

/* The parent's side. */
static pid_t start_child(const char *folder, int64_t first, int *ret_pipe)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	char number[32];
	snprintf(number, sizeof number, "%lld", (long long)first);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execl("/proc/self/exe", this_program, "--child", folder, number, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	*ret_pipe = ends[0];
	return child;
}

static bool *acknowledged; /* by number */

/* Reads one number; false at the pipe's end. */
static bool hear(int from, int64_t *highest)
{
	int64_t number;
	ssize_t len = read(from, &number, sizeof number);
	if (len == 0) {
		return false;
	}
	assert_int_equal(len, sizeof number);
	assert_true(number > 0 && number < NUMBER_MAX);
	acknowledged[number] = true;
	*highest = number > *highest ? number : *highest;
	return true;
}

/* What may be in no file: what was written, and what SQLite's own formats begin with or keep in every table. */
static const char *const canaries[] = {"canary",  "canary-value",     "CREATE TABLE",     "SQLite format",
                                       "sqlite_", "\x37\x7f\x06\x82", "\x37\x7f\x06\x83", "strongroom_anchor"};

static int scan_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)walk;
	if (kind != FTW_F) {
		return 0;
	}
	size_t len;
	uint8_t *bytes = file_read(path, &len);
	for (size_t i = 0; i < sizeof canaries / sizeof *canaries; i++) {
		/* Four random bytes of ciphertext are met once in 4 GiB: magic numbers are looked for where they would be. */
		size_t where = canaries[i][0] == 0x37 && len > 4 ? 4 : len;
		if (memmem(bytes, where, canaries[i], strlen(canaries[i]))) {
			fail_msg("%s holds \"%s\"", path, canaries[i]);
		}
	}
	sr_free(bytes);
	return 0;
}

/* A process stopped anywhere leaves no file with plaintext, nor any file but the two. */
static void stop_and_scan(pid_t child, const struct fixture *fixture)
{
	for (int i = 0; i < STOPS; i++) {
		usleep((useconds_t)(sr_random_u64() % 3000));
		assert_int_equal(kill(child, SIGSTOP), 0);
		int status;
		assert_int_equal(waitpid(child, &status, WUNTRACED), child);
		assert_true(WIFSTOPPED(status));
		assert_int_equal(nftw(fixture->folder, scan_one, 8, FTW_PHYS), 0);
		assert_int_equal(kill(child, SIGCONT), 0);
	}
}

static struct sr_result check_acknowledged(struct sr_connection *connection, void *context)
{
	int64_t highest = *(int64_t *)context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT value FROM canary_table WHERE id=?", &statement));
	for (int64_t number = 1; number <= highest; number++) {
		uint8_t value[8192];
		size_t len;
		value_of(number, value, &len);
		sr_bind_int(statement, 1, number);
		bool row;
		SR_TRY(sr_step(statement, &row));
		if (row ? !sr_equal_public(sr_column_blob(statement, 0), sr_bytes_of(value, len)) : acknowledged[number]) {
			return sr_fail(SR_CORRUPT, "row %lld is missing or another", (long long)number);
		}
		sr_statement_done(statement);
		SR_TRY(sr_prepare(connection, "SELECT value FROM canary_table WHERE id=?", &statement));
	}
	return sr_ok();
}

static void check(struct fixture *fixture, int64_t highest)
{
	fixture_open(fixture);
	expect_ok(sr_database_verify(fixture->database, NULL, NULL));
	expect_ok(sr_database_read(fixture->database, check_acknowledged, &highest));
	fixture_close(fixture);
}

static void acknowledged_rows_outlive_a_kill_and_nothing_is_in_clear(void **state)
{
	struct fixture *fixture = *state;
	acknowledged = sr_alloc_array(NUMBER_MAX, sizeof *acknowledged);
	int64_t highest = 0;
	int64_t next = 1;
	for (int trial = 0; trial < TRIALS; trial++) {
		int from;
		pid_t child = start_child(fixture->folder, next, &from);
		assert_true(hear(from, &highest));
		if (trial % 10 == 0) {
			stop_and_scan(child, fixture);
		}
		usleep((useconds_t)(sr_random_u64() % LIFE_MAX_US));
		assert_int_equal(kill(child, SIGKILL), 0);
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		while (hear(from, &highest)) {
		}
		close(from);
		next = highest + 100; /* past what was written but not heard of */
		if (trial % 4 == 3 || trial == TRIALS - 1) {
			check(fixture, highest); /* the other children find what a killed one left */
		}
	}
	print_message("%d trials, rows up to %lld\n", TRIALS, (long long)highest);
	sr_free(acknowledged);
}

static int make_folder(void **state)
{
	const char *root = getenv("TMPDIR");
	struct fixture *fixture = sr_alloc(sizeof *fixture);
	char folder[200];
	snprintf(folder, sizeof folder, "%s/kill-XXXXXX", root ? root : "/tmp");
	if (!mkdtemp(folder)) {
		return -1;
	}
	fill_fixture(fixture, folder);
	*state = fixture;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--child") == 0) {
		return run_child(argv[2], argv[3]);
	}
	this_program = argv[0];
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(acknowledged_rows_outlive_a_kill_and_nothing_is_in_clear, make_folder,
	                                    fixture_end),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
