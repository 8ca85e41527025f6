/* Rotation policies and durations. Carrying them out on time is the scheduler's. */
#include "vault/rotation_policy.h"

#include "base/clock.h"
#include "vault/key_rules.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, ACTIONS_MAX = 10, EXPIRY_MIN_DAYS = 28, TRIGGER_MIN_DAYS = 7, COUNT_MAX = 36500 };

const char sr_rotation_policy_default[] =
    "{\"lifetimeActions\":[{\"trigger\":{\"timeBeforeExpiry\":\"P30D\"},\"action\":{\"type\":\"Notify\"}}],"
    "\"attributes\":{}}";

/* Adds `count` of a unit; false if the unit is out of order or unknown. `stage` counts up through Y, M, W, D. */
static bool add_unit(struct sr_duration *duration, char unit, int64_t count, int *stage)
{
	static const struct {
		char unit;
		int64_t months, days;
	} units[] = {{'Y', 12, 0}, {'M', 1, 0}, {'W', 0, 7}, {'D', 0, 1}};
	for (int i = *stage; i < 4; i++) {
		if (units[i].unit == unit) {
			duration->months += count * units[i].months;
			duration->days += count * units[i].days;
			*stage = i + 1;
			return true;
		}
	}
	return false;
}

struct sr_result sr_duration_parse(const char *text, struct sr_duration *ret_duration)
{
	struct sr_duration duration = {0};
	const char *next = text;
	int stage = 0;
	bool is_valid = *next++ == 'P' && *next;
	while (is_valid && *next) {
		int64_t count = 0;
		is_valid = isdigit((unsigned char)*next);
		while (isdigit((unsigned char)*next) && count <= COUNT_MAX) {
			count = 10 * count + (*next++ - '0');
		}
		is_valid = is_valid && count <= COUNT_MAX && add_unit(&duration, *next, count, &stage);
		next += is_valid;
	}
	if (!is_valid) {
		return sr_fail(SR_INVALID, "'%.32s' is no duration in days, months and years (P90D)", text);
	}
	*ret_duration = duration;
	return sr_ok();
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month] + (month == 1 && is_leap);
}

/* `time` moved by whole months, then by days; `sign` is 1 or -1. */
static int64_t move(int64_t time, struct sr_duration duration, int sign)
{
	time_t seconds = time;
	struct tm date;
	gmtime_r(&seconds, &date);
	const int64_t months = 12 * (int64_t)date.tm_year + date.tm_mon + sign * duration.months;
	date.tm_year = (int)(months >= 0 ? months / 12 : -((11 - months) / 12));
	date.tm_mon = (int)(months - 12 * (int64_t)date.tm_year);
	const int last = days_in_month(date.tm_year + 1900, date.tm_mon);
	if (date.tm_mday > last) {
		date.tm_mday = last;
	}
	return (int64_t)timegm(&date) + sign * duration.days * DAY_S;
}

int64_t sr_duration_add(int64_t time, struct sr_duration duration)
{
	return move(time, duration, 1);
}

/* `time` less the span, by the calendar (31 March less a month is the end of February). */
static int64_t subtract(int64_t time, struct sr_duration duration)
{
	return move(time, duration, -1);
}

/* The span's length, counted from now. */
static int64_t length_days(struct sr_duration duration)
{
	const int64_t now = sr_unix_s();
	return (sr_duration_add(now, duration) - now) / DAY_S;
}

static struct sr_result read_trigger(const json_t *action, const char *name, int64_t *ret_days)
{
	const json_t *trigger = NULL;
	const char *text = NULL;
	SR_TRY(sr_json_get_object(action, "trigger", &trigger));
	if (trigger) {
		SR_TRY(sr_json_get_string(trigger, name, &text));
	}
	if (text) {
		struct sr_duration duration;
		SR_TRY(sr_duration_parse(text, &duration));
		*ret_days = length_days(duration);
	}
	return sr_ok();
}

/* One action against the key's lifetime in days, -1 where it has none. */
static struct sr_result check_action(const json_t *action, int64_t lifetime)
{
	const json_t *what = NULL;
	const char *type = NULL;
	int64_t after = -1, before = -1;
	SR_TRY(sr_json_get_object(action, "action", &what));
	if (what) {
		SR_TRY(sr_json_get_string(what, "type", &type));
	}
	const bool is_rotate = type && strcasecmp(type, "Rotate") == 0;
	if (!is_rotate && !(type && strcasecmp(type, "Notify") == 0)) {
		return sr_fail(SR_INVALID, "lifetimeActions: an action's type is Rotate or Notify");
	}
	SR_TRY(read_trigger(action, "timeAfterCreate", &after));
	SR_TRY(read_trigger(action, "timeBeforeExpiry", &before));
	if ((after < 0) == (before < 0)) {
		return sr_fail(SR_INVALID, "lifetimeActions: a trigger is either timeAfterCreate or timeBeforeExpiry");
	}
	if (!is_rotate && before < 0) {
		return sr_fail(SR_INVALID, "lifetimeActions: Notify is triggered by timeBeforeExpiry");
	}
	if (is_rotate && before >= 0 && lifetime < 0) {
		return sr_fail(SR_INVALID, "lifetimeActions: timeBeforeExpiry needs attributes.expiryTime");
	}
	const int64_t span = after < 0 ? before : after;
	if (span < TRIGGER_MIN_DAYS || (lifetime >= 0 && span > lifetime - TRIGGER_MIN_DAYS)) {
		return sr_fail(SR_INVALID, "lifetimeActions: a trigger stays %d days away from either end", TRIGGER_MIN_DAYS);
	}
	return sr_ok();
}

static struct sr_result read_expiry(const json_t *body, const char **ret_text, int64_t *ret_days)
{
	const json_t *attributes = NULL;
	SR_TRY(sr_json_get_object(body, "attributes", &attributes));
	*ret_days = -1;
	if (!attributes) {
		return sr_ok();
	}
	SR_TRY(sr_json_get_string(attributes, "expiryTime", ret_text));
	if (!*ret_text || !**ret_text) {
		return sr_ok();
	}
	struct sr_duration duration;
	SR_TRY(sr_duration_parse(*ret_text, &duration));
	*ret_days = length_days(duration);
	if (*ret_days < EXPIRY_MIN_DAYS) {
		return sr_fail(SR_INVALID, "attributes.expiryTime: at least P%dD", EXPIRY_MIN_DAYS);
	}
	return sr_ok();
}

struct sr_result sr_rotation_policy_read(const json_t *body, json_t **ret_policy)
{
	const char *expiry = NULL;
	int64_t lifetime;
	const json_t *actions = NULL;
	SR_TRY(read_expiry(body, &expiry, &lifetime));
	SR_TRY(sr_json_get_array(body, "lifetimeActions", &actions));
	if (json_array_size(actions) > ACTIONS_MAX) {
		return sr_fail(SR_INVALID, "lifetimeActions: at most %d", ACTIONS_MAX);
	}
	for (size_t i = 0; i < json_array_size(actions); i++) {
		SR_TRY(check_action(json_array_get(actions, i), lifetime));
	}
	json_t *policy = json_object(), *attributes = json_object();
	sr_json_set(policy, "lifetimeActions", actions ? json_deep_copy(actions) : json_array());
	if (expiry && *expiry) {
		sr_json_set_string(attributes, "expiryTime", expiry);
	}
	sr_json_set(policy, "attributes", attributes);
	*ret_policy = policy;
	return sr_ok();
}

struct sr_result sr_rotation_policy_end(const char *policy, int64_t now, int64_t *ret_end)
{
	*ret_end = SR_NO_TIME;
	if (!policy) {
		return sr_ok();
	}
	SR_CLEANUP(sr_json) json_t *object = NULL;
	SR_TRY(sr_json_parse(sr_bytes_str(policy), &object));
	const json_t *attributes = NULL;
	const char *expiry = NULL;
	SR_TRY(sr_json_get_object(object, "attributes", &attributes));
	if (attributes) {
		SR_TRY(sr_json_get_string(attributes, "expiryTime", &expiry));
	}
	if (expiry) {
		struct sr_duration duration;
		SR_TRY(sr_duration_parse(expiry, &duration));
		*ret_end = sr_duration_add(now, duration);
	}
	return sr_ok();
}

/* The time of one action's trigger; SR_NO_TIME where it waits for an end that the version does not have. */
static struct sr_result trigger_time(const json_t *action, int64_t created, int64_t exp, int64_t *ret_time)
{
	const json_t *trigger = NULL;
	const char *after = NULL, *before = NULL;
	struct sr_duration duration;
	*ret_time = SR_NO_TIME;
	SR_TRY(sr_json_get_object(action, "trigger", &trigger));
	if (!trigger) {
		return sr_ok();
	}
	SR_TRY(sr_json_get_string(trigger, "timeAfterCreate", &after));
	SR_TRY(sr_json_get_string(trigger, "timeBeforeExpiry", &before));
	if (after) {
		SR_TRY(sr_duration_parse(after, &duration));
		*ret_time = sr_duration_add(created, duration);
	} else if (before && exp != SR_NO_TIME) {
		SR_TRY(sr_duration_parse(before, &duration));
		*ret_time = subtract(exp, duration);
	}
	return sr_ok();
}

struct sr_result sr_rotation_policy_times(const char *policy, int64_t created, int64_t exp,
                                          struct sr_policy_times *ret_times)
{
	SR_CLEANUP(sr_json) json_t *object = NULL;
	const json_t *actions = NULL;
	struct sr_policy_times times = {SR_NO_TIME, SR_NO_TIME};
	SR_TRY(sr_json_parse(sr_bytes_str(policy ? policy : sr_rotation_policy_default), &object));
	SR_TRY(sr_json_get_array(object, "lifetimeActions", &actions));
	for (size_t i = 0; i < json_array_size(actions); i++) {
		const json_t *action = json_array_get(actions, i), *what = NULL;
		const char *type = NULL;
		int64_t time;
		SR_TRY(sr_json_get_object(action, "action", &what));
		if (what) {
			SR_TRY(sr_json_get_string(what, "type", &type));
		}
		SR_TRY(trigger_time(action, created, exp, &time));
		int64_t *earliest = type && strcasecmp(type, "Rotate") == 0 ? &times.rotate : &times.notify;
		if (time != SR_NO_TIME && (*earliest == SR_NO_TIME || time < *earliest)) {
			*earliest = time;
		}
	}
	*ret_times = times;
	return sr_ok();
}
