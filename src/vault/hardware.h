/*
 * The vault's keys in the hardware module: settings, and what must hold between the database and the token at every
 * moment that a crash may choose. An object is recorded before it is made; it becomes a version's in the same write
 * that adds the version; a purge marks it in the same write that removes the versions, and then it is destroyed. What a
 * crash or an absent token left over is swept at the next start, and by the chore. Objects that the database does not
 * know are never touched: they may be another's.
 */
#ifndef SR_VAULT_HARDWARE_H
#define SR_VAULT_HARDWARE_H

#include "host/config.h"
#include "seal/hsm.h"
#include "vault/key_store.h"
#include "vault/state.h"

struct sr_vault;

/* Attaches the token that the settings name; nothing where they name none, or where it is attached already. */
SR_MUST struct sr_result sr_hardware_attach(const struct sr_config *config);
/* At the start, before anything is made: what was about to be made is destroyed. A token that is away is only logged.
 */
SR_MUST struct sr_result sr_hardware_recover(struct sr_vault_state *state);

/* Makes a key of the spec, in software or in the token. What is not put into the database is given to
 * sr_hardware_abandon. The caller frees. */
SR_MUST struct sr_result sr_hardware_make_key(struct sr_vault_state *state, const struct sr_key_spec *spec,
                                              struct sr_keypair **ret_keypair);
/* Replaces a key in software by the same one in the token. */
SR_MUST struct sr_result sr_hardware_move_key(struct sr_vault_state *state, struct sr_keypair **keypair);
/* Within the write that adds a version: its object is the version's from now on. sr_key_insert calls it. SR_CONFLICT if
 * it was swept meanwhile. */
SR_MUST struct sr_result sr_hardware_settle(struct sr_connection *connection, const struct sr_key_record *key);
/* Destroys a key that was made and not put into the database; nothing for one in software. */
void sr_hardware_abandon(struct sr_vault_state *state, const struct sr_keypair *keypair);

/* The same, where it is only a matter of time: a failure is logged, and tried again by the chore. */
void sr_hardware_sweep_soon(struct sr_vault_state *state);
/* For the table of chores: what is marked is destroyed once the token is there. */
SR_MUST struct sr_result sr_sweep_token_next(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_sweep_token_run(struct sr_vault *vault, int64_t now);

#endif
