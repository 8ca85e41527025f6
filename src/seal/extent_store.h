/* Where extents' files are; private to the room. Names are relative to the store's folder. */
#ifndef SR_SEAL_EXTENT_STORE_H
#define SR_SEAL_EXTENT_STORE_H

#include "seal/extent.h"

/* "ab/abcd…" and "temporary/abcd…" */
enum { SR_EXTENT_NAME_LEN = 10 + SR_ID_TEXT_LEN };

/* A new temporary file, open for writing. The caller closes it. */
SR_MUST struct sr_result sr_extent_store_create(struct sr_extent_store *store, const struct sr_id *id, int *ret_fd);
/* Gives a whole, fsynced temporary file its name, and makes the name durable. */
SR_MUST struct sr_result sr_extent_store_publish(struct sr_extent_store *store, const struct sr_id *id);
/* Removes a temporary file; missing is fine. */
void sr_extent_store_discard(struct sr_extent_store *store, const struct sr_id *id);
/* An extent's file, open for reading. SR_CORRUPT if it is missing. The caller closes it. */
SR_MUST struct sr_result sr_extent_store_open_file(struct sr_extent_store *store, const struct sr_id *id, int *ret_fd);

#endif
