/* What Resource Manager's front and Graph's face read of a request: a path, and $filters in three grammars. What is
 * taken must be whole, and an id's action must name its provider. */
#include "identity/graph_filter.h"
#include "workspace/authorization_filter.h"
#include "workspace/filter.h"
#include "workspace/resource_name.h"
#include "workspace/route.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void try_path(struct sr_arena *arena, const char *text)
{
	const struct sr_arm_route *route;
	const char *parts[SR_ARM_PARTS_MAX] = {0};
	const char *path = NULL;
	static const char *const methods[] = {"GET", "PUT"};
	for (size_t i = 0; i < 2; i++) {
		SR_CLEANUP(sr_result)
		struct sr_result found = sr_arm_route_find(arena, methods[i], sr_bytes_str(text), &route, parts, &path);
		require(!sr_is_ok(found) || (route && path && *path == '/'));
	}
}

static void try_name(struct sr_arena *arena, const char *text)
{
	struct sr_resource_name name;
	const char *action;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_resource_name_parse(arena, text, &name);
	if (sr_is_ok(parsed)) {
		SR_CLEANUP(sr_result) struct sr_result got = sr_resource_action(arena, &name, "GET", &action);
		require(sr_is_ok(got) && strncmp(action, name.namespace, strlen(name.namespace)) == 0);
	}
}

static void try_filters(struct sr_arena *arena, const char *text)
{
	struct sr_filter filter;
	struct sr_authorization_filter authorization;
	struct sr_graph_filter graph;
	SR_CLEANUP(sr_result) struct sr_result one = sr_filter_parse(arena, text, &filter);
	require(!sr_is_ok(one) || filter.count <= SR_FILTER_MAX);
	SR_CLEANUP(sr_result) struct sr_result two = sr_authorization_filter_parse(arena, text, &authorization);
	SR_CLEANUP(sr_result) struct sr_result three = sr_graph_filter_parse(arena, text, &graph);
	for (size_t i = 0; sr_is_ok(three) && i < graph.count; i++) {
		require(graph.items[i].field && graph.items[i].value && *graph.items[i].field);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *text = sr_arena_text(arena, sr_bytes_of(data, len));
	try_path(arena, text);
	try_name(arena, text);
	try_filters(arena, text);
	return 0;
}
