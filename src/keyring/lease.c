/*
 * One lease: how requests enter it, how the vault's words change it, and how it ends. The order of an end is
 * the protocol's: mark, abort, wait for users, close, wipe, acknowledge. The stream and its thread are link.c's.
 */
#include "base/clock.h"
#include "keyring/state.h"
#include "seal/handover.h"

#include <stdio.h>

enum { NS_PER_MS = 1000000 };

static const struct {
	enum sr_lease_reason reason;
	const char *text;
} texts[] = {
    {SR_LEASE_KEY_DISABLED, "the key is disabled"},
    {SR_LEASE_KEY_EXPIRED, "the key has expired"},
    {SR_LEASE_KEY_NOT_YET_VALID, "the key is not valid yet"},
    {SR_LEASE_KEY_NOT_FOUND, "the key was deleted"},
    {SR_LEASE_KEY_FORBIDDEN, "the service may not use the key"},
    {SR_LEASE_VAULT_UNREACHABLE, "the key's lease has run out and the vault does not answer"},
};

static struct sr_result revoked(enum sr_lease_reason reason)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (texts[i].reason == reason) {
			return sr_fail_as(SR_REVOKED, sr_lease_reason_name(reason), "use a key: %s", texts[i].text);
		}
	}
	return sr_fail(SR_REVOKED, "use a key: its lease has ended");
}

void kept_error_set(struct kept_error *kept, struct sr_result from)
{
	kept->code = sr_result_code(from);
	kept->reason = sr_result_reason(from);
	snprintf(kept->text, sizeof kept->text, "%s", sr_result_message(from));
}

struct sr_result kept_error_result(const struct kept_error *kept)
{
	return kept->reason ? sr_fail_as(kept->code, kept->reason, "%s", kept->text)
	                    : sr_fail(kept->code, "%s", kept->text);
}

/* `asked_ns`: when the vault was asked. Whoever came later than that asks again: a key given back is back at once. */
static void remember_denial(struct sr_lease *lease, struct sr_result denial, uint64_t asked_ns)
{
	kept_error_set(&lease->denial, denial);
	lease->denial_asked_ns = asked_ns;
}

/* ---- the end ---- */

static struct sr_lease *lease_of_job(struct sr_crew_job *job)
{
	return (struct sr_lease *)(void *)((char *)job - offsetof(struct sr_lease, finish));
}

static void close_attached(struct sr_lease *lease)
{
	sr_mutex_lock(&lease->mutex);
	void *thing = SR_TAKE(lease->attached);
	void (*close)(void *) = lease->close_attached;
	lease->anchor_now = NULL;
	sr_mutex_unlock(&lease->mutex);
	if (thing) {
		close(thing);
	}
}

/* On the crew: all users have left. Closes, wipes, and only then tells the vault. */
static void finish(struct sr_crew_job *job)
{
	struct sr_lease *lease = lease_of_job(job);
	struct sr_keyring *keyring = lease->keyring;
	close_attached(lease);
	sr_mutex_lock(&lease->mutex);
	extent_cache_wipe(&lease->cache);
	sr_secret_free(SR_TAKE(lease->kek));
	struct sr_lease_message farewell = {.kind = lease->owes_recall ? SR_LEASE_RECALLED : SR_LEASE_RELEASE,
	                                    .resource = lease->resource,
	                                    .lease = lease->id,
	                                    .revocation_epoch = lease->least_revocation_epoch};
	lease->owes_recall = false;
	lease->id = (struct sr_id){0}; /* from here on its grant is a stranger's */
	sr_mutex_unlock(&lease->mutex);
	keyring_post(keyring, &farewell);
	/* Last, so that sr_keyring_stop, which waits for this, finds the farewell posted. A recall that came meanwhile
	 * found the lease ending and is owed still. */
	sr_mutex_lock(&lease->mutex);
	bool owes_recall = lease->owes_recall;
	lease->owes_recall = false;
	farewell.kind = SR_LEASE_RECALLED;
	farewell.revocation_epoch = lease->least_revocation_epoch;
	lease->state = LEASE_ABSENT;
	sr_cond_broadcast(&lease->changed);
	sr_mutex_unlock(&lease->mutex);
	if (owes_recall) {
		keyring_post(keyring, &farewell);
	}
}

/* With the lease locked. The crew outlives all leases. */
static void finish_if_left(struct sr_lease *lease)
{
	if (lease->state == LEASE_ENDING && !lease->uses) {
		lease->finish.run = finish;
		sr_crew_post(lease->keyring->crew, &lease->finish);
	}
}

void lease_end(struct sr_lease *lease, enum sr_lease_reason reason)
{
	lease->state = LEASE_ENDING;
	atomic_store(&lease->end_reason, (int)reason);
	atomic_store(&lease->deadline_ns, 0);
	for (struct sr_lease_use *use = lease->uses; use; use = use->next) {
		__atomic_store_n(&use->is_over, true, __ATOMIC_RELEASE);
	}
	for (struct sr_lease_use *use = lease->uses; use; use = use->next) {
		if (use->abort) {
			use->abort(use->context);
		}
	}
	if (reason != SR_LEASE_NO_REASON && reason != SR_LEASE_VAULT_UNREACHABLE) {
		SR_CLEANUP(sr_result) struct sr_result denial = revoked(reason);
		remember_denial(lease, denial, sr_boottime_ns());
	}
	sr_cond_broadcast(&lease->changed);
	finish_if_left(lease);
}

/* ---- the vault's words ---- */

/* With the keyring and the lease locked. */
static void ask(struct sr_lease *lease)
{
	struct sr_keyring *keyring = lease->keyring;
	lease->state = LEASE_OPENING;
	lease->open_request = 0;
	lease->open_sent_ns = sr_boottime_ns(); /* before it leaves: the lease's time counts from here */
	if (keyring->outbox) {
		lease->open_request = ++keyring->last_request;
		sr_outbox_post(keyring->outbox, &(struct sr_lease_message){.kind = SR_LEASE_OPEN,
		                                                           .request = lease->open_request,
		                                                           .resource = lease->resource});
	}
}

void lease_ask_again(struct sr_lease *lease)
{
	SR_LOCKED(&lease->mutex);
	if (lease->state == LEASE_OPENING) {
		ask(lease);
	}
}

/* The answer to the opening has come, whatever it is. With the lease locked. */
static void opening_over(struct sr_lease *lease, enum lease_state state)
{
	lease->state = state;
	lease->open_request = 0;
	sr_cond_broadcast(&lease->changed);
}

static struct sr_result open_handover(struct sr_lease *lease, const struct sr_lease_message *grant)
{
	SR_CLEANUP(sr_buf) struct sr_buf aad = SR_BUF(128);
	sr_lease_handover_aad(&lease->keyring->instance, grant, &aad);
	SR_TRY(sr_buf_result(&aad));
	struct sr_secret *kek;
	SR_TRY(sr_handover_open(lease->keyring->handover, sr_buf_bytes(&aad), grant->sealed_kek, &kek));
	lease->kek = kek;
	return sr_ok();
}

/* With the lease locked; false: the grant is not adopted and the vault is to be told. */
static bool adopt(struct sr_lease *lease, const struct sr_lease_message *grant)
{
	if (lease->state != LEASE_OPENING || grant->request != lease->open_request || !grant->request) {
		return false; /* not what was asked for: late, or sent twice */
	}
	uint64_t deadline_ns = lease_deadline_ns(lease->open_sent_ns, grant->ttl_ms);
	if (grant->revocation_epoch < lease->least_revocation_epoch || sr_boottime_ns() >= deadline_ns) {
		opening_over(lease, LEASE_ABSENT); /* stale; those who wait ask again */
		return false;
	}
	SR_CLEANUP(sr_result) struct sr_result opened = open_handover(lease, grant);
	if (!sr_is_ok(opened)) {
		remember_denial(lease, opened, lease->open_sent_ns);
		opening_over(lease, LEASE_ABSENT);
		return false;
	}
	lease->id = grant->lease;
	lease->kek_epoch = grant->kek_epoch;
	lease->least_anchor = lease->anchor_told = grant->anchor;
	lease->note_request = 0;
	lease->generation++;
	lease->denial_asked_ns = 0;
	atomic_store(&lease->deadline_ns, deadline_ns);
	opening_over(lease, LEASE_HELD);
	return true;
}

void lease_granted(struct sr_lease *lease, const struct sr_lease_message *grant)
{
	sr_mutex_lock(&lease->mutex);
	bool is_ours =
	    (lease->state == LEASE_HELD || lease->state == LEASE_ENDING) && sr_id_equal(&lease->id, &grant->lease);
	bool is_wanted = is_ours || adopt(lease, grant);
	sr_mutex_unlock(&lease->mutex);
	if (!is_wanted) {
		keyring_post(lease->keyring, &(struct sr_lease_message){
		                                 .kind = SR_LEASE_RELEASE, .resource = grant->resource, .lease = grant->lease});
	}
}

bool lease_noted(struct sr_lease *lease, const struct sr_lease_message *answer)
{
	SR_LOCKED(&lease->mutex);
	if (!answer->request || answer->request != lease->note_request) {
		return false;
	}
	if (answer->verdict.code == SR_OK) {
		lease->anchor_told = lease->note_anchor;
	}
	lease->note_request = 0; /* where the vault could not keep it, it is told again with the next renewal */
	return true;
}

bool lease_denied(struct sr_lease *lease, const struct sr_lease_message *answer)
{
	SR_LOCKED(&lease->mutex);
	if (lease->state != LEASE_OPENING || answer->request != lease->open_request || !answer->request) {
		return false;
	}
	SR_CLEANUP(sr_result)
	struct sr_result denial = answer->verdict.code == SR_OK
	                              ? sr_fail(SR_PROTOCOL, "open a key: the vault sent none and says that all is well")
	                              : sr_lease_verdict_result(&answer->verdict);
	remember_denial(lease, denial, lease->open_sent_ns);
	opening_over(lease, LEASE_ABSENT);
	return true;
}

void lease_recalled(struct sr_lease *lease, uint64_t revocation_epoch, enum sr_lease_reason reason)
{
	sr_mutex_lock(&lease->mutex);
	if (revocation_epoch > lease->least_revocation_epoch) {
		lease->least_revocation_epoch = revocation_epoch;
	}
	bool is_here = lease->state == LEASE_HELD || lease->state == LEASE_ENDING;
	lease->owes_recall |= is_here;
	if (lease->state == LEASE_HELD) {
		lease_end(lease, reason);
	}
	sr_mutex_unlock(&lease->mutex);
	if (!is_here) {
		keyring_post(lease->keyring, &(struct sr_lease_message){.kind = SR_LEASE_RECALLED,
		                                                        .resource = lease->resource,
		                                                        .revocation_epoch = revocation_epoch});
	}
}

/* ---- requests ---- */

/* With the lease locked and held. */
static void join(struct sr_lease *lease, void (*abort)(void *context), void *context, struct sr_lease_use *ret_use)
{
	*ret_use = (struct sr_lease_use){
	    .lease = lease, .abort = abort, .context = context, .next = lease->uses, .generation = lease->generation};
	if (lease->uses) {
		lease->uses->previous = ret_use;
	}
	lease->uses = ret_use;
}

/* True if the lease is held now. With the lease locked. One that has run out is the timer's to end. */
static bool is_held(struct sr_lease *lease)
{
	return lease->state == LEASE_HELD && sr_boottime_ns() < atomic_load(&lease->deadline_ns);
}

/* Sees to it that the vault has been asked. Fails at once where there has been no stream for long. */
static struct sr_result ask_vault(struct sr_keyring *keyring, struct sr_lease *lease, uint64_t entered_ns)
{
	SR_LOCKED(&keyring->mutex);
	if (keyring->is_stopping) {
		return sr_fail(SR_UNAVAILABLE, "use a key: the service is stopping");
	}
	uint64_t now_ns = sr_boottime_ns();
	uint64_t patience_ns = (uint64_t)LEASE_ASK_MS * NS_PER_MS;
	if (keyring->down_since_ns && now_ns - keyring->down_since_ns > patience_ns) {
		return revoked(SR_LEASE_VAULT_UNREACHABLE);
	}
	SR_LOCKED(&lease->mutex);
	bool is_unanswered = lease->state == LEASE_OPENING && now_ns - lease->open_sent_ns > patience_ns;
	if ((lease->state == LEASE_ABSENT && lease->denial_asked_ns < entered_ns) || is_unanswered) {
		ask(lease);
	}
	return sr_ok();
}

/* With the lease locked: what stands in the way for good, for a request that came at `entered_ns`. */
static struct sr_result refusal(const struct sr_lease *lease, uint64_t entered_ns)
{
	if (lease->denial_asked_ns >= entered_ns) {
		return kept_error_result(&lease->denial);
	}
	enum sr_lease_reason reason = (enum sr_lease_reason)atomic_load(&lease->end_reason);
	if (lease->state == LEASE_ENDING && lease->uses && reason != SR_LEASE_VAULT_UNREACHABLE) {
		return revoked(reason); /* its users are slow to leave: nobody new waits for them */
	}
	return sr_ok();
}

/* The long way in: asks the vault, or waits for those who did. */
static struct sr_result enter_waiting(struct sr_keyring *keyring, struct sr_lease *lease, void (*abort)(void *context),
                                      void *context, struct sr_lease_use *ret_use)
{
	uint64_t entered_ns = sr_boottime_ns();
	uint64_t deadline_ns = entered_ns + (uint64_t)LEASE_ASK_MS * NS_PER_MS;
	for (bool may_wait = true;;) {
		SR_TRY(ask_vault(keyring, lease, entered_ns));
		SR_LOCKED(&lease->mutex);
		if (is_held(lease)) {
			join(lease, abort, context, ret_use);
			return sr_ok();
		}
		SR_TRY(refusal(lease, entered_ns));
		if (!may_wait) {
			return revoked(SR_LEASE_VAULT_UNREACHABLE);
		}
		may_wait = sr_cond_wait_until(&lease->changed, &lease->mutex, deadline_ns);
	}
}

struct sr_result sr_lease_enter(struct sr_keyring *keyring, const struct sr_id *resource, void (*abort)(void *context),
                                void *context, struct sr_lease_use *ret_use)
{
	struct sr_lease *lease = keyring_lease(keyring, resource);
	sr_mutex_lock(&lease->mutex);
	bool is_in = is_held(lease);
	struct sr_result refused = sr_ok();
	if (is_in) {
		join(lease, abort, context, ret_use);
	} else {
		refused = refusal(lease, sr_boottime_ns());
	}
	sr_mutex_unlock(&lease->mutex);
	if (is_in || !sr_is_ok(refused)) {
		return refused;
	}
	sr_blocking_begin();
	struct sr_result entered = enter_waiting(keyring, lease, abort, context, ret_use);
	sr_blocking_end();
	return entered;
}

struct sr_result sr_lease_check(const struct sr_lease_use *use)
{
	/* The deadline is read before the clock: a thread that stops in between finds itself late, never early. */
	uint64_t deadline_ns = atomic_load_explicit(&use->lease->deadline_ns, memory_order_acquire);
	bool is_over = __atomic_load_n(&use->is_over, __ATOMIC_ACQUIRE);
	if (!is_over && sr_boottime_ns() < deadline_ns) {
		return sr_ok();
	}
	bool was_ended = is_over || deadline_ns == 0; /* else time ran out and the timer has not come by yet */
	return revoked(was_ended ? (enum sr_lease_reason)atomic_load(&use->lease->end_reason) : SR_LEASE_VAULT_UNREACHABLE);
}

void sr_lease_leave(struct sr_lease_use *use)
{
	struct sr_lease *lease = SR_TAKE(use->lease);
	if (!lease) {
		return;
	}
	SR_LOCKED(&lease->mutex);
	if (use->previous) {
		use->previous->next = use->next;
	} else {
		lease->uses = use->next;
	}
	if (use->next) {
		use->next->previous = use->previous;
	}
	finish_if_left(lease);
}

void sr_lease_use_cleanup(struct sr_lease_use *use)
{
	sr_lease_leave(use);
}
