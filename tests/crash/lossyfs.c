/*
 * A filesystem that writes down what happens to it, so that power cuts can be replayed: passes every call through to
 * a backing folder and appends each change and each fsync to a log, in the order in which callers saw them done.
 * power.mjs builds from a prefix of the log what a disk could hold after a cut. Test code: plain libfuse, no
 * Strongroom.
 *
 * usage: lossyfs BACKING LOG MOUNTPOINT [FUSE-OPTION …]
 * What is written to the file /.mark goes into the log as a mark and nowhere else; the marks "full" and "free" also
 * fill the disk and empty it: on a full one a file takes no more than ends the block that it has.
 *
 * A record: u32 length of the rest, u8 kind, u64 inode, u64 offset or mode, u16 length of path, path, data. Big-endian.
 */
#define FUSE_USE_VERSION 35
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE, CREATE, MKDIR, RENAME, UNLINK, RMDIR, FSYNC, FSYNC_DIR, MARK };
enum { PATH_LEN = 4096, MARK_HANDLE = 0xffffff, BLOCK_LEN = 4096 };
static const char mark_path[] = "/.mark";

static char backing[PATH_LEN / 2];
static int log_fd = -1;
static bool is_full;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* holds a change and its record together */

static void full(char *to, const char *path)
{
	snprintf(to, PATH_LEN, "%s%s", backing, path);
}

static void put(uint8_t **to, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--) {
		*(*to)++ = (uint8_t)(value >> (8 * i));
	}
}

/* Appends one record; a log that cannot be written would make the test lie. */
static void record(enum kind kind, uint64_t inode, uint64_t number, const char *path, const void *data, size_t len)
{
	size_t path_len = strlen(path);
	size_t rest = 1 + 8 + 8 + 2 + path_len + len;
	uint8_t *bytes = malloc(4 + rest);
	if (!bytes) {
		abort();
	}
	uint8_t *at = bytes;
	put(&at, rest, 4);
	put(&at, kind, 1);
	put(&at, inode, 8);
	put(&at, number, 8);
	put(&at, path_len, 2);
	memcpy(at, path, path_len);
	if (len) {
		memcpy(at + path_len, data, len);
	}
	if (write(log_fd, bytes, 4 + rest) != (ssize_t)(4 + rest)) {
		abort();
	}
	free(bytes);
}

static uint64_t inode_of(int fd)
{
	struct stat status;
	return fstat(fd, &status) ? 0 : status.st_ino;
}

static uint64_t inode_of_path(const char *real)
{
	struct stat status;
	return lstat(real, &status) ? 0 : status.st_ino;
}

static int fs_getattr(const char *path, struct stat *status, struct fuse_file_info *info)
{
	(void)info;
	if (strcmp(path, mark_path) == 0) {
		*status = (struct stat){.st_mode = S_IFREG | 0666, .st_nlink = 1};
		return 0;
	}
	char real[PATH_LEN];
	full(real, path);
	return lstat(real, status) ? -errno : 0;
}

static int fs_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *info,
                      enum fuse_readdir_flags flags)
{
	(void)offset;
	(void)info;
	(void)flags;
	char real[PATH_LEN];
	full(real, path);
	DIR *dir = opendir(real);
	if (!dir) {
		return -errno;
	}
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (fill(buf, entry->d_name, NULL, 0, 0)) {
			break;
		}
	}
	closedir(dir);
	return 0;
}

static int fs_open(const char *path, struct fuse_file_info *info)
{
	if (strcmp(path, mark_path) == 0) {
		info->fh = MARK_HANDLE;
		info->direct_io = 1; /* else the kernel splits a mark that crosses a page */
		return 0;
	}
	char real[PATH_LEN];
	full(real, path);
	pthread_mutex_lock(&mutex);
	int fd = open(real, info->flags & ~O_NOFOLLOW);
	int error_number = errno;
	if (fd >= 0 && info->flags & O_TRUNC) {
		record(TRUNCATE, inode_of(fd), 0, "", NULL, 0);
	}
	pthread_mutex_unlock(&mutex);
	info->fh = (uint64_t)fd;
	return fd < 0 ? -error_number : 0;
}

static int fs_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	char real[PATH_LEN];
	full(real, path);
	pthread_mutex_lock(&mutex);
	int fd = open(real, info->flags | O_CREAT, mode);
	int error_number = errno;
	if (fd >= 0) {
		record(CREATE, inode_of(fd), mode, path, NULL, 0);
	}
	pthread_mutex_unlock(&mutex);
	info->fh = (uint64_t)fd;
	return fd < 0 ? -error_number : 0;
}

/* Sockets: made for real, never logged, as they mean nothing after a cut. */
static int fs_mknod(const char *path, mode_t mode, dev_t device)
{
	char real[PATH_LEN];
	full(real, path);
	return mknod(real, mode, device) ? -errno : 0;
}

static int fs_read(const char *path, char *buf, size_t len, off_t offset, struct fuse_file_info *info)
{
	(void)path;
	ssize_t got = info->fh == MARK_HANDLE ? 0 : pread((int)info->fh, buf, len, offset);
	return got < 0 ? -errno : (int)got;
}

static void take_mark(const char *text, size_t len)
{
	if (len == 4 && memcmp(text, "full", len) == 0) {
		is_full = true;
	} else if (len == 4 && memcmp(text, "free", len) == 0) {
		is_full = false;
	}
	record(MARK, 0, 0, "", text, len);
}

/* How much of a write the disk takes. */
static size_t room_for(int fd, off_t offset, size_t len)
{
	struct stat status;
	if (!is_full || fstat(fd, &status)) {
		return len;
	}
	off_t end = (status.st_size + BLOCK_LEN - 1) / BLOCK_LEN * BLOCK_LEN;
	size_t room = offset < end ? (size_t)(end - offset) : 0;
	return room < len ? room : len;
}

static int fs_write(const char *path, const char *buf, size_t len, off_t offset, struct fuse_file_info *info)
{
	(void)path;
	pthread_mutex_lock(&mutex);
	ssize_t written = (ssize_t)len;
	if (info->fh == MARK_HANDLE) {
		take_mark(buf, len);
	} else if (len > 0 && room_for((int)info->fh, offset, len) == 0) {
		written = -1;
		errno = ENOSPC;
	} else {
		written = pwrite((int)info->fh, buf, room_for((int)info->fh, offset, len), offset);
		if (written > 0) {
			record(WRITE, inode_of((int)info->fh), (uint64_t)offset, "", buf, (size_t)written);
		}
	}
	int error_number = errno;
	pthread_mutex_unlock(&mutex);
	return written < 0 ? -error_number : (int)written;
}

static int fs_truncate(const char *path, off_t len, struct fuse_file_info *info)
{
	if (strcmp(path, mark_path) == 0) {
		return 0;
	}
	char real[PATH_LEN];
	full(real, path);
	pthread_mutex_lock(&mutex);
	int failed = info ? ftruncate((int)info->fh, len) : truncate(real, len);
	int error_number = errno;
	if (!failed) {
		record(TRUNCATE, info ? inode_of((int)info->fh) : inode_of_path(real), (uint64_t)len, "", NULL, 0);
	}
	pthread_mutex_unlock(&mutex);
	return failed ? -error_number : 0;
}

static int fs_fsync(const char *path, int data_only, struct fuse_file_info *info)
{
	(void)path;
	(void)data_only; /* nothing here depends on times */
	if (info->fh != MARK_HANDLE) {
		pthread_mutex_lock(&mutex);
		record(FSYNC, inode_of((int)info->fh), 0, "", NULL, 0);
		pthread_mutex_unlock(&mutex);
	}
	return 0;
}

static int fs_fsyncdir(const char *path, int data_only, struct fuse_file_info *info)
{
	(void)data_only;
	(void)info;
	pthread_mutex_lock(&mutex);
	record(FSYNC_DIR, 0, 0, path, NULL, 0);
	pthread_mutex_unlock(&mutex);
	return 0;
}

static int fs_release(const char *path, struct fuse_file_info *info)
{
	(void)path;
	return info->fh == MARK_HANDLE ? 0 : close((int)info->fh);
}

static int fs_rename(const char *from, const char *to, unsigned flags)
{
	char real_from[PATH_LEN];
	char real_to[PATH_LEN];
	full(real_from, from);
	full(real_to, to);
	pthread_mutex_lock(&mutex);
	int failed = renameat2(AT_FDCWD, real_from, AT_FDCWD, real_to, flags & RENAME_NOREPLACE);
	int error_number = errno;
	if (!failed) {
		record(RENAME, inode_of_path(real_to), 0, from, to, strlen(to));
	}
	pthread_mutex_unlock(&mutex);
	return failed ? -error_number : 0;
}

/* mkdir, unlink and rmdir: one change of one name. */
static int change_name(const char *path, enum kind kind, mode_t mode)
{
	char real[PATH_LEN];
	full(real, path);
	pthread_mutex_lock(&mutex);
	uint64_t inode = kind == MKDIR ? 0 : inode_of_path(real);
	int failed = kind == MKDIR ? mkdir(real, mode) : kind == UNLINK ? unlink(real) : rmdir(real);
	int error_number = errno;
	if (!failed) {
		record(kind, inode, mode, path, NULL, 0);
	}
	pthread_mutex_unlock(&mutex);
	return failed ? -error_number : 0;
}

static int fs_mkdir(const char *path, mode_t mode)
{
	return change_name(path, MKDIR, mode);
}

static int fs_unlink(const char *path)
{
	return change_name(path, UNLINK, 0);
}

static int fs_rmdir(const char *path)
{
	return change_name(path, RMDIR, 0);
}

static int fs_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
	(void)info;
	char real[PATH_LEN];
	full(real, path);
	return chmod(real, mode) ? -errno : 0;
}

static int fs_chown(const char *path, uid_t user, gid_t group, struct fuse_file_info *info)
{
	(void)info;
	char real[PATH_LEN];
	full(real, path);
	return lchown(real, user, group) ? -errno : 0;
}

static int fs_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *info)
{
	(void)info;
	char real[PATH_LEN];
	full(real, path);
	return utimensat(AT_FDCWD, real, times, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

int main(int count, char **words)
{
	if (count < 4) {
		fprintf(stderr, "usage: lossyfs BACKING LOG MOUNTPOINT [FUSE-OPTION ...]\n");
		return 2;
	}
	snprintf(backing, sizeof backing, "%s", words[1]);
	log_fd = open(words[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0) {
		perror(words[2]);
		return 1;
	}
	static const struct fuse_operations operations = {
	    .getattr = fs_getattr,
	    .readdir = fs_readdir,
	    .open = fs_open,
	    .create = fs_create,
	    .mknod = fs_mknod,
	    .read = fs_read,
	    .write = fs_write,
	    .truncate = fs_truncate,
	    .fsync = fs_fsync,
	    .fsyncdir = fs_fsyncdir,
	    .release = fs_release,
	    .rename = fs_rename,
	    .mkdir = fs_mkdir,
	    .unlink = fs_unlink,
	    .rmdir = fs_rmdir,
	    .chmod = fs_chmod,
	    .chown = fs_chown,
	    .utimens = fs_utimens,
	};
	words[2] = words[0];
	return fuse_main(count - 2, words + 2, &operations, NULL);
}
