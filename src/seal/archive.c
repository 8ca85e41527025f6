/* Opening repositories, their list of snapshots, and what is no longer needed. */
#include "seal/archive.h"

#include "base/memory.h"
#include "seal/archive_parts.h"
#include "seal/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "strongroom-backup"

size_t sr_archive_block_len(const char *path)
{
	const size_t len = strlen(path);
	const bool is_database =
	    (len > 3 && strcmp(path + len - 3, ".db") == 0) || (len > 4 && strcmp(path + len - 4, "-wal") == 0);
	return is_database ? SR_ARCHIVE_PAGE_BLOCK_LEN : SR_ARCHIVE_BLOCK_LEN;
}

char *sr_archive_block_path(const struct sr_archive *archive, const char name[static SR_BLOCK_NAME_LEN])
{
	return sr_strdupf("%s/blocks/%.2s/%s", archive->folder, name, name);
}

char *sr_archive_snapshot_path(const struct sr_archive *archive, const char *id, const char *suffix)
{
	return sr_strdupf("%s/snapshots/%s%s", archive->folder, id, suffix);
}

void sr_archive_block_name(struct sr_bytes bytes, char ret_name[static SR_BLOCK_NAME_LEN])
{
	uint8_t sha256[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, bytes, sha256);
	sr_hex_encode(sr_bytes_of(sha256, 32), ret_name);
}

struct sr_result sr_archive_sync(const struct sr_archive *archive)
{
	return syncfs(archive->lock) ? sr_fail_errno(errno, "make the backup in %s durable", archive->folder) : sr_ok();
}

static struct sr_result make_folder(const char *folder, const char *below)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s%s", folder, below);
	return mkdir(path, 0700) && errno != EEXIST ? sr_fail_errno(errno, "make the folder %s", path) : sr_ok();
}

static bool is_empty(const char *folder)
{
	DIR *entries = opendir(folder);
	if (!entries) {
		return errno == ENOENT;
	}
	size_t count = 0;
	for (const struct dirent *entry; (entry = readdir(entries));) { /* NOLINT(concurrency-mt-unsafe): own stream */
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	}
	closedir(entries);
	return count == 0;
}

/* The mark is written last: a folder that has it is a whole repository. */
static struct sr_result make_repository(const char *folder, const char *mark)
{
	if (!is_empty(folder)) {
		return sr_fail(SR_INVALID, "%s holds something that is no backup: name an empty folder, or one of a backup",
		               folder);
	}
	SR_TRY(make_folder(folder, ""));
	SR_TRY(make_folder(folder, "/snapshots"));
	SR_TRY(make_folder(folder, "/blocks"));
	for (unsigned i = 0; i < 256; i++) {
		char below[16];
		snprintf(below, sizeof below, "/blocks/%02x", i);
		SR_TRY(make_folder(folder, below));
	}
	return sr_file_write_durable(mark, SR_LITERAL("1\n"));
}

static struct sr_result lock_repository(struct sr_archive *archive, const char *mark)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(16);
	SR_TRY(sr_file_read(mark, 16, &text));
	if (!sr_equal_public(sr_buf_bytes(&text), SR_LITERAL("1\n"))) {
		return sr_fail(SR_INVALID, "the backup in %s is of a version that this program does not know", archive->folder);
	}
	archive->lock = open(mark, O_RDONLY | O_CLOEXEC);
	if (archive->lock < 0) {
		return sr_fail_errno(errno, "open %s", mark);
	}
	if (flock(archive->lock, LOCK_EX | LOCK_NB)) {
		return sr_fail(SR_CONFLICT, "the backup in %s is in use by another process", archive->folder);
	}
	return sr_ok();
}

struct sr_result sr_archive_open(const char *folder, bool may_create, struct sr_archive **ret_archive)
{
	SR_CLEANUP(sr_archive) struct sr_archive *archive = sr_alloc(sizeof *archive);
	archive->folder = sr_strdup(folder);
	archive->lock = -1;
	archive->buffer = sr_alloc(SR_ARCHIVE_BLOCK_LEN);
	SR_CLEANUP(sr_string) char *mark = sr_strdupf("%s/" MARK, folder);
	if (access(mark, F_OK)) {
		if (!may_create) {
			return sr_fail(SR_NOT_FOUND, "there is no backup in %s", folder);
		}
		SR_TRY(make_repository(folder, mark));
	}
	SR_TRY(lock_repository(archive, mark));
	*ret_archive = SR_TAKE(archive);
	return sr_ok();
}

void sr_archive_close(struct sr_archive *archive)
{
	if (!archive) {
		return;
	}
	if (archive->is_writing) { /* a snapshot that was not published leaves blocks, which the next one uses */
		SR_CLEANUP(sr_string) char *path = sr_archive_snapshot_path(archive, archive->id, ".new");
		unlink(path);
		sr_manifest_writer_free(&archive->manifest);
		sr_manifest_reader_free(&archive->earlier);
	}
	if (archive->lock >= 0) {
		close(archive->lock);
	}
	sr_free(archive->buffer);
	sr_free(archive->folder);
	sr_free(archive);
}

void sr_archive_cleanup(struct sr_archive **archive)
{
	sr_archive_close(*archive);
	*archive = NULL;
}

static bool is_id(const char *name)
{
	return strspn(name, "0123456789abcdef") == SR_ID_TEXT_LEN - 1 && !name[SR_ID_TEXT_LEN - 1];
}

static int by_time(const void *a, const void *b)
{
	const struct sr_archive_snapshot *left = a, *right = b;
	if (left->time_s != right->time_s) {
		return left->time_s < right->time_s ? -1 : 1;
	}
	return strcmp(left->id, right->id);
}

static struct sr_result read_time(const struct sr_archive *archive, struct sr_archive_snapshot *snapshot)
{
	SR_CLEANUP(sr_string) char *path = sr_archive_snapshot_path(archive, snapshot->id, "");
	SR_CLEANUP(sr_manifest_reader) struct sr_manifest_reader reader = {0};
	SR_TRY(sr_manifest_open(path, &reader));
	snapshot->time_s = reader.time_s;
	return sr_ok();
}

/* Appends the snapshot of this id. */
static struct sr_result note(const struct sr_archive *archive, const char *id, struct sr_archive_snapshot **snapshots,
                             size_t *count)
{
	struct sr_archive_snapshot *items = sr_try_realloc(*snapshots, (*count + 1) * sizeof *items);
	if (!items) {
		return sr_fail(SR_NO_MEMORY, "list %zu snapshots", *count + 1);
	}
	*snapshots = items;
	memcpy(items[*count].id, id, SR_ID_TEXT_LEN);
	return read_time(archive, &items[(*count)++]);
}

struct sr_result sr_archive_list(struct sr_archive *archive, struct sr_archive_snapshot **ret_snapshots,
                                 size_t *ret_count)
{
	SR_CLEANUP(sr_string) char *folder = sr_strdupf("%s/snapshots", archive->folder);
	DIR *entries = opendir(folder);
	if (!entries) {
		return sr_fail_errno(errno, "list the backup's snapshots in %s", folder);
	}
	struct sr_archive_snapshot *snapshots = NULL;
	size_t count = 0;
	struct sr_result result = sr_ok();
	for (const struct dirent *entry;
	     sr_is_ok(result) && (entry = readdir(entries));) { /* NOLINT(concurrency-mt-unsafe) */
		if (is_id(entry->d_name)) {
			result = note(archive, entry->d_name, &snapshots, &count);
		}
	}
	closedir(entries);
	if (!sr_is_ok(result)) {
		sr_free(snapshots);
		return result;
	}
	if (count > 1) {
		qsort(snapshots, count, sizeof *snapshots, by_time);
	}
	*ret_snapshots = snapshots;
	*ret_count = count;
	return sr_ok();
}
