/* What Resource Manager's front reads of a request: paths, resource ids and both filters. What is understood is whole.
 */
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

static void try_filters(struct sr_arena *arena, const char *text)
{
	struct sr_filter filter;
	struct sr_authorization_filter authorization;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_filter_parse(arena, text, &filter);
	if (sr_is_ok(parsed)) {
		require(filter.count <= SR_FILTER_MAX && (filter.count || strspn(text, " ") == strlen(text)));
		for (size_t i = 0; i < filter.count; i++) {
			(void)sr_filter_fits(&filter, filter.items[i].field, "a");
			require(strlen(filter.items[i].value) < strlen(text));
		}
	}
	SR_CLEANUP(sr_result) struct sr_result read = sr_authorization_filter_parse(arena, text, &authorization);
	if (sr_is_ok(read) && authorization.principal) {
		require(strlen(authorization.principal) < strlen(text));
	}
}

static void try_name(struct sr_arena *arena, const char *text)
{
	struct sr_resource_name name;
	const char *action = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_resource_name_parse(arena, text, &name);
	if (!sr_is_ok(parsed)) {
		require(sr_result_code(parsed) == SR_NOT_FOUND);
		return;
	}
	SR_CLEANUP(sr_result) struct sr_result found = sr_resource_action(arena, &name, "DELETE", &action);
	require(sr_is_ok(found) && strstr(action, name.type));
}

static void try_route(struct sr_arena *arena, struct sr_bytes path)
{
	static const char *const methods[] = {"GET", "PUT", "DELETE", "POST"};
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		const struct sr_arm_route *route = NULL;
		const char *parts[SR_ARM_PARTS_MAX] = {0};
		const char *whole = NULL;
		SR_CLEANUP(sr_result)
		struct sr_result found = sr_arm_route_find(arena, methods[i], path, &route, parts, &whole);
		require(!sr_is_ok(found) || (route->handler && *whole == '/'));
		require(!sr_is_ok(found) || !strchr(route->path, '{') || parts[0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *text = sr_arena_text(arena, sr_bytes_of(data, len));
	try_filters(arena, text);
	try_name(arena, text);
	try_route(arena, sr_bytes_of(data, len));
	return 0;
}
