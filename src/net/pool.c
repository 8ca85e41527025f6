/* The pool's one invariant: running + parked + blocked = threads, and running is at most running_max but for workers
 * that came back from a wait and have not yet finished their piece. */
#include "net/pool.h"

#include "base/memory.h"
#include "base/thread.h"

#include <stdatomic.h>

enum { STACK_LEN = 512 * 1024 };

struct sr_pool {
	void (*work)(void *context);
	void *context;
	unsigned running_max;
	unsigned threads_max;
	atomic_uint running; /* changed with the mutex held; read without, as a hint */
	atomic_bool is_stopping;
	struct sr_mutex mutex; /* guards what follows */
	struct sr_cond may_run;
	unsigned parked;
	unsigned thread_count;
	struct sr_thread *threads;
};

struct sr_pool *sr_pool_new(unsigned running_max, unsigned threads_max, void (*work)(void *context), void *context)
{
	struct sr_pool *pool = sr_alloc(sizeof *pool);
	pool->work = work;
	pool->context = context;
	pool->running_max = running_max;
	pool->threads_max = threads_max < running_max ? running_max : threads_max;
	pool->threads = sr_alloc_array(pool->threads_max, sizeof *pool->threads);
	sr_mutex_init(&pool->mutex, SR_RANK_SERVER);
	sr_cond_init(&pool->may_run);
	return pool;
}

static void worker_main(void *context);

/* Called with the mutex held. The new thread counts as running from here on. */
static struct sr_result spawn(struct sr_pool *pool)
{
	SR_TRY(sr_thread_start("worker", STACK_LEN, worker_main, pool, &pool->threads[pool->thread_count]));
	pool->thread_count++;
	atomic_fetch_add(&pool->running, 1);
	return sr_ok();
}

static void blocking_begin(void *context)
{
	struct sr_pool *pool = context;
	SR_LOCKED(&pool->mutex);
	unsigned running = atomic_fetch_sub(&pool->running, 1) - 1;
	if (running >= pool->running_max || atomic_load(&pool->is_stopping)) {
		return;
	}
	if (pool->parked > 0) {
		sr_cond_signal(&pool->may_run);
	} else if (pool->thread_count < pool->threads_max) {
		sr_ignore(spawn(pool)); /* without another thread the work waits for this one */
	}
}

static void blocking_end(void *context)
{
	struct sr_pool *pool = context;
	SR_LOCKED(&pool->mutex);
	atomic_fetch_add(&pool->running, 1);
}

static void worker_main(void *context)
{
	struct sr_pool *pool = context;
	sr_blocking_set_hooks(&(struct sr_blocking_hooks){.begin = blocking_begin, .end = blocking_end, .pool = pool});
	pool->work(pool->context);
	sr_blocking_set_hooks(NULL);
}

struct sr_result sr_pool_start(struct sr_pool *pool)
{
	SR_LOCKED(&pool->mutex);
	while (pool->thread_count < pool->running_max) {
		SR_TRY(spawn(pool));
	}
	return sr_ok();
}

bool sr_pool_turn(struct sr_pool *pool)
{
	if (atomic_load_explicit(&pool->is_stopping, memory_order_relaxed)) {
		return false;
	}
	if (atomic_load_explicit(&pool->running, memory_order_relaxed) <= pool->running_max) {
		return true;
	}
	SR_LOCKED(&pool->mutex);
	if (atomic_load(&pool->running) <= pool->running_max) {
		return true;
	}
	atomic_fetch_sub(&pool->running, 1);
	pool->parked++;
	while (atomic_load(&pool->running) >= pool->running_max && !atomic_load(&pool->is_stopping)) {
		sr_cond_wait(&pool->may_run, &pool->mutex);
	}
	pool->parked--;
	atomic_fetch_add(&pool->running, 1);
	return !atomic_load(&pool->is_stopping);
}

void sr_pool_stop(struct sr_pool *pool)
{
	SR_LOCKED(&pool->mutex);
	atomic_store(&pool->is_stopping, true);
	sr_cond_broadcast(&pool->may_run);
}

void sr_pool_join(struct sr_pool *pool)
{
	/* No thread is added once is_stopping was set under the mutex. */
	for (unsigned i = 0; i < pool->thread_count; i++) {
		sr_thread_join(pool->threads[i]);
	}
	pool->thread_count = 0;
}

void sr_pool_free(struct sr_pool *pool)
{
	if (pool) {
		sr_cond_destroy(&pool->may_run);
		sr_mutex_destroy(&pool->mutex);
		sr_free(pool->threads);
		sr_free(pool);
	}
}

unsigned sr_pool_threads_now(struct sr_pool *pool)
{
	SR_LOCKED(&pool->mutex);
	return pool->thread_count;
}
