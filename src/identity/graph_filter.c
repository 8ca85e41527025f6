/* Three forms of comparison, joined by 'and'; a quote within a text is doubled. */
#include "identity/graph_filter.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static struct sr_result not_understood(const char *text)
{
	return sr_fail_as(
	    SR_INVALID, "Request_UnsupportedQuery",
	    "Unsupported query filter '%.128s': compare a property by eq, startswith or any(x:x eq …), joined "
	    "by and.",
	    text);
}

static const char *skip_spaces(const char *at)
{
	while (*at == ' ') {
		at++;
	}
	return at;
}

/* Passes over this text, spaces before it aside; NULL where another stands there. */
static const char *take(const char *at, const char *text)
{
	if (!at) {
		return NULL;
	}
	at = skip_spaces(at);
	const size_t len = strlen(text);
	return strncasecmp(at, text, len) == 0 ? at + len : NULL;
}

/* The same for a word, which ends there. */
static const char *take_word(const char *at, const char *word)
{
	at = take(at, word);
	return at && !isalnum((unsigned char)*at) ? at : NULL;
}

static const char *take_name(struct sr_arena *arena, const char *at, const char **ret_name)
{
	if (!at) {
		return NULL;
	}
	at = skip_spaces(at);
	size_t len = 0;
	while (isalnum((unsigned char)at[len]) || at[len] == '_') {
		len++;
	}
	*ret_name = sr_arena_text(arena, sr_bytes_of(at, len));
	return len ? at + len : NULL;
}

static const char *take_quoted(struct sr_arena *arena, const char *at, const char **ret_text)
{
	at = take(at, "'");
	if (!at) {
		return NULL;
	}
	char *text = sr_arena_alloc(arena, strlen(at) + 1);
	size_t len = 0;
	for (; *at; at++) {
		if (*at == '\'' && *++at != '\'') {
			text[len] = 0;
			*ret_text = text;
			return at;
		}
		text[len++] = *at;
	}
	return NULL;
}

static const char *take_starts(struct sr_arena *arena, const char *at, const char **ret_field, const char **ret_value)
{
	at = take(at, "startswith");
	at = take(at, "(");
	at = take_name(arena, at, ret_field);
	at = take(at, ",");
	at = take_quoted(arena, at, ret_value);
	return take(at, ")");
}

/* "/any(x:x eq 'text')", x being any name. */
static const char *take_any(struct sr_arena *arena, const char *at, const char **ret_value)
{
	const char *name = "";
	const char *again = "";
	at = take(at, "/any(");
	at = take_name(arena, at, &name);
	at = take(at, ":");
	at = take_name(arena, at, &again);
	at = take_word(at, "eq");
	at = take_quoted(arena, at, ret_value);
	at = take(at, ")");
	return at && strcmp(name, again) == 0 ? at : NULL;
}

static const char *take_comparison(struct sr_arena *arena, const char *at, struct sr_graph_filter *filter)
{
	enum sr_graph_comparison *comparison = &filter->items[filter->count].comparison;
	const char **field = &filter->items[filter->count].field;
	const char **value = &filter->items[filter->count].value;
	const char *end = take_starts(arena, at, field, value);
	*comparison = SR_GRAPH_STARTS;
	if (end) {
		return end;
	}
	at = take_name(arena, at, field);
	end = take_any(arena, at, value);
	*comparison = SR_GRAPH_ANY_EQUALS;
	if (end) {
		return end;
	}
	*comparison = SR_GRAPH_EQUALS;
	return take_quoted(arena, take_word(at, "eq"), value);
}

struct sr_result sr_graph_filter_parse(struct sr_arena *arena, const char *text, struct sr_graph_filter *ret_filter)
{
	struct sr_graph_filter filter = {0};
	const char *at = skip_spaces(text ? text : "");
	bool is_more = *at != 0;
	while (is_more) {
		at = filter.count < SR_GRAPH_FILTER_MAX ? take_comparison(arena, at, &filter) : NULL;
		if (!at) {
			return not_understood(text);
		}
		filter.count++;
		at = skip_spaces(at);
		is_more = *at != 0;
		at = is_more ? take_word(at, "and") : at;
	}
	*ret_filter = filter;
	return sr_ok();
}

static bool any_equals(const json_t *array, const char *value)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));
		if (text && strcasecmp(text, value) == 0) {
			return true;
		}
	}
	return false;
}

/* Names of members have their case; those of a filter may have another. */
static const json_t *member(const json_t *object, const char *name)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (strcasecmp(key, name) == 0) {
			return value;
		}
	}
	return NULL;
}

bool sr_graph_filter_fits(const struct sr_graph_filter *filter, const json_t *object)
{
	for (size_t i = 0; i < filter->count; i++) {
		const json_t *found = member(object, filter->items[i].field);
		const char *text = json_string_value(found);
		const char *value = filter->items[i].value;
		bool fits = false;
		switch (filter->items[i].comparison) {
		case SR_GRAPH_EQUALS:
			fits = text && strcasecmp(text, value) == 0;
			break;
		case SR_GRAPH_STARTS:
			fits = text && strncasecmp(text, value, strlen(value)) == 0;
			break;
		case SR_GRAPH_ANY_EQUALS:
			fits = any_equals(found, value);
			break;
		}
		if (!fits) {
			return false;
		}
	}
	return true;
}
