/*
 * A frozen image of a service's sealed files, for a backup to copy at leisure: databases as they were at one moment,
 * immutable files by hard links, so that it costs little and nothing that is removed meanwhile is missing. It lies in
 * the folder "image" of the service's state; what an earlier one left there is replaced.
 */
#ifndef SR_SEAL_IMAGE_H
#define SR_SEAL_IMAGE_H

#include "seal/database.h"

struct sr_image;

/* Begins an image of the state directory. The caller ends it with sr_image_free; the files stay until
 * sr_image_remove. For one thread. */
SR_MUST struct sr_result sr_image_begin(const char *state_dir, struct sr_image **ret_image);
void sr_image_free(struct sr_image *image);
void sr_image_cleanup(struct sr_image **image);
/* Makes a folder of the image; `name` is relative ("accounts/ab12"), its parents are there. */
SR_MUST struct sr_result sr_image_add_folder(struct sr_image *image, const char *name);
/* True if the image has a file or folder of this name. */
bool sr_image_has(const struct sr_image *image, const char *name);
/* Copies a small file that is replaced as a whole (sr_file_write_durable). SR_NOT_FOUND. */
SR_MUST struct sr_result sr_image_add_file(struct sr_image *image, const char *name);
/* Copies an open database with its log, between two of its transactions; reading goes on meanwhile. */
SR_MUST struct sr_result sr_image_add_database(struct sr_image *image, const char *name, struct sr_database *database);
/* Copies a database that nobody has open, and keeps it from being opened meanwhile. SR_CONFLICT: it is open. */
SR_MUST struct sr_result sr_image_add_closed_database(struct sr_image *image, const char *name);
/* Links every file of a folder and of its folders, but for what is in a folder "temporary". Files may come and go
 * meanwhile. */
SR_MUST struct sr_result sr_image_add_links(struct sr_image *image, const char *name);
/* Removes the image of a state directory; missing is fine. */
SR_MUST struct sr_result sr_image_remove(const char *state_dir);

/* database_copy.c: main file and log, to `to` and "TO-wal". Private to the room. */
SR_MUST struct sr_result sr_database_copy(struct sr_database *database, const char *to);
SR_MUST struct sr_result sr_database_copy_closed(const char *path, const char *to);

#endif
