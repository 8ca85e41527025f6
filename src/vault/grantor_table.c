/* The grantor's table: grants by resource, holders, inquiries under way. No message is made or read here. */
#include "base/clock.h"
#include "base/memory.h"
#include "vault/grantor_state.h"

#include <stdio.h>
#include <string.h>

enum { NS_PER_MS = 1000000, SWEEP_NS = 1000000000 };

uint64_t grant_until_ns(uint64_t from_ns, uint32_t ttl_ms)
{
	uint64_t ttl_ns = (uint64_t)ttl_ms * NS_PER_MS;
	return from_ns + ttl_ns + ttl_ns / GRANT_RATE_BOUND;
}

/* ---- holders ---- */

struct holder *holder_find_or_make(struct sr_grantor *grantor, const char *service, const struct sr_id *instance)
{
	for (struct holder *holder = grantor->holders; holder; holder = holder->next) {
		if (sr_id_equal(&holder->instance, instance) && strcmp(holder->service, service) == 0) {
			return holder;
		}
	}
	struct holder *holder = sr_alloc(sizeof *holder);
	snprintf(holder->service, sizeof holder->service, "%s", service);
	holder->instance = *instance;
	holder->next = grantor->holders;
	grantor->holders = holder;
	return holder;
}

void holder_drop_if_gone(struct sr_grantor *grantor, struct holder *holder)
{
	if (holder->link_count || holder->grant_count) {
		return;
	}
	struct holder **link = &grantor->holders;
	while (*link != holder) {
		link = &(*link)->next;
	}
	*link = holder->next;
	sr_free(holder);
}

/* ---- grants ---- */

static struct grant **bucket_of(struct sr_grantor *grantor, const struct sr_id *resource)
{
	return &grantor->buckets[sr_load_u16(resource->bytes) % GRANT_BUCKETS]; /* identifiers are random */
}

struct grant *grant_find(struct sr_grantor *grantor, const struct holder *holder, const struct sr_id *resource,
                         const struct sr_id *lease)
{
	struct grant *grant = *bucket_of(grantor, resource);
	while (grant &&
	       !(grant->holder == holder && sr_id_equal(&grant->lease, lease) && sr_id_equal(&grant->resource, resource))) {
		grant = grant->next;
	}
	return grant;
}

struct grant *grant_add(struct sr_grantor *grantor, struct holder *holder, const struct sr_id *resource,
                        const struct sr_id *lease)
{
	struct grant *grant = sr_alloc(sizeof *grant);
	struct grant **bucket = bucket_of(grantor, resource);
	grant->next = *bucket;
	*bucket = grant;
	grant->holder = holder;
	grant->resource = *resource;
	grant->lease = *lease;
	holder->grant_count++;
	return grant;
}

/* False if nothing went. */
static bool thin_bucket(struct sr_grantor *grantor, struct grant **link, const struct sr_id *resource,
                        bool (*is_gone)(const struct grant *grant, const void *context), const void *context)
{
	bool has_gone = false;
	while (*link) {
		struct grant *grant = *link;
		if ((resource && !sr_id_equal(&grant->resource, resource)) || !is_gone(grant, context)) {
			link = &grant->next;
			continue;
		}
		*link = grant->next;
		grant->holder->grant_count--;
		holder_drop_if_gone(grantor, grant->holder);
		sr_free(grant);
		has_gone = true;
	}
	return has_gone;
}

void grant_remove_if(struct sr_grantor *grantor, const struct sr_id *resource,
                     bool (*is_gone)(const struct grant *grant, const void *context), const void *context)
{
	bool has_gone = false;
	if (resource) {
		has_gone = thin_bucket(grantor, bucket_of(grantor, resource), resource, is_gone, context);
	} else {
		for (size_t i = 0; i < GRANT_BUCKETS; i++) {
			has_gone |= thin_bucket(grantor, &grantor->buckets[i], NULL, is_gone, context);
		}
	}
	if (has_gone) {
		sr_cond_broadcast(&grantor->changed);
	}
}

static bool has_run_out(const struct grant *grant, const void *context)
{
	const uint64_t *now_ns = context;
	return grant->until_ns <= *now_ns && !grant->is_recalled; /* recalls see to theirs */
}

void grant_sweep(struct sr_grantor *grantor)
{
	uint64_t now_ns = sr_boottime_ns();
	if (now_ns - grantor->swept_ns < SWEEP_NS) {
		return;
	}
	grantor->swept_ns = now_ns;
	grant_remove_if(grantor, NULL, has_run_out, &now_ns);
}

void grant_each(struct sr_grantor *grantor, const struct sr_id *resource,
                void (*each)(struct grant *grant, void *context), void *context)
{
	size_t first = resource ? (size_t)(bucket_of(grantor, resource) - grantor->buckets) : 0;
	size_t end = resource ? first + 1 : GRANT_BUCKETS;
	for (size_t i = first; i < end; i++) {
		for (struct grant *grant = grantor->buckets[i]; grant; grant = grant->next) {
			if (!resource || sr_id_equal(&grant->resource, resource)) {
				each(grant, context);
			}
		}
	}
}

static bool always(const struct grant *grant, const void *context)
{
	(void)grant;
	(void)context;
	return true;
}

void grant_table_free(struct sr_grantor *grantor)
{
	grant_remove_if(grantor, NULL, always, NULL);
}

/* ---- inquiries ---- */

void inquiry_begin(struct sr_grantor *grantor, struct inquiry *inquiry, const struct sr_id *resource)
{
	*inquiry = (struct inquiry){.next = grantor->inquiries, .resource = resource};
	grantor->inquiries = inquiry;
}

void inquiry_end(struct sr_grantor *grantor, struct inquiry *inquiry)
{
	struct inquiry **link = &grantor->inquiries;
	while (*link != inquiry) {
		link = &(*link)->next;
	}
	*link = inquiry->next;
}
