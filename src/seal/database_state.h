/*
 * What the parts of an open sealed database share: its writer (writer.c), its readers (database.c). Private to the
 * room.
 */
#ifndef SR_SEAL_DATABASE_STATE_H
#define SR_SEAL_DATABASE_STATE_H

#include "seal/connection.h"
#include "seal/database_file.h"

#include "base/thread.h"

#include <semaphore.h>

/* What waits for the writer thread; lives on its caller's stack until `done` is posted, or on the heap where nobody
 * waits. */
struct sr_request {
	struct sr_request *next;
	/* Runs inside the group's transaction; or, where `alone`, by itself outside of any. */
	sr_database_work work;
	void *context;
	bool alone;
	struct sr_result result;
	void (*finished)(void *context, struct sr_result result); /* NULL: somebody waits for `done` */
	sem_t done;                                               /* one wake-up wakes one waiter */
};

struct sr_database {
	struct sr_vfs *vfs;
	struct sr_database_file file;
	char *path;
	unsigned cache_kib;
	struct sr_thread thread;
	_Atomic uint64_t anchor; /* the newest durable value */

	/* The writer thread's own. */
	struct sr_connection *writer;
	bool anchor_is_due; /* the next group advances it: every log then begins with an anchor of its own */
	bool is_broken;     /* a sync failed: what is durable is not known until the database is opened again */
	int checkpoint_at;  /* frames */

	struct sr_mutex mutex; /* guards all below; rank SR_RANK_DATABASE */
	struct sr_cond work_waits;
	struct sr_cond reader_free; /* also: the gate opened */
	struct sr_cond changed;     /* users or readers became fewer */
	struct sr_request *first, **last;
	unsigned announced; /* writes that are on their way */
	bool is_gathering;  /* the writer waits for them */
	bool stop;
	bool closing;
	unsigned user_count; /* calls of the owner's threads that are under way */
	struct sr_connection *idle_readers;
	unsigned reader_count; /* open, or being opened */
	unsigned reader_max;
	unsigned busy_count; /* readers in use */
	bool gate_is_shut;   /* the writer wants no reader for a moment */
};

/* Counts a user in, or refuses (SR_REVOKED) as the database closes; and out. */
SR_MUST struct sr_result sr_database_enter(struct sr_database *database);
void sr_database_leave(struct sr_database *database);

/* writer.c. Starts the thread; stops it when its queue is empty. */
SR_MUST struct sr_result sr_writer_start(struct sr_database *database);
void sr_writer_stop(struct sr_database *database);
/* Hands a request in and waits for it. */
SR_MUST struct sr_result sr_writer_ask(struct sr_database *database, sr_database_work work, void *context, bool alone);
/* Advances the anchor inside a transaction. Before the thread runs, or on it. */
SR_MUST struct sr_result sr_writer_advance_anchor(struct sr_connection *writer, uint64_t *ret_anchor);

/* Over a VFS other than the default below ours; a test records through it. `page_len` 0: the default, for new ones. */
SR_MUST struct sr_result sr_database_open_over(const struct sr_database_options *options, const struct sr_secret *dek,
                                               const char *base_vfs, uint32_t page_len,
                                               struct sr_database **ret_database);

#endif
