/* Making a snapshot: files to blocks, blocks that are new to their places, names to the manifest. */
#include "seal/archive_parts.h"

#include "base/memory.h"
#include "seal/file.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fd_cleanup(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
}

/* Puts the next file of the snapshot before in sight. */
static struct sr_result advance_earlier(struct sr_archive *archive)
{
	bool is_file;
	SR_TRY(sr_manifest_next_file(&archive->earlier, &is_file, &archive->earlier_file));
	archive->has_earlier = is_file;
	return sr_ok();
}

struct sr_result sr_archive_begin(struct sr_archive *archive, int64_t now_s)
{
	struct sr_archive_snapshot *snapshots;
	size_t count;
	SR_TRY(sr_archive_list(archive, &snapshots, &count));
	SR_CLEANUP(sr_string) char *newest = count ? sr_strdup(snapshots[count - 1].id) : NULL;
	if (count && now_s <= snapshots[count - 1].time_s) {
		now_s = snapshots[count - 1].time_s + 1; /* the newest must be the last, whatever the clock says */
	}
	sr_free(snapshots);
	const struct sr_id id = sr_id_random();
	sr_id_text(&id, archive->id);
	SR_CLEANUP(sr_string) char *path = sr_archive_snapshot_path(archive, archive->id, ".new");
	SR_TRY(sr_manifest_begin(path, now_s, &archive->manifest));
	archive->is_writing = true;
	archive->new_bytes = 0;
	if (newest) {
		SR_CLEANUP(sr_string) char *earlier = sr_archive_snapshot_path(archive, newest, "");
		SR_TRY(sr_manifest_open(earlier, &archive->earlier));
		SR_TRY(advance_earlier(archive));
	}
	return sr_ok();
}

static struct sr_result write_block(const char *path, struct sr_bytes bytes)
{
	SR_CLEANUP(sr_string) char *beside = sr_strdupf("%s.new", path);
	SR_CLEANUP(fd) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return sr_fail_errno(errno, "make the block %s", beside);
	}
	while (bytes.len) {
		const ssize_t written = write(fd, bytes.data, bytes.len);
		if (written < 0) {
			return sr_fail_errno(errno, "write the block %s", beside);
		}
		bytes = sr_bytes_of(bytes.data + written, bytes.len - (size_t)written);
	}
	return rename(beside, path) ? sr_fail_errno(errno, "give the block %s its name", path) : sr_ok();
}

/* Keeps the bytes unless they are there: whole, for a crash may have left the name without them. */
static struct sr_result keep_block(struct sr_archive *archive, struct sr_bytes bytes)
{
	char name[SR_BLOCK_NAME_LEN];
	sr_archive_block_name(bytes, name);
	SR_CLEANUP(sr_string) char *path = sr_archive_block_path(archive, name);
	struct stat status;
	if (stat(path, &status) || (uint64_t)status.st_size != bytes.len) {
		SR_TRY(write_block(path, bytes));
		archive->new_bytes += bytes.len;
	}
	return sr_manifest_put_block(&archive->manifest, name);
}

static struct sr_result fill(int fd, uint8_t *buffer, size_t len, const char *path, size_t *ret_got)
{
	size_t got = 0;
	while (got < len) {
		const ssize_t piece = read(fd, buffer + got, len - got);
		if (piece < 0) {
			return sr_fail_errno(errno, "read %s", path);
		}
		if (piece == 0) {
			break;
		}
		got += (size_t)piece;
	}
	*ret_got = got;
	return sr_ok();
}

static struct sr_result add_blocks(struct sr_archive *archive, const char *source, const struct sr_manifest_file *file)
{
	SR_CLEANUP(fd) int fd = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return sr_fail_errno(errno, "open %s", source);
	}
	const size_t block_len = sr_archive_block_len(file->path);
	for (uint64_t done = 0; done < file->size;) {
		size_t got;
		SR_TRY(fill(fd, archive->buffer, block_len, source, &got));
		if (got == 0 || done + got > file->size) {
			return sr_fail(SR_IO, "%s changed while it was backed up", source);
		}
		SR_TRY(keep_block(archive, sr_bytes_of(archive->buffer, got)));
		done += got;
	}
	return sr_ok();
}

/* True if the snapshot before has this very file, whose blocks then are taken over. */
static struct sr_result take_over(struct sr_archive *archive, const struct sr_manifest_file *file, bool *ret_is_taken)
{
	*ret_is_taken = false;
	while (archive->has_earlier && sr_manifest_compare(archive->earlier_file.path, file->path) < 0) {
		SR_TRY(advance_earlier(archive));
	}
	if (!archive->has_earlier || strcmp(archive->earlier_file.path, file->path) != 0 ||
	    archive->earlier_file.size != file->size || !strstr(file->path, "/extents/")) {
		return sr_ok();
	}
	for (;;) {
		bool is_block;
		char name[SR_BLOCK_NAME_LEN];
		SR_TRY(sr_manifest_next_block(&archive->earlier, &is_block, name));
		if (!is_block) {
			*ret_is_taken = true;
			return sr_ok();
		}
		SR_TRY(sr_manifest_put_block(&archive->manifest, name));
	}
}

static struct sr_result add_file(struct sr_archive *archive, const char *source, const struct sr_manifest_file *file)
{
	SR_TRY(sr_manifest_put_file(&archive->manifest, file));
	bool is_taken;
	SR_TRY(take_over(archive, file, &is_taken));
	return is_taken ? sr_ok() : add_blocks(archive, source, file);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return sr_manifest_compare((*a)->fts_name, (*b)->fts_name);
}

struct sr_result sr_archive_add_tree(struct sr_archive *archive, const char *name, const char *folder,
                                     const struct sr_archive_progress *progress)
{
	char *const roots[] = {(char *)(uintptr_t)folder, NULL}; /* fts only reads them */
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	if (!walk) {
		return sr_fail_errno(errno, "walk through %s", folder);
	}
	struct sr_result added = sr_ok();
	for (FTSENT *entry; sr_is_ok(added) && (entry = fts_read(walk));) {
		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
			added = sr_fail_errno(entry->fts_errno, "read %s for a backup", entry->fts_path); /* never half a service */
		}
		if (entry->fts_info != FTS_F) {
			continue;
		}
		struct sr_manifest_file file = {.mode = entry->fts_statp->st_mode & 0777,
		                                .size = (uint64_t)entry->fts_statp->st_size};
		const char *below = entry->fts_path + strlen(folder);
		const int len = snprintf(file.path, sizeof file.path, "%s%s", name, below);
		added = len < (int)sizeof file.path ? add_file(archive, entry->fts_path, &file)
		                                    : sr_fail(SR_INVALID, "the path %s is too long for a backup", below);
		if (progress && progress->tell) {
			progress->tell(archive->manifest.files, archive->manifest.bytes, progress->context);
		}
	}
	fts_close(walk);
	return added;
}

struct sr_result sr_archive_complete(struct sr_archive *archive, uint8_t ret_sha256[static 32],
                                     struct sr_archive_figures *ret_figures)
{
	*ret_figures = (struct sr_archive_figures){archive->manifest.files, archive->manifest.bytes, archive->new_bytes};
	return sr_manifest_end(&archive->manifest, ret_sha256);
}

struct sr_result sr_archive_publish(struct sr_archive *archive, struct sr_bytes seal,
                                    char ret_id[static SR_ID_TEXT_LEN])
{
	SR_CLEANUP(sr_string) char *made = sr_archive_snapshot_path(archive, archive->id, ".new");
	SR_CLEANUP(sr_string) char *final = sr_archive_snapshot_path(archive, archive->id, "");
	SR_CLEANUP(sr_string) char *seal_path = sr_archive_snapshot_path(archive, archive->id, ".seal");
	SR_TRY(sr_archive_sync(archive));
	SR_TRY(sr_file_write_durable(seal_path, seal));
	if (rename(made, final)) {
		return sr_fail_errno(errno, "give the snapshot %s its name", final);
	}
	SR_TRY(sr_file_sync_name(final));
	memcpy(ret_id, archive->id, SR_ID_TEXT_LEN);
	archive->is_writing = false;
	sr_manifest_writer_free(&archive->manifest);
	sr_manifest_reader_free(&archive->earlier);
	archive->has_earlier = false;
	return sr_ok();
}
