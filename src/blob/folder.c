/* Folders of accounts. */
#include "blob/folder.h"

#include "seal/file.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

enum { OPEN_FILES = 16 };

struct sr_result sr_blob_folder_make(const char *path)
{
	if (mkdir(path, 0700) && errno != EEXIST) {
		return sr_fail_errno(errno, "making an account's folder");
	}
	return sr_file_sync_name(path);
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
