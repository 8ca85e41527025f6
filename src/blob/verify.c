/* The walk over everything at rest, and its report. */
#include "blob/verify.h"

#include "blob/content.h"

#include "host/verification.h"

enum { BATCH = 64 };

struct walk {
	struct sr_verification report;
	struct sr_blob_service *service;
	struct sr_blob_account *account;
	struct sr_volume *volume;
	struct sr_lease_use *use;
};

/* Takes a result: damage is a finding; after other errors (the key was taken away meanwhile) the account was skipped.
 */
static void note(struct walk *walk, const char *kind, const char *id, struct sr_result result)
{
	const struct sr_verified what = {walk->account ? walk->account->record.name : "", kind, id};
	switch (sr_result_code(result)) {
	case SR_OK:
		return;
	case SR_CORRUPT:
	case SR_WRONG_KEY:
	case SR_IO:
		sr_verification_find(&walk->report, what, result);
		return;
	default:
		sr_verification_skip(&walk->report, what, result);
	}
}

/* Pieces that are extents, a batch at a time: no transaction stays open while extents are read. */
struct batch {
	int64_t after; /* piece numbers already seen */
	struct sr_piece pieces[BATCH];
	size_t count;
	uint64_t all;
};

static struct sr_result read_batch(struct sr_connection *connection, void *context)
{
	struct batch *batch = context;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_statement) struct sr_statement *rows = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " SR_PIECE_COLUMNS " FROM piece WHERE number > ?1 AND extent IS NOT NULL"
	                  " AND reference_count > 0 ORDER BY number LIMIT ?2",
	                  &rows));
	sr_bind_int(rows, 1, batch->after);
	sr_bind_int(rows, 2, BATCH);
	batch->count = 0;
	for (;;) {
		bool is_row = false;
		SR_TRY(sr_step(rows, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		SR_TRY(sr_piece_read(rows, 0, arena, &batch->pieces[batch->count++]));
	}
}

static struct sr_result count_extents(struct sr_connection *connection, void *context)
{
	struct batch *batch = context;
	SR_CLEANUP(sr_statement) struct sr_statement *rows = NULL;
	SR_TRY(
	    sr_prepare(connection, "SELECT count(*) FROM piece WHERE extent IS NOT NULL AND reference_count > 0", &rows));
	bool is_row = false;
	SR_TRY(sr_step(rows, &is_row));
	batch->all = (uint64_t)sr_column_int(rows, 0);
	return sr_ok();
}

static struct sr_result check_extent(struct walk *walk, const struct sr_piece *piece, struct sr_room room)
{
	struct sr_extent_key *key = NULL;
	SR_TRY(sr_lease_extent_key(walk->use, &piece->extent, piece->kek_epoch, sr_bytes_of(piece->dek, sizeof piece->dek),
	                           &key));
	SR_CLEANUP(sr_extent_reader) struct sr_extent_reader *reader = NULL;
	struct sr_result result = sr_extent_reader_new(walk->volume->extents, &piece->extent, key, piece->length, &reader);
	for (uint64_t offset = 0; sr_is_ok(result) && offset < piece->length;) {
		size_t got = 0;
		result = sr_extent_reader_read(reader, offset, room.bytes, room.len, &got);
		offset += got;
	}
	sr_extent_reader_free(SR_TAKE(reader));
	sr_lease_extent_key_done(walk->use, key);
	return result;
}

static struct sr_result check_extents(struct walk *walk)
{
	SR_CLEANUP(sr_room) struct sr_room room = {0};
	SR_TRY(sr_room_new(SR_CONTENT_ROOM, &room));
	struct batch batch = {0};
	uint64_t done = 0;
	SR_TRY(sr_database_read(walk->volume->database, count_extents, &batch));
	do {
		SR_TRY(sr_database_read(walk->volume->database, read_batch, &batch));
		for (size_t i = 0; i < batch.count && sr_verification_is_heard(&walk->report); i++) {
			char id[SR_ID_TEXT_LEN];
			sr_id_text(&batch.pieces[i].extent, id);
			SR_TRY(sr_lease_check(walk->use));
			note(walk, "extent", id, check_extent(walk, &batch.pieces[i], room));
			batch.after = batch.pieces[i].number;
			done++;
			sr_verification_progress(&walk->report, "extents", done, done > batch.all ? done : batch.all);
		}
	} while (batch.count == BATCH && sr_verification_is_heard(&walk->report));
	return sr_ok();
}

/* Extents that are replaced during the walk stay readable until it is over. */
static struct sr_result check_volume(struct walk *walk)
{
	char id[SR_ID_TEXT_LEN];
	sr_id_text(&walk->account->record.id, id);
	note(walk, "database", id, sr_database_verify(walk->volume->database, sr_verification_pages, &walk->report));
	unsigned phase = sr_volume_reader_begin(walk->volume);
	struct sr_result result = check_extents(walk);
	sr_volume_reader_end(walk->volume, phase);
	return result;
}

static void check_account(struct walk *walk)
{
	char id[SR_ID_TEXT_LEN];
	sr_id_text(&walk->account->record.id, id);
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	walk->use = &use;
	struct sr_result result =
	    sr_blob_account_enter(walk->service->accounts, walk->account, NULL, NULL, &use, &walk->volume);
	if (sr_is_ok(result)) {
		result = check_volume(walk);
	}
	walk->use = NULL;
	note(walk, "account", id, result);
}

static void check_everything(struct walk *walk)
{
	note(walk, "database", "control", sr_blob_control_verify(walk->service->control));
	for (size_t i = 0; sr_verification_is_heard(&walk->report); i++) {
		SR_CLEANUP(sr_blob_account) struct sr_blob_account *account = sr_blob_accounts_at(walk->service->accounts, i);
		if (!account) {
			break;
		}
		walk->account = account;
		check_account(walk);
		walk->account = NULL;
	}
}

static void walk_cleanup(struct walk *walk)
{
	sr_verification_cleanup(&walk->report);
}

struct sr_result sr_blob_verify(struct sr_exchange *exchange, struct sr_blob_service *service)
{
	SR_CLEANUP(walk) struct walk walk = {.service = service};
	SR_TRY(sr_verification_begin(exchange, &walk.report));
	check_everything(&walk);
	return sr_verification_finish(&walk.report);
}
