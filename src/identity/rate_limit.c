/* The table of buckets behind the limit on wrong secrets. What counts as a failure is the token endpoint's business. */
#include "identity/rate_limit.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "base/thread.h"
#include "seal/crypto.h"

#include <ctype.h>

enum { SET_COUNT = 1024, WAY_COUNT = 4, SALT_LEN = 16, NAME_MAX_LEN = 256 };

/* `full_at_ms`: the bucket has all its tokens again from then on (GCRA's theoretical arrival time). */
struct bucket {
	uint64_t name;
	uint64_t full_at_ms;
};

struct sr_rate_limit {
	uint64_t interval_ms;
	uint64_t tolerance_ms;  /* (burst - 1) intervals */
	uint8_t salt[SALT_LEN]; /* so that nobody can choose names that fall together */
	struct sr_mutex mutex;  /* guards the buckets */
	struct bucket buckets[SET_COUNT][WAY_COUNT];
};

struct sr_rate_limit *sr_rate_limit_new(unsigned burst, uint64_t interval_ms)
{
	struct sr_rate_limit *limit = sr_alloc(sizeof *limit);
	limit->interval_ms = interval_ms;
	limit->tolerance_ms = (burst - 1) * interval_ms;
	sr_random(limit->salt, sizeof limit->salt);
	sr_mutex_init(&limit->mutex, SR_RANK_LEAF);
	return limit;
}

void sr_rate_limit_free(struct sr_rate_limit *limit)
{
	if (limit) {
		sr_mutex_destroy(&limit->mutex);
		sr_free(limit);
	}
}

static uint64_t name_of(const struct sr_rate_limit *limit, const char *client_id, const char *address)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SALT_LEN + 2 * NAME_MAX_LEN + 1);
	sr_buf_append(&text, sr_bytes_of(limit->salt, SALT_LEN));
	for (size_t i = 0; i < NAME_MAX_LEN && client_id[i]; i++) {
		sr_buf_append_u8(&text, (uint8_t)tolower((unsigned char)client_id[i]));
	}
	sr_buf_append_u8(&text, 0);
	sr_buf_append_str(&text, address);
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, sr_buf_bytes(&text), digest);
	return sr_load_u64(digest) | 1; /* never zero, which marks an empty bucket */
}

static struct bucket *find(struct sr_rate_limit *limit, uint64_t name)
{
	struct bucket *set = limit->buckets[(name >> 1) % SET_COUNT];
	for (size_t i = 0; i < WAY_COUNT; i++) {
		if (set[i].name == name) {
			return &set[i];
		}
	}
	return NULL;
}

/* The place for a new name: of its set the bucket that is full soonest, which forgets least. */
static struct bucket *make_room(struct sr_rate_limit *limit, uint64_t name)
{
	struct bucket *set = limit->buckets[(name >> 1) % SET_COUNT];
	struct bucket *place = &set[0];
	for (size_t i = 1; i < WAY_COUNT; i++) {
		if (set[i].full_at_ms < place->full_at_ms) {
			place = &set[i];
		}
	}
	*place = (struct bucket){.name = name};
	return place;
}

bool sr_rate_limit_allows(struct sr_rate_limit *limit, const char *client_id, const char *address, uint64_t now_ms,
                          unsigned *ret_retry_after_s)
{
	uint64_t name = name_of(limit, client_id, address);
	SR_LOCKED(&limit->mutex);
	const struct bucket *bucket = find(limit, name);
	if (!bucket || bucket->full_at_ms <= now_ms + limit->tolerance_ms) {
		return true;
	}
	uint64_t wait_ms = bucket->full_at_ms - limit->tolerance_ms - now_ms;
	*ret_retry_after_s = (unsigned)((wait_ms + 999) / 1000);
	return false;
}

void sr_rate_limit_charge(struct sr_rate_limit *limit, const char *client_id, const char *address, uint64_t now_ms)
{
	uint64_t name = name_of(limit, client_id, address);
	SR_LOCKED(&limit->mutex);
	struct bucket *bucket = find(limit, name);
	if (!bucket) {
		bucket = make_room(limit, name);
	}
	uint64_t from_ms = bucket->full_at_ms > now_ms ? bucket->full_at_ms : now_ms;
	bucket->full_at_ms = from_ms + limit->interval_ms;
}
