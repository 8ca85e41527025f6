/* Words, quoted texts (a quote in one is doubled), 'eq' and 'and'. */
#include "workspace/filter.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const fields[] = {"resourceType", "name", "resourceGroup", "location"};

static struct sr_result not_understood(const char *text)
{
	return sr_fail_as(
	    SR_INVALID, "InvalidFilterInQueryString",
	    "Invalid $filter '%.128s': compare resourceType, name, resourceGroup or location by eq, joined by and.", text);
}

static const char *skip_spaces(const char *at)
{
	while (*at == ' ') {
		at++;
	}
	return at;
}

/* Passes over a word in any case; NULL where another stands there. */
static const char *take_word(const char *at, const char *word)
{
	const size_t len = strlen(word);
	at = skip_spaces(at);
	return strncasecmp(at, word, len) == 0 && !isalnum((unsigned char)at[len]) ? at + len : NULL;
}

static const char *take_field(const char *at, const char **ret_field)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const char *end = take_word(at, fields[i]);
		if (end) {
			*ret_field = fields[i];
			return end;
		}
	}
	return NULL;
}

static const char *take_text(struct sr_arena *arena, const char *at, const char **ret_text)
{
	at = skip_spaces(at);
	if (*at++ != '\'') {
		return NULL;
	}
	char *text = sr_arena_alloc(arena, strlen(at) + 1);
	size_t len = 0;
	for (; *at; at++) {
		if (*at == '\'' && *++at != '\'') {
			*ret_text = text;
			return at;
		}
		text[len++] = *at;
	}
	return NULL;
}

struct sr_result sr_filter_parse(struct sr_arena *arena, const char *text, struct sr_filter *ret_filter)
{
	struct sr_filter filter = {0};
	const char *at = skip_spaces(text ? text : "");
	while (*at) {
		if (filter.count == SR_FILTER_MAX) {
			return not_understood(text);
		}
		at = take_field(at, &filter.items[filter.count].field);
		at = at ? take_word(at, "eq") : NULL;
		at = at ? take_text(arena, at, &filter.items[filter.count].value) : NULL;
		if (!at) {
			return not_understood(text);
		}
		filter.count++;
		at = skip_spaces(at);
		if (*at) {
			at = take_word(at, "and");
			if (!at || !*skip_spaces(at)) {
				return not_understood(text);
			}
		}
	}
	*ret_filter = filter;
	return sr_ok();
}

bool sr_filter_fits(const struct sr_filter *filter, const char *field, const char *value)
{
	for (size_t i = 0; i < filter->count; i++) {
		if (strcmp(filter->items[i].field, field) == 0 && strcasecmp(filter->items[i].value, value) != 0) {
			return false;
		}
	}
	return true;
}
