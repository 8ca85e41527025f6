/*
 * The wrapped key-encryption keys of resources (accounts, services' own state): what the lease protocol opens, and what
 * a change of a key's state affects. A KEK is in clear for the length of one call only, in secret memory.
 */
#ifndef SR_VAULT_KEK_STORE_H
#define SR_VAULT_KEK_STORE_H

#include "vault/grantor.h"
#include "vault/key_store.h"
#include "vault/state.h"

/* The grantor's store over `state`, which must outlive the grantor. */
struct sr_grantor_store sr_kek_grantor_store(struct sr_vault_state *state);

/* Resources touched by a revocation, and the epoch that they all have now. */
struct sr_kek_set {
	struct sr_id *resources; /* owned */
	size_t count;
	uint64_t revocation_epoch;
};
void sr_kek_set_cleanup(struct sr_kek_set *set);

/*
 * Within a write: counts a revocation for every KEK that the key version wraps (all versions where it is NULL), and
 * tells which. The caller recalls their leases once the write is durable.
 */
SR_MUST struct sr_result sr_kek_revoke(struct sr_connection *connection, const struct sr_key_name *name,
                                       struct sr_kek_set *ret_set);
/* The same for KEKs under versions whose time is over at `now` and that are not marked as expired yet (key_schedule.h).
 */
SR_MUST struct sr_result sr_kek_revoke_expired(struct sr_connection *connection, int64_t now,
                                               struct sr_kek_set *ret_set);
/* Within a write: destroys the wrapped KEKs under a key that is purged. What they opened is unreadable from now on. */
SR_MUST struct sr_result sr_kek_shred(struct sr_connection *connection, const char *vault, const char *key);

/* Both for all KEKs under keys of a vault: its deletion takes them away, its purge destroys them. */
SR_MUST struct sr_result sr_kek_revoke_vault(struct sr_connection *connection, const char *vault,
                                             struct sr_kek_set *ret_set);
SR_MUST struct sr_result sr_kek_shred_vault(struct sr_connection *connection, const char *vault);

/* After a shredding is durable: folds the database's log in, which still holds the pages as they were. Where readers
 * keep the log in use, its next checkpoint does it instead. */
SR_MUST struct sr_result sr_kek_fold_log(struct sr_vault_state *state);

/* One KEK, for status and census. Text lives in the arena. */
struct sr_kek_record {
	struct sr_id resource;
	const char *service, *kind, *label;
	const char *vault, *key, *version; /* NULL: service-managed */
	bool follows_latest, is_shredded;
	uint32_t kek_epoch;
	uint64_t revocation_epoch;
	struct sr_bytes wrapped;
	int64_t created, rewrapped;
};
/* KEKs by resource, in pages after `after` (NULL from the start), within a read; `vault`, `key` and `version` narrow
 * it, each may be NULL. */
struct sr_kek_filter {
	const char *vault, *key, *version;
};
struct sr_kek_page {
	struct sr_kek_record *items;
	size_t count;
	bool has_more;
};
SR_MUST struct sr_result sr_kek_list(struct sr_connection *connection, struct sr_arena *arena,
                                     const struct sr_kek_filter *filter, const struct sr_id *after, size_t limit,
                                     struct sr_kek_page *ret_page);

/* Opens a KEK whatever its key's state, for verification: it is wiped at once. Within a read. */
SR_MUST struct sr_result sr_kek_try(struct sr_vault_state *state, struct sr_connection *connection,
                                    struct sr_arena *arena, const struct sr_kek_record *kek);

#endif
