/*
 * The folder that extents' files are in: 256 subfolders by the first byte of the id, and one for
 * temporary files. Knows names and durability, nothing of what the files hold.
 */
#include "seal/extent_store.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY "temporary"
enum { SUBFOLDER_COUNT = 256 };

struct sr_extent_store {
	int folder;
};

static void fd_cleanup(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
}

static void folder_cleanup(DIR **folder)
{
	if (*folder) {
		closedir(*folder);
	}
}

static void final_name(const struct sr_id *id, char to[static SR_EXTENT_NAME_LEN])
{
	char text[SR_ID_TEXT_LEN];
	sr_id_text(id, text);
	snprintf(to, SR_EXTENT_NAME_LEN, "%.2s/%s", text, text);
}

static void temporary_name(const struct sr_id *id, char to[static SR_EXTENT_NAME_LEN])
{
	char text[SR_ID_TEXT_LEN];
	sr_id_text(id, text);
	snprintf(to, SR_EXTENT_NAME_LEN, TEMPORARY "/%s", text);
}

static struct sr_result open_folder(int in, const char *name, int *ret_fd)
{
	int fd = openat(in, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return sr_fail_errno(errno, "open folder %s of the extent store", name);
	}
	*ret_fd = fd;
	return sr_ok();
}

static struct sr_result sync_folder(int in, const char *name)
{
	SR_CLEANUP(fd) int fd = -1;
	SR_TRY(open_folder(in, name, &fd));
	return fsync(fd) == 0 ? sr_ok() : sr_fail_errno(errno, "make folder %s of the extent store durable", name);
}

static struct sr_result make_folder(int in, const char *name, bool *ret_is_new)
{
	if (mkdirat(in, name, 0700) == 0) {
		*ret_is_new = true;
		return sr_ok();
	}
	return errno == EEXIST ? sr_ok() : sr_fail_errno(errno, "make folder %s of the extent store", name);
}

/*
 * The folder for temporary files is made last: where it is, all else is durable. A start that ended between the making
 * and the fsync of a folder would else leave one that the next start takes for durable, and a power cut takes away.
 */
static struct sr_result make_subfolders(int folder)
{
	bool is_new = faccessat(folder, TEMPORARY, F_OK, 0) != 0;
	for (int i = 0; i < SUBFOLDER_COUNT; i++) {
		char name[3];
		snprintf(name, sizeof name, "%02x", (unsigned)i & 0xFF);
		SR_TRY(make_folder(folder, name, &is_new));
	}
	if (is_new) {
		SR_TRY(sync_folder(folder, ".."));
		SR_TRY(sync_folder(folder, "."));
	}
	return make_folder(folder, TEMPORARY, &is_new);
}

struct sr_result sr_extent_store_open(const char *path, struct sr_extent_store **ret_store)
{
	bool is_new = false;
	SR_TRY(make_folder(AT_FDCWD, path, &is_new));
	SR_CLEANUP(fd) int folder = -1;
	SR_TRY(open_folder(AT_FDCWD, path, &folder));
	SR_TRY(make_subfolders(folder));
	struct sr_extent_store *store = sr_alloc(sizeof *store);
	store->folder = folder;
	folder = -1;
	*ret_store = store;
	return sr_ok();
}

void sr_extent_store_close(struct sr_extent_store *store)
{
	if (store) {
		close(store->folder);
		sr_free(store);
	}
}

struct sr_result sr_extent_store_create(struct sr_extent_store *store, const struct sr_id *id, int *ret_fd)
{
	char name[SR_EXTENT_NAME_LEN];
	temporary_name(id, name);
	int fd = openat(store->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return sr_fail_errno(errno, "create extent %s", name);
	}
	*ret_fd = fd;
	return sr_ok();
}

struct sr_result sr_extent_store_publish(struct sr_extent_store *store, const struct sr_id *id)
{
	char from[SR_EXTENT_NAME_LEN];
	char to[SR_EXTENT_NAME_LEN];
	temporary_name(id, from);
	final_name(id, to);
	if (renameat(store->folder, from, store->folder, to) != 0) {
		return sr_fail_errno(errno, "name extent %s", to);
	}
	to[2] = 0;
	return sync_folder(store->folder, to);
}

void sr_extent_store_discard(struct sr_extent_store *store, const struct sr_id *id)
{
	char name[SR_EXTENT_NAME_LEN];
	temporary_name(id, name);
	unlinkat(store->folder, name, 0);
}

struct sr_result sr_extent_store_open_file(struct sr_extent_store *store, const struct sr_id *id, int *ret_fd)
{
	char name[SR_EXTENT_NAME_LEN];
	final_name(id, name);
	int fd = openat(store->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return errno == ENOENT ? sr_fail(SR_CORRUPT, "extent %s is missing", name)
		                       : sr_fail_errno(errno, "open extent %s", name);
	}
	*ret_fd = fd;
	return sr_ok();
}

struct sr_result sr_extent_remove(struct sr_extent_store *store, const struct sr_id *id)
{
	char name[SR_EXTENT_NAME_LEN];
	final_name(id, name);
	return unlinkat(store->folder, name, 0) == 0 || errno == ENOENT ? sr_ok()
	                                                                : sr_fail_errno(errno, "remove extent %s", name);
}

/* The files of one subfolder; the caller closes it. */
static struct sr_result list_folder(struct sr_extent_store *store, const char *name, DIR **ret_folder)
{
	SR_CLEANUP(fd) int fd = -1;
	SR_TRY(open_folder(store->folder, name, &fd));
	DIR *folder = fdopendir(fd);
	if (!folder) {
		return sr_fail_errno(errno, "list folder %s of the extent store", name);
	}
	fd = -1;
	*ret_folder = folder;
	return sr_ok();
}

/* The next file's name, or NULL at the end. */
static struct sr_result next_file(DIR *folder, const char **ret_name)
{
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(folder); /* NOLINT(concurrency-mt-unsafe): no other thread has this one */
		if (!entry && errno) {
			return sr_fail_errno(errno, "list a folder of the extent store");
		}
		if (!entry || entry->d_name[0] != '.') {
			*ret_name = entry ? entry->d_name : NULL;
			return sr_ok();
		}
	}
}

typedef struct sr_result (*each_extent)(const struct sr_id *id, int64_t modified_s, void *context);

static struct sr_result each_in_folder(struct sr_extent_store *store, const char *subfolder, each_extent each,
                                       void *context)
{
	SR_CLEANUP(folder) DIR *folder = NULL;
	SR_TRY(list_folder(store, subfolder, &folder));
	for (;;) {
		const char *name;
		SR_TRY(next_file(folder, &name));
		if (!name) {
			return sr_ok();
		}
		struct sr_id id;
		struct stat status;
		struct sr_result parsed = sr_id_parse(sr_bytes_str(name), &id);
		bool is_extent = sr_is_ok(parsed);
		sr_result_free(parsed);
		/* One that was removed meanwhile is none any more. */
		if (is_extent && fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
			SR_TRY(each(&id, (int64_t)status.st_mtim.tv_sec, context));
		}
	}
}

struct sr_result sr_extent_each(struct sr_extent_store *store, each_extent each, void *context)
{
	for (int i = 0; i < SUBFOLDER_COUNT; i++) {
		char subfolder[3];
		snprintf(subfolder, sizeof subfolder, "%02x", (unsigned)i & 0xFF);
		SR_TRY(each_in_folder(store, subfolder, each, context));
	}
	return sr_ok();
}

struct sr_result sr_extent_sweep_temporary(struct sr_extent_store *store)
{
	SR_CLEANUP(folder) DIR *folder = NULL;
	SR_TRY(list_folder(store, TEMPORARY, &folder));
	for (;;) {
		const char *name;
		SR_TRY(next_file(folder, &name));
		if (!name) {
			return sr_ok();
		}
		if (unlinkat(dirfd(folder), name, 0) != 0 && errno != ENOENT) {
			return sr_fail_errno(errno, "remove a temporary extent");
		}
	}
}
