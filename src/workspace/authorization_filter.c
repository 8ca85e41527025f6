/* Terms, joined by 'and'; a quote within a text is doubled. */
#include "workspace/authorization_filter.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static struct sr_result not_understood(const char *text)
{
	return sr_fail_as(SR_INVALID, "InvalidFilterInQueryString",
	                  "Invalid $filter '%.128s': atScope(), principalId eq 'ID', assignedTo('ID'), roleName eq 'NAME' "
	                  "and type eq 'TYPE' are known, joined by and.",
	                  text);
}

static const char *take(const char *at, const char *text)
{
	const size_t len = strlen(text);
	while (at && *at == ' ') {
		at++;
	}
	return at && strncasecmp(at, text, len) == 0 ? at + len : NULL;
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

/* "NAME eq 'X'", or NULL. */
static const char *take_equal(struct sr_arena *arena, const char *at, const char *name, const char **ret_value)
{
	at = take(at, name);
	if (!at || *at != ' ') {
		return NULL;
	}
	at = take(at, "eq");
	return at && !isalnum((unsigned char)*at) ? take_quoted(arena, at, ret_value) : NULL;
}

/* "assignedTo('X')". */
static const char *take_assigned(struct sr_arena *arena, const char *at, const char **ret_value)
{
	at = take(at, "assignedTo");
	at = take(at, "(");
	return take(take_quoted(arena, at, ret_value), ")");
}

static const char *take_term(struct sr_arena *arena, const char *at, struct sr_authorization_filter *filter)
{
	const char *end = take(at, "atScopeAndBelow()");
	if (end) {
		return end; /* what a list without a filter is */
	}
	end = take(at, "atScope()");
	if (end) {
		filter->is_at_scope = true;
		return end;
	}
	const struct {
		const char *name;
		const char **value;
	} comparisons[] = {{"principalId", &filter->principal}, {"roleName", &filter->role_name}, {"type", &filter->type}};
	for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
		end = take_equal(arena, at, comparisons[i].name, comparisons[i].value);
		if (end) {
			return end;
		}
	}
	return take_assigned(arena, at, &filter->assigned_to);
}

struct sr_result sr_authorization_filter_parse(struct sr_arena *arena, const char *text,
                                               struct sr_authorization_filter *ret_filter)
{
	struct sr_authorization_filter filter = {0};
	const char *at = take(text ? text : "", "");
	bool is_more = *at != 0;
	while (is_more) {
		at = take_term(arena, at, &filter);
		if (!at) {
			return not_understood(text);
		}
		at = take(at, "");
		is_more = *at != 0;
		if (is_more) {
			at = take(at, "and ");
			if (!at) {
				return not_understood(text);
			}
		}
	}
	*ret_filter = filter;
	return sr_ok();
}
