/*
 * The thread that runs the chores (chore.h) at their times. Wall-clock time can be set, so it looks at least six times
 * a minute, and at all of them once the clock has gone back. One chore's failure is its own: it is tried again after a
 * second, doubling to five minutes, while the others keep their times.
 */
#ifndef SR_VAULT_TENDING_H
#define SR_VAULT_TENDING_H

#include "vault/chore.h"

struct sr_tending;

/* Starts the thread; borrows the vault. */
SR_MUST struct sr_result sr_tending_start(struct sr_vault *vault, struct sr_tending **ret_tending);
/* Something changed that chores' times depend on: look again. NULL is allowed. */
void sr_tending_wake(struct sr_tending *tending);
/* Waits for a chore that is running. NULL is allowed. */
void sr_tending_stop(struct sr_tending *tending);

enum { SR_CHORES_MAX = 32 };

/* What the thread knows between looks; all zero at first but for the table. */
struct sr_tending_book {
	const struct sr_chore *(*chore_at)(size_t index);
	struct {
		uint64_t not_before_ms; /* 0: it did not fail */
		unsigned failures;
	} attempts[SR_CHORES_MAX];
	int64_t last_look; /* Unix seconds */
};
/* One look as of `now` (Unix seconds) and `now_ms` (of a clock that is never set): runs what is due and tells after how
 * many milliseconds to look again. For the thread and for tests. */
uint64_t sr_tending_look(struct sr_tending_book *book, struct sr_vault *vault, int64_t now, uint64_t now_ms);

/* The chore of the vault's own certificate: a new one for connections to come, a month before the old one ends. */
SR_MUST struct sr_result sr_renew_vault_certificate(struct sr_vault *vault, int64_t now);

#endif
