/* Repositories of backups: what goes in comes out, only what is new is written, and damage is found and named. */
#include "check.h"
#include "seal_init.h"

#include "base/memory.h"
#include "seal/archive.h"
#include "seal/archive_manifest.h"
#include "seal/archive_parts.h"
#include "seal/file.h"

#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

static const char *at(const char *below)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof paths[0], "%s/%s", folder, below);
	return path;
}

static int make_folder(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/sr-archive-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(mkdir(at("from"), 0700), 0);
	assert_int_equal(mkdir(at("from/extents"), 0700), 0);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	char *const roots[] = {folder, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	for (FTSENT *entry; (entry = fts_read(walk));) {
		if (entry->fts_info != FTS_D) {
			remove(entry->fts_path);
		}
	}
	return fts_close(walk);
}

static void put(const char *name, const char *text, size_t times)
{
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(64 << 20);
	for (size_t i = 0; i < times; i++) {
		sr_buf_append_str(&bytes, text);
	}
	expect_ok(sr_file_write_durable(at(name), sr_buf_bytes(&bytes)));
}

static struct sr_archive_figures take(int64_t now_s, char ret_id[static SR_ID_TEXT_LEN])
{
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	struct sr_archive_figures figures;
	uint8_t sha256[32];
	expect_ok(sr_archive_open(at("repository"), true, &archive));
	expect_ok(sr_archive_begin(archive, now_s));
	expect_ok(sr_archive_add_tree(archive, "it", at("from"), NULL));
	expect_ok(sr_archive_complete(archive, sha256, &figures));
	expect_ok(sr_archive_publish(archive, sr_bytes_of(sha256, 32), ret_id)); /* the digest stands for its seal here */
	return figures;
}

static const char *const *names; /* the folders that may be in a snapshot; NULL: any */

static struct sr_result give_back(const char *id, const char *into)
{
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf seal = SR_BUF(256);
	uint8_t sha256[32];
	SR_TRY(sr_archive_open(at("repository"), false, &archive));
	SR_TRY(sr_archive_read(archive, id, into, names, NULL, sha256, &seal));
	return sr_equal_public(sr_buf_bytes(&seal), sr_bytes_of(sha256, 32))
	           ? sr_ok()
	           : sr_fail(SR_CORRUPT, "the manifest is another than was sealed");
}

static void must_fail(struct sr_result result)
{
	assert_false(sr_is_ok(result));
	sr_result_free(result);
}

static void must_be_same(const char *a, const char *b)
{
	SR_CLEANUP(sr_buf) struct sr_buf left = SR_BUF(64 << 20), right = SR_BUF(64 << 20);
	expect_ok(sr_file_read(at(a), 64 << 20, &left));
	expect_ok(sr_file_read(at(b), 64 << 20, &right));
	assert_true(sr_equal_public(sr_buf_bytes(&left), sr_buf_bytes(&right)));
}

static void what_goes_in_comes_out(void **state)
{
	(void)state;
	char id[SR_ID_TEXT_LEN];
	put("from/small", "a small one", 1);
	put("from/empty", "", 0);
	put("from/main.db", "pages of a database ", 100000);
	put("from/extents/large", "an extent of more than two blocks ", 300000);
	const struct sr_archive_figures figures = take(1000, id);
	assert_int_equal(figures.files, 4);
	assert_int_equal(mkdir(at("into"), 0700), 0);
	expect_ok(give_back(id, at("into")));
	must_be_same("from/small", "into/it/small");
	must_be_same("from/empty", "into/it/empty");
	must_be_same("from/main.db", "into/it/main.db");
	must_be_same("from/extents/large", "into/it/extents/large");
	expect_code(give_back(id, at("into")), SR_EXISTS); /* nothing is written over */
}

static void only_what_is_new_is_written(void **state)
{
	(void)state;
	char first[SR_ID_TEXT_LEN], second[SR_ID_TEXT_LEN];
	put("from/main.db", "0123456789abcdef", 200000);
	put("from/extents/one", "x", 5000000);
	const struct sr_archive_figures all = take(1000, first);
	assert_true(all.new_bytes > 4000000);
	put("from/extents/two", "y", 1000);
	const struct sr_archive_figures more = take(1000, second); /* the clock stands still, their order does not */
	assert_int_equal(more.new_bytes, 1000);
	assert_int_equal(more.bytes, all.bytes + 1000);
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	struct sr_archive_snapshot *snapshots;
	size_t count;
	expect_ok(sr_archive_open(at("repository"), false, &archive));
	expect_ok(sr_archive_list(archive, &snapshots, &count));
	assert_int_equal(count, 2);
	assert_string_equal(snapshots[1].id, second);
	sr_free(snapshots);
}

/* Every file of the repository that a snapshot needs, damaged in its middle and cut, one after another. */
static void damage_is_found_wherever_it_is(void **state)
{
	(void)state;
	char id[SR_ID_TEXT_LEN];
	put("from/main.db", "0123456789abcdef", 40000);
	put("from/extents/one", "x", 100);
	take(1000, id);
	char *const roots[] = {(char *)(uintptr_t)at("repository"), NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	size_t damaged = 0;
	for (FTSENT *entry; (entry = fts_read(walk));) {
		if (entry->fts_info != FTS_F) {
			continue;
		}
		SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(8 << 20);
		expect_ok(sr_file_read(entry->fts_path, 8 << 20, &bytes));
		expect_ok(give_back(id, NULL));
		bytes.data[bytes.len / 2] ^= 1;
		expect_ok(sr_file_write_durable(entry->fts_path, sr_buf_bytes(&bytes)));
		must_fail(give_back(id, NULL));
		bytes.data[bytes.len / 2] ^= 1;
		expect_ok(sr_file_write_durable(entry->fts_path, sr_bytes_of(bytes.data, bytes.len - 1)));
		must_fail(give_back(id, NULL));
		expect_ok(sr_file_write_durable(entry->fts_path, sr_buf_bytes(&bytes)));
		damaged++;
	}
	fts_close(walk);
	assert_true(damaged >= 6);
	expect_ok(give_back(id, NULL));
}

static void pruning_keeps_what_the_rest_needs(void **state)
{
	(void)state;
	char first[SR_ID_TEXT_LEN], second[SR_ID_TEXT_LEN];
	put("from/kept", "kept", 1000);
	put("from/goes", "goes", 1000);
	take(1000, first);
	assert_int_equal(unlink(at("from/goes")), 0);
	take(2000, second);
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	uint64_t freed;
	expect_ok(sr_archive_open(at("repository"), false, &archive));
	expect_ok(sr_archive_prune(archive, 1, &freed));
	assert_int_equal(freed, 4000);
	sr_archive_close(SR_TAKE(archive));
	expect_ok(give_back(second, NULL));
	must_fail(give_back(first, NULL));
}

static void a_folder_with_something_else_is_no_repository(void **state)
{
	(void)state;
	struct sr_archive *archive = NULL;
	put("from/small", "somebody's", 1);
	expect_code(sr_archive_open(at("from"), true, &archive), SR_INVALID);
	expect_code(sr_archive_open(at("nowhere"), false, &archive), SR_NOT_FOUND);
}

static void one_process_at_a_time_uses_it(void **state)
{
	(void)state;
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	struct sr_archive *second = NULL;
	expect_ok(sr_archive_open(at("repository"), true, &archive));
	expect_code(sr_archive_open(at("repository"), true, &second), SR_CONFLICT);
}

/* A backup that ended in the middle leaves no snapshot, and the next one is whole. */
static void a_snapshot_that_was_not_published_is_none(void **state)
{
	(void)state;
	put("from/small", "small", 1);
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	expect_ok(sr_archive_open(at("repository"), true, &archive));
	expect_ok(sr_archive_begin(archive, 1000));
	expect_ok(sr_archive_add_tree(archive, "it", at("from"), NULL));
	sr_archive_close(SR_TAKE(archive));
	struct sr_archive_snapshot *snapshots;
	size_t count;
	expect_ok(sr_archive_open(at("repository"), false, &archive));
	expect_ok(sr_archive_list(archive, &snapshots, &count));
	assert_int_equal(count, 0);
	sr_free(snapshots);
	sr_archive_close(SR_TAKE(archive));
	char id[SR_ID_TEXT_LEN];
	take(1000, id);
	expect_ok(give_back(id, NULL));
}

/* What reads a manifest's text to its end, or to what is wrong with it. */
static struct sr_result read_manifest(const char *text)
{
	put("manifest", text, 1);
	SR_CLEANUP(sr_manifest_reader) struct sr_manifest_reader reader = {0};
	struct sr_manifest_file file;
	SR_TRY(sr_manifest_open(at("manifest"), &reader));
	for (bool is_file = true; is_file;) {
		SR_TRY(sr_manifest_next_file(&reader, &is_file, &file));
		assert_true(!is_file || (file.mode & ~0777U) == 0);
	}
	return sr_ok();
}

static void a_manifest_that_nobody_wrote_is_damaged(void **state)
{
	(void)state;
#define HEAD "strongroom-backup 1\ntime 1000\n"
	expect_ok(read_manifest(HEAD "file 600 7 it/small\nend 1 7\n"));
	static const char *const wrong[] = {
	    "",
	    "strongroom-backup 2\ntime 1000\nend 0 0\n",
	    "strongroom-backup 1\ntime x\nend 0 0\n",
	    "strongroom-backup 1\ntime 99999999999999999999\nend 0 0\n",
	    HEAD,
	    HEAD "end 1 0\n",
	    HEAD "end 0 0\nend 0 0\n",
	    "strongroom-backup 1\ntime 9223372036854775807\nend 0 0\n", /* a second later there would be no time */
	    HEAD "file -01 7 it/small\nend 1 7\n",                      /* every bit of the mode, set-user-id too */
	    HEAD "file +77 7 it/small\nend 1 7\n",
	    HEAD "file 600 -7 it/small\nend 1 7\n",
	    HEAD "file 600 7 ../small\nend 1 7\n",
	    HEAD "file 600 7 /small\nend 1 7\n",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		expect_code(read_manifest(wrong[i]), SR_CORRUPT);
	}
}

static void a_manifest_of_version_1_reads_for_ever(void **state)
{
	(void)state;
	const char *vectors = getenv("SR_VECTORS");
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/backup_manifest_v1", vectors ? vectors : "tests/vectors");
	SR_CLEANUP(sr_manifest_reader) struct sr_manifest_reader reader = {0};
	struct sr_manifest_file file;
	bool is_file, is_block;
	char name[SR_BLOCK_NAME_LEN], hex[65];
	uint8_t sha256[32];
	expect_ok(sr_manifest_open(path, &reader));
	assert_int_equal(reader.time_s, 1795536000);
	expect_ok(sr_manifest_next_file(&reader, &is_file, &file));
	assert_string_equal(file.path, "beside/ca.pem");
	expect_ok(sr_manifest_next_block(&reader, &is_block, name));
	assert_true(is_block);
	sr_archive_block_name(SR_LITERAL("ca"), hex);
	assert_string_equal(name, hex);
	expect_ok(sr_manifest_next_file(&reader, &is_file, &file));
	assert_int_equal(file.mode, 0640);
	assert_int_equal(file.size, 4194307);
	expect_ok(sr_manifest_next_file(&reader, &is_file, &file));
	expect_ok(sr_manifest_next_file(&reader, &is_file, &file));
	assert_false(is_file);
	sr_manifest_digest(&reader, sha256);
	sr_hex_encode(sr_bytes_of(sha256, sizeof sha256), hex);
	assert_string_equal(hex, "ab15b0294543fb10fd27b92ee95136ac7c8d7b10f9d0b055090d8943d5cf7380");
}

static void what_cannot_be_read_is_not_left_out_in_silence(void **state)
{
	(void)state;
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	expect_ok(sr_archive_open(at("repository"), true, &archive));
	expect_ok(sr_archive_begin(archive, 1000));
	expect_code(sr_archive_add_tree(archive, "it", at("gone"), NULL), SR_NOT_FOUND);
}

/* A repository that somebody else made: files elsewhere, open to all, longer than they say. */
static void a_hostile_repository_puts_nothing_where_it_wants(void **state)
{
	(void)state;
	static const char *const ours[] = {"it", NULL}, *const others[] = {"i", "its", NULL};
	char id[SR_ID_TEXT_LEN];
	struct stat status;
	put("from/open", "an open one", 1);
	assert_int_equal(chmod(at("from/open"), 0777), 0);
	take(1000, id);
	assert_int_equal(mkdir(at("into"), 0700), 0);
	names = others;
	expect_code(give_back(id, at("into")), SR_CORRUPT);
	assert_int_equal(access(at("into/it"), F_OK), -1);
	names = ours;
	expect_ok(give_back(id, at("into")));
	names = NULL;
	assert_int_equal(stat(at("into/it/open"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(what_goes_in_comes_out),
	    IN_FOLDER(only_what_is_new_is_written),
	    IN_FOLDER(damage_is_found_wherever_it_is),
	    IN_FOLDER(pruning_keeps_what_the_rest_needs),
	    IN_FOLDER(a_folder_with_something_else_is_no_repository),
	    IN_FOLDER(one_process_at_a_time_uses_it),
	    IN_FOLDER(a_snapshot_that_was_not_published_is_none),
	    IN_FOLDER(a_manifest_that_nobody_wrote_is_damaged),
	    IN_FOLDER(a_manifest_of_version_1_reads_for_ever),
	    IN_FOLDER(what_cannot_be_read_is_not_left_out_in_silence),
	    IN_FOLDER(a_hostile_repository_puts_nothing_where_it_wants),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
