/* The routes of groups, roles, scopes and managed identities, on the Unix socket and for our
 * services; and the metadata endpoint. */
#include "identity/api.h"
#include "identity/route.h"

/* clang-format off */
const struct sr_route sr_management_routes[] = {
	{"GET", SR_DOOR_LOCAL, "/_strongroom/assignments/{assignment}", true, sr_assignments_get, NULL},

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

	{"GET", SR_DOOR_LOCAL, "/_strongroom/managed-identities", true, sr_managed_list, NULL},
	{"GET", SR_DOOR_INTERNAL, "/managed-identities", true, sr_managed_list, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/managed-identities", true, sr_managed_create, NULL},
	{"POST", SR_DOOR_INTERNAL, "/managed-identities", true, sr_managed_create, NULL},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/managed-identities/{identity}", true, sr_managed_get, NULL},
	{"GET", SR_DOOR_INTERNAL, "/managed-identities/{identity}", true, sr_managed_get, NULL},
	{"PATCH", SR_DOOR_LOCAL, "/_strongroom/managed-identities/{identity}", true, sr_managed_update, NULL},
	{"PATCH", SR_DOOR_INTERNAL, "/managed-identities/{identity}", true, sr_managed_update, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/managed-identities", true, sr_managed_delete, NULL},
	{"DELETE", SR_DOOR_INTERNAL, "/managed-identities", true, sr_managed_delete, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/managed-identities/{identity}", true, sr_managed_delete, NULL},
	{"DELETE", SR_DOOR_INTERNAL, "/managed-identities/{identity}", true, sr_managed_delete, NULL},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/imds-bindings", true, sr_bindings_list, NULL},
	{"GET", SR_DOOR_INTERNAL, "/imds-bindings", true, sr_bindings_list, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/imds-bindings", true, sr_bindings_create, NULL},
	{"POST", SR_DOOR_INTERNAL, "/imds-bindings", true, sr_bindings_create, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/imds-bindings/{binding}", true, sr_bindings_delete, NULL},
	{"DELETE", SR_DOOR_INTERNAL, "/imds-bindings/{binding}", true, sr_bindings_delete, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/identity-headers", true, sr_headers_create, NULL},
	{"POST", SR_DOOR_INTERNAL, "/identity-headers", true, sr_headers_create, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/identity-headers/{header}", true, sr_headers_delete, NULL},
	{"DELETE", SR_DOOR_INTERNAL, "/identity-headers/{header}", true, sr_headers_delete, NULL},
	{"GET", SR_DOOR_INTERNAL, "/deny-assignments", true, sr_denials_list, NULL},
	{"POST", SR_DOOR_INTERNAL, "/deny-assignments", true, sr_denials_create, NULL},
	{"DELETE", SR_DOOR_INTERNAL, "/deny-assignments/{denial}", true, sr_denials_delete, NULL},

	{"GET", SR_DOOR_METADATA, "/metadata/identity/oauth2/token", true, sr_metadata_token, NULL},
	{"GET", SR_DOOR_METADATA, "/metadata/identity/info", true, sr_metadata_info, NULL},
	{"GET", SR_DOOR_METADATA | SR_DOOR_PUBLIC, "/msi/token", true, sr_job_token, NULL},
};
/* clang-format on */
const size_t sr_management_route_count = sizeof sr_management_routes / sizeof *sr_management_routes;
