/*
 * The main file of a sealed database before SQLite sees it: its header, its making, and its holding by one
 * process. Private to the room.
 */
#ifndef SR_SEAL_DATABASE_FILE_H
#define SR_SEAL_DATABASE_FILE_H

#include "base/text.h"
#include "seal/secret.h"

struct sr_database_file {
	int descriptor;    /* holds the lock; -1: not open */
	uint32_t page_len; /* from the header */
};

/*
 * Opens the file and locks it for this process. SR_NOT_FOUND: there is none; SR_CONFLICT: another holds it;
 * SR_CORRUPT: its header is damaged or another database's; SR_WRONG_KEY. Changes nothing.
 */
SR_MUST struct sr_result sr_database_file_open(const char *path, const struct sr_id *id, const struct sr_secret *dek,
                                               struct sr_database_file *ret_file);
/* Makes and locks a file with a header and no page, at `path` (what an earlier try left there is removed). */
SR_MUST struct sr_result sr_database_file_make(const char *path, const struct sr_id *id, const struct sr_secret *dek,
                                               uint32_t page_len, struct sr_database_file *ret_file);
/* Makes the file durable and gives it its name for good; SR_CONFLICT if that is taken. */
SR_MUST struct sr_result sr_database_file_publish(struct sr_database_file *file, const char *path,
                                                  const char *final_path);
/* Lets it go; harmless on one that is not open. */
void sr_database_file_close(struct sr_database_file *file);
void sr_database_file_cleanup(struct sr_database_file *file);

#endif
