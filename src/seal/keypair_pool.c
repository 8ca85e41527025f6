/*
 * RSA keys made ahead of time: finding two primes takes a tenth of a second to seconds. One thread at
 * low priority fills all pools, one key at a time.
 */
#include "seal/keypair_parts.h"

#include "base/memory.h"
#include "base/thread.h"

#include <sys/resource.h>
#include <unistd.h>

enum { POOL_MAX = 4, POOL_NICE = 5, STACK_LEN = 512 * 1024 };

struct ready {
	EVP_PKEY *key;
	struct ready *next;
};

/* The mutex guards all of it. */
static struct {
	struct sr_mutex mutex;
	struct sr_cond changed;
	bool is_running, is_stopping;
	struct sr_thread filler; /* while it is running */
	unsigned count;
	struct {
		unsigned bits, wanted, have;
		struct ready *ready;
	} pools[POOL_MAX];
} store = {.mutex = SR_MUTEX(SR_RANK_LEAF)};

/* The pool that lacks a key, or POOL_MAX. */
static unsigned find_lacking(void)
{
	for (unsigned i = 0; i < store.count; i++) {
		if (store.pools[i].have < store.pools[i].wanted) {
			return i;
		}
	}
	return POOL_MAX;
}

static void fill(void *context)
{
	(void)context;
	/*
	 * A courtesy to those who serve: where it is refused, keys are made at the usual priority. Not SCHED_IDLE: a
	 * machine that is busy for long would then never fill the pool, and rotation would wait for primes.
	 */
	setpriority(PRIO_PROCESS, (id_t)gettid(), POOL_NICE);
	SR_LOCKED(&store.mutex);
	while (!store.is_stopping) {
		unsigned lacking = find_lacking();
		if (lacking == POOL_MAX) {
			sr_cond_wait(&store.changed, &store.mutex);
			continue;
		}
		unsigned bits = store.pools[lacking].bits;
		sr_mutex_unlock(&store.mutex);
		struct ready *ready = sr_alloc(sizeof *ready);
		struct sr_result result = sr_rsa_generate(bits, &ready->key);
		bool is_made = sr_is_ok(result);
		sr_result_free(result);
		sr_mutex_lock(&store.mutex);
		if (!is_made) { /* the pool gives up; keys are then made when they are asked for */
			store.pools[lacking].wanted = 0;
			sr_free(ready);
			continue;
		}
		ready->next = store.pools[lacking].ready;
		store.pools[lacking].ready = ready;
		store.pools[lacking].have++;
	}
}

/* With the mutex held. */
static struct sr_result set_wanted(unsigned bits, unsigned count)
{
	unsigned i = 0;
	while (i < store.count && store.pools[i].bits != bits) {
		i++;
	}
	if (i == POOL_MAX) {
		return sr_fail(SR_TOO_LARGE, "keep keys of more than %d sizes ready", POOL_MAX);
	}
	store.count = i == store.count ? i + 1 : store.count;
	store.pools[i].bits = bits;
	store.pools[i].wanted = count;
	return sr_ok();
}

struct sr_result sr_keypair_pool_start(const struct sr_key_spec *spec, unsigned count)
{
	if (spec->type != SR_KEY_RSA || (spec->bits != 2048 && spec->bits != 3072 && spec->bits != 4096)) {
		return sr_fail(SR_INVALID, "keep keys ready that are no RSA keys");
	}
	SR_LOCKED(&store.mutex);
	SR_TRY(set_wanted(spec->bits, count));
	if (store.is_running) {
		sr_cond_signal(&store.changed);
		return sr_ok();
	}
	sr_cond_init(&store.changed);
	SR_TRY(sr_thread_start("rsa-pool", STACK_LEN, fill, NULL, &store.filler));
	store.is_running = true;
	return sr_ok();
}

/* False if none runs. One that is in the middle of a key is hurried: from now on somebody waits for it. */
static bool tell_filler_to_stop(void)
{
	SR_LOCKED(&store.mutex);
	if (!store.is_running) {
		return false;
	}
	store.is_stopping = true;
	pthread_setschedparam(store.filler.native, SCHED_OTHER, &(struct sched_param){0});
	sr_cond_signal(&store.changed);
	return true;
}

static void free_ready(struct ready *ready)
{
	while (ready) {
		struct ready *next = ready->next;
		EVP_PKEY_free(ready->key);
		sr_free(ready);
		ready = next;
	}
}

void sr_keypair_pool_stop(void)
{
	if (!tell_filler_to_stop()) {
		return;
	}
	sr_thread_join(store.filler);
	SR_LOCKED(&store.mutex);
	for (unsigned i = 0; i < store.count; i++) {
		free_ready(store.pools[i].ready);
		store.pools[i].ready = NULL;
		store.pools[i].have = 0;
	}
	store.count = 0;
	sr_cond_destroy(&store.changed);
	store.is_running = store.is_stopping = false;
}

EVP_PKEY *sr_keypair_pool_take(const struct sr_key_spec *spec)
{
	SR_LOCKED(&store.mutex);
	for (unsigned i = 0; i < store.count; i++) {
		struct ready *ready = store.pools[i].ready;
		if (store.pools[i].bits == spec->bits && ready) {
			store.pools[i].ready = ready->next;
			store.pools[i].have--;
			sr_cond_signal(&store.changed);
			EVP_PKEY *key = ready->key;
			sr_free(ready);
			return key;
		}
	}
	return NULL;
}
