/* A log in its database and as an export: whole as written, broken by any change to entries, checkpoints or keys, set
 * back or cut short, and whole after a kill at any moment. */
#include "audit/line.h"
#include "audit/signer.h"

#include "base/clock.h"
#include "base/memory.h"

#include "check.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CRASHES = 5, FLIP_STEP = 7 };
#else
enum { CRASHES = 25, FLIP_STEP = 1 };
#endif
enum { EXPORT_MAX = 1 << 24 };

static struct {
	char folder[64];
	struct sr_id id;
	struct sr_secret *dek;
	struct sr_aead *aead;
	struct sr_database *database;
	struct sr_audit_signer *signer;
	int64_t now;
} house;

static void open_house(void)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/log.db", house.folder);
	static const char *const upgrades[] = {SR_AUDIT_CHECKPOINT_SQL, NULL};
	const struct sr_database_options options = {
	    .path = path, .id = house.id, .schema = SR_AUDIT_CHAIN_SQL, .upgrades = upgrades};
	expect_ok(sr_database_open(&options, house.dek, &house.database));
	expect_ok(sr_audit_signer_open(house.database, house.aead, "vault", &house.id, house.now, &house.signer));
}

static void close_house(void)
{
	sr_audit_signer_close(house.signer);
	sr_database_close(house.database);
}

/* A key that a child process can make again: the tests' own, and no secret. */
static void make_key(void)
{
	SR_CLEANUP(sr_aead) struct sr_aead *aead = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	expect_ok(sr_secret_from_bytes(SR_LITERAL("0123456789abcdef0123456789abcdef"), &root));
	expect_ok(sr_derive(root, SR_LITERAL(""), "test", SR_KEY_LEN, &house.dek));
	expect_ok(sr_aead_new(house.dek, &house.aead));
	memset(house.id.bytes, 7, sizeof house.id.bytes);
	house.now = 1795536000;
}

static int set_up(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(house.folder, sizeof house.folder, "%s/audit-test-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(house.folder));
	make_key();
	open_house();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close_house();
	sr_aead_free(house.aead);
	sr_secret_free(house.dek);
	SR_CLEANUP(sr_string) char *command = sr_strdupf("rm -rf '%s'", house.folder);
	assert_int_equal(system(command), 0);
	return 0;
}

static void append(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char object[32];
		snprintf(object, sizeof object, "default/keys/%u", i);
		const struct sr_audit_event event = {
		    .object_id = "local", .operation = "Test", .object = object, .status = 200};
		expect_ok(sr_audit_write(house.database, &event));
	}
}

static void sign(void)
{
	expect_ok(sr_audit_sign(house.signer, ++house.now));
}

static struct sr_audit_verdict verify_with(const struct sr_audit_expectation *expectation)
{
	struct sr_audit_verdict verdict;
	expect_ok(sr_audit_verify(house.signer, expectation, &verdict));
	return verdict;
}

static struct sr_audit_verdict verify(void)
{
	return verify_with(NULL);
}

static struct sr_result execute(struct sr_connection *connection, void *context)
{
	return sr_execute(connection, context);
}

static void sql(const char *text)
{
	SR_CLEANUP(sr_string) char *copy = sr_strdup(text);
	expect_ok(sr_database_write(house.database, execute, copy));
}

/* The log as `audit export` writes it. */
static struct sr_result export_key(const struct sr_audit_key *key, void *context)
{
	sr_audit_line_key(key, context);
	return sr_ok();
}

static struct sr_result export_keys(struct sr_connection *connection, void *context)
{
	return sr_audit_each_key(connection, export_key, context);
}

struct export
{
	struct sr_buf *text;
	uint64_t entries, checkpoints;
};

static struct sr_result export_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context)
{
	struct export *export = context;
	export->entries++;
	sr_audit_line_entry(seq, entry, hash, export->text);
	return sr_ok();
}

static struct sr_result export_checkpoint(uint64_t number, struct sr_bytes statement, struct sr_bytes signature,
                                          void *context)
{
	struct export *export = context;
	export->checkpoints++;
	sr_audit_line_checkpoint(number, statement, signature, export->text);
	return sr_ok();
}

static void export_log(struct sr_buf *text)
{
	struct export export = {.text = text};
	const struct sr_audit_visitor visitor = {export_entry, export_checkpoint, NULL, &export};
	sign();
	sr_audit_line_head("vault", &house.id, text);
	expect_ok(sr_database_read(house.database, export_keys, text));
	expect_ok(sr_audit_walk(house.database, 0, &visitor));
	sr_audit_line_end(export.entries, export.checkpoints, text);
	expect_ok(sr_buf_result(text));
}

static struct sr_audit_verdict verify_export(struct sr_bytes text, const struct sr_audit_expectation *expectation)
{
	SR_CLEANUP(sr_audit_verifier) struct sr_audit_verifier *verifier = sr_audit_verifier_new(expectation);
	struct sr_audit_reader reader = {.verifier = verifier};
	struct sr_audit_verdict verdict;
	bool has_tail = false;
	while (text.len) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		if (!end) {
			has_tail = true;
			break;
		}
		const size_t len = (size_t)(end - text.data);
		expect_ok(sr_audit_reader_line(&reader, sr_bytes_of(text.data, len)));
		text = sr_bytes_of(end + 1, text.len - len - 1);
	}
	expect_ok(sr_audit_reader_finish(&reader, has_tail, &verdict));
	return verdict;
}

static void a_log_is_whole_as_written_and_goes_on_after_reopening(void **state)
{
	(void)state;
	assert_int_equal(verify().entries, 0);
	sign(); /* a log without entries has a checkpoint too */
	sign(); /* but no second one */
	assert_int_equal(verify().checkpoints, 1);
	for (unsigned i = 0; i < 6; i++) {
		append(100 + i);
		sign();
	}
	const struct sr_audit_key key = sr_audit_signer_key(house.signer);
	close_house();
	open_house();
	assert_string_equal(sr_audit_signer_key(house.signer).id, key.id);
	append(700);
	const struct sr_audit_verdict verdict = verify();
	assert_int_equal(verdict.broken_at, 0);
	assert_int_equal(verdict.entries, 615 + 700);
	assert_int_equal(verdict.checkpoints, 7);
	assert_int_equal(verdict.covered, 615);
	bool is_continued;
	expect_ok(sr_audit_is_continued(house.database, &is_continued));
	assert_true(is_continued);
}

static void every_kind_of_change_is_found_where_it_happened(void **state)
{
	(void)state;
	const struct {
		const char *change;
		uint64_t broken_at;
	} changes[] = {
	    {"UPDATE audit SET entry = replace(entry, 'local', 'other') WHERE seq = 5", 5},
	    {"UPDATE audit SET hash = zeroblob(32) WHERE seq = 5", 5},
	    {"DELETE FROM audit WHERE seq = 5", 5},
	    {"DELETE FROM audit WHERE seq > 8", 9},   /* the tail, which the chain alone would not miss */
	    {"DELETE FROM audit WHERE seq > 10", 11}, /* at a checkpoint's end */
	    {"DELETE FROM audit", 1},
	    {"UPDATE audit_checkpoint SET statement = replace(statement, 'vault', 'fault') WHERE number = 2", 6},
	    {"UPDATE audit_checkpoint SET signature = zeroblob(70) WHERE number = 2", 6},
	    {"UPDATE audit_checkpoint SET signature = (SELECT signature FROM audit_checkpoint WHERE number = 3) WHERE "
	     "number = 2",
	     6},
	    {"DELETE FROM audit_checkpoint WHERE number = 2", 6},
	    {"DELETE FROM audit_checkpoint WHERE number = 1", 1},
	    {"UPDATE audit_checkpoint SET seq = 14 WHERE number = 3", 15},
	    {"DELETE FROM audit_key WHERE number = 1", 1},
	};
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		append(5);
		sign();
		append(5);
		sign();
		append(5);
		sign();
		assert_int_equal(verify().broken_at, 0);
		sql(changes[i].change);
		const struct sr_audit_verdict verdict = verify();
		if (verdict.broken_at != changes[i].broken_at || !verdict.why) {
			fail_msg("%s: broken at %llu", changes[i].change, (unsigned long long)verdict.broken_at);
		}
		sql("DELETE FROM audit");
		sql("DELETE FROM audit_checkpoint");
		sql("DELETE FROM audit_key");
		close_house();
		open_house();
	}
}

static void a_lost_tail_shows_at_the_next_start(void **state)
{
	(void)state;
	bool is_continued;
	append(10);
	sign();
	sql("DELETE FROM audit WHERE seq = 10");
	expect_ok(sr_audit_is_continued(house.database, &is_continued));
	assert_false(is_continued);
	append(1); /* another tenth entry */
	expect_ok(sr_audit_is_continued(house.database, &is_continued));
	assert_false(is_continued);
	append(5);
	sign();
	assert_int_equal(verify().broken_at, 1); /* the first checkpoint does not sign for these entries */
}

static void the_key_changes_by_the_old_ones_word(void **state)
{
	(void)state;
	append(3);
	sign();
	const struct sr_audit_key first = sr_audit_signer_key(house.signer);
	expect_ok(sr_audit_signer_rotate(house.signer, ++house.now));
	append(3);
	expect_ok(sr_audit_signer_rotate(house.signer, ++house.now));
	const struct sr_audit_key last = sr_audit_signer_key(house.signer);
	assert_string_not_equal(first.id, last.id);
	close_house();
	open_house();
	assert_string_equal(sr_audit_signer_key(house.signer).id, last.id);
	append(3);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(EXPORT_MAX);
	export_log(&text);
	const struct sr_audit_key *const keys[] = {&first, &last};
	for (size_t i = 0; i < 2; i++) {
		const struct sr_audit_expectation expectation = {.key = keys[i]};
		assert_int_equal(verify_with(&expectation).broken_at, 0);
		assert_int_equal(verify_export(sr_buf_bytes(&text), &expectation).broken_at, 0);
	}
	struct sr_audit_key stranger = first;
	stranger.id[0] = stranger.id[0] == '0' ? '1' : '0';
	const struct sr_audit_expectation expectation = {.key = &stranger};
	assert_int_not_equal(verify_export(sr_buf_bytes(&text), &expectation).broken_at, 0);
}

static struct sr_result read_newest(struct sr_connection *connection, void *context)
{
	SR_CLEANUP(sr_buf) struct sr_buf statement = SR_BUF(4096), signature = SR_BUF(4096);
	uint64_t number;
	SR_TRY(sr_audit_newest_checkpoint(connection, &number, &statement, &signature));
	sr_audit_line_checkpoint(number, sr_buf_bytes(&statement), sr_buf_bytes(&signature), context);
	return sr_ok();
}

static void an_anchor_finds_a_log_that_was_set_back_or_written_anew(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(EXPORT_MAX), old = SR_BUF(EXPORT_MAX);
	struct sr_audit_anchor anchor;
	append(4);
	export_log(&old);
	append(4);
	sign();
	expect_ok(sr_database_read(house.database, read_newest, &file));
	expect_ok(sr_audit_anchor_read(sr_buf_bytes(&file), &anchor));
	const struct sr_audit_expectation expectation = {.anchor = &anchor.statement, .anchor_text = anchor.text};
	append(4);
	sign();
	assert_int_equal(verify_with(&expectation).broken_at, 0);
	assert_int_equal(verify_export(sr_buf_bytes(&old), NULL).broken_at, 0);
	assert_int_equal(verify_export(sr_buf_bytes(&old), &expectation).broken_at, 5);
	/* The same log, honestly signed, but set back and gone another way. */
	sql("DELETE FROM audit WHERE seq > 4");
	sql("DELETE FROM audit_checkpoint WHERE number > 1");
	append(9);
	sign();
	assert_int_equal(verify().broken_at, 0);
	assert_int_not_equal(verify_with(&expectation).broken_at, 0);
	for (size_t len = 0; len + 2 < file.len; len++) {
		expect_code(sr_audit_anchor_read(sr_bytes_of(file.data, len), &anchor), SR_INVALID);
	}
}

static void no_flipped_cut_or_moved_byte_of_an_export_passes(void **state)
{
	(void)state;
	static const uint8_t masks[] = {0x01, 0x20, 0x80};
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(EXPORT_MAX);
	append(2);
	sign();
	expect_ok(sr_audit_signer_rotate(house.signer, ++house.now));
	append(2);
	export_log(&text);
	const struct sr_audit_key key = sr_audit_signer_key(house.signer);
	const struct sr_audit_expectation expectation = {.key = &key};
	assert_int_equal(verify_export(sr_buf_bytes(&text), &expectation).broken_at, 0);
	for (size_t i = 0; i < text.len; i += FLIP_STEP) {
		for (size_t m = 0; m < sizeof masks; m++) {
			text.data[i] ^= masks[m];
			if (!verify_export(sr_buf_bytes(&text), &expectation).broken_at) {
				fail_msg("byte %zu flipped by %02x is not found", i, masks[m]);
			}
			text.data[i] ^= masks[m];
		}
		assert_int_not_equal(verify_export(sr_bytes_of(text.data, i), &expectation).broken_at, 0);
	}
	/* Each line taken out, and each said twice. */
	for (size_t from = 0; from < text.len;) {
		const uint8_t *end = memchr(text.data + from, '\n', text.len - from);
		const size_t next = (size_t)(end - text.data) + 1;
		SR_CLEANUP(sr_buf) struct sr_buf less = SR_BUF(EXPORT_MAX), more = SR_BUF(EXPORT_MAX);
		sr_buf_append(&less, sr_bytes_of(text.data, from));
		sr_buf_append(&less, sr_bytes_of(text.data + next, text.len - next));
		sr_buf_append(&more, sr_bytes_of(text.data, next));
		sr_buf_append(&more, sr_bytes_of(text.data + from, text.len - from));
		/* Keys are told by the checkpoints too, so only the first must be there, and a key may stand twice. */
		if (text.data[from + 2] != 'k') {
			assert_int_not_equal(verify_export(sr_buf_bytes(&less), &expectation).broken_at, 0);
			assert_int_not_equal(verify_export(sr_buf_bytes(&more), &expectation).broken_at, 0);
		}
		from = next;
	}
}

static void a_forger_without_the_key_is_found(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf real = SR_BUF(EXPORT_MAX), forged = SR_BUF(EXPORT_MAX);
	append(3);
	export_log(&real);
	const struct sr_audit_key key = sr_audit_signer_key(house.signer);
	const struct sr_audit_expectation expectation = {.key = &key};
	/* Another database with a key of its own, which signs a log that is whole in itself. */
	sql("DELETE FROM audit");
	sql("DELETE FROM audit_checkpoint");
	sql("DELETE FROM audit_key");
	close_house();
	open_house();
	append(2);
	export_log(&forged);
	assert_int_equal(verify_export(sr_buf_bytes(&forged), NULL).broken_at, 0);
	assert_int_not_equal(verify_export(sr_buf_bytes(&forged), &expectation).broken_at, 0);
	assert_int_equal(verify_export(sr_buf_bytes(&real), &expectation).broken_at, 0);
}

static void a_checkpoint_is_due_in_time(void **state)
{
	(void)state;
	int64_t time;
	struct sr_result (*next)(struct sr_connection *, int64_t *) = sr_audit_next_checkpoint;
	append(1);
	sign();
	expect_ok(sr_database_read(house.database, (sr_database_work)next, &time));
	assert_true(time == INT64_MIN);
	append(1);
	expect_ok(sr_database_read(house.database, (sr_database_work)next, &time));
	assert_int_equal(time, house.now + SR_AUDIT_EVERY_S);
	append(SR_AUDIT_EVERY_ENTRIES);
	expect_ok(sr_database_read(house.database, (sr_database_work)next, &time));
	assert_int_equal(time, 0);
}

/* What the child does: appends and signs until it is killed, saying on its standard output what is durable. */
static int append_forever(const char *folder)
{
	snprintf(house.folder, sizeof house.folder, "%s", folder);
	make_key();
	open_house();
	for (unsigned i = 0;; i++) {
		append(1);
		if (write(STDOUT_FILENO, "x", 1) != 1) {
			return 1;
		}
		if (i % 5 == 4) {
			sign();
		}
	}
}

static uint64_t run_until_killed(unsigned after_us)
{
	int pipe_ends[2];
	char buffer[4096];
	uint64_t acknowledged = 0;
	assert_int_equal(pipe(pipe_ends), 0);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(pipe_ends[1], STDOUT_FILENO);
		close(pipe_ends[0]);
		close(pipe_ends[1]);
		execl("/proc/self/exe", "test_log", "--append", house.folder, (char *)NULL);
		_exit(127);
	}
	close(pipe_ends[1]);
	assert_int_equal(read(pipe_ends[0], buffer, 1), 1); /* it has begun */
	acknowledged++;
	usleep(after_us);
	kill(child, SIGKILL);
	for (ssize_t len; (len = read(pipe_ends[0], buffer, sizeof buffer)) > 0;) {
		acknowledged += (uint64_t)len;
	}
	close(pipe_ends[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return acknowledged;
}

static void a_kill_during_appends_leaves_a_log_that_verifies(void **state)
{
	(void)state;
	uint64_t acknowledged = 0;
	for (unsigned i = 0; i < CRASHES; i++) {
		close_house();
		acknowledged += run_until_killed((unsigned)random() % 40000);
		open_house();
		const struct sr_audit_verdict verdict = verify();
		assert_int_equal(verdict.broken_at, 0);
		assert_true(verdict.entries >= acknowledged);
		acknowledged = verdict.entries;
		bool is_continued;
		expect_ok(sr_audit_is_continued(house.database, &is_continued));
		assert_true(is_continued);
	}
}

static struct sr_result append_many(struct sr_connection *connection, void *context)
{
	const struct sr_audit_event event = {.object_id = "5fb0dbb8-6a1c-4dd2-9c6d-0de0ec7d0b92",
	                                     .app_id = "5fb0dbb8-6a1c-4dd2-9c6d-0de0ec7d0b92",
	                                     .name = "robot",
	                                     .from = "127.0.0.1",
	                                     .operation = "SecretGet",
	                                     .object = "default/secrets/name/83439ef5a369bd712a088a6ab43cc007",
	                                     .request_id = "19325441-a208-4d69-8c58-cd5c8f46ca45",
	                                     .status = 200};
	for (unsigned i = 0; i < *(unsigned *)context; i++) {
		SR_TRY(sr_audit_append(connection, &event));
	}
	return sr_ok();
}

/* By hand, `test_audit_log --measure N`: the cost of an entry as the log grows, and of reading all. */
static int measure(uint64_t count)
{
	set_up(NULL);
	unsigned batch = 10000;
	for (uint64_t done = 0; done < count; done += batch) {
		const uint64_t start_ns = sr_boottime_ns();
		expect_ok(sr_database_write(house.database, append_many, &batch));
		if (done % (10 * batch) == 0) {
			printf("%8llu entries: %.2f us each\n", (unsigned long long)done,
			       (double)(sr_boottime_ns() - start_ns) / 1e3 / batch);
		}
		sign();
	}
	const uint64_t start_ns = sr_boottime_ns();
	const struct sr_audit_verdict verdict = verify();
	printf("verified %llu entries, %llu checkpoints in %.1f s, broken at %llu\n", (unsigned long long)verdict.entries,
	       (unsigned long long)verdict.checkpoints, (double)(sr_boottime_ns() - start_ns) / 1e9,
	       (unsigned long long)verdict.broken_at);
	tear_down(NULL);
	return 0;
}

int main(int argc, char **argv)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
	if (argc == 3 && strcmp(argv[1], "--append") == 0) {
		return append_forever(argv[2]);
	}
	if (argc == 3 && strcmp(argv[1], "--measure") == 0) {
		return measure(strtoull(argv[2], NULL, 10));
	}
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_log_is_whole_as_written_and_goes_on_after_reopening),
	    TEST(every_kind_of_change_is_found_where_it_happened),
	    TEST(a_lost_tail_shows_at_the_next_start),
	    TEST(the_key_changes_by_the_old_ones_word),
	    TEST(an_anchor_finds_a_log_that_was_set_back_or_written_anew),
	    TEST(no_flipped_cut_or_moved_byte_of_an_export_passes),
	    TEST(a_forger_without_the_key_is_found),
	    TEST(a_checkpoint_is_due_in_time),
	    TEST(a_kill_during_appends_leaves_a_log_that_verifies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
