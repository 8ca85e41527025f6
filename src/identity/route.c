/* The routes and how a path is matched to one. */
#include "identity/route.h"

#include "identity/api.h"
#include "identity/oauth_error.h"

#include <string.h>

/* clang-format off */
static const struct sr_route routes[] = {
	{"GET", SR_DOOR_PUBLIC | SR_DOOR_INTERNAL | SR_DOOR_LOCAL, "/", false, sr_discovery_health, NULL},
	{"HEAD", SR_DOOR_PUBLIC | SR_DOOR_INTERNAL | SR_DOOR_LOCAL, "/", false, sr_discovery_health, NULL},
	{"GET", SR_DOOR_PUBLIC, "/error", false, sr_discovery_error, NULL},

	/* Names that stand where a tenant does come first. */
	{"GET", SR_DOOR_PUBLIC, "/common/discovery/instance", false, sr_discovery_instance, NULL},
	{"GET", SR_DOOR_PUBLIC, "/adfs/.well-known/openid-configuration", true, sr_discovery_adfs, NULL},
	{"GET", SR_DOOR_PUBLIC, "/adfs/discovery/keys", true, sr_discovery_keys, NULL},
	{"POST", SR_DOOR_PUBLIC, "/adfs/oauth2/token", true, sr_token_adfs, NULL},

	{"GET", SR_DOOR_PUBLIC, "/{tenant}/v2.0/.well-known/openid-configuration", true, sr_discovery_v2, NULL},
	{"GET", SR_DOOR_PUBLIC, "/{tenant}/.well-known/openid-configuration", true, sr_discovery_v1, NULL},
	{"GET", SR_DOOR_PUBLIC, "/{tenant}/discovery/v2.0/keys", true, sr_discovery_keys, NULL},
	{"GET", SR_DOOR_PUBLIC, "/{tenant}/discovery/keys", true, sr_discovery_keys, NULL},
	{"POST", SR_DOOR_PUBLIC, "/{tenant}/oauth2/v2.0/token", true, sr_token_v2, NULL},
	{"POST", SR_DOOR_PUBLIC, "/{tenant}/oauth2/token", true, sr_token_v1, NULL},

	{"GET", SR_DOOR_INTERNAL, "/directory", false, NULL, sr_directory_follow},

	{"GET", SR_DOOR_LOCAL, "/_strongroom/status", true, sr_identity_status, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/rotate-signing-key", true, sr_identity_rotate, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/image", true, sr_identity_freeze, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/image", false, sr_identity_thaw, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/verify", false, NULL, sr_identity_verify},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/audit/{what}", false, NULL, sr_identity_audit_log},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/audit/{what}", false, NULL, sr_identity_audit_log},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/principals", true, sr_principals_list, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/principals", true, sr_principals_create, NULL},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/principals/{principal}", true, sr_principals_get, NULL},
	{"PATCH", SR_DOOR_LOCAL, "/_strongroom/principals/{principal}", true, sr_principals_update, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/principals/{principal}", true, sr_principals_delete, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/principals/{principal}/secrets", true, sr_principals_add_secret, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/principals/{principal}/secrets/{secret}", true, sr_principals_delete_secret, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/principals/{principal}/certificates", true, sr_credentials_add_certificate, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/principals/{principal}/certificates/{certificate}", true, sr_credentials_remove_certificate, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/principals/{principal}/federated", true, sr_credentials_add_federated, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/principals/{principal}/federated/{credential}", true, sr_credentials_remove_federated, NULL},
	{"PUT", SR_DOOR_LOCAL, "/_strongroom/federation", true, sr_federation_set, NULL},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/federation", true, sr_federation_list, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/federation", true, sr_federation_remove, NULL},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/assignments", true, sr_assignments_list, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/assignments", true, sr_assignments_create, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/assignments", true, sr_assignments_delete_matching, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/assignments/{assignment}", true, sr_assignments_delete, NULL},
};
/* clang-format on */

/* Holds the segments against a route's path; variable ones go to `parts`. */
static bool matches(const struct sr_segments *segments, const char *path, struct sr_bytes *parts)
{
	size_t index = 0;
	size_t part_count = 0;
	for (const char *at = path + 1; *at; index++) {
		size_t len = strcspn(at, "/");
		if (index == segments->count) {
			return false;
		}
		if (*at == '{') {
			parts[part_count++] = segments->items[index];
		} else if (!sr_equal_nocase(sr_bytes_of(at, len), segments->items[index])) {
			return false;
		}
		at += len;
		at += *at == '/';
	}
	return index == segments->count;
}

/* A request held against the tables, and what was found so far. */
struct search {
	struct sr_arena *arena;
	enum sr_door door;
	const char *method;
	struct sr_segments segments;
	const struct sr_route *found;
	const char *allowed; /* a method that the path takes, if not this one */
};

static void search_table(struct search *search, const struct sr_route *table, size_t count,
                         const char *ret_parts[static SR_REQUEST_PARTS_MAX])
{
	for (size_t i = 0; i < count && !search->found; i++) {
		struct sr_bytes parts[SR_REQUEST_PARTS_MAX] = {0};
		if (!(table[i].doors & search->door) || !matches(&search->segments, table[i].path, parts)) {
			continue;
		}
		if (strcmp(table[i].method, search->method) != 0) {
			search->allowed = search->allowed ? search->allowed : table[i].method;
			continue;
		}
		for (size_t part = 0; part < SR_REQUEST_PARTS_MAX; part++) {
			ret_parts[part] = sr_arena_text(search->arena, parts[part]);
		}
		search->found = &table[i];
	}
}

struct sr_result sr_identity_route(struct sr_arena *arena, enum sr_door door, const char *method, struct sr_bytes path,
                                   const struct sr_route **ret_route,
                                   const char *ret_parts[static SR_REQUEST_PARTS_MAX], const char **ret_allowed)
{
	struct search search = {.arena = arena, .door = door, .method = method};
	SR_TRY(sr_segments_parse(arena, path, &search.segments));
	search_table(&search, sr_graph_routes, sr_graph_route_count, ret_parts);
	search_table(&search, sr_people_routes, sr_people_route_count, ret_parts);
	search_table(&search, routes, sizeof routes / sizeof *routes, ret_parts);
	search_table(&search, sr_management_routes, sr_management_route_count, ret_parts);
	if (search.found) {
		*ret_route = search.found;
		return sr_ok();
	}
	if (search.allowed) {
		*ret_allowed = search.allowed;
		return sr_fail_as(SR_INVALID, SR_AADSTS_WRONG_METHOD, "The endpoint only accepts %s requests. Received %.16s.",
		                  search.allowed, method);
	}
	return sr_fail(SR_NOT_FOUND, "there is nothing at this address");
}
