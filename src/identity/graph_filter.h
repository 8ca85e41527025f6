/* The part of OData's $filter with which clients of Microsoft Graph look directory objects up. Pure. */
#ifndef SR_IDENTITY_GRAPH_FILTER_H
#define SR_IDENTITY_GRAPH_FILTER_H

#include "base/arena.h"
#include "wire/json.h"

enum { SR_GRAPH_FILTER_MAX = 8 };

enum sr_graph_comparison {
	SR_GRAPH_EQUALS,     /* field eq 'text' */
	SR_GRAPH_STARTS,     /* startswith(field,'text') */
	SR_GRAPH_ANY_EQUALS, /* field/any(x:x eq 'text') */
};

/* Comparisons, all of which must hold; none: everything fits. */
struct sr_graph_filter {
	struct {
		enum sr_graph_comparison comparison;
		const char *field, *value;
	} items[SR_GRAPH_FILTER_MAX];
	size_t count;
};

/* `text` NULL or empty: no filter. SR_INVALID "Request_UnsupportedQuery" for anything that is not understood, so that
 * nothing is shown or left out by mistake. Texts live in the arena. */
SR_MUST struct sr_result sr_graph_filter_parse(struct sr_arena *arena, const char *text,
                                               struct sr_graph_filter *ret_filter);
/* Does the object fit, as it would be shown? Case is ignored; a member that it does not have fits nothing. */
bool sr_graph_filter_fits(const struct sr_graph_filter *filter, const json_t *object);

#endif
