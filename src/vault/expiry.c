/* Waits for the next key to expire. Renewals are refused by the rules from that second on whether this thread runs or
 * not; it is what makes holders let go at once instead of at their leases' end. */
#include "vault/expiry.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "vault/audit.h"
#include "vault/kek_store.h"
#include "vault/service.h"

/* Wall-clock time can be set, so it is looked at this often even if nothing is due. */
enum { LOOK_AGAIN_S = 30, RENEW_BEFORE_S = 30 * 86400 };

struct sr_expiry {
	struct sr_vault *vault;
	struct sr_thread thread;
	struct sr_mutex mutex; /* guards what follows */
	struct sr_cond changed;
	bool is_stopping, is_woken;
};

struct tick {
	int64_t after, until; /* keys that expired in (after, until] are due */
	int64_t next;
	struct sr_kek_set set;
};

static struct sr_result find_next(struct sr_connection *connection, void *context)
{
	struct tick *tick = context;
	return sr_key_next_expiry(connection, tick->until, &tick->next);
}

static struct sr_result revoke(struct sr_connection *connection, void *context)
{
	struct tick *tick = context;
	SR_TRY(sr_kek_revoke_expired(connection, tick->after, tick->until, &tick->set));
	if (!tick->set.count) {
		return sr_ok();
	}
	const struct sr_audit_event event = {.service = "vault", .operation = "KeyExpire"};
	return sr_audit_append(connection, &event);
}

/* One look: recalls what expired since the last one. */
static struct sr_result look(struct sr_vault *vault, struct tick *tick)
{
	tick->until = sr_unix_s();
	SR_CLEANUP(sr_kek_set) struct sr_kek_set set = {0};
	if (tick->until > tick->after) {
		tick->set = (struct sr_kek_set){0};
		SR_TRY(sr_database_write(vault->state.database, revoke, tick));
		set = tick->set;
		tick->after = tick->until;
	}
	if (set.count) {
		sr_grantor_recall(vault->state.grantor, set.resources, set.count, set.revocation_epoch, "KeyExpired");
	}
	return sr_database_read(vault->state.database, find_next, tick);
}

/* A new certificate for connections to come, a month before the old one ends. */
static struct sr_result renew(struct sr_vault *vault)
{
	if (sr_certificate_not_after(vault->own) - sr_unix_s() > RENEW_BEFORE_S) {
		return sr_ok();
	}
	struct sr_certificate *fresh;
	SR_TRY(sr_authority_issue(vault->authority, "vault", &fresh));
	sr_certificate_free(vault->own);
	vault->own = fresh;
	return sr_host_enrol_as_authority(vault->host, fresh, sr_authority_certificate(vault->authority), sr_authority_sign,
	                                  vault->authority);
}

/* Until the next key's time, the next look, or a change; false when it is time to stop. */
static bool wait(struct sr_expiry *expiry, int64_t next)
{
	int64_t seconds = LOOK_AGAIN_S, now = sr_unix_s();
	if (next != SR_NO_TIME && next - now < seconds) {
		seconds = next > now ? next - now : 0;
	}
	const uint64_t deadline_ns = sr_boottime_ns() + (uint64_t)seconds * 1000000000;
	SR_LOCKED(&expiry->mutex);
	while (!expiry->is_stopping && !expiry->is_woken &&
	       sr_cond_wait_until(&expiry->changed, &expiry->mutex, deadline_ns)) {
	}
	expiry->is_woken = false;
	return !expiry->is_stopping;
}

static void run(void *context)
{
	struct sr_expiry *expiry = context;
	struct tick tick = {.after = sr_unix_s() - 1, .next = SR_NO_TIME};
	do {
		struct sr_result result = sr_first_error(look(expiry->vault, &tick), renew(expiry->vault));
		if (!sr_is_ok(result)) {
			sr_log(SR_LOG_ERROR, "looking for expired keys: failure %d", (int)sr_result_code(result));
			sr_ignore(result);
			tick.next = SR_NO_TIME;
		}
	} while (wait(expiry, tick.next));
}

struct sr_result sr_expiry_start(struct sr_vault *vault, struct sr_expiry **ret_expiry)
{
	struct sr_expiry *expiry = sr_alloc(sizeof *expiry);
	expiry->vault = vault;
	sr_mutex_init(&expiry->mutex, SR_RANK_LEAF);
	sr_cond_init(&expiry->changed);
	struct sr_result started = sr_thread_start("vault-expiry", 0, run, expiry, &expiry->thread);
	if (!sr_is_ok(started)) {
		sr_cond_destroy(&expiry->changed);
		sr_mutex_destroy(&expiry->mutex);
		sr_free(expiry);
		return started;
	}
	*ret_expiry = expiry;
	return sr_ok();
}

void sr_expiry_wake(struct sr_expiry *expiry)
{
	if (expiry) {
		SR_LOCKED(&expiry->mutex);
		expiry->is_woken = true;
		sr_cond_signal(&expiry->changed);
	}
}

void sr_expiry_stop(struct sr_expiry *expiry)
{
	if (!expiry) {
		return;
	}
	{
		SR_LOCKED(&expiry->mutex);
		expiry->is_stopping = true;
		sr_cond_signal(&expiry->changed);
	}
	sr_thread_join(expiry->thread);
	sr_cond_destroy(&expiry->changed);
	sr_mutex_destroy(&expiry->mutex);
	sr_free(expiry);
}
