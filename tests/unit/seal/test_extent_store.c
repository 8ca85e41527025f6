/*
 * Which folders of an extent store are fsynced, and when: seen by standing in fsync's place. What the files hold is
 * test_extent.c's.
 */
#include "vectors.h"

#include "seal/extent_store.h"

#include "base/memory.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SYNCED_MAX = 16 };

/* The inodes that were fsynced. */
static ino_t synced[SYNCED_MAX];
static size_t synced_count;

int fsync(int fd)
{
	struct stat status;
	if (fstat(fd, &status) == 0 && synced_count < SYNCED_MAX) {
		synced[synced_count++] = status.st_ino;
	}
	return (int)syscall(SYS_fsync, fd);
}

static bool was_synced(const char *path)
{
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	for (size_t i = 0; i < synced_count; i++) {
		if (synced[i] == status.st_ino) {
			return true;
		}
	}
	return false;
}

static int make_folder(void **state)
{
	if (init_seal(state) != 0) {
		return -1;
	}
	const char *root = getenv("TMPDIR");
	char *folder = sr_strdupf("%s/extent-store-XXXXXX", root ? root : "/tmp");
	synced_count = 0;
	*state = folder;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int remove_folder(void **state)
{
	nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	sr_free(*state);
	return 0;
}

static void open_and_close(const char *path)
{
	struct sr_extent_store *store = NULL;
	expect_ok(sr_extent_store_open(path, &store));
	sr_extent_store_close(store);
}

static void test_the_folders_of_a_new_store_are_durable(void **state)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/store", (const char *)*state);
	open_and_close(path);
	assert_true(was_synced(path));
	assert_true(was_synced(*state));
}

/* As a kill between the making of a folder and its fsync leaves it. */
static void test_folders_that_a_start_left_behind_are_made_durable_by_the_next(void **state)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/store", (const char *)*state);
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned i = 0; i < 256; i++) {
		SR_CLEANUP(sr_string) char *subfolder = sr_strdupf("%s/%02x", path, i);
		assert_int_equal(mkdir(subfolder, 0700), 0);
	}
	open_and_close(path);
	assert_true(was_synced(path));
	assert_true(was_synced(*state));
}

static void test_a_store_that_is_whole_is_opened_without_fsync(void **state)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/store", (const char *)*state);
	open_and_close(path);
	synced_count = 0;
	open_and_close(path);
	assert_int_equal(synced_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_the_folders_of_a_new_store_are_durable, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(test_folders_that_a_start_left_behind_are_made_durable_by_the_next, make_folder,
	                                    remove_folder),
	    cmocka_unit_test_setup_teardown(test_a_store_that_is_whole_is_opened_without_fsync, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
