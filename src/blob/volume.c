/* Opening, closing, and the bookkeeping that keeps sweeping apart from reading and writing. */
#include "blob/volume.h"

#include "base/clock.h"
#include "base/memory.h"
#include "blob/schema.h"

#include <stdio.h>
#include <string.h>

enum { PATH_LEN = 1024, READERS = 4, CACHE_KIB = 2048 };

/* Entity tags count as .NET's clock does (100 ns since year 1), which is how clients know them. */
static const uint64_t ticks_at_epoch = 621355968000000000ULL;

static struct sr_result load_totals(struct sr_connection *connection, void *context)
{
	struct sr_volume *volume = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT objects, bytes, etag FROM totals", &statement));
	bool is_row = false;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail(SR_CORRUPT, "account database has no totals");
	}
	atomic_store(&volume->figures->objects, sr_column_int(statement, 0));
	atomic_store(&volume->figures->bytes, sr_column_int(statement, 1));
	volume->etag = (uint64_t)sr_column_int(statement, 2);
	return sr_ok();
}

static struct sr_result open_parts(struct sr_volume *volume, const char *folder, const struct sr_id *account,
                                   const struct sr_secret *dek, uint64_t least_anchor)
{
	char database_path[PATH_LEN];
	char extent_path[PATH_LEN];
	snprintf(database_path, sizeof database_path, "%s/main.db", folder);
	snprintf(extent_path, sizeof extent_path, "%s/extents", folder);
	const struct sr_database_options options = {
	    .path = database_path,
	    .id = *account,
	    .schema = sr_blob_account_schema,
	    .reader_count = READERS,
	    .cache_kib = CACHE_KIB,
	    .least_anchor = least_anchor,
	};
	SR_TRY(sr_database_open(&options, dek, &volume->database));
	SR_TRY(sr_extent_store_open(extent_path, &volume->extents));
	SR_TRY(sr_extent_sweep_temporary(volume->extents));
	return sr_database_read(volume->database, load_totals, volume);
}

struct sr_result sr_volume_open(const char *folder, const struct sr_id *account, const struct sr_secret *dek,
                                uint32_t kek_epoch, uint64_t least_anchor, struct sr_volume_figures *figures,
                                struct sr_volume **ret_volume)
{
	struct sr_volume *volume = sr_alloc(sizeof *volume);
	sr_mutex_init(&volume->mutex, SR_RANK_LEAF);
	volume->uploads.next = volume->uploads.previous = &volume->uploads;
	volume->figures = figures;
	volume->database_kek_epoch = kek_epoch;
	struct sr_result result = open_parts(volume, folder, account, dek, least_anchor);
	if (!sr_is_ok(result)) {
		sr_volume_close(volume);
		return result;
	}
	atomic_store(&figures->is_open, true);
	*ret_volume = volume;
	return sr_ok();
}

void sr_volume_close(struct sr_volume *volume)
{
	atomic_store(&volume->figures->is_open, false);
	sr_database_close(volume->database);
	if (volume->extents) {
		sr_extent_store_close(volume->extents);
	}
	sr_mutex_destroy(&volume->mutex);
	sr_free(volume);
}

unsigned sr_volume_reader_begin(struct sr_volume *volume)
{
	SR_LOCKED(&volume->mutex);
	volume->reader_count[volume->phase]++;
	return volume->phase;
}

void sr_volume_reader_end(struct sr_volume *volume, unsigned phase)
{
	SR_LOCKED(&volume->mutex);
	volume->reader_count[phase]--;
}

bool sr_volume_turn(struct sr_volume *volume, unsigned *ret_old_phase)
{
	SR_LOCKED(&volume->mutex);
	if (volume->reader_count[!volume->phase] > 0) {
		return false;
	}
	*ret_old_phase = volume->phase;
	volume->phase = !volume->phase;
	return true;
}

bool sr_volume_is_quiet(struct sr_volume *volume, unsigned phase)
{
	SR_LOCKED(&volume->mutex);
	return volume->reader_count[phase] == 0;
}

void sr_volume_upload_begin(struct sr_volume *volume, struct sr_volume_upload *upload)
{
	SR_LOCKED(&volume->mutex);
	upload->next = &volume->uploads;
	upload->previous = volume->uploads.previous;
	upload->previous->next = upload;
	upload->next->previous = upload;
}

void sr_volume_upload_end(struct sr_volume *volume, struct sr_volume_upload *upload)
{
	SR_LOCKED(&volume->mutex);
	upload->previous->next = upload->next;
	upload->next->previous = upload->previous;
}

bool sr_volume_is_uploading(struct sr_volume *volume, const struct sr_id *extent)
{
	SR_LOCKED(&volume->mutex);
	for (struct sr_volume_upload *upload = volume->uploads.next; upload != &volume->uploads; upload = upload->next) {
		if (sr_id_equal(&upload->extent, extent)) {
			return true;
		}
	}
	return false;
}

uint64_t sr_volume_next_etag(struct sr_volume *volume)
{
	uint64_t now = ticks_at_epoch + (uint64_t)sr_unix_us() * 10;
	volume->etag = now > volume->etag ? now : volume->etag + 1;
	return volume->etag;
}
