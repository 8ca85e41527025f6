/* The thread of chores. What they are is in chores.c. */
#include "vault/tending.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "vault/kek_store.h"
#include "vault/service.h"

enum { LOOK_AGAIN_MS = 10000, RETRY_MS = 1000, RETRY_MAX_MS = 300000 };

struct sr_tending {
	struct sr_vault *vault;
	struct sr_tending_book book; /* the thread's */
	struct sr_thread thread;
	struct sr_mutex mutex; /* guards what follows */
	struct sr_cond changed;
	bool is_stopping, is_woken;
};

struct question {
	const struct sr_chore *chore;
	int64_t time;
};

static struct sr_result ask(struct sr_connection *connection, void *context)
{
	struct question *question = context;
	return question->chore->next(connection, &question->time);
}

static struct sr_result ask_next(struct sr_vault *vault, const struct sr_chore *chore, int64_t *ret_time)
{
	struct question question = {chore, SR_NO_TIME};
	SR_TRY(sr_database_read(vault->state.database, ask, &question));
	*ret_time = question.time;
	return sr_ok();
}

/* Runs a chore if it is due, or if it must; tells the time that it gives next. */
static struct sr_result attend(struct sr_vault *vault, const struct sr_chore *chore, int64_t now, bool must,
                               int64_t *ret_next)
{
	*ret_next = SR_NO_TIME;
	if (!chore->next) {
		return chore->run(vault, now);
	}
	SR_TRY(ask_next(vault, chore, ret_next));
	if (!must && (*ret_next == SR_NO_TIME || *ret_next > now)) {
		return sr_ok();
	}
	SR_TRY(chore->run(vault, now));
	return ask_next(vault, chore, ret_next);
}

static uint64_t retry_delay_ms(unsigned failures)
{
	const uint64_t delay = failures < 16 ? (uint64_t)RETRY_MS << failures : RETRY_MAX_MS;
	return delay < RETRY_MAX_MS ? delay : RETRY_MAX_MS;
}

/* After how many milliseconds a chore wants to be looked at. What is still due after its run is given a second. */
static uint64_t wish_ms(int64_t next, int64_t now)
{
	if (next == SR_NO_TIME || next - now >= LOOK_AGAIN_MS / 1000) {
		return LOOK_AGAIN_MS;
	}
	return next > now ? (uint64_t)(next - now) * 1000 : RETRY_MS;
}

uint64_t sr_tending_look(struct sr_tending_book *book, struct sr_vault *vault, int64_t now, uint64_t now_ms)
{
	const bool went_back = now < book->last_look;
	book->last_look = now;
	uint64_t wait_ms = LOOK_AGAIN_MS;
	const struct sr_chore *chore;
	for (size_t i = 0; i < SR_CHORES_MAX && (chore = book->chore_at(i)); i++) {
		uint64_t wish;
		int64_t next;
		if (now_ms < book->attempts[i].not_before_ms) {
			wish = book->attempts[i].not_before_ms - now_ms;
		} else {
			struct sr_result result = attend(vault, chore, now, went_back, &next);
			if (sr_is_ok(result)) {
				book->attempts[i].failures = 0;
				book->attempts[i].not_before_ms = 0;
				wish = wish_ms(next, now);
			} else {
				sr_log(SR_LOG_ERROR, "the chore %s: failure %d", chore->name, (int)sr_result_code(result));
				sr_ignore(result);
				wish = retry_delay_ms(book->attempts[i].failures++);
				book->attempts[i].not_before_ms = now_ms + wish;
			}
		}
		wait_ms = wish < wait_ms ? wish : wait_ms;
	}
	return wait_ms;
}

/* Until the next time, or a change; false when it is time to stop. */
static bool wait(struct sr_tending *tending, uint64_t wait_ms)
{
	const uint64_t deadline_ns = sr_boottime_ns() + wait_ms * 1000000;
	SR_LOCKED(&tending->mutex);
	while (!tending->is_stopping && !tending->is_woken &&
	       sr_cond_wait_until(&tending->changed, &tending->mutex, deadline_ns)) {
	}
	tending->is_woken = false;
	return !tending->is_stopping;
}

static void run(void *context)
{
	struct sr_tending *tending = context;
	/* A purge that a crash parted from the folding of its log is finished now. */
	struct sr_result folded = sr_kek_fold_log(&tending->vault->state);
	if (!sr_is_ok(folded)) {
		sr_log(SR_LOG_ERROR, "folding the database's log: failure %d", (int)sr_result_code(folded));
		sr_ignore(folded);
	}
	uint64_t wait_ms;
	do {
		wait_ms = sr_tending_look(&tending->book, tending->vault, sr_unix_s(), sr_boottime_ms());
	} while (wait(tending, wait_ms));
}

struct sr_result sr_tending_start(struct sr_vault *vault, struct sr_tending **ret_tending)
{
	struct sr_tending *tending = sr_alloc(sizeof *tending);
	tending->vault = vault;
	tending->book.chore_at = sr_chore_at;
	sr_mutex_init(&tending->mutex, SR_RANK_LEAF);
	sr_cond_init(&tending->changed);
	struct sr_result started = sr_thread_start("vault-tending", 0, run, tending, &tending->thread);
	if (!sr_is_ok(started)) {
		sr_cond_destroy(&tending->changed);
		sr_mutex_destroy(&tending->mutex);
		sr_free(tending);
		return started;
	}
	*ret_tending = tending;
	return sr_ok();
}

void sr_tending_wake(struct sr_tending *tending)
{
	if (tending) {
		SR_LOCKED(&tending->mutex);
		tending->is_woken = true;
		sr_cond_signal(&tending->changed);
	}
}

void sr_tending_stop(struct sr_tending *tending)
{
	if (!tending) {
		return;
	}
	{
		SR_LOCKED(&tending->mutex);
		tending->is_stopping = true;
		sr_cond_signal(&tending->changed);
	}
	sr_thread_join(tending->thread);
	sr_cond_destroy(&tending->changed);
	sr_mutex_destroy(&tending->mutex);
	sr_free(tending);
}
