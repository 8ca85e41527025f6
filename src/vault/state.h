/* What the stores of the vault work on: the database, the key that seals records, opened keys. Made by vault.c (or a
 * test), immutable after but for the grantor; its parts are thread-safe. */
#ifndef SR_VAULT_STATE_H
#define SR_VAULT_STATE_H

#include "seal/crypto.h"
#include "seal/database.h"
#include "vault/grantor.h"
#include "vault/key_cache.h"

#include <stdatomic.h>

struct sr_vault_state {
	struct sr_database *database;
	struct sr_aead *records;
	struct sr_key_cache *cache;
	_Atomic(struct sr_grantor *) grantor; /* NULL until it runs, and in tests: nobody holds leases then */
	atomic_bool is_sealing;               /* no KEK is opened and no lease renewed any more */
};

#endif
