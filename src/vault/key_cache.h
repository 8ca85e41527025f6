/*
 * Keys that were opened a moment ago: opening one costs more than using it. Bounded; a key is forgotten when it is
 * disabled, deleted or purged. Whoever uses a key checks its state in the database first: the cache grants nothing.
 * Thread-safe.
 */
#ifndef SR_VAULT_KEY_CACHE_H
#define SR_VAULT_KEY_CACHE_H

#include "seal/keypair.h"

struct sr_key_cache;
struct sr_open_key; /* one use of an opened key */

/* At most `max` keys stay open beyond their uses. Borrows `records`. */
struct sr_key_cache *sr_key_cache_new(struct sr_aead *records, unsigned max);
void sr_key_cache_free(struct sr_key_cache *cache);

/* Where a key version lives; also what its sealed form is tied to. */
struct sr_key_name {
	const char *vault, *name, *version;
};
/* The key, opened from `sealed` where it is not open yet. End the use with sr_open_key_done. */
SR_MUST struct sr_result sr_key_cache_open(struct sr_key_cache *cache, const struct sr_key_name *name,
                                           struct sr_bytes sealed, struct sr_open_key **ret_key);
const struct sr_keypair *sr_open_key_pair(const struct sr_open_key *key);
void sr_open_key_done(struct sr_open_key *key);
void sr_open_key_cleanup(struct sr_open_key **key);

/* Forgets all versions of a key, or one: what nobody uses is wiped at once, the rest with its last use; an opening that
 * runs meanwhile is not kept. `version` in `name` may be NULL: all. */
void sr_key_cache_forget(struct sr_key_cache *cache, const struct sr_key_name *name);

/* Seals a new key, tied to its name. */
SR_MUST struct sr_result sr_key_seal(struct sr_aead *records, const struct sr_key_name *name,
                                     const struct sr_keypair *keypair, struct sr_buf *sealed);
/* Opens one without the cache; the caller frees. */
SR_MUST struct sr_result sr_key_unseal(struct sr_aead *records, const struct sr_key_name *name, struct sr_bytes sealed,
                                       struct sr_keypair **ret_keypair);

#endif
