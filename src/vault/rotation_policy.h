/* Key rotation policies: reading, checking, and the times that follow from them. Pure; ISO 8601 durations as Key Vault
 * takes them (P90D, P1Y2M). */
#ifndef SR_VAULT_ROTATION_POLICY_H
#define SR_VAULT_ROTATION_POLICY_H

#include "wire/json.h"

/* What applies where no policy was set: a notice 30 days before the end. */
extern const char sr_rotation_policy_default[];

/* A span in calendar months and days. */
struct sr_duration {
	int64_t months, days;
};
/* "P" with years, months, weeks and days; SR_INVALID for anything else. */
SR_MUST struct sr_result sr_duration_parse(const char *text, struct sr_duration *ret_duration);
/* `time` plus the span, by the calendar (31 January plus a month is the end of February). */
int64_t sr_duration_add(int64_t time, struct sr_duration duration);

/* The policy as it is kept, from a request's body: lifetimeActions and attributes.expiryTime, checked; the caller owns
 * it. */
SR_MUST struct sr_result sr_rotation_policy_read(const json_t *body, json_t **ret_policy);
/* When a version made at `now` ends by the policy (JSON or NULL): SR_NO_TIME where it sets no end. */
SR_MUST struct sr_result sr_rotation_policy_end(const char *policy, int64_t now, int64_t *ret_end);
/* When a version made at `created` that ends at `exp` (SR_NO_TIME: never) is to be rotated and when its end is to be
 * told, by the policy (JSON; NULL: the default one). SR_NO_TIME where the policy does not ask for it. */
struct sr_policy_times {
	int64_t rotate, notify;
};
SR_MUST struct sr_result sr_rotation_policy_times(const char *policy, int64_t created, int64_t exp,
                                                  struct sr_policy_times *ret_times);

#endif
