/* Folders, copies and hard links below STATE/SERVICE/image. */
#include "seal/image.h"

#include "base/memory.h"
#include "base/thread.h"
#include "seal/file.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL_FILE_MAX = 1024 * 1024 };

struct sr_image {
	char *state_dir, *folder;
};

static struct sr_result make_folder(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? sr_fail_errno(errno, "make folder %s", path) : sr_ok();
}

/* Whoever asked for an image may be gone while it is still made: the next waits for its end. */
static struct sr_mutex one_at_a_time = SR_MUTEX(SR_RANK_IMAGE);

static struct sr_result remove_image(const char *state_dir)
{
	SR_CLEANUP(sr_string) char *folder = sr_strdupf("%s/image", state_dir);
	char *const roots[] = {folder, NULL};
	if (access(folder, F_OK)) {
		return sr_ok();
	}
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk) {
		return sr_fail_errno(errno, "walk through %s", folder);
	}
	struct sr_result removed = sr_ok();
	for (FTSENT *entry; sr_is_ok(removed) && (entry = fts_read(walk));) {
		const bool is_folder = entry->fts_info == FTS_D;
		if (!is_folder && remove(entry->fts_path) && errno != ENOENT) {
			removed = sr_fail_errno(errno, "remove %s", entry->fts_path);
		}
	}
	fts_close(walk);
	return removed;
}

struct sr_result sr_image_remove(const char *state_dir)
{
	SR_LOCKED(&one_at_a_time);
	return remove_image(state_dir);
}

struct sr_result sr_image_begin(const char *state_dir, struct sr_image **ret_image)
{
	SR_CLEANUP(sr_image) struct sr_image *image = sr_alloc(sizeof *image);
	sr_blocking_begin();
	sr_mutex_lock(&one_at_a_time); /* until sr_image_free */
	sr_blocking_end();
	SR_TRY(remove_image(state_dir));
	image->state_dir = sr_strdup(state_dir);
	image->folder = sr_strdupf("%s/image", state_dir);
	SR_TRY(make_folder(image->folder));
	*ret_image = SR_TAKE(image);
	return sr_ok();
}

void sr_image_free(struct sr_image *image)
{
	if (image) {
		sr_mutex_unlock(&one_at_a_time);
		sr_free(image->state_dir);
		sr_free(image->folder);
		sr_free(image);
	}
}

void sr_image_cleanup(struct sr_image **image)
{
	sr_image_free(*image);
	*image = NULL;
}

struct sr_result sr_image_add_folder(struct sr_image *image, const char *name)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/%s", image->folder, name);
	return make_folder(path);
}

bool sr_image_has(const struct sr_image *image, const char *name)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/%s", image->folder, name);
	return access(path, F_OK) == 0;
}

struct sr_result sr_image_add_file(struct sr_image *image, const char *name)
{
	SR_CLEANUP(sr_string) char *from = sr_strdupf("%s/%s", image->state_dir, name);
	SR_CLEANUP(sr_string) char *to = sr_strdupf("%s/%s", image->folder, name);
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(SMALL_FILE_MAX);
	SR_TRY(sr_file_read(from, SMALL_FILE_MAX, &bytes));
	return sr_file_write_durable(to, sr_buf_bytes(&bytes));
}

struct sr_result sr_image_add_database(struct sr_image *image, const char *name, struct sr_database *database)
{
	SR_CLEANUP(sr_string) char *to = sr_strdupf("%s/%s", image->folder, name);
	return sr_database_copy(database, to);
}

struct sr_result sr_image_add_closed_database(struct sr_image *image, const char *name)
{
	SR_CLEANUP(sr_string) char *from = sr_strdupf("%s/%s", image->state_dir, name);
	SR_CLEANUP(sr_string) char *to = sr_strdupf("%s/%s", image->folder, name);
	return sr_database_copy_closed(from, to);
}

/* One entry of the walk; what went away since it was listed is none. */
static struct sr_result add_entry(const struct sr_image *image, FTS *walk, FTSENT *entry)
{
	SR_CLEANUP(sr_string) char *to = sr_strdupf("%s%s", image->folder, entry->fts_path + strlen(image->state_dir));
	switch (entry->fts_info) {
	case FTS_D:
		if (strcmp(entry->fts_name, "temporary") == 0) {
			fts_set(walk, entry, FTS_SKIP);
			return sr_ok();
		}
		return make_folder(to);
	case FTS_F:
		if (link(entry->fts_path, to) && errno != ENOENT && errno != EEXIST) {
			return sr_fail_errno(errno, "link %s into an image", entry->fts_path);
		}
		return sr_ok();
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return entry->fts_errno == ENOENT ? sr_ok() : sr_fail_errno(entry->fts_errno, "read %s", entry->fts_path);
	default:
		return sr_ok();
	}
}

struct sr_result sr_image_add_links(struct sr_image *image, const char *name)
{
	SR_CLEANUP(sr_string) char *from = sr_strdupf("%s/%s", image->state_dir, name);
	char *const roots[] = {from, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk) {
		return sr_fail_errno(errno, "walk through %s", from);
	}
	struct sr_result added = sr_ok();
	for (FTSENT *entry; sr_is_ok(added) && (entry = fts_read(walk));) {
		added = add_entry(image, walk, entry);
	}
	fts_close(walk);
	return added;
}
