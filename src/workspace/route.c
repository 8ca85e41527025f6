/* The routes and how a path is matched to one. */
#include "workspace/route.h"

#include "workspace/api.h"

#include <string.h>

#define SUBSCRIPTION "/subscriptions/{subscription}"
#define GROUP        SUBSCRIPTION "/resourcegroups/{group}"
#define GROUPS       "Microsoft.Resources/subscriptions/resourceGroups/"
#define RESOURCES    "Microsoft.Resources/subscriptions/resources/read"

#define ANY_SCOPE     "/{...}"
#define AUTHORIZATION ANY_SCOPE "/providers/Microsoft.Authorization/"

/* clang-format off */
static const struct sr_arm_route routes[] = {
	{"GET", "/tenants", NULL, false, false, sr_tenants_list},
	{"GET", "/subscriptions", NULL, false, false, sr_subscriptions_list},
	{"GET", AUTHORIZATION "roleAssignments", NULL, false, false, sr_role_assignments_list},
	{"GET", AUTHORIZATION "roleAssignments/{name}", NULL, false, false, sr_role_assignment_get},
	{"PUT", AUTHORIZATION "roleAssignments/{name}", NULL, false, false, sr_role_assignment_put},
	{"DELETE", AUTHORIZATION "roleAssignments/{name}", NULL, false, false, sr_role_assignment_delete},
	{"GET", AUTHORIZATION "roleDefinitions", NULL, false, false, sr_role_definitions_list},
	{"GET", AUTHORIZATION "roleDefinitions/{name}", NULL, false, false, sr_role_definition_get},
	{"PUT", AUTHORIZATION "roleDefinitions/{name}", NULL, false, false, sr_role_definition_put},
	{"DELETE", AUTHORIZATION "roleDefinitions/{name}", NULL, false, false, sr_role_definition_delete},
	{"GET", AUTHORIZATION "denyAssignments", NULL, false, false, sr_deny_assignments_list},
	{"GET", AUTHORIZATION "permissions", NULL, false, false, sr_permissions_list},

	{"GET", SUBSCRIPTION, "Microsoft.Resources/subscriptions/read", true, false, sr_subscription_get},
	{"GET", SUBSCRIPTION "/locations", "Microsoft.Resources/subscriptions/locations/read", true, false, sr_locations_list},
	{"GET", SUBSCRIPTION "/resources", RESOURCES, true, false, sr_resources_of_subscription},

	{"GET", SUBSCRIPTION "/resourcegroups", GROUPS "read", true, false, sr_resource_groups_list},
	{"GET", GROUP, GROUPS "read", true, false, sr_resource_group_get},
	{"HEAD", GROUP, GROUPS "read", true, false, sr_resource_group_check},
	{"PUT", GROUP, GROUPS "write", true, false, sr_resource_group_put},
	{"PATCH", GROUP, GROUPS "write", true, false, sr_resource_group_patch},
	{"DELETE", GROUP, GROUPS "delete", true, false, sr_resource_group_delete},
	{"GET", GROUP "/resources", GROUPS "resources/read", true, false, sr_resources_of_group},
	{"GET", SUBSCRIPTION "/operationresults/{operation}", NULL, true, false, sr_resource_group_deletion},

	{"GET", SUBSCRIPTION "/providers", "Microsoft.Resources/subscriptions/providers/read", true, false, sr_providers_list},
	{"GET", SUBSCRIPTION "/providers/{namespace}", "Microsoft.Resources/subscriptions/providers/read", true, false, sr_provider_get},
	{"POST", SUBSCRIPTION "/providers/{namespace}/register", NULL, true, false, sr_provider_register},
	{"POST", SUBSCRIPTION "/providers/{namespace}/unregister", NULL, true, false, sr_provider_unregister},

	{"*", GROUP "/providers/{...}", NULL, true, false, sr_resource_in_group},
	{"*", SUBSCRIPTION "/providers/{...}", NULL, true, false, sr_resource_in_subscription},

	{"GET", "/_strongroom/status", NULL, false, true, sr_workspace_status},
	{"GET", "/_strongroom/audit/{what}", NULL, false, true, sr_workspace_audit_log},
	{"POST", "/_strongroom/audit/{what}", NULL, false, true, sr_workspace_audit_log},
	{"POST", "/_strongroom/verify", NULL, false, true, sr_workspace_verify},
	{"POST", "/_strongroom/image", NULL, false, true, sr_workspace_freeze},
	{"DELETE", "/_strongroom/image", NULL, false, true, sr_workspace_thaw},
};
/* clang-format on */

/* All segments from `from` on, joined again. */
static const char *join(struct sr_arena *arena, const struct sr_segments *segments, size_t from)
{
	const char *joined = sr_arena_text(arena, segments->items[from]);
	for (size_t i = from + 1; i < segments->count; i++) {
		joined = sr_arena_printf(arena, "%s/%s", joined, (const char *)segments->items[i].data);
	}
	return joined;
}

static size_t segment_count(const char *path)
{
	size_t count = 0;
	for (const char *at = path; *at; at++) {
		count += *at == '/';
	}
	return count;
}

/* What a first "{...}" takes: "/" and the first `count` segments. */
static const char *join_first(struct sr_arena *arena, const struct sr_segments *segments, size_t count)
{
	const char *joined = "";
	for (size_t i = 0; i < count; i++) {
		joined = sr_arena_printf(arena, "%s/%s", joined, (const char *)segments->items[i].data);
	}
	return count ? joined : "/";
}

/* Holds the segments against a route's path; variable ones go to `parts`. */
static bool matches(struct sr_arena *arena, const struct sr_segments *segments, const char *path, const char **parts)
{
	size_t index = 0, part_count = 0;
	const char *at = path + 1;
	if (strncmp(path, ANY_SCOPE, sizeof ANY_SCOPE - 1) == 0) {
		at = path + sizeof ANY_SCOPE;
		const size_t behind = segment_count(at - 1);
		if (behind > segments->count) {
			return false;
		}
		index = segments->count - behind;
		parts[part_count++] = join_first(arena, segments, index);
	}
	for (; *at; index++) {
		const struct sr_bytes part = sr_bytes_of(at, strcspn(at, "/"));
		if (index == segments->count) {
			return false;
		}
		if (sr_equal_public(part, SR_LITERAL("{...}"))) {
			parts[part_count] = join(arena, segments, index);
			return true;
		}
		if (*at == '{') {
			parts[part_count++] = sr_arena_text(arena, segments->items[index]);
		} else if (!sr_equal_nocase(part, segments->items[index])) {
			return false;
		}
		at += part.len;
		at += *at == '/';
	}
	return index == segments->count;
}

/* A segment that holds an escaped slash would be one name to us and two to who is asked next: the scope that is checked
 * must be the resource that is changed. */
static struct sr_result refuse_slashes(const struct sr_segments *segments)
{
	for (size_t i = 0; i < segments->count; i++) {
		if (strchr((const char *)segments->items[i].data, '/')) {
			return sr_fail(SR_INVALID, "A name in the path holds a slash.");
		}
	}
	return sr_ok();
}

struct sr_result sr_arm_route_find(struct sr_arena *arena, const char *method, struct sr_bytes path,
                                   const struct sr_arm_route **ret_route,
                                   const char *ret_parts[static SR_ARM_PARTS_MAX], const char **ret_path)
{
	struct sr_segments segments;
	SR_TRY(sr_segments_parse(arena, path, &segments));
	SR_TRY(refuse_slashes(&segments));
	bool is_path = false;
	for (size_t i = 0; segments.count > 0 && i < sizeof routes / sizeof *routes; i++) {
		const char *parts[SR_ARM_PARTS_MAX] = {0};
		if (!matches(arena, &segments, routes[i].path, parts)) {
			continue;
		}
		if (strcmp(routes[i].method, method) == 0 || strcmp(routes[i].method, "*") == 0) {
			memcpy(ret_parts, parts, sizeof parts);
			*ret_route = &routes[i];
			*ret_path = sr_arena_printf(arena, "/%s", join(arena, &segments, 0));
			return sr_ok();
		}
		is_path = true;
	}
	if (is_path) {
		return sr_fail_as(SR_INVALID, "MethodNotAllowed",
		                  "The requested resource does not support http method '%.16s'.", method);
	}
	return sr_fail_as(SR_NOT_FOUND, "ResourceNotFound", "Resource Manager has nothing at this address.");
}
