/* Reading and writing a manifest line by line, in constant memory. Private to the room. */
#ifndef SR_SEAL_ARCHIVE_MANIFEST_H
#define SR_SEAL_ARCHIVE_MANIFEST_H

#include "seal/crypto.h"

#include <stdio.h>

enum { SR_ARCHIVE_PATH_MAX = 512, SR_BLOCK_NAME_LEN = 65, SR_MANIFEST_LINE_MAX = 1024 };

struct sr_manifest_file {
	char path[SR_ARCHIVE_PATH_MAX];
	unsigned mode;
	uint64_t size;
};

/* Writing: the digest is kept as lines go out. */
struct sr_manifest_writer {
	FILE *stream;
	struct sr_digest *digest;
	uint64_t files, bytes;
};
SR_MUST struct sr_result sr_manifest_begin(const char *path, int64_t now_s, struct sr_manifest_writer *ret_writer);
SR_MUST struct sr_result sr_manifest_put_file(struct sr_manifest_writer *writer, const struct sr_manifest_file *file);
SR_MUST struct sr_result sr_manifest_put_block(struct sr_manifest_writer *writer,
                                               const char name[static SR_BLOCK_NAME_LEN]);
/* Writes the end, and makes the file durable. */
SR_MUST struct sr_result sr_manifest_end(struct sr_manifest_writer *writer, uint8_t ret_sha256[static 32]);
void sr_manifest_writer_free(struct sr_manifest_writer *writer);

/* Reading: one file after another, and the blocks of the file at hand. */
struct sr_manifest_reader {
	FILE *stream;
	struct sr_digest *digest;
	char line[SR_MANIFEST_LINE_MAX + 2];
	uint64_t files, bytes; /* seen so far */
	bool has_ended;
	bool is_line_waiting; /* a line was read that the last call did not want */
	int64_t time_s;
};
/* SR_NOT_FOUND; SR_CORRUPT for anything but a manifest. */
SR_MUST struct sr_result sr_manifest_open(const char *path, struct sr_manifest_reader *ret_reader);
/* The next file; *ret_is_file false at the end, which has been seen then (a cut manifest is SR_CORRUPT). Blocks that
 * were not asked for are passed over. */
SR_MUST struct sr_result sr_manifest_next_file(struct sr_manifest_reader *reader, bool *ret_is_file,
                                               struct sr_manifest_file *ret_file);
/* The next block of the file; *ret_is_block false after its last. */
SR_MUST struct sr_result sr_manifest_next_block(struct sr_manifest_reader *reader, bool *ret_is_block,
                                                char ret_name[static SR_BLOCK_NAME_LEN]);
/* After the end: the digest of all of it. */
void sr_manifest_digest(struct sr_manifest_reader *reader, uint8_t ret_sha256[static 32]);
void sr_manifest_reader_free(struct sr_manifest_reader *reader);
void sr_manifest_reader_cleanup(struct sr_manifest_reader *reader);

/* The order of paths in a manifest: segment by segment. As strcmp. */
int sr_manifest_compare(const char *a, const char *b);

#endif
