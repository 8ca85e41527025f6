/*
 * Simulated power loss. A VFS below the sealing one records every write, cut and sync of a database's files
 * together with the moments at which commits were acknowledged; then the power is cut at many points, with all, none or
 * some of what was not yet synced, torn at sectors, and the files that remain must open and hold all that was promised.
 */
#include "database_fixture.h"

enum { MAIN, LOG, FILES, SECTOR_LEN = 512, EVENTS_MAX = 60000, WRITES = 220, CUTS = 320, IMAGE_MAX = 24 * 1024 * 1024 };

struct event {
	enum { WRITE, CUT, SYNC, ACKNOWLEDGED } kind;
	int file;
	size_t offset; /* CUT: the new length; ACKNOWLEDGED: the commit's number */
	size_t len;
	uint8_t *bytes;
};

static struct {
	struct sr_mutex mutex; /* guards the rest; the lowest of locks, as it is taken below all others */
	bool is_on;
	struct event events[EVENTS_MAX];
	size_t count;
} record = {.mutex = SR_MUTEX(SR_RANK_LEAF)};

static void note(int kind, int file, size_t offset, const void *bytes, size_t len)
{
	SR_LOCKED(&record.mutex);
	if (!record.is_on) {
		return;
	}
	if (record.count == EVENTS_MAX) {
		abort();
	}
	struct event *event = &record.events[record.count++];
	*event = (struct event){.kind = kind, .file = file, .offset = offset, .len = len};
	if (len) {
		event->bytes = sr_alloc(len);
		memcpy(event->bytes, bytes, len);
	}
}

/* The recording VFS: `unix` with four methods noted on their way down. */
struct recording_file {
	sqlite3_file native;
	int file;
	sqlite3_file base[];
};

static sqlite3_vfs *unix_vfs;
static sqlite3_vfs recording_vfs;

static struct recording_file *recording(sqlite3_file *file)
{
	return (struct recording_file *)file;
}

static int record_close(sqlite3_file *file)
{
	return recording(file)->base->pMethods->xClose(recording(file)->base);
}

static int record_read(sqlite3_file *file, void *to, int len, sqlite3_int64 offset)
{
	return recording(file)->base->pMethods->xRead(recording(file)->base, to, len, offset);
}

static int record_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 offset)
{
	note(WRITE, recording(file)->file, (size_t)offset, from, (size_t)len);
	return recording(file)->base->pMethods->xWrite(recording(file)->base, from, len, offset);
}

static int record_truncate(sqlite3_file *file, sqlite3_int64 len)
{
	note(CUT, recording(file)->file, (size_t)len, NULL, 0);
	return recording(file)->base->pMethods->xTruncate(recording(file)->base, len);
}

static int record_sync(sqlite3_file *file, int flags)
{
	(void)flags;
	note(SYNC, recording(file)->file, 0, NULL, 0);
	return SQLITE_OK; /* the disk is not asked: this power is never cut */
}

static int record_size(sqlite3_file *file, sqlite3_int64 *ret_len)
{
	return recording(file)->base->pMethods->xFileSize(recording(file)->base, ret_len);
}

static const sqlite3_io_methods recording_methods = {
    .iVersion = 1,
    .xClose = record_close,
    .xRead = record_read,
    .xWrite = record_write,
    .xTruncate = record_truncate,
    .xSync = record_sync,
    .xFileSize = record_size,
};

static int record_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	(void)vfs;
	recording(file)->file = flags & SQLITE_OPEN_WAL ? LOG : MAIN;
	int outcome = unix_vfs->xOpen(unix_vfs, name, recording(file)->base, flags, ret_flags);
	file->pMethods = outcome == SQLITE_OK ? &recording_methods : NULL;
	return outcome;
}

static void recording_vfs_register(void)
{
	assert_int_equal(sqlite3_initialize(), SQLITE_OK);
	unix_vfs = sqlite3_vfs_find("unix");
	recording_vfs = *unix_vfs;
	recording_vfs.zName = "recording";
	recording_vfs.szOsFile = (int)sizeof(struct recording_file) + unix_vfs->szOsFile;
	recording_vfs.xOpen = record_open;
	assert_int_equal(sqlite3_vfs_register(&recording_vfs, 0), SQLITE_OK);
}

/* The workload. Commit n writes rows 2n and 2n+1, of lengths that tell n: a commit is there whole or not at all. */
static size_t length_of_row(int64_t id)
{
	return (size_t)((id / 2 * 7919) % 6000) + 1;
}

static struct sr_result insert_pair(struct sr_connection *connection, void *context)
{
	int64_t number = *(int64_t *)context;
	static uint8_t value[8192];
	for (int64_t id = 2 * number; id <= 2 * number + 1; id++) {
		memset(value, (int)(id & 0xff), sizeof value);
		struct row row = row_of(id, sr_bytes_of(value, length_of_row(id)));
		SR_TRY(row_insert(connection, &row));
	}
	return sr_ok();
}

/* Spills into the log, changes spilled pages again, and is then undone, or kept. */
static struct sr_result churn(struct sr_connection *connection, void *context)
{
	SR_TRY(sr_execute(connection, "UPDATE canary_table SET name=name||'-x'"));
	SR_TRY(sr_execute(connection, "UPDATE canary_table SET name=substr(name,1,length(name)-2)"));
	return context ? sr_fail(SR_PRECONDITION, "undone") : sr_ok();
}

static void run_workload(struct fixture *fixture)
{
	for (int64_t number = 1; number <= WRITES; number++) {
		expect_ok(sr_database_write(fixture->database, insert_pair, &number));
		note(ACKNOWLEDGED, MAIN, (size_t)number, NULL, 0);
		if (number % 20 == 5) {
			expect_code(sr_database_write(fixture->database, churn, fixture), SR_PRECONDITION);
		}
		if (number % 20 == 15) {
			expect_ok(sr_database_write(fixture->database, churn, NULL));
		}
		if (number % 50 == 30) {
			expect_ok(sr_database_checkpoint(fixture->database));
		}
	}
}

/* A file as the disk has it. */
struct image {
	uint8_t *bytes;
	size_t len;
};

static void image_write(struct image *image, size_t offset, const uint8_t *bytes, size_t len)
{
	if (offset + len > IMAGE_MAX) {
		abort();
	}
	if (offset > image->len) {
		memset(image->bytes + image->len, 0, offset - image->len);
	}
	memcpy(image->bytes + offset, bytes, len);
	image->len = offset + len > image->len ? offset + len : image->len;
}

static void image_cut(struct image *image, size_t len)
{
	if (len > image->len) {
		memset(image->bytes + image->len, 0, len - image->len);
	}
	image->len = len;
}

/* How much of what was not synced reaches the disk. */
enum fate { ALL, NOTHING, SOME, TORN, FATES };

/* Each sector of a write reaches the disk or not. */
static void apply_torn(struct image *image, const struct event *event)
{
	for (size_t done = 0; done < event->len;) {
		size_t len = SECTOR_LEN - (event->offset + done) % SECTOR_LEN;
		len = len < event->len - done ? len : event->len - done;
		if (sr_random_u64() & 1) {
			image_write(image, event->offset + done, event->bytes + done, len);
		}
		done += len;
	}
}

static void apply(struct image *image, const struct event *event, enum fate fate)
{
	if (fate == NOTHING || (fate == SOME && (sr_random_u64() & 1))) {
		return;
	}
	if (event->kind == CUT) {
		image_cut(image, event->offset);
	} else if (fate == TORN) {
		apply_torn(image, event);
	} else {
		image_write(image, event->offset, event->bytes, event->len);
	}
}

/* What the disk holds of `file` when the power goes after `cut` events. Gives the last commit acknowledged by then. */
static size_t replay(struct image *image, int file, size_t cut, enum fate fate)
{
	size_t synced = 0;
	size_t acknowledged = 0;
	for (size_t i = 0; i < cut; i++) {
		const struct event *event = &record.events[i];
		synced = event->kind == SYNC && event->file == file ? i : synced;
		acknowledged = event->kind == ACKNOWLEDGED ? event->offset : acknowledged;
	}
	for (size_t i = 0; i < cut; i++) {
		const struct event *event = &record.events[i];
		if (event->file == file && (event->kind == WRITE || event->kind == CUT)) {
			apply(image, event, i < synced ? ALL : fate);
		}
	}
	return acknowledged;
}

struct finding {
	size_t last; /* commits 1 … last must be there */
	size_t beyond;
};

static struct sr_result check_rows(struct sr_connection *connection, void *context)
{
	struct finding *finding = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT id, value FROM canary_table ORDER BY id", &statement));
	int64_t expected = 2;
	bool row;
	SR_TRY(sr_step(statement, &row));
	for (; row; expected++) {
		struct sr_bytes value = sr_column_blob(statement, 1);
		if (sr_column_int(statement, 0) != expected || value.len != length_of_row(expected) ||
		    value.data[0] != (uint8_t)expected || value.data[value.len - 1] != (uint8_t)expected) {
			return sr_fail(SR_CORRUPT, "row %lld is not as it was written", (long long)expected);
		}
		SR_TRY(sr_step(statement, &row));
	}
	if (expected % 2 != 0 || (size_t)expected / 2 <= finding->last) {
		return sr_fail(SR_CORRUPT, "rows end before %lld; %zu commits were acknowledged", (long long)expected,
		               finding->last);
	}
	finding->beyond = (size_t)expected / 2 - 1 - finding->last;
	return sr_ok();
}

/* Opens what the power cut left, and checks it. */
static size_t recover(struct fixture *fixture, size_t cut, enum fate fate, const struct image images[FILES])
{
	const char *paths[FILES] = {fixture->path, fixture->log_path};
	struct finding finding = {0};
	for (int file = 0; file < FILES; file++) {
		struct image image = {.bytes = sr_alloc(IMAGE_MAX), .len = images[file].len};
		memcpy(image.bytes, images[file].bytes, image.len);
		finding.last = replay(&image, file, cut, fate);
		file_write(paths[file], image.bytes, image.len);
		sr_free(image.bytes);
	}
	struct sr_database_options options = fixture_options(fixture);
	struct sr_result result = sr_database_open(&options, fixture->dek, &fixture->database);
	result = sr_is_ok(result) ? sr_database_read(fixture->database, check_rows, &finding) : result;
	result = sr_is_ok(result) ? sr_database_verify(fixture->database, NULL, NULL) : result;
	if (!sr_is_ok(result)) {
		fail_msg("power cut after event %zu of %zu, fate %d: %s", cut, record.count, (int)fate,
		         sr_result_message(result));
	}
	fixture_close(fixture);
	return finding.beyond;
}

/* Anywhere; or close behind an acknowledged commit, where most is at stake. */
static size_t choose_cut(size_t number)
{
	size_t cut = 1 + sr_random_u64() % record.count;
	if (number % 8 < 4) {
		while (cut > 1 && record.events[cut - 1].kind != ACKNOWLEDGED) {
			cut--;
		}
		cut += sr_random_u64() % 8;
	}
	return cut < record.count ? cut : record.count;
}

static void every_acknowledged_commit_outlives_a_power_cut(void **state)
{
	struct fixture *fixture = *state;
	fixture_close(fixture);
	struct sr_database_options options = fixture_options(fixture);
	options.cache_kib = 100;
	expect_ok(sr_database_open_over(&options, fixture->dek, "recording", 0, &fixture->database));
	struct image images[FILES];
	images[MAIN].bytes = file_read(fixture->path, &images[MAIN].len);
	images[LOG].bytes = file_read(fixture->log_path, &images[LOG].len);
	record.is_on = true;
	run_workload(fixture);
	record.is_on = false;
	fixture_close(fixture);
	size_t cuts = 0;
	size_t beyond = 0;
	for (; cuts < CUTS; cuts++) {
		size_t cut = choose_cut(cuts);
		beyond += recover(fixture, cut, (enum fate)(cuts % FATES), images) > 0;
	}
	print_message("%zu events, %zu power cuts, %zu of them kept a commit that was not yet acknowledged\n", record.count,
	              cuts, beyond);
	for (int file = 0; file < FILES; file++) {
		sr_free(images[file].bytes);
	}
	for (size_t i = 0; i < record.count; i++) {
		sr_free(record.events[i].bytes);
	}
}

static int set_up(void **state)
{
	int outcome = init_seal(state);
	if (outcome == 0) {
		recording_vfs_register();
	}
	return outcome;
}

int main(void)
{
	if (access("/dev/shm", W_OK) == 0) { /* what is simulated needs no disk */
		setenv("TMPDIR", "/dev/shm", 1);
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_acknowledged_commit_outlives_a_power_cut, fixture_make, fixture_end),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
