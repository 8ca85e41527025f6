/* The walk over everything at rest, and its report. */
#include "blob/verify.h"

#include "blob/content.h"

#include "base/clock.h"
#include "wire/json.h"

#include <string.h>

enum { LINE_MAX_LEN = 4 * 1024 * 1024, FINDINGS_MAX = 10000, BATCH = 64, PROGRESS_MS = 250 };

struct walk {
	struct sr_exchange *exchange;
	struct sr_blob_service *service;
	struct sr_blob_account *account;
	struct sr_volume *volume;
	struct sr_lease_use *use;
	json_t *findings, *skipped;
	uint64_t reported_ms;
	struct sr_result sent; /* how writing went; the walk ends when the reader is gone */
};

static void write_line(struct walk *walk, const json_t *line)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(LINE_MAX_LEN);
	struct sr_result written = sr_json_write(line, &text);
	sr_buf_append_str(&text, "\n");
	written = sr_first_error(written, sr_buf_result(&text));
	if (sr_is_ok(walk->sent) && sr_is_ok(written)) {
		walk->sent = sr_exchange_write(walk->exchange, sr_buf_bytes(&text));
	} else {
		walk->sent = sr_first_error(walk->sent, written);
	}
}

static void progress(struct walk *walk, const char *what, uint64_t done, uint64_t all)
{
	uint64_t now = sr_boottime_ms();
	if (done < all && now - walk->reported_ms < PROGRESS_MS) {
		return;
	}
	walk->reported_ms = now;
	SR_CLEANUP(sr_json) json_t *line = json_object();
	sr_json_set_int(line, "done", (int64_t)done);
	sr_json_set_int(line, "all", (int64_t)all);
	sr_json_set_string(line, "what", what);
	write_line(walk, line);
}

static void database_progress(uint64_t done, uint64_t all, void *context)
{
	progress(context, "database", done, all);
}

/* Notes damage; other errors (the key was taken away meanwhile) note that the account was skipped. */
static void note(struct walk *walk, const char *kind, const char *id, struct sr_result result)
{
	enum sr_code code = sr_result_code(result);
	bool is_damage = code == SR_CORRUPT || code == SR_WRONG_KEY || code == SR_IO;
	json_t *list = is_damage ? walk->findings : walk->skipped;
	if (json_array_size(list) < FINDINGS_MAX) {
		json_t *finding = json_object();
		sr_json_set_string(finding, "account", walk->account ? walk->account->record.name : "");
		sr_json_set_string(finding, "kind", kind);
		sr_json_set_string(finding, "id", id);
		sr_json_set_string(finding, "reason", sr_result_message(result));
		json_array_append_new(list, finding);
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
		for (size_t i = 0; i < batch.count && sr_is_ok(walk->sent); i++) {
			char id[SR_ID_TEXT_LEN];
			sr_id_text(&batch.pieces[i].extent, id);
			SR_TRY(sr_lease_check(walk->use));
			SR_CLEANUP(sr_result) struct sr_result checked = check_extent(walk, &batch.pieces[i], room);
			if (!sr_is_ok(checked)) {
				note(walk, "extent", id, checked);
			}
			batch.after = batch.pieces[i].number;
			done++;
			progress(walk, "extents", done, done > batch.all ? done : batch.all);
		}
	} while (batch.count == BATCH && sr_is_ok(walk->sent));
	return sr_ok();
}

/* Extents that are replaced during the walk stay readable until it is over. */
static struct sr_result check_volume(struct walk *walk)
{
	char id[SR_ID_TEXT_LEN];
	sr_id_text(&walk->account->record.id, id);
	SR_CLEANUP(sr_result)
	struct sr_result pages = sr_database_verify(walk->volume->database, database_progress, walk);
	if (!sr_is_ok(pages)) {
		note(walk, "database", id, pages);
	}
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
	SR_CLEANUP(sr_result)
	struct sr_result result =
	    sr_blob_account_enter(walk->service->accounts, walk->account, NULL, NULL, &use, &walk->volume);
	if (sr_is_ok(result)) {
		result = check_volume(walk);
	}
	walk->use = NULL;
	if (!sr_is_ok(result)) {
		note(walk, "account", id, result);
	}
}

static void check_everything(struct walk *walk)
{
	SR_CLEANUP(sr_result) struct sr_result control = sr_blob_control_verify(walk->service->control);
	if (!sr_is_ok(control)) {
		note(walk, "database", "control", control);
	}
	for (size_t i = 0; sr_is_ok(walk->sent); i++) {
		SR_CLEANUP(sr_blob_account) struct sr_blob_account *account = sr_blob_accounts_at(walk->service->accounts, i);
		if (!account) {
			break;
		}
		walk->account = account;
		check_account(walk);
		walk->account = NULL;
	}
}

struct sr_result sr_blob_verify(struct sr_exchange *exchange, struct sr_blob_service *service)
{
	SR_CLEANUP(sr_json) json_t *report = json_object();
	struct walk walk = {
	    .exchange = exchange,
	    .service = service,
	    .findings = json_array(),
	    .skipped = json_array(),
	};
	sr_json_set(report, "findings", walk.findings);
	sr_json_set(report, "skipped", walk.skipped);
	sr_exchange_add_header(exchange, "Content-Type", "application/x-ndjson");
	SR_TRY(sr_exchange_begin(exchange, 200, -1));
	check_everything(&walk);
	sr_json_set_string(report, "result", json_array_size(walk.findings) ? "damaged" : "ok");
	write_line(&walk, report);
	SR_TRY(walk.sent);
	return sr_exchange_end(exchange);
}
