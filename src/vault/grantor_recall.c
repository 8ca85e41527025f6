/*
 * Recalls: marking what is to come back, telling the holders, waiting until it has, or until its time is over.
 * Its caller has made the new key state durable before.
 */
#include "base/clock.h"
#include "vault/grantor_state.h"

enum { NS_PER_US = 1000 };

struct recall {
	struct sr_grantor *grantor;
	const struct sr_id *resources;
	size_t resource_count;
	uint64_t epoch;
	enum sr_lease_reason reason;
	uint64_t number;
	uint64_t now_ns;
	uint64_t deadline_ns; /* no lease that is recalled outlasts it */
	unsigned holders;
	bool is_any_out;
};

/* ---- marking; with the grantor locked ---- */

/* True once for each holder. */
static bool count_holder(struct recall *recall, struct holder *holder)
{
	if (holder->counted_in == recall->number) {
		return false;
	}
	holder->counted_in = recall->number;
	return true;
}

static void mark_grant(struct grant *grant, void *context)
{
	struct recall *recall = context;
	if (grant->until_ns <= recall->now_ns) {
		return; /* over already */
	}
	grant->is_recalled = true;
	grant->recall_epoch = grant->recall_epoch > recall->epoch ? grant->recall_epoch : recall->epoch;
	grant->recall_reason = recall->reason;
	recall->deadline_ns = grant->until_ns > recall->deadline_ns ? grant->until_ns : recall->deadline_ns;
	recall->holders += count_holder(recall, grant->holder);
}

static void each_of_recall(struct recall *recall, void (*each)(struct grant *grant, void *context), void *context)
{
	for (size_t i = 0; i < recall->resource_count; i++) {
		grant_each(recall->grantor, &recall->resources[i], each, context);
	}
}

static void mark_inquiries(const struct recall *recall)
{
	for (struct inquiry *inquiry = recall->grantor->inquiries; inquiry; inquiry = inquiry->next) {
		for (size_t i = 0; i < recall->resource_count; i++) {
			inquiry->is_stale |= sr_id_equal(inquiry->resource, &recall->resources[i]);
		}
	}
}

/* ---- telling ---- */

/* One holder's RECALL as it is put together: resources that share an epoch and a reason. */
struct notice {
	struct holder *holder;
	struct sr_lease_message message;
	struct sr_buf items;
	size_t count;
};

static void send_notice(struct notice *notice)
{
	if (notice->count && notice->holder->link) {
		notice->message.kind = SR_LEASE_RECALL;
		notice->message.items = sr_buf_bytes(&notice->items);
		sr_outbox_post(notice->holder->link->outbox, &notice->message);
	}
	sr_buf_reset(&notice->items);
	notice->count = 0;
}

static void list_grant(struct grant *grant, void *context)
{
	struct notice *notice = context;
	if (grant->holder != notice->holder || !grant->is_recalled) {
		return;
	}
	struct sr_lease_message *message = &notice->message;
	bool differs = message->revocation_epoch != grant->recall_epoch || message->reason != grant->recall_reason;
	if (differs || notice->count == SR_LEASE_ITEM_MAX) {
		send_notice(notice);
	}
	message->revocation_epoch = grant->recall_epoch;
	message->reason = grant->recall_reason;
	sr_lease_item_append(&notice->items, SR_LEASE_RECALL, &(struct sr_lease_item){.resource = grant->resource});
	notice->count++;
}

static void tell(struct recall *recall)
{
	for (struct holder *holder = recall->grantor->holders; holder; holder = holder->next) {
		if (holder->counted_in == recall->number) {
			struct notice notice = {.holder = holder, .items = SR_BUF(SR_LEASE_FRAME_MAX)};
			each_of_recall(recall, list_grant, &notice);
			send_notice(&notice);
			sr_buf_free(&notice.items);
		}
	}
}

void grantor_tell_again(struct sr_grantor *grantor, struct holder *holder)
{
	struct notice notice = {.holder = holder, .items = SR_BUF(SR_LEASE_FRAME_MAX)};
	grant_each(grantor, NULL, list_grant, &notice);
	send_notice(&notice);
	sr_buf_free(&notice.items);
}

/* ---- waiting ---- */

static void see_if_out(struct grant *grant, void *context)
{
	struct recall *recall = context;
	recall->is_any_out |= grant->is_recalled && grant->until_ns > recall->now_ns;
}

static bool is_any_out(struct recall *recall)
{
	recall->now_ns = sr_boottime_ns();
	recall->is_any_out = false;
	each_of_recall(recall, see_if_out, recall);
	return recall->is_any_out;
}

/* A grantor forgets its leases as it ends: one that has just started waits for those of its forerunner. */
static uint64_t forerunner_until_ns(const struct sr_grantor *grantor)
{
	uint32_t ttl_ms = grantor->options.ttl_ms;
	if (grantor->options.longest_ttl_ms > ttl_ms) {
		ttl_ms = grantor->options.longest_ttl_ms;
	}
	return grant_until_ns(grantor->started_ns, ttl_ms);
}

static void wait_for_return(struct recall *recall)
{
	struct sr_grantor *grantor = recall->grantor;
	uint64_t forerunner_ns = forerunner_until_ns(grantor);
	uint64_t last_ns = recall->deadline_ns > forerunner_ns ? recall->deadline_ns : forerunner_ns;
	while (sr_boottime_ns() < last_ns) {
		bool is_out = is_any_out(recall);
		if (!is_out && recall->now_ns >= forerunner_ns) {
			return;
		}
		sr_cond_wait_until(&grantor->changed, &grantor->mutex, is_out ? last_ns : forerunner_ns);
	}
}

static void count_silent(struct grant *grant, void *context)
{
	struct recall *recall = context;
	if (grant->is_recalled && grant->recall_epoch <= recall->epoch) {
		recall->holders += count_holder(recall, grant->holder);
	}
}

static bool is_over(const struct grant *grant, const void *context)
{
	const struct recall *recall = context;
	return grant->is_recalled && grant->until_ns <= recall->now_ns;
}

/* How many holders never answered; their leases have run out. */
static unsigned end_silent(struct recall *recall)
{
	recall->number = ++recall->grantor->recall_count;
	recall->holders = 0;
	recall->now_ns = sr_boottime_ns();
	each_of_recall(recall, count_silent, recall);
	for (size_t i = 0; i < recall->resource_count; i++) {
		grant_remove_if(recall->grantor, &recall->resources[i], is_over, recall);
	}
	return recall->holders;
}

struct sr_recall_outcome sr_grantor_recall(struct sr_grantor *grantor, const struct sr_id *resources,
                                           size_t resource_count, uint64_t revocation_epoch, const char *reason)
{
	struct recall recall = {.grantor = grantor,
	                        .resources = resources,
	                        .resource_count = resource_count,
	                        .epoch = revocation_epoch,
	                        .reason = sr_lease_reason_of(reason),
	                        .now_ns = sr_boottime_ns()};
	uint64_t started_ns = recall.now_ns;
	sr_blocking_begin();
	sr_mutex_lock(&grantor->mutex);
	recall.number = ++grantor->recall_count;
	mark_inquiries(&recall);
	each_of_recall(&recall, mark_grant, &recall);
	unsigned told = recall.holders;
	tell(&recall);
	wait_for_return(&recall);
	unsigned silent = end_silent(&recall);
	sr_mutex_unlock(&grantor->mutex);
	sr_blocking_end();
	return (struct sr_recall_outcome){
	    .took_us = (sr_boottime_ns() - started_ns) / NS_PER_US, .holders_told = told, .holders_silent = silent};
}
