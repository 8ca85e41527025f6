/*
 * Moves KEKs that follow a key's latest version to a new one: unwrapped by the version that wraps them now, wrapped by
 * the new one. O(resources), and no data moves. The private-key operations happen before the write, on all cores, so
 * that the write itself is short.
 */
#ifndef SR_VAULT_KEK_REWRAP_H
#define SR_VAULT_KEK_REWRAP_H

#include "vault/key_store.h"
#include "vault/state.h"

struct sr_rewrap_item;

/* What was prepared; empty (all zero) is a plan too. */
struct sr_rewrap_plan {
	struct sr_rewrap_item *items;
	size_t count;
};
void sr_rewrap_plan_cleanup(struct sr_rewrap_plan *plan);

/* The version that KEKs are moved to: not in the database yet where it is being made. */
struct sr_rewrap_target {
	struct sr_key_name name;
	const struct sr_keypair *keypair;
};

/*
 * Prepares the rewrapping of all followers. A KEK whose present version is disabled or deleted is left where it is:
 * moving it would undo a revocation.
 */
SR_MUST struct sr_result sr_rewrap_prepare(struct sr_vault_state *state, const struct sr_rewrap_target *target,
                                           struct sr_rewrap_plan *ret_plan);
/*
 * Within a write: carries the plan out, and rewraps there and then what has begun to follow since, so that after it
 * every follower that may move has moved. Tells how many did.
 */
SR_MUST struct sr_result sr_rewrap_apply(struct sr_vault_state *state, struct sr_connection *connection,
                                         const struct sr_rewrap_target *target, const struct sr_rewrap_plan *plan,
                                         int64_t *ret_count);

#endif
