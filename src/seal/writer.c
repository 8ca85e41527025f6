/*
 * The writer of a sealed database: one thread that runs all waiting work in one transaction, commits, wakes
 * those who wait, and keeps the log short. What waits is the group; only for writes that were announced does it wait a
 * moment.
 */
#include "seal/database_state.h"
#include "seal/sqlite_error.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>

enum {
	GROUP_MAX = 256,          /* requests in a transaction */
	CHECKPOINT_FRAMES = 1000, /* a log this long is moved into the main file */
	LOG_FRAMES_MAX = 4000,    /* a log this long stops readers for a moment, so that it can begin anew */
	GATE_MS = 100,            /* longest wait for readers to leave */
	GATHER_US = 2000,         /* longest wait for writes that were announced */
	WRITER_STACK_LEN = 1024 * 1024
};

struct sr_result sr_writer_advance_anchor(struct sr_connection *writer, uint64_t *ret_anchor)
{
	int64_t counter;
	SR_TRY(sr_connection_get_int(writer, "UPDATE strongroom_anchor SET counter=counter+1 RETURNING counter", &counter));
	*ret_anchor = (uint64_t)counter;
	return sr_ok();
}

/* True while the group's transaction is open: SQLite itself undoes one on a full disk or a failed read. */
static bool in_transaction(const struct sr_connection *writer)
{
	return sqlite3_get_autocommit(writer->native) == 0;
}

/* Runs one request so that its failure undoes only its own changes. */
static void run_request(struct sr_connection *writer, struct sr_request *request)
{
	request->result = sr_connection_run(writer, "SAVEPOINT request");
	if (!sr_is_ok(request->result)) {
		return;
	}
	request->result = request->work(writer, request->context);
	sr_connection_end_statements(writer);
	if (!in_transaction(writer)) {
		return;
	}
	if (!sr_is_ok(request->result)) {
		sr_ignore(sr_connection_run(writer, "ROLLBACK TO request"));
	}
	request->result = sr_first_error(request->result, sr_connection_run(writer, "RELEASE request"));
}

/* Gives every request of the group that thought it had succeeded the reason why it has not. */
static void fail_group(struct sr_request *group, struct sr_result reason)
{
	for (struct sr_request *each = group; each; each = each->next) {
		if (sr_is_ok(each->result)) {
			each->result = sr_fail(sr_result_code(reason), "%s", sr_result_message(reason));
		}
	}
	sr_result_free(reason);
}

static struct sr_result broken(void)
{
	return sr_fail(SR_IO, "a sync of the database failed earlier: it must be opened again");
}

/* All of the group in the transaction; an error is for the whole group. */
static struct sr_result run_in_transaction(struct sr_database *database, struct sr_request *group, uint64_t *ret_anchor)
{
	struct sr_connection *writer = database->writer;
	SR_TRY(sr_connection_run(writer, "BEGIN IMMEDIATE"));
	if (database->anchor_is_due) {
		SR_TRY(sr_writer_advance_anchor(writer, ret_anchor));
	}
	for (struct sr_request *each = group; each; each = each->next) {
		run_request(writer, each);
		if (!in_transaction(writer)) {
			return sr_fail(sr_is_ok(each->result) ? SR_INTERNAL : sr_result_code(each->result),
			               "a write that was committed together with this one failed and undid both: %s",
			               sr_result_message(each->result));
		}
	}
	return sr_connection_run(writer, "COMMIT");
}

/*
 * After a failed fsync the kernel may have dropped what it could not write: no later sync can be believed, neither of a
 * commit nor of a checkpoint. The log stays, so that the next opening moves all of it into the main file once more.
 */
static void note_failure(struct sr_database *database, struct sr_result failure)
{
	if (sr_result_code(failure) == SR_IO) {
		database->is_broken = true;
		sr_connection_distrust(database->writer);
	}
}

static void run_group(struct sr_database *database, struct sr_request *group)
{
	if (database->is_broken) {
		fail_group(group, broken());
		return;
	}
	uint64_t anchor = 0;
	struct sr_result outcome = run_in_transaction(database, group, &anchor);
	if (sr_is_ok(outcome)) {
		if (anchor) {
			database->anchor = anchor;
			database->anchor_is_due = false;
		}
		return;
	}
	note_failure(database, outcome);
	if (in_transaction(database->writer)) {
		sr_ignore(sr_connection_run(database->writer, "ROLLBACK"));
	}
	fail_group(group, outcome);
}

static struct sr_result checkpoint(struct sr_database *database, int mode, bool *ret_is_whole)
{
	if (database->is_broken) {
		return broken();
	}
	int frames = 0;
	int moved = 0;
	int outcome = sqlite3_wal_checkpoint_v2(database->writer->native, "main", mode, &frames, &moved);
	if (outcome != SQLITE_OK && outcome != SQLITE_BUSY) {
		struct sr_result failure = sr_fail_sqlite(database->writer->native, outcome, "move the log into the database");
		note_failure(database, failure);
		return failure;
	}
	*ret_is_whole = outcome == SQLITE_OK && frames == moved;
	database->anchor_is_due = true;
	return sr_ok();
}

/* Keeps new readers out and waits a moment for those inside; false if they stay. */
static bool shut_gate(struct sr_database *database)
{
	uint64_t deadline_ns = sr_boottime_ns() + (uint64_t)GATE_MS * 1000000;
	SR_LOCKED(&database->mutex);
	database->gate_is_shut = true;
	while (database->busy_count > 0) {
		if (!sr_cond_wait_until(&database->changed, &database->mutex, deadline_ns)) {
			return false;
		}
	}
	return true;
}

static void open_gate(struct sr_database *database)
{
	SR_LOCKED(&database->mutex);
	database->gate_is_shut = false;
	sr_cond_broadcast(&database->reader_free);
}

/*
 * A checkpoint that failed is tried again after as many frames more: nothing is lost, the log holds all. A log begins
 * anew by itself once all of it is moved and no reader looks into it; under readers that never pause it would not.
 */
static void shorten_log(struct sr_database *database)
{
	int frames = database->writer->log_frames;
	if (frames < CHECKPOINT_FRAMES) {
		database->checkpoint_at = CHECKPOINT_FRAMES;
		return;
	}
	if (database->is_broken || frames < database->checkpoint_at) {
		return;
	}
	bool is_whole = false;
	database->checkpoint_at = frames + CHECKPOINT_FRAMES;
	sr_ignore(checkpoint(database, SQLITE_CHECKPOINT_PASSIVE, &is_whole));
	if (database->is_broken || frames < LOG_FRAMES_MAX) {
		return;
	}
	if (shut_gate(database)) {
		sr_ignore(checkpoint(database, SQLITE_CHECKPOINT_RESTART, &is_whole));
	}
	open_gate(database);
}

/* With the mutex: lets the group grow by what was announced. */
static void gather(struct sr_database *database)
{
	const uint64_t deadline_ns = sr_boottime_ns() + (uint64_t)GATHER_US * 1000;
	database->is_gathering = true;
	while (database->announced && !database->stop && !database->first->alone &&
	       sr_cond_wait_until(&database->work_waits, &database->mutex, deadline_ns)) {
	}
	database->is_gathering = false;
}

/* Takes what waits: the longest run of requests that share a transaction, or one that is alone. NULL: stop. */
static struct sr_request *take_group(struct sr_database *database)
{
	SR_LOCKED(&database->mutex);
	while (!database->first && !database->stop) {
		sr_cond_wait(&database->work_waits, &database->mutex);
	}
	struct sr_request *group = database->first;
	if (!group) {
		return NULL;
	}
	gather(database);
	struct sr_request *end = group;
	for (int i = 1; i < GROUP_MAX && !end->alone && end->next && !end->next->alone; i++) {
		end = end->next;
	}
	database->first = end->next;
	if (!database->first) {
		database->last = &database->first;
	}
	end->next = NULL;
	return group;
}

/* Wakes who waits for a request, or tells who does not. */
static void tell(struct sr_database *database, struct sr_request *request)
{
	if (!request->finished) {
		(void)sem_post(&request->done);
		return;
	}
	request->finished(request->context, request->result);
	sr_free(request);
	sr_database_leave(database);
}

static void writer_main(void *context)
{
	struct sr_database *database = context;
	for (struct sr_request *group = take_group(database); group; group = take_group(database)) {
		if (group->alone) {
			group->result = group->work(database->writer, group->context);
			sr_connection_end_statements(database->writer);
		} else {
			run_group(database, group);
		}
		while (group) {
			struct sr_request *next = group->next; /* a woken waiter takes its request away */
			tell(database, group);
			group = next;
		}
		shorten_log(database);
	}
}

struct sr_result sr_writer_start(struct sr_database *database)
{
	database->checkpoint_at = CHECKPOINT_FRAMES;
	return sr_thread_start("sr-writer", WRITER_STACK_LEN, writer_main, database, &database->thread);
}

void sr_writer_stop(struct sr_database *database)
{
	{
		SR_LOCKED(&database->mutex);
		database->stop = true;
		sr_cond_signal(&database->work_waits);
	}
	sr_thread_join(database->thread);
}

static void wait_for(struct sr_request *request)
{
	sr_blocking_begin();
	while (sem_wait(&request->done) != 0 && errno == EINTR) {
	}
	sr_blocking_end();
}

static void hand_in(struct sr_database *database, struct sr_request *request)
{
	SR_LOCKED(&database->mutex);
	bool was_empty = !database->first;
	*database->last = request;
	database->last =
	    &request->next; /* cppcheck-suppress autoVariables; the writer takes it before its caller returns */
	if (was_empty || (database->is_gathering && request->alone)) {
		sr_cond_signal(&database->work_waits);
	}
}

struct sr_result sr_writer_ask(struct sr_database *database, sr_database_work work, void *context, bool alone)
{
	struct sr_request request = {.work = work, .context = context, .alone = alone};
	SR_TRY(sr_database_enter(database));
	(void)sem_init(&request.done, 0, 0);
	hand_in(database, &request);
	wait_for(&request);
	(void)sem_destroy(&request.done);
	sr_database_leave(database);
	return request.result;
}

struct sr_result sr_database_write(struct sr_database *database, sr_database_work work, void *context)
{
	return sr_writer_ask(database, work, context, false);
}

void sr_database_announce(struct sr_database *database)
{
	SR_LOCKED(&database->mutex);
	database->announced++;
}

void sr_database_retract(struct sr_database *database)
{
	SR_LOCKED(&database->mutex);
	database->announced--;
	if (database->is_gathering && !database->announced) {
		sr_cond_signal(&database->work_waits);
	}
}

void sr_database_write_later(struct sr_database *database, sr_database_work work, void *context,
                             void (*finished)(void *context, struct sr_result result))
{
	struct sr_result entered = sr_database_enter(database);
	if (!sr_is_ok(entered)) {
		finished(context, entered);
		return;
	}
	struct sr_request *request = sr_alloc(sizeof *request);
	*request = (struct sr_request){.work = work, .context = context, .finished = finished};
	hand_in(database, request);
}

/* On the writer thread, alone. */
static struct sr_result checkpoint_work(struct sr_connection *connection, void *context)
{
	(void)connection;
	struct sr_database *database = context;
	bool is_whole = false;
	bool gate = shut_gate(database);
	struct sr_result result =
	    checkpoint(database, gate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &is_whole);
	open_gate(database);
	SR_TRY(result);
	return is_whole ? sr_ok() : sr_fail(SR_CONFLICT, "readers keep a part of the log in use");
}

struct sr_result sr_database_checkpoint(struct sr_database *database)
{
	return sr_writer_ask(database, checkpoint_work, database, true);
}
