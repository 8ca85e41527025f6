/* $filter as Graph's clients write it, scopes, and addresses near by: what is understood is whole, and nothing else is.
 */
#include "base/text.h"
#include "identity/graph_filter.h"
#include "identity/scope.h"
#include "net/near_place.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void try_filter(struct sr_arena *arena, const char *text)
{
	static const char object_text[] = "{\"displayName\":\"a\",\"servicePrincipalNames\":[\"b\"],\"appId\":null}";
	struct sr_graph_filter filter;
	SR_CLEANUP(sr_json) json_t *object = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_graph_filter_parse(arena, text, &filter);
	SR_CLEANUP(sr_result) struct sr_result made = sr_json_parse(sr_bytes_str(object_text), &object);
	require(sr_is_ok(made));
	if (!sr_is_ok(parsed)) {
		require(strcmp(sr_result_reason(parsed), "Request_UnsupportedQuery") == 0);
		return;
	}
	require(filter.count <= SR_GRAPH_FILTER_MAX && (filter.count || strspn(text, " ") == strlen(text)));
	for (size_t i = 0; i < filter.count; i++) {
		require(filter.items[i].field && *filter.items[i].field && filter.items[i].value);
	}
	(void)sr_graph_filter_fits(&filter, object);
}

static void try_scope(const char *scope)
{
	if (*scope != '/') {
		return;
	}
	const enum sr_scope_kind kind = sr_scope_kind(scope);
	require(kind != SR_SCOPE_MANAGEMENT_GROUP || sr_scope_management_group(scope).len);
	require(kind != SR_SCOPE_SUBSCRIPTION || sr_is_guid(sr_scope_subscription(scope)));
	require(kind != SR_SCOPE_RESOURCE || !strchr(scope, '*'));
}

/* None is further than a link. */
static void try_places(const char *text)
{
	bool is_end = false;
	for (size_t i = 0; !is_end; i++) {
		struct sr_near_place place;
		SR_CLEANUP(sr_result) struct sr_result next = sr_near_place_next(&text, &place, &is_end);
		if (!sr_is_ok(next)) {
			return;
		}
		require(is_end || (place.port && place.reach != SR_REACH_FAR));
		require(i < 1 << 20);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *text = sr_arena_text(arena, sr_bytes_of(data, len));
	try_filter(arena, text);
	try_scope(text);
	try_places(text);
	return 0;
}
