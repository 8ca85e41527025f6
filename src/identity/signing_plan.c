/* The rule of rotation. It is carried out in signing_keys.c. */
#include "identity/signing_plan.h"

int sr_signing_current(const struct sr_signing_times *times, size_t count, int64_t now_s)
{
	int current = -1;
	for (size_t i = 0; i < count && times[i].active_from_s <= now_s; i++) {
		current = (int)i;
	}
	return current;
}

struct sr_signing_plan sr_signing_plan(const struct sr_signing_times *times, size_t count, int64_t now_s)
{
	struct sr_signing_plan plan = {0};
	if (count == 0) {
		return (struct sr_signing_plan){.needs_key = true, .active_from_s = now_s};
	}
	/* A key's last token was made just before its successor took over. */
	int current = sr_signing_current(times, count, now_s);
	while ((int)plan.ended_count < current) {
		const struct sr_signing_times *key = &times[plan.ended_count];
		if (key[1].active_from_s + key->longest_token_s + SR_SIGNING_SKEW_S > now_s) {
			break;
		}
		plan.ended_count++;
	}
	/* Behind schedule (the service was off), the new key still waits its day, while the old one goes on. */
	int64_t due_s = times[count - 1].active_from_s + SR_SIGNING_ROTATE_S;
	plan.needs_key = due_s - SR_SIGNING_AHEAD_S <= now_s;
	plan.active_from_s = due_s > now_s + SR_SIGNING_AHEAD_S ? due_s : now_s + SR_SIGNING_AHEAD_S;
	return plan;
}
