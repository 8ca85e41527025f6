/* Rotation policies (JSON) and durations (anything else) as clients send them: what is taken gives times that lie where
 * the policy says, and a duration added is later, subtracted earlier. */
#include "vault/rotation_policy.h"

#include "vault/key_rules.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { DAY_S = 86400 };
static const int64_t created = 1795521600;

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void try_duration(const char *text)
{
	struct sr_duration duration;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_duration_parse(text, &duration);
	if (!sr_is_ok(parsed)) {
		require(sr_result_code(parsed) == SR_INVALID);
		return;
	}
	require(duration.months >= 0 && duration.days >= 0);
	require(sr_duration_add(created, duration) >= created);
	require(sr_duration_subtract(created, duration) <= created);
}

static void try_policy(struct sr_arena *arena, const json_t *body)
{
	SR_CLEANUP(sr_json) json_t *policy = NULL;
	SR_CLEANUP(sr_json) json_t *again = NULL;
	SR_CLEANUP(sr_result) struct sr_result read = sr_rotation_policy_read(body, &policy);
	if (!sr_is_ok(read)) {
		require(sr_result_code(read) == SR_INVALID && !policy);
		return;
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
	SR_CLEANUP(sr_result) struct sr_result written = sr_json_write(policy, &text);
	require(sr_is_ok(written));
	const char *kept = sr_arena_text(arena, sr_buf_bytes(&text));
	SR_CLEANUP(sr_result) struct sr_result reread = sr_rotation_policy_read(policy, &again);
	require(sr_is_ok(reread) && json_equal(policy, again));
	int64_t end;
	struct sr_policy_times times;
	SR_CLEANUP(sr_result) struct sr_result ended = sr_rotation_policy_end(kept, created, &end);
	require(sr_is_ok(ended) && (end == SR_NO_TIME || end >= created + 28 * DAY_S));
	SR_CLEANUP(sr_result) struct sr_result timed = sr_rotation_policy_times(kept, created, end, &times);
	require(sr_is_ok(timed) && (times.rotate == SR_NO_TIME || times.rotate > created));
	require(end == SR_NO_TIME || times.notify == SR_NO_TIME || (times.notify > created && times.notify < end));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_json) json_t *body = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_json_parse(sr_bytes_of(data, len), &body);
	if (sr_is_ok(parsed)) {
		try_policy(arena, body);
	} else {
		try_duration(sr_arena_text(arena, sr_bytes_of(data, len)));
	}
	return 0;
}
