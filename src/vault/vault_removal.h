/*
 * The way out of a whole vault: deleted but recoverable, and purged for good with everything in it. Within a write; the
 * caller recalls the leases of the set once that is durable.
 */
#ifndef SR_VAULT_VAULT_REMOVAL_H
#define SR_VAULT_VAULT_REMOVAL_H

#include "vault/chore.h"
#include "vault/kek_store.h"
#include "vault/vault_store.h"

/* What a removal took away. */
struct sr_vault_removal {
	struct sr_kek_set revoked; /* owned */
	const char *const *keys;   /* names of the keys that were in it, in the arena, ended by NULL */
};
void sr_vault_removal_cleanup(struct sr_vault_removal *removal);

/* Deletes a live vault: its keys wrap nothing from here on. Writes the record's deleted_at and purge_at. */
SR_MUST struct sr_result sr_vault_delete(struct sr_connection *connection, struct sr_arena *arena,
                                         struct sr_vault_record *vault, int64_t now,
                                         struct sr_vault_removal *ret_removal);
/* Destroys a deleted vault: the KEKs under its keys are shredded, its keys and all else in it removed. */
SR_MUST struct sr_result sr_vault_destroy(struct sr_connection *connection, struct sr_arena *arena,
                                          const struct sr_vault_record *vault, struct sr_vault_removal *ret_removal);
/* After either is durable: forgets the keys that were open. */
void sr_vault_removal_forget(struct sr_vault_state *state, const char *vault, const struct sr_vault_removal *removal);

/* The chore that purges vaults whose time has come. */
SR_MUST struct sr_result sr_purge_vaults_next(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_purge_vaults_run(struct sr_vault *vault, int64_t now);

#endif
