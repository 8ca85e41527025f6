/*
 * Tokens whose signature and claims were checked, by their SHA-256: a check costs tens of microseconds, a look here
 * one. Bounded; belongs to one snapshot of the directory and ends with it. Thread-safe. Private to the room.
 */
#ifndef SR_ACCESS_TOKEN_CACHE_H
#define SR_ACCESS_TOKEN_CACHE_H

#include "base/bytes.h"
#include "seal/crypto.h"

struct sr_principal_entry;

enum { SR_AUDIENCE_MAX = 256, SR_TOKEN_CACHE_MAX = 4096 };

/* What a token says, once it is believed. Whether the audience is the right one is asked each time. */
struct sr_token_facts {
	const struct sr_principal_entry *principal; /* of the same snapshot */
	int64_t expires_s;                          /* Unix time */
	char audience[SR_AUDIENCE_MAX];
};

struct sr_token_cache;
struct sr_token_cache *sr_token_cache_new(void);
void sr_token_cache_free(struct sr_token_cache *cache);
/* True and a copy of the facts, if the token is there and has not ended at `now_s`. */
bool sr_token_cache_get(struct sr_token_cache *cache, const uint8_t digest[static SR_SHA256_LEN], int64_t now_s,
                        struct sr_token_facts *ret_facts);
/* Keeps the facts; another token may have to go. */
void sr_token_cache_put(struct sr_token_cache *cache, const uint8_t digest[static SR_SHA256_LEN],
                        const struct sr_token_facts *facts);

#endif
