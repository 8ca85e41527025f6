/*
 * Durable replacement of small files, and reading them. What the bytes mean, and their sealing, is the
 * caller's; extents and databases have files of their own kind.
 */
#include "seal/file.h"

#include "base/memory.h"
#include "seal/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void fd_cleanup(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
}

static struct sr_result write_all(int fd, struct sr_bytes bytes, const char *path)
{
	while (bytes.len) {
		ssize_t written = write(fd, bytes.data, bytes.len);
		if (written < 0 && errno == EINTR) {
			continue;
		}
		if (written < 0) {
			return sr_fail_errno(errno, "write %s", path);
		}
		bytes.data += written;
		bytes.len -= (size_t)written;
	}
	return sr_ok();
}

static struct sr_result write_new(const char *path, struct sr_bytes bytes)
{
	SR_CLEANUP(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return sr_fail_errno(errno, "open %s for writing", path);
	}
	SR_TRY(write_all(fd, bytes, path));
	/* The rename must not become durable before the content. */
	if (fsync(fd)) {
		return sr_fail_errno(errno, "fsync %s", path);
	}
	int closed = close(fd);
	fd = -1;
	return closed ? sr_fail_errno(errno, "close %s", path) : sr_ok();
}

struct sr_result sr_file_sync_name(const char *path)
{
	SR_CLEANUP(sr_string) char *folder = sr_strdup(path);
	char *slash = strrchr(folder, '/');
	if (slash) {
		slash[slash == folder] = 0;
	}
	const char *name = slash ? folder : ".";
	SR_CLEANUP(fd) int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return sr_fail_errno(errno, "open folder %s", name);
	}
	return fsync(fd) ? sr_fail_errno(errno, "fsync folder %s", name) : sr_ok();
}

struct sr_result sr_file_write_durable(const char *path, struct sr_bytes bytes)
{
	SR_CLEANUP(sr_string) char *beside = sr_strdupf("%s.new", path);
	struct sr_result written = write_new(beside, bytes);
	if (!sr_is_ok(written)) {
		unlink(beside);
		return written;
	}
	if (rename(beside, path)) {
		struct sr_result renamed = sr_fail_errno(errno, "rename %s to its place", beside);
		unlink(beside);
		return renamed;
	}
	return sr_file_sync_name(path);
}

struct sr_result sr_file_read(const char *path, size_t max, struct sr_buf *buf)
{
	SR_CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return sr_fail_errno(errno, "open %s", path);
	}
	SR_TRY(sr_buf_result(buf));
	size_t before = buf->len;
	for (;;) {
		uint8_t piece[4096];
		ssize_t got = read(fd, piece, sizeof piece);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			buf->len = before;
			return sr_fail_errno(errno, "read %s", path);
		}
		if (got == 0) {
			return sr_ok();
		}
		sr_buf_append(buf, sr_bytes_of(piece, (size_t)got));
		sr_wipe(piece, (size_t)got); /* of a key file, say */
		if (buf->failed || buf->len - before > max) {
			buf->len = before;
			buf->failed = false;
			return sr_fail(SR_TOO_LARGE, "%s is over its limit of %zu bytes", path, max);
		}
	}
}
