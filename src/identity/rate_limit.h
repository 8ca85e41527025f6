/*
 * How often a client may present a wrong secret, counted for each client id and peer address: a token bucket
 * in its GCRA form (one time for each bucket). Bounded memory; the most innocent bucket makes room. Thread-safe.
 */
#ifndef SR_IDENTITY_RATE_LIMIT_H
#define SR_IDENTITY_RATE_LIMIT_H

#include "base/result.h"

#include <stdbool.h>
#include <stdint.h>

struct sr_rate_limit;

/* `burst` failures at once, then one each `interval_ms`. The caller frees. */
struct sr_rate_limit *sr_rate_limit_new(unsigned burst, uint64_t interval_ms);
void sr_rate_limit_free(struct sr_rate_limit *limit);
/* True if a further attempt may be made now (sr_boottime_ms); else *ret_retry_after_s says when to come back. */
bool sr_rate_limit_allows(struct sr_rate_limit *limit, const char *client_id, const char *address, uint64_t now_ms,
                          unsigned *ret_retry_after_s);
/* Counts one failure. */
void sr_rate_limit_charge(struct sr_rate_limit *limit, const char *client_id, const char *address, uint64_t now_ms);

#endif
