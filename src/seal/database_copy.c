/*
 * Copies of sealed databases, as bytes: a copy is what a crash at that moment would have left, and opens as that does.
 * An open database is copied on its writer's thread, where neither a transaction nor a checkpoint can run.
 */
#include "seal/database_state.h"
#include "seal/image.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_PIECE = 1024 * 1024 * 1024, BUFFER_LEN = 1024 * 1024 };

static void fd_cleanup(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
}

/* By reading and writing, where the file systems cannot do it themselves. */
static struct sr_result copy_through_memory(int from, int to, const char *path)
{
	SR_CLEANUP(sr_string) char *buffer = sr_alloc(BUFFER_LEN);
	for (;;) {
		ssize_t got = read(from, buffer, BUFFER_LEN);
		if (got < 0) {
			return sr_fail_errno(errno, "read %s", path);
		}
		if (got == 0) {
			return sr_ok();
		}
		for (ssize_t done = 0; done < got;) {
			ssize_t put = write(to, buffer + done, (size_t)(got - done));
			if (put < 0) {
				return sr_fail_errno(errno, "write a copy of %s", path);
			}
			done += put;
		}
	}
}

static struct sr_result copy_open_file(int from, const char *path, const char *to)
{
	SR_CLEANUP(fd) int target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (target < 0) {
		return sr_fail_errno(errno, "open %s for writing", to);
	}
	if (lseek(from, 0, SEEK_SET) < 0) {
		return sr_fail_errno(errno, "go to the start of %s", path);
	}
	for (;;) {
		ssize_t copied = copy_file_range(from, NULL, target, NULL, COPY_PIECE, 0);
		if (copied == 0) {
			return sr_ok();
		}
		if (copied < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
			return copy_through_memory(from, target, path);
		}
		if (copied < 0) {
			return sr_fail_errno(errno, "copy %s", path);
		}
	}
}

/* A missing file has no copy. */
static struct sr_result copy_file(const char *path, const char *to)
{
	SR_CLEANUP(fd) int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (from < 0) {
		return errno == ENOENT ? sr_ok() : sr_fail_errno(errno, "open %s", path);
	}
	return copy_open_file(from, path, to);
}

static struct sr_result copy_both(const char *path, const char *to)
{
	SR_CLEANUP(sr_string) char *log = sr_strdupf("%s-wal", path);
	SR_CLEANUP(sr_string) char *log_to = sr_strdupf("%s-wal", to);
	SR_TRY(copy_file(path, to));
	return copy_file(log, log_to);
}

struct copying {
	const char *path, *to;
};

static struct sr_result copy_work(struct sr_connection *writer, void *context)
{
	(void)writer;
	const struct copying *copying = context;
	return copy_both(copying->path, copying->to);
}

struct sr_result sr_database_copy(struct sr_database *database, const char *to)
{
	SR_TRY(sr_database_checkpoint(database)); /* most of it then is in the main file, and the copy has a short log */
	struct copying copying = {database->path, to};
	return sr_writer_ask(database, copy_work, &copying, true);
}

struct sr_result sr_database_copy_closed(const char *path, const char *to)
{
	SR_CLEANUP(fd) int held = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (held < 0) {
		return sr_fail_errno(errno, "open the database %s", path);
	}
	if (flock(held, LOCK_EX | LOCK_NB)) {
		return errno == EWOULDBLOCK ? sr_fail(SR_CONFLICT, "the database %s is open", path)
		                            : sr_fail_errno(errno, "lock the database %s", path);
	}
	return copy_both(path, to);
}
