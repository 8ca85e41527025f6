/*
 * What a lease's key opens: wrapping, unwrapping, and the cache of extents' reading keys. The cache is the
 * lease's child: it is wiped with it. No key bytes are seen here.
 */
#include "base/memory.h"
#include "keyring/state.h"

#include <string.h>

enum { CACHE_MAX = 256, CACHE_BUCKETS = 512 };

struct cached_key {
	struct sr_id extent;
	struct sr_extent_key *key;
	unsigned users;                                  /* borrowers; not evicted while there are any */
	struct cached_key *next_by_extent, *next_by_key; /* in its buckets */
	struct cached_key *newer, *older;                /* by use */
};

uint32_t sr_lease_kek_epoch(const struct sr_lease_use *use)
{
	return use->lease->kek_epoch; /* set before anyone entered, and stays until all have left */
}

/* The key stays while the use does, so it is read without the lock. */
struct sr_result sr_lease_wrap(struct sr_lease_use *use, const struct sr_secret *dek,
                               uint8_t ret_wrapped[static SR_WRAPPED_KEY_LEN])
{
	SR_TRY(sr_lease_check(use));
	return sr_key_wrap(use->lease->kek, dek, ret_wrapped);
}

struct sr_result sr_lease_unwrap(struct sr_lease_use *use, uint32_t kek_epoch, struct sr_bytes wrapped,
                                 struct sr_secret **ret_dek)
{
	SR_TRY(sr_lease_check(use));
	if (kek_epoch != use->lease->kek_epoch) {
		return sr_fail(SR_WRONG_KEY, "unwrap a key: it is under epoch %u of its account's key, and %u is in use",
		               kek_epoch, use->lease->kek_epoch);
	}
	return sr_key_unwrap(use->lease->kek, wrapped, ret_dek);
}

/* ---- the cache; each with the lease locked ---- */

static struct cached_key **extent_bucket(struct extent_cache *cache, const struct sr_id *extent)
{
	return &cache->by_extent[sr_load_u16(extent->bytes) % CACHE_BUCKETS];
}

static struct cached_key **key_bucket(struct extent_cache *cache, const struct sr_extent_key *key)
{
	uint64_t mixed = (uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);
	return &cache->by_key[(mixed >> 32) % CACHE_BUCKETS];
}

static void unlink_use_order(struct extent_cache *cache, struct cached_key *item)
{
	*(item->newer ? &item->newer->older : &cache->newest) = item->older;
	*(item->older ? &item->older->newer : &cache->oldest) = item->newer;
	item->newer = item->older = NULL;
}

static void link_newest(struct extent_cache *cache, struct cached_key *item)
{
	item->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = item;
	cache->newest = item;
}

static struct cached_key *find(struct extent_cache *cache, const struct sr_id *extent)
{
	struct cached_key *item = cache->by_extent ? *extent_bucket(cache, extent) : NULL;
	while (item && !sr_id_equal(&item->extent, extent)) {
		item = item->next_by_extent;
	}
	return item;
}

static struct sr_extent_key *borrow(struct extent_cache *cache, struct cached_key *item)
{
	item->users++;
	unlink_use_order(cache, item);
	link_newest(cache, item);
	return item->key;
}

static void drop(struct extent_cache *cache, struct cached_key *item)
{
	struct cached_key **link = extent_bucket(cache, &item->extent);
	while (*link != item) {
		link = &(*link)->next_by_extent;
	}
	*link = item->next_by_extent;
	link = key_bucket(cache, item->key);
	while (*link != item) {
		link = &(*link)->next_by_key;
	}
	*link = item->next_by_key;
	unlink_use_order(cache, item);
	cache->count--;
	sr_extent_key_free(item->key);
	sr_free(item);
}

/* Down to its bound, from the least recently used; what is borrowed stays. */
static void trim(struct extent_cache *cache)
{
	for (struct cached_key *item = cache->oldest; item && cache->count > CACHE_MAX;) {
		struct cached_key *newer = item->newer;
		if (!item->users) {
			drop(cache, item);
		}
		item = newer;
	}
}

static struct cached_key *insert(struct extent_cache *cache, const struct sr_id *extent, struct sr_extent_key *key)
{
	if (!cache->by_extent) {
		cache->by_extent = sr_alloc_array(CACHE_BUCKETS, sizeof(struct cached_key *));
		cache->by_key = sr_alloc_array(CACHE_BUCKETS, sizeof(struct cached_key *));
	}
	struct cached_key *item = sr_alloc(sizeof *item);
	item->extent = *extent;
	item->key = key;
	struct cached_key **bucket = extent_bucket(cache, extent);
	item->next_by_extent = *bucket;
	*bucket = item;
	bucket = key_bucket(cache, key);
	item->next_by_key = *bucket;
	*bucket = item;
	link_newest(cache, item);
	cache->count++;
	return item;
}

void extent_cache_wipe(struct extent_cache *cache)
{
	while (cache->oldest) {
		drop(cache, cache->oldest);
	}
	sr_free(SR_TAKE(cache->by_extent));
	sr_free(SR_TAKE(cache->by_key));
}

/* ---- borrowing ---- */

static struct sr_extent_key *borrow_cached(struct sr_lease *lease, const struct sr_id *extent)
{
	SR_LOCKED(&lease->mutex);
	struct cached_key *item = find(&lease->cache, extent);
	return item ? borrow(&lease->cache, item) : NULL;
}

/* Takes `key`, unless another was quicker. */
static struct sr_extent_key *borrow_new(struct sr_lease *lease, const struct sr_id *extent, struct sr_extent_key *key)
{
	SR_LOCKED(&lease->mutex);
	struct cached_key *item = find(&lease->cache, extent);
	if (item) {
		sr_extent_key_free(key);
	} else {
		item = insert(&lease->cache, extent, key);
	}
	struct sr_extent_key *borrowed = borrow(&lease->cache, item);
	trim(&lease->cache);
	return borrowed;
}

struct sr_result sr_lease_extent_key(struct sr_lease_use *use, const struct sr_id *extent, uint32_t kek_epoch,
                                     struct sr_bytes wrapped, struct sr_extent_key **ret_key)
{
	SR_TRY(sr_lease_check(use));
	struct sr_extent_key *key = borrow_cached(use->lease, extent);
	if (!key) {
		SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
		SR_TRY(sr_lease_unwrap(use, kek_epoch, wrapped, &dek));
		struct sr_extent_key *fresh;
		SR_TRY(sr_extent_key_new(extent, dek, &fresh));
		key = borrow_new(use->lease, extent, fresh);
	}
	*ret_key = key;
	return sr_ok();
}

void sr_lease_extent_key_done(struct sr_lease_use *use, struct sr_extent_key *key)
{
	if (!key) {
		return;
	}
	struct sr_lease *lease = use->lease;
	SR_LOCKED(&lease->mutex);
	for (struct cached_key *item = *key_bucket(&lease->cache, key); item; item = item->next_by_key) {
		if (item->key == key) {
			item->users--;
			break;
		}
	}
	trim(&lease->cache);
}
