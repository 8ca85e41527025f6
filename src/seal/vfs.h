/*
 * The sealing SQLite VFS: one for each open database, stacked on another VFS (`unix`). What SQLite
 * writes as pages and frames rests sealed; the log's index lives in the heap. Private to the room.
 */
#ifndef SR_SEAL_VFS_H
#define SR_SEAL_VFS_H

#include "seal/page.h"

#include <sqlite3.h>

struct sr_vfs;

struct sr_vfs_options {
	const char *path;       /* of the main file, as it will be given to sqlite3_open_v2 */
	const char *base;       /* the name of the VFS below, NULL for the default */
	const struct sr_id *id; /* of the database */
	uint32_t page_len;      /* plaintext page with its reserved bytes: the same number of bytes rests on disk */
};

/* Makes and registers a VFS under a name of its own; derives the page key from `dek`. */
SR_MUST struct sr_result sr_vfs_new(const struct sr_vfs_options *options, const struct sr_secret *dek,
                                    struct sr_vfs **ret_vfs);
/* After the last connection is closed: unregisters it and wipes. NULL is allowed. */
void sr_vfs_free(struct sr_vfs *vfs);
void sr_vfs_cleanup(struct sr_vfs **vfs);
/* What to name as the VFS in sqlite3_open_v2. */
const char *sr_vfs_name(const struct sr_vfs *vfs);

/* What failed below SQLite for this connection since it was asked last; success if nothing did. */
SR_MUST struct sr_result sr_vfs_failure(sqlite3 *connection);

/*
 * Opens every frame of the log and appends nothing: SR_CORRUPT names a frame that was durable and no longer opens (a
 * torn tail, which no later frame vouches for, is fine). For a time when nobody writes.
 */
SR_MUST struct sr_result sr_vfs_check_log(struct sr_vfs *vfs);
/* How many pages the main file has. */
SR_MUST struct sr_result sr_vfs_page_count(struct sr_vfs *vfs, uint32_t *ret_count);
/* Opens `count` pages of the main file from page `first` (from 1); SR_CORRUPT names the page. For a time when nobody
 * checkpoints. */
SR_MUST struct sr_result sr_vfs_check_pages(struct sr_vfs *vfs, uint32_t first, uint32_t count);

#endif
