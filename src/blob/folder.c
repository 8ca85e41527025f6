/* Folders of accounts. */
#include "blob/folder.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FILES = 16 };

static struct sr_result sync_parent(const char *path)
{
	SR_CLEANUP(sr_string) char *copy = sr_strdup(path);
	int parent = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0) {
		return sr_fail_errno(errno, "opening the folder above an account's");
	}
	int failed = fsync(parent) ? errno : 0;
	close(parent);
	return failed ? sr_fail_errno(failed, "syncing the folder above an account's") : sr_ok();
}

struct sr_result sr_blob_folder_make(const char *path)
{
	if (mkdir(path, 0700) && errno != EEXIST) {
		return sr_fail_errno(errno, "making an account's folder");
	}
	return sync_parent(path);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path) && errno != ENOENT ? errno : 0;
}

struct sr_result sr_blob_folder_remove(const char *path)
{
	int failed = nftw(path, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
	if (failed < 0 && errno != ENOENT) {
		return sr_fail_errno(errno, "walking an account's folder");
	}
	return failed > 0 ? sr_fail_errno(failed, "removing an account's folder") : sr_ok();
}
