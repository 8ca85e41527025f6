/* Threads, ranked locks, and the hint that a thread is going to wait. */
#include "base/thread.h"

#include "base/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STACK_LEN = 256 * 1024 };

#ifndef NDEBUG
enum { HELD_MAX = 16 };
static _Thread_local struct {
	const struct sr_mutex *mutex[HELD_MAX];
	int count;
} held;

static void rank_push(const struct sr_mutex *mutex)
{
	for (int i = 0; i < held.count; i++) {
		if (held.mutex[i]->rank >= mutex->rank) {
			fprintf(stderr, "strongroom: lock order broken: rank %d taken while %d is held\n", (int)mutex->rank,
			        (int)held.mutex[i]->rank);
			abort();
		}
	}
	if (held.count == HELD_MAX) {
		abort();
	}
	held.mutex[held.count++] = mutex;
}

static void rank_pop(const struct sr_mutex *mutex)
{
	for (int i = held.count - 1; i >= 0; i--) {
		if (held.mutex[i] == mutex) {
			held.mutex[i] = held.mutex[--held.count];
			return;
		}
	}
	abort();
}
#else
static void rank_push(const struct sr_mutex *mutex)
{
	(void)mutex;
}
static void rank_pop(const struct sr_mutex *mutex)
{
	(void)mutex;
}
#endif

/* The pthread calls used here fail only on misuse, which is a defect. */
static void must(int error_number)
{
	if (error_number) {
		fprintf(stderr, "strongroom: threads: error %d\n", error_number);
		abort();
	}
}

void sr_mutex_init(struct sr_mutex *mutex, enum sr_lock_rank rank)
{
	must(pthread_mutex_init(&mutex->native, NULL));
	mutex->rank = rank;
}

void sr_mutex_destroy(struct sr_mutex *mutex)
{
	must(pthread_mutex_destroy(&mutex->native));
}

void sr_mutex_lock(struct sr_mutex *mutex)
{
	rank_push(mutex);
	must(pthread_mutex_lock(&mutex->native));
}

void sr_mutex_unlock(struct sr_mutex *mutex)
{
	rank_pop(mutex);
	must(pthread_mutex_unlock(&mutex->native));
}

void sr_mutex_unlock_cleanup(struct sr_mutex **mutex)
{
	sr_mutex_unlock(*mutex);
}

/* glibc's conditions know only the realtime and monotonic clocks: waits are cut into steps, deadlines count boottime.
 */
void sr_cond_init(struct sr_cond *cond)
{
	pthread_condattr_t attributes;
	must(pthread_condattr_init(&attributes));
	must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
	must(pthread_cond_init(&cond->native, &attributes));
	must(pthread_condattr_destroy(&attributes));
}

void sr_cond_destroy(struct sr_cond *cond)
{
	must(pthread_cond_destroy(&cond->native));
}

void sr_cond_wait(struct sr_cond *cond, struct sr_mutex *mutex)
{
	must(pthread_cond_wait(&cond->native, &mutex->native));
}

bool sr_cond_wait_until(struct sr_cond *cond, struct sr_mutex *mutex, uint64_t deadline_ns)
{
	struct timespec boot;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	uint64_t now_ns = (uint64_t)boot.tv_sec * 1000000000U + (uint64_t)boot.tv_nsec;
	if (now_ns >= deadline_ns) {
		return false;
	}
	uint64_t wait_ns = deadline_ns - now_ns;
	if (wait_ns > 1000000000U) {
		wait_ns = 1000000000U;
	}
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	uint64_t until_ns = (uint64_t)until.tv_nsec + wait_ns;
	until.tv_sec += (time_t)(until_ns / 1000000000U);
	until.tv_nsec = (long)(until_ns % 1000000000U);
	int outcome = pthread_cond_timedwait(&cond->native, &mutex->native, &until);
	if (outcome != ETIMEDOUT) {
		must(outcome);
	}
	return true;
}

void sr_cond_signal(struct sr_cond *cond)
{
	must(pthread_cond_signal(&cond->native));
}

void sr_cond_broadcast(struct sr_cond *cond)
{
	must(pthread_cond_broadcast(&cond->native));
}

struct start {
	void (*run)(void *);
	void *context;
	char name[16];
};

static void *thread_main(void *argument)
{
	struct start start = *(struct start *)argument;
	sr_free(argument);
	pthread_setname_np(pthread_self(), start.name);
	start.run(start.context);
	return NULL;
}

struct sr_result sr_thread_start(const char *name, size_t stack_len, void (*run)(void *), void *context,
                                 struct sr_thread *ret_thread)
{
	struct start *start = sr_alloc(sizeof *start);
	start->run = run;
	start->context = context;
	snprintf(start->name, sizeof start->name, "%s", name);
	pthread_attr_t attributes;
	must(pthread_attr_init(&attributes));
	must(pthread_attr_setstacksize(&attributes, stack_len ? stack_len : STACK_LEN));
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	must(pthread_sigmask(SIG_SETMASK, &all, &before));
	pthread_t native;
	int error_number = pthread_create(&native, &attributes, thread_main, start);
	must(pthread_sigmask(SIG_SETMASK, &before, NULL));
	must(pthread_attr_destroy(&attributes));
	if (error_number) {
		sr_free(start);
		return sr_fail_errno(error_number, "start thread %s", name);
	}
	ret_thread->native = native;
	return sr_ok();
}

void sr_thread_join(struct sr_thread thread)
{
	must(pthread_join(thread.native, NULL));
}

static _Thread_local struct {
	struct sr_blocking_hooks hooks;
	unsigned depth;
} blocking;

void sr_blocking_set_hooks(const struct sr_blocking_hooks *hooks)
{
	blocking.hooks = hooks ? *hooks : (struct sr_blocking_hooks){0};
	blocking.depth = 0;
}

void sr_blocking_begin(void)
{
	if (blocking.depth++ == 0 && blocking.hooks.begin) {
		blocking.hooks.begin(blocking.hooks.pool);
	}
}

void sr_blocking_end(void)
{
	if (--blocking.depth == 0 && blocking.hooks.end) {
		blocking.hooks.end(blocking.hooks.pool);
	}
}
