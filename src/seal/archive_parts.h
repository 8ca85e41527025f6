/* The repository's own: folders, blocks, the snapshot that is being made. Private to the room. */
#ifndef SR_SEAL_ARCHIVE_PARTS_H
#define SR_SEAL_ARCHIVE_PARTS_H

#include "seal/archive.h"
#include "seal/archive_manifest.h"

struct sr_archive {
	char *folder;
	int lock;        /* of the file "strongroom-backup" */
	uint8_t *buffer; /* SR_ARCHIVE_BLOCK_LEN */

	/* The snapshot that is being made. */
	bool is_writing;
	char id[SR_ID_TEXT_LEN];
	struct sr_manifest_writer manifest;
	struct sr_manifest_reader earlier; /* the snapshot before, where there is one */
	bool has_earlier;                  /* and `earlier_file` is its next file that was not compared yet */
	struct sr_manifest_file earlier_file;
	uint64_t new_bytes;
};

enum { SR_ARCHIVE_BLOCK_LEN = 4 * 1024 * 1024, SR_ARCHIVE_PAGE_BLOCK_LEN = 256 * 1024 };

/* The length of blocks of a file: short ones where small parts of it change. */
size_t sr_archive_block_len(const char *path);
/* "FOLDER/blocks/ab/abcd…"; the caller frees. */
char *sr_archive_block_path(const struct sr_archive *archive, const char name[static SR_BLOCK_NAME_LEN]);
/* "FOLDER/snapshots/ID" and a suffix. */
char *sr_archive_snapshot_path(const struct sr_archive *archive, const char *id, const char *suffix);
/* The name of some bytes as a block. */
void sr_archive_block_name(struct sr_bytes bytes, char ret_name[static SR_BLOCK_NAME_LEN]);
/* Flushes everything of the repository's file system. */
SR_MUST struct sr_result sr_archive_sync(const struct sr_archive *archive);

#endif
