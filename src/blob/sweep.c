/*
 * The sweeper's rounds. What a round takes apart was found in a committed state; it waits until every reader that may
 * have found it too has left, then removes files, then rows: a crash in between leaves rows that the next round ends.
 */
#include "blob/sweep.h"

#include "blob/sweep_store.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

enum {
	ROWS_AT_ONCE = 500,
	EXTENTS_AT_ONCE = 64,
	TICK_MS = 100,
	ROUND_MS = 1000,
	QUIET_WAIT_MS = 200,
	DRAFT_AGE_S = 7 * 24 * 3600
};

struct sr_sweeper {
	struct sr_blob_service *service;
	struct sr_thread thread;
	atomic_bool is_stopping;
};

struct round {
	struct sr_volume *volume;
	int64_t since;
	bool has_old_drafts;
	struct sr_garbage garbage;
	struct sr_unused_extent unused[EXTENTS_AT_ONCE];
	size_t unused_count;
};

static struct sr_result find(struct sr_connection *connection, void *context)
{
	struct round *round = context;
	SR_TRY(sr_garbage_find(connection, &round->garbage));
	return sr_unused_find(connection, EXTENTS_AT_ONCE, round->unused, &round->unused_count);
}

static struct sr_result throw_old_drafts_away(struct sr_connection *connection, void *context)
{
	const struct round *round = context;
	return sr_garbage_add_old_drafts(connection, round->since, ROWS_AT_ONCE);
}

static struct sr_result look_for_old_drafts(struct sr_connection *connection, void *context)
{
	struct round *round = context;
	SR_CLEANUP(sr_statement) struct sr_statement *rows = NULL;
	SR_TRY(sr_prepare(connection, "SELECT 1 FROM draft WHERE modified < ?1 LIMIT 1", &rows));
	sr_bind_int(rows, 1, round->since);
	return sr_step(rows, &round->has_old_drafts);
}

static struct sr_result reduce(struct sr_connection *connection, void *context)
{
	const struct round *round = context;
	if (round->garbage.number) {
		SR_TRY(sr_garbage_reduce(connection, &round->garbage, ROWS_AT_ONCE));
	}
	for (size_t i = 0; i < round->unused_count; i++) {
		SR_TRY(sr_unused_forget(connection, round->unused[i].piece));
	}
	return sr_ok();
}

/* Waits a little for the readers that were there when the round's findings were read. */
static bool readers_have_left(struct sr_volume *volume)
{
	unsigned phase;
	if (!sr_volume_turn(volume, &phase)) {
		return false;
	}
	for (uint64_t until = sr_boottime_ms() + QUIET_WAIT_MS; !sr_volume_is_quiet(volume, phase);) {
		if (sr_boottime_ms() > until) {
			return false;
		}
		sr_sleep_ms(1);
	}
	return true;
}

struct sr_result sr_sweep_round(struct sr_volume *volume, int64_t since, bool *ret_is_done)
{
	struct round round = {.volume = volume, .since = since};
	*ret_is_done = true;
	SR_TRY(sr_database_read(volume->database, look_for_old_drafts, &round));
	if (round.has_old_drafts) {
		SR_TRY(sr_database_write(volume->database, throw_old_drafts_away, &round));
	}
	SR_TRY(sr_database_read(volume->database, find, &round));
	if ((!round.garbage.number && !round.unused_count) || !readers_have_left(volume)) {
		return sr_ok();
	}
	for (size_t i = 0; i < round.unused_count; i++) {
		SR_TRY(sr_extent_remove(volume->extents, &round.unused[i].extent));
	}
	SR_TRY(sr_database_write(volume->database, reduce, &round));
	*ret_is_done = false;
	return sr_ok();
}

struct orphan_search {
	struct sr_volume *volume;
	const struct sr_id *extent;
	bool is_named;
};

static struct sr_result look_up(struct sr_connection *connection, void *context)
{
	struct orphan_search *search = context;
	return sr_piece_find_extent(connection, search->extent, &search->is_named);
}

/* A writer registers before its file has its name and leaves after its row is committed: so asking for writers first
 * and for rows second misses neither. */
static struct sr_result check_one(const struct sr_id *extent, int64_t modified_s, void *context)
{
	(void)modified_s;
	struct orphan_search *search = context;
	if (sr_volume_is_uploading(search->volume, extent)) {
		return sr_ok();
	}
	search->extent = extent;
	SR_TRY(sr_database_read(search->volume->database, look_up, search));
	return search->is_named ? sr_ok() : sr_extent_remove(search->volume->extents, extent);
}

struct sr_result sr_sweep_orphans(struct sr_volume *volume)
{
	struct orphan_search search = {.volume = volume};
	return sr_extent_each(volume->extents, check_one, &search);
}

/* One account, if it is open: sweeping is no reason to ask the vault for a key. */
static struct sr_result sweep_account(struct sr_sweeper *sweeper, struct sr_blob_account *account)
{
	if (!atomic_load(&account->figures.is_open)) {
		return sr_ok();
	}
	bool is_done = false;
	for (int rounds = 0; !is_done && rounds < 100 && !atomic_load(&sweeper->is_stopping); rounds++) {
		/* a use for each round, so that a recall never waits for more than one */
		SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
		struct sr_volume *volume = NULL;
		SR_TRY(sr_blob_account_enter(sweeper->service->accounts, account, NULL, NULL, &use, &volume));
		SR_TRY(sr_sweep_round(volume, sr_unix_s() - DRAFT_AGE_S, &is_done));
		if (!atomic_exchange(&account->is_swept, true)) {
			SR_TRY(sr_sweep_orphans(volume));
		}
	}
	return sr_ok();
}

static void sweep_all(struct sr_sweeper *sweeper)
{
	for (size_t i = 0; !atomic_load(&sweeper->is_stopping); i++) {
		SR_CLEANUP(sr_blob_account)
		struct sr_blob_account *account = sr_blob_accounts_at(sweeper->service->accounts, i);
		if (!account) {
			return;
		}
		SR_CLEANUP(sr_result) struct sr_result swept = sweep_account(sweeper, account);
		enum sr_code code = sr_result_code(swept);
		if (code != SR_OK && code != SR_REVOKED && code != SR_UNAVAILABLE && code != SR_NOT_FOUND) {
			char id[SR_ID_TEXT_LEN];
			sr_id_text(&account->record.id, id);
			sr_log(SR_LOG_WARNING, "sweeping account %s: %s", id, sr_result_message(swept));
		}
	}
}

static void run(void *context)
{
	struct sr_sweeper *sweeper = context;
	for (uint64_t waited_ms = 0; !atomic_load(&sweeper->is_stopping); waited_ms += TICK_MS) {
		if (waited_ms >= ROUND_MS) {
			sweep_all(sweeper);
			waited_ms = 0;
		}
		sr_sleep_ms(TICK_MS);
	}
}

struct sr_result sr_sweeper_start(struct sr_blob_service *service, struct sr_sweeper **ret_sweeper)
{
	struct sr_sweeper *sweeper = sr_alloc(sizeof *sweeper);
	sweeper->service = service;
	struct sr_result started = sr_thread_start("sweeper", 0, run, sweeper, &sweeper->thread);
	if (!sr_is_ok(started)) {
		sr_free(sweeper);
		return started;
	}
	*ret_sweeper = sweeper;
	return sr_ok();
}

void sr_sweeper_stop(struct sr_sweeper *sweeper)
{
	if (sweeper) {
		atomic_store(&sweeper->is_stopping, true);
		sr_thread_join(sweeper->thread);
		sr_free(sweeper);
	}
}
