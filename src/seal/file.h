/*
 * Small files that must be whole after a crash: ids, wrapped keys, sealed records. Bytes are stored as
 * they are given, so the caller seals what must not lie in clear. Only src/seal opens files for writing.
 */
#ifndef SR_SEAL_FILE_H
#define SR_SEAL_FILE_H

#include "base/bytes.h"

/*
 * Puts `bytes` in the place of `path` (mode 0600): a reader, also one after a power cut, finds the old content or the
 * new, never a part. Durable when it returns: written beside it as "PATH.new", fsynced, renamed, folder fsynced. One
 * writer of a path at a time. SR_NO_SPACE, SR_IO, or what the folder's state makes of it.
 */
SR_MUST struct sr_result sr_file_write_durable(const char *path, struct sr_bytes bytes);

/* Makes the name `path` durable, of a file or of a folder: the folder that holds it is fsynced. */
SR_MUST struct sr_result sr_file_sync_name(const char *path);

/* Appends the whole file; SR_NOT_FOUND if there is none, SR_TOO_LARGE over `max` bytes. On failure `buf` is as before.
 */
SR_MUST struct sr_result sr_file_read(const char *path, size_t max, struct sr_buf *buf);

#endif
