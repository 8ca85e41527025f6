/*
 * Renewal and expiry: one thread asks for all leases' next term each ttl/3, and ends those whose term is over.
 * That checks fail from the deadline on does not hang on this thread: they read the clock themselves.
 */
#include "base/clock.h"
#include "keyring/state.h"

enum { NS_PER_MS = 1000000 };

uint64_t lease_deadline_ns(uint64_t sent_ns, uint32_t ttl_ms)
{
	uint64_t ttl_ns = (uint64_t)ttl_ms * NS_PER_MS;
	return sent_ns + ttl_ns - ttl_ns / LEASE_RATE_BOUND;
}

/* ---- asking ---- */

struct renewal_list {
	struct sr_keyring *keyring;
	struct sr_buf items;
	size_t count;
};

static void send_renewal(struct renewal_list *list, uint64_t sent_ns)
{
	struct sr_keyring *keyring = list->keyring;
	uint64_t request = ++keyring->last_request;
	keyring->renewals[request % KEYRING_RENEWALS_KEPT] = (struct renewal){request, sent_ns};
	sr_outbox_post(
	    keyring->outbox,
	    &(struct sr_lease_message){.kind = SR_LEASE_RENEW, .request = request, .items = sr_buf_bytes(&list->items)});
	sr_buf_reset(&list->items);
	list->count = 0;
}

/* Tells the vault of an anchor that it has not kept yet. With the lease and the keyring locked. */
static void tell_anchor(struct sr_keyring *keyring, struct sr_lease *lease)
{
	const uint64_t anchor = lease->attached && lease->anchor_now ? lease->anchor_now(lease->attached) : 0;
	if (anchor <= lease->anchor_told) {
		return;
	}
	lease->note_request = ++keyring->last_request;
	lease->note_anchor = anchor;
	sr_outbox_post(keyring->outbox, &(struct sr_lease_message){.kind = SR_LEASE_NOTE,
	                                                           .request = lease->note_request,
	                                                           .resource = lease->resource,
	                                                           .anchor = anchor});
}

static void list_lease(struct sr_lease *lease, void *context)
{
	struct renewal_list *list = context;
	SR_LOCKED(&lease->mutex);
	if (lease->state != LEASE_HELD || sr_boottime_ns() >= atomic_load(&lease->deadline_ns)) {
		return;
	}
	tell_anchor(list->keyring, lease);
	sr_lease_item_append(&list->items, SR_LEASE_RENEW,
	                     &(struct sr_lease_item){.resource = lease->resource, .lease = lease->id});
	if (++list->count == SR_LEASE_ITEM_MAX) {
		send_renewal(list, sr_boottime_ns());
	}
}

void keyring_renew_all(struct sr_keyring *keyring)
{
	uint64_t now_ns = sr_boottime_ns();
	keyring->renew_at_ns = now_ns + (uint64_t)keyring->ttl_ms * NS_PER_MS / 3;
	if (!keyring->outbox) {
		return;
	}
	struct renewal_list list = {.keyring = keyring, .items = SR_BUF(SR_LEASE_FRAME_MAX)};
	keyring_each(keyring, list_lease, &list);
	send_renewal(&list, now_ns); /* even where it is empty: it tells both ends that the stream lives */
	sr_buf_free(&list.items);
}

/* ---- the answer ---- */

static bool is_refusal(enum sr_code code)
{
	return code == SR_REVOKED || code == SR_NOT_FOUND || code == SR_DENIED;
}

/* A lease whose time is over is never brought back, nor one that is ending; a vault that could not tell (any other
 * code) changes nothing. */
static void renew_one(struct sr_lease *lease, const struct sr_lease_item *item, uint64_t deadline_ns)
{
	SR_LOCKED(&lease->mutex);
	uint64_t now_ns = sr_boottime_ns();
	uint64_t before_ns = atomic_load(&lease->deadline_ns);
	if (lease->state != LEASE_HELD || now_ns >= before_ns || !sr_id_equal(&lease->id, &item->lease)) {
		return;
	}
	if (item->code == SR_OK && deadline_ns > before_ns) {
		atomic_store(&lease->deadline_ns, deadline_ns);
	} else if (is_refusal(item->code)) {
		enum sr_lease_reason unnamed = item->code == SR_NOT_FOUND ? SR_LEASE_KEY_NOT_FOUND : SR_LEASE_KEY_FORBIDDEN;
		lease_end(lease, item->reason ? item->reason : unnamed);
	}
}

void keyring_renewed(struct sr_keyring *keyring, const struct sr_lease_message *message)
{
	sr_mutex_lock(&keyring->mutex);
	struct renewal *renewal = &keyring->renewals[message->request % KEYRING_RENEWALS_KEPT];
	bool is_known = message->request && renewal->request == message->request;
	uint64_t sent_ns = renewal->sent_ns;
	renewal->request = 0; /* an answer counts once */
	keyring->renewals_done += is_known;
	keyring->ttl_ms = message->ttl_ms;
	sr_mutex_unlock(&keyring->mutex);
	for (size_t i = 0; is_known && i < sr_lease_item_count(message); i++) {
		struct sr_lease_item item = sr_lease_item_at(message, i);
		renew_one(keyring_lease(keyring, &item.resource), &item, lease_deadline_ns(sent_ns, message->ttl_ms));
	}
}

/* ---- the timer ---- */

/* Ends the lease if its time is over; else *context becomes its deadline if that is earlier. */
static void expire(struct sr_lease *lease, void *context)
{
	uint64_t *next_ns = context;
	uint64_t deadline_ns = atomic_load(&lease->deadline_ns);
	if (deadline_ns == 0) {
		return;
	}
	if (sr_boottime_ns() < deadline_ns) {
		*next_ns = deadline_ns < *next_ns ? deadline_ns : *next_ns;
		return;
	}
	SR_LOCKED(&lease->mutex);
	if (lease->state == LEASE_HELD && sr_boottime_ns() >= atomic_load(&lease->deadline_ns)) {
		lease_end(lease, SR_LEASE_VAULT_UNREACHABLE);
	}
}

/* A grant that comes while this thread sleeps ends later than the sleep: it is at most ttl/3, unless the vault
 * shortened the ttl, which the next wake learns. */
void keyring_timer_main(void *context)
{
	struct sr_keyring *keyring = context;
	SR_LOCKED(&keyring->mutex);
	while (!keyring->is_cut) {
		if (sr_boottime_ns() >= keyring->renew_at_ns) {
			keyring_renew_all(keyring);
		}
		uint64_t next_ns = keyring->renew_at_ns;
		keyring_each(keyring, expire, &next_ns);
		sr_cond_wait_until(&keyring->changed, &keyring->mutex, next_ns);
	}
}
