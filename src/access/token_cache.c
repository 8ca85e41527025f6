/* A set-associative table: a digest's first bits choose a set of a few slots, within which the oldest goes first. */
#include "access/token_cache.h"

#include "base/memory.h"
#include "base/thread.h"

#include <string.h>

enum { WAYS = 4, SETS = SR_TOKEN_CACHE_MAX / WAYS };
_Static_assert((SETS & (SETS - 1)) == 0, "sets are chosen by bits");

struct slot {
	uint8_t digest[SR_SHA256_LEN];
	struct sr_token_facts facts; /* principal NULL: free */
};

struct set {
	struct slot slots[WAYS];
	unsigned next; /* the slot to be filled next */
};

struct sr_token_cache {
	struct sr_mutex mutex; /* guards sets */
	struct set sets[SETS];
};

struct sr_token_cache *sr_token_cache_new(void)
{
	struct sr_token_cache *cache = sr_alloc(sizeof *cache);
	sr_mutex_init(&cache->mutex, SR_RANK_ACCESS);
	return cache;
}

void sr_token_cache_free(struct sr_token_cache *cache)
{
	if (cache) {
		sr_mutex_destroy(&cache->mutex);
		sr_free(cache);
	}
}

static struct set *set_of(struct sr_token_cache *cache, const uint8_t digest[static SR_SHA256_LEN])
{
	return &cache->sets[sr_load_u16(digest) & (SETS - 1)];
}

/* Digests are no secrets: whoever can present a token knows its digest, and none leads back to a token. */
static struct slot *find(struct set *set, const uint8_t digest[static SR_SHA256_LEN])
{
	struct sr_bytes wanted = sr_bytes_of(digest, SR_SHA256_LEN);
	for (size_t i = 0; i < WAYS; i++) {
		struct slot *slot = &set->slots[i];
		if (slot->facts.principal && sr_equal_public(sr_bytes_of(slot->digest, SR_SHA256_LEN), wanted)) {
			return slot;
		}
	}
	return NULL;
}

bool sr_token_cache_get(struct sr_token_cache *cache, const uint8_t digest[static SR_SHA256_LEN], int64_t now_s,
                        struct sr_token_facts *ret_facts)
{
	SR_LOCKED(&cache->mutex);
	const struct slot *slot = find(set_of(cache, digest), digest);
	if (!slot || slot->facts.expires_s <= now_s) {
		return false;
	}
	*ret_facts = slot->facts;
	return true;
}

void sr_token_cache_put(struct sr_token_cache *cache, const uint8_t digest[static SR_SHA256_LEN],
                        const struct sr_token_facts *facts)
{
	SR_LOCKED(&cache->mutex);
	struct set *set = set_of(cache, digest);
	struct slot *slot = find(set, digest);
	if (!slot) {
		slot = &set->slots[set->next];
		set->next = (set->next + 1) % WAYS;
	}
	memcpy(slot->digest, digest, SR_SHA256_LEN);
	slot->facts = *facts;
}
