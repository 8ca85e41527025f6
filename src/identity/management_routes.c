/* The routes of groups, roles, scopes and managed identities, on the Unix socket and for our services. */
#include "identity/api.h"
#include "identity/route.h"

/* clang-format off */
const struct sr_route sr_management_routes[] = {
	{"GET", SR_DOOR_LOCAL, "/_strongroom/groups", true, sr_groups_list, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/groups", true, sr_groups_create, NULL},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/groups/{group}", true, sr_groups_get, NULL},
	{"PATCH", SR_DOOR_LOCAL, "/_strongroom/groups/{group}", true, sr_groups_update, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/groups/{group}", true, sr_groups_delete, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/groups/{group}/members", true, sr_groups_add_member, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/groups/{group}/members/{member}", true, sr_groups_remove_member, NULL},

	{"GET", SR_DOOR_LOCAL, "/_strongroom/roles", true, sr_roles_list, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/roles", true, sr_roles_create, NULL},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/roles/{role}", true, sr_roles_get, NULL},
	{"PUT", SR_DOOR_LOCAL, "/_strongroom/roles/{role}", true, sr_roles_update, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/roles/{role}", true, sr_roles_delete, NULL},

	{"GET", SR_DOOR_LOCAL, "/_strongroom/deny-assignments", true, sr_denials_list, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/deny-assignments", true, sr_denials_create, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/deny-assignments/{denial}", true, sr_denials_delete, NULL},

	{"GET", SR_DOOR_LOCAL, "/_strongroom/management-groups", true, sr_management_groups_list, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/management-groups", true, sr_management_groups_create, NULL},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/management-groups/{group}", true, sr_management_groups_get, NULL},
	{"PATCH", SR_DOOR_LOCAL, "/_strongroom/management-groups/{group}", true, sr_management_groups_update, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/management-groups/{group}", true, sr_management_groups_delete, NULL},
	{"PUT", SR_DOOR_LOCAL, "/_strongroom/management-groups/{group}/subscriptions/{subscription}", true, sr_management_groups_place, NULL},
};
/* clang-format on */
const size_t sr_management_route_count = sizeof sr_management_routes / sizeof *sr_management_routes;
