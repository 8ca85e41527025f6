/* The part of OData's $filter that lists of resources take: comparisons with 'eq', joined by 'and'. Pure. */
#ifndef SR_WORKSPACE_FILTER_H
#define SR_WORKSPACE_FILTER_H

#include "base/arena.h"

enum { SR_FILTER_MAX = 8 };

struct sr_filter {
	struct {
		const char *field; /* "resourceType", "name", "resourceGroup", "location" */
		const char *value;
	} items[SR_FILTER_MAX];
	size_t count; /* 0: everything fits */
};

/* `text` NULL or empty: no filter. SR_INVALID "InvalidFilterInQueryString" for anything that is not understood, so that
 * nothing is shown or left out by mistake. */
SR_MUST struct sr_result sr_filter_parse(struct sr_arena *arena, const char *text, struct sr_filter *ret_filter);
/* True unless the filter compares `field` with something else than `value` (case ignored). */
bool sr_filter_fits(const struct sr_filter *filter, const char *field, const char *value);

#endif
