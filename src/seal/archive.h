/*
 * A backup's repository: a folder of blocks named by their SHA-256, and of manifests, a snapshot each, that say which
 * blocks make which file. What goes in is sealed already (extents, databases, wrapped keys), so blocks are kept as they
 * are; a block that is there is not written again, which makes every snapshot but the first an incremental one. A
 * manifest's digest is sealed by the vault, so that parts cannot be exchanged for older ones.
 *
 *   FOLDER/strongroom-backup          "1\n"
 *   FOLDER/blocks/ab/abcd…            64 hex digits
 *   FOLDER/snapshots/ID               lines of text (below), ID is 32 hex digits
 *   FOLDER/snapshots/ID.seal          what the vault made of the manifest's SHA-256
 *
 * A manifest: "strongroom-backup 1", "time SECONDS", then for each file, in the order of their paths, "file MODE SIZE
 * PATH" and a line "block HASH" for each 4 MiB (256 KiB of files whose names end in ".db" or "-wal"); last "end FILES
 * BYTES". Functions are for one thread; one process at a time uses a repository (SR_CONFLICT).
 */
#ifndef SR_SEAL_ARCHIVE_H
#define SR_SEAL_ARCHIVE_H

#include "base/text.h"
#include "seal/crypto.h"

struct sr_archive;

/* Opens the repository in `folder`, or makes one where the folder is empty or missing and `may_create`. SR_INVALID: the
 * folder holds something else; SR_CONFLICT: another process uses it; SR_NOT_FOUND. */
SR_MUST struct sr_result sr_archive_open(const char *folder, bool may_create, struct sr_archive **ret_archive);
void sr_archive_close(struct sr_archive *archive);
void sr_archive_cleanup(struct sr_archive **archive);

/* What a long step tells on its way. */
struct sr_archive_progress {
	void (*tell)(uint64_t files, uint64_t bytes, void *context); /* NULL: nobody listens */
	void *context;
};
struct sr_archive_figures {
	uint64_t files, bytes; /* of the snapshot */
	uint64_t new_bytes;    /* that were not there yet */
};

/* Begins a snapshot. One at a time. */
SR_MUST struct sr_result sr_archive_begin(struct sr_archive *archive, int64_t now_s);
/* Adds every file below `folder` as NAME/… ; names must come in ascending order. Files do not change meanwhile. A file
 * of an "extents" folder that the snapshot before has with the same size is not read again: it cannot have changed. */
SR_MUST struct sr_result sr_archive_add_tree(struct sr_archive *archive, const char *name, const char *folder,
                                             const struct sr_archive_progress *progress);
/* The manifest is written; its digest, to be sealed. */
SR_MUST struct sr_result sr_archive_complete(struct sr_archive *archive, uint8_t ret_sha256[static 32],
                                             struct sr_archive_figures *ret_figures);
/* Makes all of it durable and, last, the snapshot visible under its id. */
SR_MUST struct sr_result sr_archive_publish(struct sr_archive *archive, struct sr_bytes seal,
                                            char ret_id[static SR_ID_TEXT_LEN]);

struct sr_archive_snapshot {
	char id[SR_ID_TEXT_LEN];
	int64_t time_s;
};
/* Oldest first; the caller frees the array with sr_free. */
SR_MUST struct sr_result sr_archive_list(struct sr_archive *archive, struct sr_archive_snapshot **ret_snapshots,
                                         size_t *ret_count);
/* Reads every block of a snapshot: SR_CORRUPT names the first that is missing or damaged. `into` NULL only checks; else
 * the files are made there (what is there already is refused, SR_EXISTS), for their owner alone, and durable when it
 * returns. `names`, ended by NULL: the folders that files may lie in, any other is SR_CORRUPT; NULL: any. The
 * manifest's digest and seal are for the vault to check. */
SR_MUST struct sr_result sr_archive_read(struct sr_archive *archive, const char *id, const char *into,
                                         const char *const *names, const struct sr_archive_progress *progress,
                                         uint8_t ret_sha256[static 32], struct sr_buf *seal);
/* Removes all but the newest `keep` snapshots, and the blocks that no snapshot needs. */
SR_MUST struct sr_result sr_archive_prune(struct sr_archive *archive, size_t keep, uint64_t *ret_freed_bytes);

#endif
