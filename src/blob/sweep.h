/*
 * Sweeping: taking apart what no client can see any more, in small transactions in the background: blobs of
 * deleted containers, replaced block lists, abandoned and week-old drafts, extents without references, and extents that
 * a crash left without a row.
 */
#ifndef SR_BLOB_SWEEP_H
#define SR_BLOB_SWEEP_H

#include "blob/service.h"

struct sr_sweeper;

/* Starts the thread. Borrows `service`. */
SR_MUST struct sr_result sr_sweeper_start(struct sr_blob_service *service, struct sr_sweeper **ret_sweeper);
void sr_sweeper_stop(struct sr_sweeper *sweeper);

/* One round over one account's open volume, for the thread and for tests. `since` is the Unix time before which drafts
 * are too old. *ret_is_done is false while there is more. */
SR_MUST struct sr_result sr_sweep_round(struct sr_volume *volume, int64_t since, bool *ret_is_done);
/* Removes extents that no row names and nobody is writing. */
SR_MUST struct sr_result sr_sweep_orphans(struct sr_volume *volume);

#endif
