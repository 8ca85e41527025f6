/* Opened keys with counted uses, least recently used first out. Also the one place that says what a sealed key is tied
 * to. */
#include "vault/key_cache.h"

#include "base/memory.h"
#include "base/thread.h"

#include <ctype.h>
#include <string.h>

enum { PLACE_MAX = 512 };

struct sr_open_key {
	struct sr_key_cache *cache;
	char *place; /* "vault/name/version" in lowercase */
	struct sr_keypair *keypair;
	unsigned uses;    /* guarded by the cache's mutex, as all below */
	bool is_kept;     /* in the list */
	uint64_t used_at; /* the cache's clock */
	struct sr_open_key *next;
};

struct sr_key_cache {
	struct sr_aead *records;
	unsigned max;
	struct sr_mutex mutex; /* guards what follows */
	struct sr_open_key *first;
	unsigned count;
	uint64_t clock;
	uint64_t forgets; /* grows with each forget, so that an opening that overlaps one is not kept */
};

/* Names ignore case, so what they are tied to must too. */
static void write_place(const struct sr_key_name *name, struct sr_buf *place)
{
	sr_buf_printf(place, "%s/%s/%s", name->vault, name->name, name->version ? name->version : "");
	for (size_t i = 0; i < place->len; i++) {
		place->data[i] = (uint8_t)tolower(place->data[i]);
	}
}

struct sr_result sr_key_seal(struct sr_aead *records, const struct sr_key_name *name, const struct sr_keypair *keypair,
                             struct sr_buf *sealed)
{
	SR_CLEANUP(sr_buf) struct sr_buf place = SR_BUF(PLACE_MAX);
	write_place(name, &place);
	SR_TRY(sr_buf_result(&place));
	return sr_keypair_seal(keypair, records, sr_buf_bytes(&place), sealed);
}

struct sr_result sr_key_unseal(struct sr_aead *records, const struct sr_key_name *name, struct sr_bytes sealed,
                               struct sr_keypair **ret_keypair)
{
	SR_CLEANUP(sr_buf) struct sr_buf place = SR_BUF(PLACE_MAX);
	write_place(name, &place);
	SR_TRY(sr_buf_result(&place));
	return sr_keypair_open(records, sr_buf_bytes(&place), sealed, ret_keypair);
}

struct sr_key_cache *sr_key_cache_new(struct sr_aead *records, unsigned max)
{
	struct sr_key_cache *cache = sr_alloc(sizeof *cache);
	cache->records = records;
	cache->max = max;
	sr_mutex_init(&cache->mutex, SR_RANK_LEAF);
	return cache;
}

static void end(struct sr_open_key *key)
{
	sr_keypair_free(key->keypair);
	sr_free(key->place);
	sr_free(key);
}

void sr_key_cache_free(struct sr_key_cache *cache)
{
	if (!cache) {
		return;
	}
	while (cache->first) {
		struct sr_open_key *key = cache->first;
		cache->first = key->next;
		end(key);
	}
	sr_mutex_destroy(&cache->mutex);
	sr_free(cache);
}

/* Takes a key out of the list; the caller holds the mutex. True if nobody uses it, so that the caller must end it. */
static bool drop(struct sr_key_cache *cache, struct sr_open_key *key)
{
	struct sr_open_key **link = &cache->first;
	while (*link != key) {
		link = &(*link)->next;
	}
	*link = key->next;
	key->next = NULL;
	key->is_kept = false;
	cache->count--;
	return key->uses == 0;
}

/* The least recently used key that nobody uses, out of the list, where there are too many. */
static struct sr_open_key *take_oldest(struct sr_key_cache *cache)
{
	struct sr_open_key *oldest = NULL;
	for (struct sr_open_key *key = cache->first; key && cache->count > cache->max; key = key->next) {
		if (key->uses == 0 && (!oldest || key->used_at < oldest->used_at)) {
			oldest = key;
		}
	}
	if (oldest) {
		drop(cache, oldest);
	}
	return oldest;
}

static struct sr_open_key *find(struct sr_key_cache *cache, const char *place)
{
	for (struct sr_open_key *key = cache->first; key; key = key->next) {
		if (strcmp(key->place, place) == 0) {
			key->uses++;
			key->used_at = ++cache->clock;
			return key;
		}
	}
	return NULL;
}

struct sr_result sr_key_cache_open(struct sr_key_cache *cache, const struct sr_key_name *name, struct sr_bytes sealed,
                                   struct sr_open_key **ret_key)
{
	SR_CLEANUP(sr_buf) struct sr_buf place = SR_BUF(PLACE_MAX);
	write_place(name, &place);
	SR_TRY(sr_buf_result(&place));
	uint64_t forgets;
	{
		SR_LOCKED(&cache->mutex);
		struct sr_open_key *held = find(cache, sr_buf_text(&place));
		forgets = cache->forgets;
		if (held) {
			*ret_key = held;
			return sr_ok();
		}
	}
	struct sr_keypair *keypair;
	SR_TRY(sr_keypair_open(cache->records, sr_buf_bytes(&place), sealed, &keypair));

	struct sr_open_key *key = sr_alloc(sizeof *key), *oldest;
	*key = (struct sr_open_key){.cache = cache, .place = sr_strdup(sr_buf_text(&place)), .keypair = keypair, .uses = 1};
	{
		SR_LOCKED(&cache->mutex);
		if (forgets ==
		    cache->forgets) { /* two threads may both have opened it; both are kept, the second unused soon */
			key->is_kept = true;
			key->used_at = ++cache->clock;
			key->next = cache->first;
			cache->first = key;
			cache->count++;
		}
		oldest = take_oldest(cache);
	}
	if (oldest) {
		end(oldest);
	}
	*ret_key = key;
	return sr_ok();
}

const struct sr_keypair *sr_open_key_pair(const struct sr_open_key *key)
{
	return key->keypair;
}

void sr_open_key_done(struct sr_open_key *key)
{
	bool is_last;
	{
		SR_LOCKED(&key->cache->mutex);
		is_last = --key->uses == 0 && !key->is_kept;
	}
	if (is_last) {
		end(key);
	}
}

void sr_open_key_cleanup(struct sr_open_key **key)
{
	if (*key) {
		sr_open_key_done(*key);
	}
}

void sr_key_cache_forget(struct sr_key_cache *cache, const struct sr_key_name *name)
{
	SR_CLEANUP(sr_buf) struct sr_buf place = SR_BUF(PLACE_MAX);
	write_place(name, &place);
	struct sr_bytes prefix = sr_buf_bytes(&place);
	struct sr_open_key *unused = NULL;
	{
		SR_LOCKED(&cache->mutex);
		cache->forgets++;
		for (struct sr_open_key *key = cache->first, *next; key; key = next) {
			next = key->next;
			if (sr_bytes_start_with(sr_bytes_str(key->place), prefix) && drop(cache, key)) {
				key->next = unused;
				unused = key;
			}
		}
	}
	while (unused) {
		struct sr_open_key *key = unused;
		unused = key->next;
		end(key);
	}
}
