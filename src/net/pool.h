/*
 * Worker threads of which only so many run at once: one that waits (sr_blocking_begin) is replaced meanwhile by
 * another, parked or new, and stands back at its next turn if it is one too many. Knows nothing of what they work on.
 */
#ifndef SR_NET_POOL_H
#define SR_NET_POOL_H

#include "base/result.h"

struct sr_pool;

/* `work` runs on each thread and asks sr_pool_turn before each piece of work. */
struct sr_pool *sr_pool_new(unsigned running_max, unsigned threads_max, void (*work)(void *context), void *context);
/* Starts the first threads. */
SR_MUST struct sr_result sr_pool_start(struct sr_pool *pool);
/* True when the calling worker may take a piece of work (it may wait here first); false when it must return. */
bool sr_pool_turn(struct sr_pool *pool);
/* Makes each sr_pool_turn return false from now on. The caller wakes workers that wait elsewhere. */
void sr_pool_stop(struct sr_pool *pool);
/* Joins all threads. */
void sr_pool_join(struct sr_pool *pool);
void sr_pool_free(struct sr_pool *pool);
unsigned sr_pool_threads_now(struct sr_pool *pool);

#endif
