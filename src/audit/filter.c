/* Holding entries against a filter. */
#include "audit/filter.h"

#include "wire/json.h"
#include "wire/time.h"

#include <string.h>

static struct sr_result read_time(const struct sr_parameters *query, const char *name, int64_t *ret_us)
{
	const char *text = sr_parameter_get(query, name);
	if (!text) {
		return sr_ok();
	}
	struct sr_result parsed = sr_iso_time_parse(sr_bytes_str(text), ret_us);
	if (!sr_is_ok(parsed)) {
		sr_ignore(parsed);
		return sr_fail(SR_INVALID, "%s: a time is written 2026-11-24 or 2026-11-24T12:00:00Z", name);
	}
	return sr_ok();
}

struct sr_result sr_audit_filter_read(const struct sr_parameters *query, struct sr_audit_filter *ret_filter)
{
	struct sr_audit_filter filter = {.since_us = INT64_MIN,
	                                 .until_us = INT64_MAX,
	                                 .who = sr_parameter_get(query, "who"),
	                                 .operation = sr_parameter_get(query, "operation"),
	                                 .object = sr_parameter_get(query, "object"),
	                                 .outcome = sr_parameter_get(query, "outcome")};
	SR_TRY(read_time(query, "since", &filter.since_us));
	SR_TRY(read_time(query, "until", &filter.until_us));
	*ret_filter = filter;
	return sr_ok();
}

/* True if it lets every entry pass. */
static bool is_empty(const struct sr_audit_filter *filter)
{
	return filter->since_us == INT64_MIN && filter->until_us == INT64_MAX && !filter->who && !filter->operation &&
	       !filter->object && !filter->outcome;
}

static bool fits_time(const struct sr_audit_filter *filter, const json_t *entry)
{
	if (filter->since_us == INT64_MIN && filter->until_us == INT64_MAX) {
		return true;
	}
	int64_t time_us;
	const char *text = json_string_value(json_object_get(entry, "time"));
	struct sr_result parsed = sr_iso_time_parse(sr_bytes_str(text), &time_us);
	const bool is_time = sr_is_ok(parsed);
	sr_ignore(parsed);
	return !is_time || (time_us >= filter->since_us && time_us < filter->until_us);
}

static bool is_text(const json_t *object, const char *name, const char *wanted)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text && strcasecmp(text, wanted) == 0;
}

static bool fits_who(const char *wanted, const json_t *entry)
{
	const json_t *who = json_object_get(entry, "who");
	return !wanted || is_text(who, "oid", wanted) || is_text(who, "appid", wanted) || is_text(who, "name", wanted) ||
	       is_text(who, "service", wanted);
}

static bool fits_object(const char *wanted, const json_t *entry)
{
	const char *object = json_string_value(json_object_get(entry, "object"));
	if (!wanted || !object) {
		return !wanted;
	}
	const size_t len = strlen(wanted);
	return strncasecmp(object, wanted, len) == 0 && (!object[len] || object[len] == '/');
}

static bool fits_outcome(const char *wanted, const json_t *entry)
{
	if (wanted && strcasecmp(wanted, "refused") == 0) {
		return !is_text(entry, "outcome", "ok");
	}
	return !wanted || is_text(entry, "outcome", wanted);
}

bool sr_audit_filter_fits(const struct sr_audit_filter *filter, struct sr_bytes entry)
{
	if (is_empty(filter)) {
		return true;
	}
	SR_CLEANUP(sr_json) json_t *value = NULL;
	struct sr_result parsed = sr_json_parse(entry, &value);
	if (!sr_is_ok(parsed)) {
		sr_ignore(parsed);
		return true;
	}
	return fits_time(filter, value) && fits_who(filter->who, value) &&
	       (!filter->operation || is_text(value, "operation", filter->operation)) &&
	       fits_object(filter->object, value) && fits_outcome(filter->outcome, value);
}
