/*
 * Sealed extents: immutable byte sequences at rest, format version 1 (ARCHITECTURE.md, "The sealed
 * extent"). A store is a directory; an extent's name is its random identifier in hex, in one of 256
 * subfolders. The wrapped DEK and the plaintext length live in the metadata row that refers to the
 * extent, so the caller hands both in. A store may be used by many threads; a writer or reader by one at a time.
 */
#ifndef SR_SEAL_EXTENT_H
#define SR_SEAL_EXTENT_H

#include "base/text.h"
#include "seal/secret.h"

enum { SR_EXTENT_CHUNK_LEN = 65536 };

struct sr_extent_store;
/* Opens (and makes, where missing) the store in `path`. */
SR_MUST struct sr_result sr_extent_store_open(const char *path, struct sr_extent_store **ret_store);
void sr_extent_store_close(struct sr_extent_store *store);

/* Writing: bytes as they come, then commit, or abort (free without commit leaves nothing behind). */
struct sr_extent_writer;
/* A fresh extent under a fresh DEK, which the caller wraps into its row and frees. */
SR_MUST struct sr_result sr_extent_writer_new(struct sr_extent_store *store, struct sr_id *ret_id,
                                              struct sr_secret **ret_dek, struct sr_extent_writer **ret_writer);
/* SR_NO_SPACE when the disk is full, SR_TOO_LARGE past 2^40 bytes; after an error only free it. */
SR_MUST struct sr_result sr_extent_writer_write(struct sr_extent_writer *writer, struct sr_bytes plaintext);
/* Seals the last chunk, fsyncs the file, gives it its name, fsyncs the folder. Durable when it returns. */
SR_MUST struct sr_result sr_extent_writer_commit(struct sr_extent_writer *writer, uint64_t *ret_plaintext_len);
void sr_extent_writer_free(struct sr_extent_writer *writer);
void sr_extent_writer_cleanup(struct sr_extent_writer **writer);

/* Reading by range. */
struct sr_extent_reader;
/* A key for reading, to be kept in a cache: derived once from a DEK. Secret: free at revocation. May be used by many
 * threads. */
struct sr_extent_key;
SR_MUST struct sr_result sr_extent_key_new(const struct sr_id *id, const struct sr_secret *dek,
                                           struct sr_extent_key **ret_key);
void sr_extent_key_free(struct sr_extent_key *key);
void sr_extent_key_cleanup(struct sr_extent_key **key);
/*
 * Opens an extent and checks its header, its key's commitment and its length. Borrows the key.
 * SR_CORRUPT: missing, cut, or another's file (a missing file is an alarm, not "not found"); SR_WRONG_KEY: whole, but
 * not under this key.
 */
SR_MUST struct sr_result sr_extent_reader_new(struct sr_extent_store *store, const struct sr_id *id,
                                              struct sr_extent_key *key, uint64_t plaintext_len,
                                              struct sr_extent_reader **ret_reader);
/*
 * Opens up to `len` bytes at `offset` into `to`: whole chunks are checked before a byte of them is given. Gives at
 * least one byte while offset < length, and as many as `len` allows; many chunks in one call are read with one pread.
 * SR_RANGE if offset >= length (unless len is 0); SR_CORRUPT names the chunk.
 */
SR_MUST struct sr_result sr_extent_reader_read(struct sr_extent_reader *reader, uint64_t offset, uint8_t *to,
                                               size_t len, size_t *ret_len);
void sr_extent_reader_free(struct sr_extent_reader *reader);
void sr_extent_reader_cleanup(struct sr_extent_reader **reader);

/* Removes an extent's file; missing is fine. Not durable by itself: a sweep ends what a crash left. */
SR_MUST struct sr_result sr_extent_remove(struct sr_extent_store *store, const struct sr_id *id);
/* Calls `each` for every extent in the store and its file's modification time (Unix seconds), in no order; an error
 * from `each` ends the walk. */
SR_MUST struct sr_result
sr_extent_each(struct sr_extent_store *store,
               struct sr_result (*each)(const struct sr_id *id, int64_t modified_s, void *context), void *context);
/* Removes temporary files that a crash left behind. Call at start, before writers. */
SR_MUST struct sr_result sr_extent_sweep_temporary(struct sr_extent_store *store);

#endif
