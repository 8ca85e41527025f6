/*
 * What the vault does by itself when its time comes: revoking what expires, rotating keys, purging what was deleted,
 * renewing certificates, giving notice, signing checkpoints. A chore is a pair of functions in the file of its noun and
 * a line in the table of chores.c; one thread (tending.c) runs them all.
 */
#ifndef SR_VAULT_CHORE_H
#define SR_VAULT_CHORE_H

#include "seal/database.h"

struct sr_vault;

struct sr_chore {
	const char *name; /* for the log: "purge-secrets" */
	/* The next Unix second at which there is something to do, now or past included; SR_NO_TIME where there is nothing.
	 * Within a read. NULL: the chore runs at every look, six times a minute, and knows by itself. */
	struct sr_result (*next)(struct sr_connection *connection, int64_t *ret_time);
	/* Does what is due at `now`, one durable, audited step at a time, so that a crash loses none and repeats none. A
	 * failure is logged and tried again later; it does not keep other chores from their time. */
	struct sr_result (*run)(struct sr_vault *vault, int64_t now);
};

/* By position; NULL past the end. */
const struct sr_chore *sr_chore_at(size_t index);

#endif
