/*
 * Threads and locks. A mutex carries its rank in the lock order (ARCHITECTURE.md has the
 * table); a thread may only lock upwards, which debug builds assert. A condition belongs to a mutex.
 */
#ifndef SR_BASE_THREAD_H
#define SR_BASE_THREAD_H

#include "base/result.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* The lock order: a thread that holds a lock may take only locks of a higher rank. */
enum sr_lock_rank {
	SR_RANK_SUPERVISOR = 10, /* host, supervisor: children */
	SR_RANK_IMAGE = 15,      /* seal: one image of the service at a time */
	SR_RANK_SERVICE = 20,    /* a service's own table of open things (accounts, vaults) */
	SR_RANK_GRANTOR = 30,    /* vault: leases given out */
	SR_RANK_KEYRING = 40,    /* keyring: leases held */
	SR_RANK_LEASE = 45,      /* one lease: its users and cached keys */
	SR_RANK_ACCESS = 50,     /* access: directory snapshot, token cache */
	SR_RANK_DATABASE = 60,   /* seal: a database's queue and readers */
	SR_RANK_VFS = 65,        /* seal: a sealed file's shared state */
	SR_RANK_SERVER = 70,     /* net: connections, worker pool */
	SR_RANK_EXCHANGE = 75,   /* net: one exchange's abort state */
	SR_RANK_TLS = 80,        /* net: the certificate in use */
	SR_RANK_SECRET = 90,     /* seal: secret memory's free slots */
	SR_RANK_LEAF = 100       /* takes nothing else while held */
};

struct sr_mutex {
	pthread_mutex_t native;
	enum sr_lock_rank rank;
};

#define SR_MUTEX(lock_rank)                                      \
	{                                                            \
		.native = PTHREAD_MUTEX_INITIALIZER, .rank = (lock_rank) \
	}

void sr_mutex_init(struct sr_mutex *mutex, enum sr_lock_rank rank);
void sr_mutex_destroy(struct sr_mutex *mutex);
void sr_mutex_lock(struct sr_mutex *mutex);
void sr_mutex_unlock(struct sr_mutex *mutex);

/* Holds a mutex until the scope ends: `SR_LOCKED(&thing->mutex);` */
void sr_mutex_unlock_cleanup(struct sr_mutex **mutex);
#define SR_CONCAT_(a, b) a##b
#define SR_CONCAT(a, b)  SR_CONCAT_(a, b)
#define SR_LOCKED(mutex_pointer)                                                                         \
	__attribute__((cleanup(sr_mutex_unlock_cleanup))) struct sr_mutex *SR_CONCAT(sr_locked_, __LINE__) = \
	    (mutex_pointer);                                                                                 \
	sr_mutex_lock(SR_CONCAT(sr_locked_, __LINE__))

struct sr_cond {
	pthread_cond_t native;
};

void sr_cond_init(struct sr_cond *cond);
void sr_cond_destroy(struct sr_cond *cond);
/* Waits; the mutex is released meanwhile. Spurious wake-ups happen: loop on the condition. */
void sr_cond_wait(struct sr_cond *cond, struct sr_mutex *mutex);
/* Waits until `deadline_ns` (sr_boottime_ns); false when it passed. */
bool sr_cond_wait_until(struct sr_cond *cond, struct sr_mutex *mutex, uint64_t deadline_ns);
void sr_cond_signal(struct sr_cond *cond);
void sr_cond_broadcast(struct sr_cond *cond);

/* A joinable thread with a name of at most 15 characters and a stack of `stack_len` bytes (0: 256 KiB), all signals
 * blocked. */
struct sr_thread {
	pthread_t native;
};
SR_MUST struct sr_result sr_thread_start(const char *name, size_t stack_len, void (*run)(void *), void *context,
                                         struct sr_thread *ret_thread);
void sr_thread_join(struct sr_thread thread);

/*
 * Tells the pool that this thread belongs to (if any) that it is about to wait for something
 * slow, so that another thread may run in its place. Pairs nest. Without a pool both do nothing.
 */
void sr_blocking_begin(void);
void sr_blocking_end(void);
/* A pool's own functions for the calling thread; net sets them on its workers. */
struct sr_blocking_hooks {
	void (*begin)(void *pool);
	void (*end)(void *pool);
	void *pool;
};
void sr_blocking_set_hooks(const struct sr_blocking_hooks *hooks);

#endif
