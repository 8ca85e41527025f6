/* Reading a snapshot back, block by block, each held against its name; and removing what no snapshot names. */
#include "seal/archive_parts.h"

#include "base/memory.h"
#include "seal/file.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEAL_MAX = 4096 };

static void fd_cleanup(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
}

/* Into the archive's buffer. */
static struct sr_result read_block(struct sr_archive *archive, const char name[static SR_BLOCK_NAME_LEN],
                                   struct sr_bytes *ret_bytes)
{
	SR_CLEANUP(sr_string) char *path = sr_archive_block_path(archive, name);
	SR_CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* whatever lies there */
	if (fd < 0) {
		return errno == ENOENT ? sr_fail(SR_CORRUPT, "the backup lacks the block %s", name)
		                       : sr_fail_errno(errno, "open the block %s", path);
	}
	size_t got = 0;
	for (ssize_t piece = 1; piece > 0 && got < SR_ARCHIVE_BLOCK_LEN; got += (size_t)piece) {
		piece = read(fd, archive->buffer + got, SR_ARCHIVE_BLOCK_LEN - got);
		if (piece < 0) {
			return sr_fail_errno(errno, "read the block %s", path);
		}
	}
	char found[SR_BLOCK_NAME_LEN];
	sr_archive_block_name(sr_bytes_of(archive->buffer, got), found);
	if (!sr_equal_public(sr_bytes_str(found), sr_bytes_str(name))) {
		return sr_fail(SR_CORRUPT, "the backup's block %s is damaged", name);
	}
	*ret_bytes = sr_bytes_of(archive->buffer, got);
	return sr_ok();
}

/* Makes the folders above a path. */
static struct sr_result make_way(const char *into, const char *path)
{
	SR_CLEANUP(sr_string) char *whole = sr_strdupf("%s/%s", into, path);
	for (char *slash = strchr(whole + strlen(into) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(whole, 0700) && errno != EEXIST) {
			return sr_fail_errno(errno, "make the folder %s", whole);
		}
		*slash = '/';
	}
	return sr_ok();
}

/* For the owner alone, whatever the manifest says: nobody has vouched for it yet. */
static struct sr_result make_target(const char *into, const struct sr_manifest_file *file, int *ret_fd)
{
	SR_TRY(make_way(into, file->path));
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/%s", into, file->path);
	*ret_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)file->mode & 0600);
	return *ret_fd < 0 ? sr_fail_errno(errno, "make %s", path) : sr_ok();
}

static struct sr_result write_all(int fd, struct sr_bytes bytes, const char *path)
{
	while (bytes.len) {
		const ssize_t written = write(fd, bytes.data, bytes.len);
		if (written < 0) {
			return sr_fail_errno(errno, "write %s", path);
		}
		bytes = sr_bytes_of(bytes.data + written, bytes.len - (size_t)written);
	}
	return sr_ok();
}

static struct sr_result read_file(struct sr_archive *archive, struct sr_manifest_reader *reader,
                                  const struct sr_manifest_file *file, const char *into)
{
	SR_CLEANUP(fd) int fd = -1;
	if (into) {
		SR_TRY(make_target(into, file, &fd));
	}
	uint64_t done = 0;
	for (;;) {
		bool is_block;
		char name[SR_BLOCK_NAME_LEN];
		SR_TRY(sr_manifest_next_block(reader, &is_block, name));
		if (!is_block) {
			break;
		}
		struct sr_bytes bytes;
		SR_TRY(read_block(archive, name, &bytes));
		done += bytes.len;
		if (done > file->size) {
			break;
		}
		if (into) {
			SR_TRY(write_all(fd, bytes, file->path));
		}
	}
	return done == file->size ? sr_ok() : sr_fail(SR_CORRUPT, "the backup's %s does not have its size", file->path);
}

static struct sr_result sync_target(const char *into)
{
	SR_CLEANUP(fd) int fd = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || syncfs(fd) ? sr_fail_errno(errno, "make %s durable", into) : sr_ok();
}

/* True if the path's first segment is one of the names. */
static bool is_among(const char *path, const char *const *names)
{
	const size_t len = strcspn(path, "/");
	for (; *names; names++) {
		if (strlen(*names) == len && strncmp(*names, path, len) == 0 && path[len]) {
			return true;
		}
	}
	return false;
}

struct sr_result sr_archive_read(struct sr_archive *archive, const char *id, const char *into, const char *const *names,
                                 const struct sr_archive_progress *progress, uint8_t ret_sha256[static 32],
                                 struct sr_buf *seal)
{
	SR_CLEANUP(sr_string) char *path = sr_archive_snapshot_path(archive, id, "");
	SR_CLEANUP(sr_string) char *seal_path = sr_archive_snapshot_path(archive, id, ".seal");
	SR_CLEANUP(sr_manifest_reader) struct sr_manifest_reader reader = {0};
	SR_TRY(sr_manifest_open(path, &reader));
	for (;;) {
		bool is_file;
		struct sr_manifest_file file;
		SR_TRY(sr_manifest_next_file(&reader, &is_file, &file));
		if (!is_file) {
			break;
		}
		if (names && !is_among(file.path, names)) {
			return sr_fail(SR_CORRUPT, "the backup holds %s, which no installation backs up", file.path);
		}
		SR_TRY(read_file(archive, &reader, &file, into));
		if (progress && progress->tell) {
			progress->tell(reader.files, reader.bytes, progress->context);
		}
	}
	sr_manifest_digest(&reader, ret_sha256);
	SR_TRY(sr_file_read(seal_path, SEAL_MAX, seal));
	return into ? sync_target(into) : sr_ok();
}

/* The blocks that snapshots need, as a sorted array of their digests. */
struct needed {
	uint8_t (*items)[32];
	size_t count, capacity;
};

static int by_bytes(const void *a, const void *b)
{
	const uint8_t *left = a, *right = b;
	size_t at = 0;
	while (at < 31 && left[at] == right[at]) {
		at++;
	}
	return left[at] - right[at];
}

static struct sr_result note_block(struct needed *needed, const char *name)
{
	if (needed->count == needed->capacity) {
		const size_t capacity = needed->capacity ? 2 * needed->capacity : 4096;
		void *items = sr_try_realloc(needed->items, capacity * sizeof *needed->items);
		if (!items) {
			return sr_fail(SR_NO_MEMORY, "remember the names of %zu blocks", capacity);
		}
		needed->items = items;
		needed->capacity = capacity;
	}
	return sr_hex_decode(sr_bytes_of(name, SR_BLOCK_NAME_LEN - 1), needed->items[needed->count++], 32);
}

static struct sr_result note_snapshot(const struct sr_archive *archive, const char *id, struct needed *needed)
{
	SR_CLEANUP(sr_string) char *path = sr_archive_snapshot_path(archive, id, "");
	SR_CLEANUP(sr_manifest_reader) struct sr_manifest_reader reader = {0};
	SR_TRY(sr_manifest_open(path, &reader));
	for (;;) {
		bool is_file, is_block = true;
		struct sr_manifest_file file;
		SR_TRY(sr_manifest_next_file(&reader, &is_file, &file));
		if (!is_file) {
			return sr_ok();
		}
		while (is_block) {
			char name[SR_BLOCK_NAME_LEN];
			SR_TRY(sr_manifest_next_block(&reader, &is_block, name));
			if (is_block) {
				SR_TRY(note_block(needed, name));
			}
		}
	}
}

static bool is_needed(const struct needed *needed, const char *name)
{
	uint8_t sha256[32];
	struct sr_result decoded = sr_hex_decode(sr_bytes_str(name), sha256, sizeof sha256);
	if (!sr_is_ok(decoded)) {
		sr_ignore(decoded); /* what a crash left half-written */
		return false;
	}
	return needed->count && bsearch(sha256, needed->items, needed->count, sizeof *needed->items, by_bytes);
}

static struct sr_result remove_blocks(const struct sr_archive *archive, const struct needed *needed, uint64_t *freed)
{
	SR_CLEANUP(sr_string) char *folder = sr_strdupf("%s/blocks", archive->folder);
	char *const roots[] = {folder, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk) {
		return sr_fail_errno(errno, "walk through %s", folder);
	}
	struct sr_result removed = sr_ok();
	for (FTSENT *entry; sr_is_ok(removed) && (entry = fts_read(walk));) {
		if (entry->fts_info != FTS_F || is_needed(needed, entry->fts_name)) {
			continue;
		}
		*freed += (uint64_t)entry->fts_statp->st_size;
		if (unlink(entry->fts_path)) {
			removed = sr_fail_errno(errno, "remove the block %s", entry->fts_path);
		}
	}
	fts_close(walk);
	return removed;
}

static struct sr_result remove_snapshot(const struct sr_archive *archive, const char *id)
{
	SR_CLEANUP(sr_string) char *path = sr_archive_snapshot_path(archive, id, "");
	SR_CLEANUP(sr_string) char *seal_path = sr_archive_snapshot_path(archive, id, ".seal");
	if (unlink(path) || (unlink(seal_path) && errno != ENOENT)) {
		return sr_fail_errno(errno, "remove the snapshot %s", path);
	}
	return sr_file_sync_name(path);
}

struct sr_result sr_archive_prune(struct sr_archive *archive, size_t keep, uint64_t *ret_freed_bytes)
{
	struct sr_archive_snapshot *snapshots;
	size_t count;
	SR_TRY(sr_archive_list(archive, &snapshots, &count));
	struct needed needed = {0};
	struct sr_result result = sr_ok();
	for (size_t i = 0; sr_is_ok(result) && i < count; i++) {
		result = i + keep < count ? remove_snapshot(archive, snapshots[i].id)
		                          : note_snapshot(archive, snapshots[i].id, &needed);
	}
	sr_free(snapshots);
	if (sr_is_ok(result)) {
		if (needed.count) {
			qsort(needed.items, needed.count, sizeof *needed.items, by_bytes);
		}
		*ret_freed_bytes = 0;
		result = remove_blocks(archive, &needed, ret_freed_bytes);
	}
	sr_free(needed.items);
	return result;
}
