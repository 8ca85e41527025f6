/* What hangs on a lease (an open database): opened once by whoever finds it missing, closed as the lease ends. */
#include "keyring/state.h"

void *sr_lease_attached(const struct sr_lease_use *use)
{
	SR_LOCKED(&use->lease->mutex);
	return use->lease->attached;
}

uint64_t sr_lease_least_anchor(const struct sr_lease_use *use)
{
	SR_LOCKED(&use->lease->mutex);
	return use->lease->least_anchor;
}

void sr_lease_tell_anchors(struct sr_lease_use *use, uint64_t (*anchor_now)(void *thing))
{
	SR_LOCKED(&use->lease->mutex);
	use->lease->anchor_now = anchor_now;
}

static bool is_over(const struct sr_lease_use *use)
{
	return __atomic_load_n(&use->is_over, __ATOMIC_ACQUIRE);
}

/* Waits while another opens. True: this caller is to open; else *ret_thing or the result is what came of it. */
static bool take_turn(struct sr_lease_use *use, struct sr_result *ret_result, void **ret_thing)
{
	struct sr_lease *lease = use->lease;
	SR_LOCKED(&lease->mutex);
	uint64_t attempts_before = lease->attach_attempts;
	while (lease->is_attaching && !is_over(use)) {
		sr_cond_wait(&lease->changed, &lease->mutex);
	}
	if (is_over(use)) {
		return false; /* the caller's check says why */
	}
	if (lease->attached) {
		*ret_thing = lease->attached;
		return false;
	}
	if (lease->attach_attempts != attempts_before) {
		*ret_result = kept_error_result(&lease->attach_error);
		return false;
	}
	lease->is_attaching = true;
	return true;
}

/* A thing that opens while the lease ends is attached all the same: its opener is a user, so that the end waits for it
 * and closes the thing. */
static void end_turn(struct sr_lease *lease, struct sr_result opened, void *thing, void (*close)(void *thing))
{
	SR_LOCKED(&lease->mutex);
	lease->is_attaching = false;
	if (sr_is_ok(opened)) {
		lease->attached = thing;
		lease->close_attached = close;
	} else {
		lease->attach_attempts++;
		kept_error_set(&lease->attach_error, opened);
	}
	sr_cond_broadcast(&lease->changed);
}

static struct sr_result attach(struct sr_lease_use *use,
                               struct sr_result (*open)(struct sr_lease_use *use, void *context, void **ret_thing),
                               void (*close)(void *thing), void *context, void **ret_thing)
{
	void *thing = NULL;
	struct sr_result result = sr_ok();
	if (take_turn(use, &result, &thing)) {
		result = open(use, context, &thing);
		end_turn(use->lease, result, thing, close);
	}
	SR_TRY(result);
	SR_TRY(sr_lease_check(use));
	*ret_thing = thing;
	return sr_ok();
}

struct sr_result sr_lease_attach_once(struct sr_lease_use *use,
                                      struct sr_result (*open)(struct sr_lease_use *use, void *context,
                                                               void **ret_thing),
                                      void (*close)(void *thing), void *context, void **ret_thing)
{
	SR_TRY(sr_lease_check(use));
	void *thing = sr_lease_attached(use);
	if (thing) {
		*ret_thing = thing;
		return sr_ok();
	}
	sr_blocking_begin();
	struct sr_result result = attach(use, open, close, context, ret_thing);
	sr_blocking_end();
	return result;
}
