/*
 * A crew: a few threads that carry out jobs in order of arrival, for both ends of the lease protocol. Jobs are
 * the caller's own structs, so that handing one over allocates nothing and cannot fail for want of memory.
 */
#ifndef SR_KEYRING_CREW_H
#define SR_KEYRING_CREW_H

#include "base/result.h"

struct sr_crew;

struct sr_crew_job {
	void (*run)(struct sr_crew_job *job);
	struct sr_crew_job *next; /* the crew's own */
};

/* Starts `thread_count` threads named `name`. */
SR_MUST struct sr_result sr_crew_start(const char *name, unsigned thread_count, struct sr_crew **ret_crew);
/* Hands a job over; it is the job's `run` that ends its life. False, and not taken, once the crew is closed. Takes no
 * lock but a leaf. */
bool sr_crew_post(struct sr_crew *crew, struct sr_crew_job *job);
/* Takes no more jobs, carries out those that wait, and ends the threads. */
void sr_crew_close(struct sr_crew *crew);
/* After sr_crew_close, when nobody posts any more. NULL is allowed. */
void sr_crew_free(struct sr_crew *crew);

#endif
