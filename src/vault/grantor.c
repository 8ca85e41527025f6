/* The grantor as a whole: start, stop, status. Streams, requests, the table and recalls are in grantor_*.c. */
#include "vault/grantor.h"

#include "base/clock.h"
#include "base/memory.h"
#include "vault/grantor_state.h"

#include <stdio.h>

enum { STREAMS_MAX = 256, OPENERS = 4, MANAGERS = 8, NS_PER_MS = 1000000 };

static void grantor_free(struct sr_grantor *grantor)
{
	grant_table_free(grantor);
	sr_crew_free(grantor->openers);
	sr_crew_free(grantor->managers);
	sr_cond_destroy(&grantor->changed);
	sr_mutex_destroy(&grantor->mutex);
	sr_free(grantor);
}

static void close_crews(struct sr_grantor *grantor)
{
	if (grantor->openers) {
		sr_crew_close(grantor->openers);
	}
	if (grantor->managers) {
		sr_crew_close(grantor->managers);
	}
}

static struct sr_result start(struct sr_grantor *grantor, const struct sr_grantor_options *options)
{
	if (options->ttl_ms == 0) {
		return sr_fail(SR_INVALID, "start the grantor: a lease of no length");
	}
	SR_TRY(sr_crew_start("grant-open", OPENERS, &grantor->openers));
	SR_TRY(sr_crew_start("grant-manage", MANAGERS, &grantor->managers));
	return sr_stream_listen(options->tls, options->address, options->port, STREAMS_MAX, grantor_serve, grantor,
	                        &grantor->listener);
}

struct sr_result sr_grantor_start(const struct sr_grantor_options *options, struct sr_grantor **ret_grantor)
{
	struct sr_grantor *grantor = sr_alloc(sizeof *grantor);
	grantor->options = *options;
	grantor->options.address = NULL; /* borrowed for the start only */
	grantor->instance = sr_id_random();
	grantor->started_ns = sr_boottime_ns();
	sr_mutex_init(&grantor->mutex, SR_RANK_GRANTOR);
	sr_cond_init(&grantor->changed);
	struct sr_result started = start(grantor, options);
	if (!sr_is_ok(started)) {
		close_crews(grantor);
		grantor_free(grantor);
		return started;
	}
	*ret_grantor = grantor;
	return sr_ok();
}

uint16_t sr_grantor_port(const struct sr_grantor *grantor)
{
	return sr_stream_listener_port(grantor->listener);
}

void sr_grantor_stop(struct sr_grantor *grantor)
{
	if (!grantor) {
		return;
	}
	close_crews(grantor); /* first: what runs there may wait for holders to acknowledge */
	sr_stream_listener_stop(grantor->listener);
	grantor_free(grantor);
}

/* ---- status ---- */

struct listed {
	char service[GRANT_SERVICE_MAX];
	struct sr_lease_state state;
};
struct listing {
	uint64_t now_ns;
	size_t count, room;
	struct listed *items;
};

static void count_grant(struct grant *grant, void *context)
{
	struct listing *listing = context;
	listing->room += grant->until_ns > listing->now_ns;
}

static void list_grant(struct grant *grant, void *context)
{
	struct listing *listing = context;
	if (grant->until_ns <= listing->now_ns) {
		return;
	}
	struct listed *item = &listing->items[listing->count++];
	snprintf(item->service, sizeof item->service, "%s", grant->holder->service);
	item->state = (struct sr_lease_state){.service = item->service,
	                                      .resource = grant->resource,
	                                      .lease = grant->lease,
	                                      .left_ms = (grant->until_ns - listing->now_ns) / NS_PER_MS};
}

/* Copies first, so that `each` runs without the lock. */
void sr_grantor_each_lease(struct sr_grantor *grantor, void (*each)(const struct sr_lease_state *lease, void *context),
                           void *context)
{
	struct listing listing = {.now_ns = sr_boottime_ns()};
	sr_mutex_lock(&grantor->mutex);
	grant_each(grantor, NULL, count_grant, &listing);
	listing.items = sr_alloc_array(listing.room, sizeof *listing.items);
	grant_each(grantor, NULL, list_grant, &listing);
	sr_mutex_unlock(&grantor->mutex);
	for (size_t i = 0; i < listing.count; i++) {
		each(&listing.items[i].state, context);
	}
	sr_free(listing.items);
}
