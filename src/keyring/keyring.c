/* The keyring as a whole: start, stop, the table of leases. A lease's own life is lease.c's. */
#include "keyring/keyring.h"

#include "base/clock.h"
#include "base/memory.h"
#include "keyring/state.h"
#include "seal/handover.h"

#include <string.h>

enum { FINISHERS = 4 };

/* ttl_ms until the vault has said it; only the pace of the timer hangs on it. */
enum { TTL_UNKNOWN_MS = 2000 };

static struct sr_lease **bucket_of(struct sr_keyring *keyring, const struct sr_id *resource)
{
	return &keyring->buckets[sr_load_u16(resource->bytes) % LEASE_BUCKETS]; /* identifiers are random */
}

static struct sr_lease *lease_new(struct sr_keyring *keyring, const struct sr_id *resource)
{
	struct sr_lease *lease = sr_alloc(sizeof *lease);
	lease->keyring = keyring;
	lease->resource = *resource;
	sr_mutex_init(&lease->mutex, SR_RANK_LEASE);
	sr_cond_init(&lease->changed);
	return lease;
}

static void lease_free(struct sr_lease *lease)
{
	sr_cond_destroy(&lease->changed);
	sr_mutex_destroy(&lease->mutex);
	sr_free(lease);
}

struct sr_lease *keyring_lease(struct sr_keyring *keyring, const struct sr_id *resource)
{
	SR_LOCKED(&keyring->mutex);
	struct sr_lease **bucket = bucket_of(keyring, resource);
	for (struct sr_lease *lease = *bucket; lease; lease = lease->next) {
		if (sr_id_equal(&lease->resource, resource)) {
			return lease;
		}
	}
	struct sr_lease *lease = lease_new(keyring, resource);
	lease->next = *bucket;
	*bucket = lease;
	return lease;
}

void keyring_each(struct sr_keyring *keyring, void (*each)(struct sr_lease *lease, void *context), void *context)
{
	for (size_t i = 0; i < LEASE_BUCKETS; i++) {
		for (struct sr_lease *lease = keyring->buckets[i]; lease; lease = lease->next) {
			each(lease, context);
		}
	}
}

void keyring_post(struct sr_keyring *keyring, const struct sr_lease_message *message)
{
	SR_LOCKED(&keyring->mutex);
	if (keyring->outbox) {
		sr_outbox_post(keyring->outbox, message);
	}
}

static void keyring_free(struct sr_keyring *keyring)
{
	for (size_t i = 0; i < LEASE_BUCKETS; i++) {
		while (keyring->buckets[i]) {
			struct sr_lease *lease = keyring->buckets[i];
			keyring->buckets[i] = lease->next;
			lease_free(lease);
		}
	}
	sr_crew_free(keyring->crew);
	sr_handover_free(keyring->handover);
	sr_cond_destroy(&keyring->changed);
	sr_mutex_destroy(&keyring->mutex);
	sr_free(keyring->vault_address);
	sr_free(keyring);
}

/* Tells the link and the timer to end and waits for those that run. */
static void stop_threads(struct sr_keyring *keyring, bool has_timer)
{
	sr_mutex_lock(&keyring->mutex);
	keyring->is_stopping = true;
	keyring->is_cut = true;
	if (keyring->outbox) {
		sr_outbox_end(keyring->outbox); /* farewells leave first */
	} else if (keyring->stream) {
		sr_stream_shut(keyring->stream);
	}
	sr_cond_broadcast(&keyring->changed);
	sr_mutex_unlock(&keyring->mutex);
	sr_thread_join(keyring->link);
	if (has_timer) {
		sr_thread_join(keyring->timer);
	}
}

static struct sr_result start_threads(struct sr_keyring *keyring)
{
	SR_TRY(sr_handover_new(&keyring->handover));
	SR_TRY(sr_crew_start("lease-finish", FINISHERS, &keyring->crew));
	struct sr_result started = sr_thread_start("lease-link", 0, keyring_link_main, keyring, &keyring->link);
	if (!sr_is_ok(started)) {
		sr_crew_close(keyring->crew);
		return started;
	}
	started = sr_thread_start("lease-timer", 0, keyring_timer_main, keyring, &keyring->timer);
	if (!sr_is_ok(started)) {
		stop_threads(keyring, false);
		sr_crew_close(keyring->crew);
	}
	return started;
}

struct sr_result sr_keyring_start(const struct sr_keyring_options *options, struct sr_keyring **ret_keyring)
{
	struct sr_keyring *keyring = sr_alloc(sizeof *keyring);
	keyring->tls = options->tls;
	keyring->vault_address = sr_strdup(options->vault_address);
	keyring->vault_port = options->vault_port;
	keyring->instance = sr_id_random();
	keyring->ttl_ms = TTL_UNKNOWN_MS;
	keyring->down_since_ns = sr_boottime_ns();
	sr_mutex_init(&keyring->mutex, SR_RANK_KEYRING);
	sr_cond_init(&keyring->changed);
	struct sr_result started = start_threads(keyring);
	if (!sr_is_ok(started)) {
		keyring_free(keyring);
		return started;
	}
	*ret_keyring = keyring;
	return sr_ok();
}

static void end_for_good(struct sr_lease *lease, void *context)
{
	(void)context;
	SR_LOCKED(&lease->mutex);
	if (lease->state == LEASE_HELD) {
		lease_end(lease, SR_LEASE_NO_REASON);
	} else if (lease->state == LEASE_OPENING) {
		lease->state = LEASE_ABSENT;
	}
	sr_cond_broadcast(&lease->changed);
}

static void wait_until_absent(struct sr_lease *lease)
{
	SR_LOCKED(&lease->mutex);
	while (lease->state != LEASE_ABSENT) {
		sr_cond_wait(&lease->changed, &lease->mutex);
	}
}

void sr_keyring_stop(struct sr_keyring *keyring)
{
	if (!keyring) {
		return;
	}
	sr_mutex_lock(&keyring->mutex);
	keyring->is_stopping = true;
	keyring_each(keyring, end_for_good, NULL);
	sr_mutex_unlock(&keyring->mutex);
	for (size_t i = 0; i < LEASE_BUCKETS; i++) { /* nobody enters any more, so the table stays as it is */
		for (struct sr_lease *lease = keyring->buckets[i]; lease; lease = lease->next) {
			wait_until_absent(lease);
		}
	}
	sr_crew_close(keyring->crew);
	stop_threads(keyring, true);
	keyring_free(keyring);
}

static void count_held(struct sr_lease *lease, void *context)
{
	unsigned *held = context;
	*held += atomic_load(&lease->deadline_ns) > sr_boottime_ns();
}

struct sr_keyring_counts sr_keyring_counts_now(struct sr_keyring *keyring)
{
	SR_LOCKED(&keyring->mutex);
	struct sr_keyring_counts counts = {
	    .is_connected = keyring->outbox != NULL, .recalls = keyring->recalls, .renewals = keyring->renewals_done};
	keyring_each(keyring, count_held, &counts.leases_held);
	return counts;
}
