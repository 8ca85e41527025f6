/*
 * A volume is an account's data while its key is held: the open database, the extent store, and who is
 * reading or writing extents now. It is attached to the account's lease and closes with it. Thread-safe.
 */
#ifndef SR_BLOB_VOLUME_H
#define SR_BLOB_VOLUME_H

#include "base/thread.h"
#include "seal/database.h"
#include "seal/extent.h"

#include <stdatomic.h>

/* An extent that is being written or whose row is not committed yet; lives in its writer. */
struct sr_volume_upload {
	struct sr_id extent;
	struct sr_volume_upload *next, *previous;
};

/* What outlives the volume: numbers for status, kept by the account. */
struct sr_volume_figures {
	atomic_bool is_open;
	atomic_llong objects;
	atomic_llong bytes;
};

struct sr_volume {
	struct sr_database *database;
	struct sr_extent_store *extents;
	struct sr_volume_figures *figures; /* borrowed: the account outlives its volume */
	uint32_t database_kek_epoch;
	uint64_t etag; /* highest given out; belongs to the database's writer */
	struct sr_mutex mutex;
	unsigned reader_count[2];        /* under mutex: readers of extents that began in either phase */
	unsigned phase;                  /* under mutex */
	struct sr_volume_upload uploads; /* under mutex: list head */
};

/* Opens (or makes) what lies in `folder` (…/accounts/ID, which exists). SR_CORRUPT if its database is older than
 * `least_anchor` (0: not known). */
SR_MUST struct sr_result sr_volume_open(const char *folder, const struct sr_id *account, const struct sr_secret *dek,
                                        uint32_t kek_epoch, uint64_t least_anchor, struct sr_volume_figures *figures,
                                        struct sr_volume **ret_volume);
/* Closes and frees; nobody uses it any more. */
void sr_volume_close(struct sr_volume *volume);

/*
 * Brackets the use of extents found in a read transaction: begin before the transaction, end after the last byte. The
 * sweeper unlinks only what no reader can have found.
 */
unsigned sr_volume_reader_begin(struct sr_volume *volume);
void sr_volume_reader_end(struct sr_volume *volume, unsigned phase);
/* Starts a new phase; false if readers of the phase before the current one are still there. */
bool sr_volume_turn(struct sr_volume *volume, unsigned *ret_old_phase);
/* True once no reader of that phase is left. */
bool sr_volume_is_quiet(struct sr_volume *volume, unsigned phase);

/* Registers an extent that no row names yet, so that the sweeper leaves it alone. */
void sr_volume_upload_begin(struct sr_volume *volume, struct sr_volume_upload *upload);
void sr_volume_upload_end(struct sr_volume *volume, struct sr_volume_upload *upload);
bool sr_volume_is_uploading(struct sr_volume *volume, const struct sr_id *extent);

/* A fresh ETag, higher than any before. In a write transaction only. */
uint64_t sr_volume_next_etag(struct sr_volume *volume);

#endif
