/* Conditional headers, by the table in the service's documentation (and as Azurite's validators have it). */
#include "blob/condition.h"

#include "wire/time.h"

#include <stdio.h>
#include <string.h>

void sr_blob_etag_text(uint64_t etag, char ret_text[static SR_ETAG_TEXT_LEN])
{
	snprintf(ret_text, SR_ETAG_TEXT_LEN, "\"0x%llX\"", (unsigned long long)etag);
}

static struct sr_result parse_date(const char *text, bool *ret_is_there, int64_t *ret_unix_s)
{
	if (!text) {
		return sr_ok();
	}
	SR_CLEANUP(sr_result) struct sr_result result = sr_http_date_parse(sr_bytes_str(text), ret_unix_s);
	if (!sr_is_ok(result)) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "a condition's date is no HTTP date");
	}
	*ret_is_there = true;
	return sr_ok();
}

struct sr_result sr_blob_conditions_parse(const char *if_match, const char *if_none_match,
                                          const char *if_modified_since, const char *if_unmodified_since,
                                          struct sr_blob_conditions *ret_conditions)
{
	struct sr_blob_conditions conditions = {.if_match = if_match, .if_none_match = if_none_match};
	SR_TRY(parse_date(if_modified_since, &conditions.has_modified_since, &conditions.modified_since));
	SR_TRY(parse_date(if_unmodified_since, &conditions.has_unmodified_since, &conditions.unmodified_since));
	*ret_conditions = conditions;
	return sr_ok();
}

static struct sr_bytes trim(const char *from, const char *to)
{
	while (from < to && (*from == ' ' || *from == '\t')) {
		from++;
	}
	while (to > from && (to[-1] == ' ' || to[-1] == '\t')) {
		to--;
	}
	return sr_bytes_of(from, (size_t)(to - from));
}

/* Entity tags compare with or without their quotes: clients send both. */
static struct sr_bytes unquote(struct sr_bytes tag)
{
	bool is_quoted = tag.len >= 2 && tag.data[0] == '"' && tag.data[tag.len - 1] == '"';
	return is_quoted ? sr_bytes_of(tag.data + 1, tag.len - 2) : tag;
}

static bool is_star(const char *list)
{
	struct sr_bytes only = trim(list, list + strlen(list));
	return only.len == 1 && only.data[0] == '*';
}

static bool list_has(const char *list, uint64_t etag)
{
	char text[SR_ETAG_TEXT_LEN];
	sr_blob_etag_text(etag, text);
	struct sr_bytes wanted = unquote(sr_bytes_str(text));
	for (const char *at = list; at;) {
		const char *comma = strchr(at, ',');
		struct sr_bytes tag = unquote(trim(at, comma ? comma : at + strlen(at)));
		if (sr_equal_public(tag, wanted)) {
			return true;
		}
		at = comma ? comma + 1 : NULL;
	}
	return false;
}

static struct sr_result not_met(void)
{
	return sr_fail_as(SR_PRECONDITION, "ConditionNotMet", "a condition does not hold");
}

static struct sr_result not_modified(void)
{
	return sr_fail_as(SR_PRECONDITION, "NotModified", "the thing has not changed");
}

static bool matches(const struct sr_blob_conditions *conditions, const struct sr_blob_state *state)
{
	return state->exists && (is_star(conditions->if_match) || list_has(conditions->if_match, state->etag));
}

struct sr_result sr_blob_conditions_check_read(const struct sr_blob_conditions *conditions,
                                               const struct sr_blob_state *state)
{
	if (conditions->if_none_match && is_star(conditions->if_none_match)) {
		return sr_fail_as(SR_INVALID, "UnsatisfiableCondition", "If-None-Match: * cannot hold for a read");
	}
	if (conditions->if_match && !matches(conditions, state)) {
		return not_met();
	}
	if (!state->exists) {
		return sr_ok();
	}
	if (conditions->has_unmodified_since && state->modified > conditions->unmodified_since) {
		return not_met();
	}
	bool is_other = conditions->if_none_match && !list_has(conditions->if_none_match, state->etag);
	bool is_newer = conditions->has_modified_since && state->modified > conditions->modified_since;
	bool wants_change = conditions->if_none_match || conditions->has_modified_since;
	return wants_change && !is_other && !is_newer ? not_modified() : sr_ok();
}

/* A write may carry one "is as I know it" pair or one "has changed" pair, and one tag in each. */
static struct sr_result check_combination(const struct sr_blob_conditions *conditions)
{
	bool same = conditions->if_match || conditions->has_unmodified_since;
	bool changed = conditions->if_none_match || conditions->has_modified_since;
	bool several = (conditions->if_match && strchr(conditions->if_match, ',')) ||
	               (conditions->if_none_match && strchr(conditions->if_none_match, ','));
	if ((same && changed) || several) {
		return sr_fail_as(SR_INVALID, "MultipleConditionHeadersNotSupported", "these conditions cannot be combined");
	}
	return sr_ok();
}

/* The tag decides where both members of a pair are sent. */
static bool write_conditions_hold(const struct sr_blob_conditions *conditions, const struct sr_blob_state *state)
{
	if (conditions->if_match) {
		return matches(conditions, state);
	}
	if (!state->exists) {
		return true;
	}
	if (conditions->if_none_match) {
		return is_star(conditions->if_none_match) || !list_has(conditions->if_none_match, state->etag);
	}
	if (conditions->has_unmodified_since) {
		return state->modified <= conditions->unmodified_since;
	}
	return !conditions->has_modified_since || state->modified > conditions->modified_since;
}

struct sr_result sr_blob_conditions_check_write(const struct sr_blob_conditions *conditions,
                                                const struct sr_blob_state *state, bool creates)
{
	SR_TRY(check_combination(conditions));
	if (creates && state->exists && conditions->if_none_match && is_star(conditions->if_none_match)) {
		return sr_fail_as(SR_EXISTS, "BlobAlreadyExists", "the blob exists already");
	}
	return write_conditions_hold(conditions, state) ? sr_ok() : not_met();
}
