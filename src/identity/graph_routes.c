/* The routes of Resource Manager's front (mutual TLS), and those of Microsoft Graph on the public port. */
#include "identity/api.h"
#include "identity/route.h"

/* clang-format off */
const struct sr_route sr_graph_routes[] = {
	{"GET", SR_DOOR_INTERNAL, "/role-assignments", true, sr_authorization_assignments, NULL},
	{"GET", SR_DOOR_INTERNAL, "/role-assignments/{assignment}", true, sr_authorization_assignment_get, NULL},
	{"PUT", SR_DOOR_INTERNAL, "/role-assignments/{assignment}", true, sr_authorization_assignment_put, NULL},
	{"DELETE", SR_DOOR_INTERNAL, "/role-assignments/{assignment}", true, sr_authorization_assignment_delete, NULL},
	{"GET", SR_DOOR_INTERNAL, "/role-definitions", true, sr_authorization_definitions, NULL},
	{"PUT", SR_DOOR_INTERNAL, "/role-definitions/{role}", true, sr_authorization_definition_put, NULL},
	{"DELETE", SR_DOOR_INTERNAL, "/role-definitions/{role}", true, sr_authorization_definition_delete, NULL},

	{"GET", SR_DOOR_PUBLIC, "/v1.0/me", true, sr_graph_me, NULL},
	{"POST", SR_DOOR_PUBLIC, "/v1.0/directoryObjects/getByIds", true, sr_graph_get_by_ids, NULL},
	{"POST", SR_DOOR_PUBLIC, "/v1.0/applications", true, sr_graph_application_create, NULL},
	{"PATCH", SR_DOOR_PUBLIC, "/v1.0/applications/{application}", true, sr_graph_application_update, NULL},
	{"DELETE", SR_DOOR_PUBLIC, "/v1.0/applications/{application}", true, sr_graph_application_delete, NULL},
	{"POST", SR_DOOR_PUBLIC, "/v1.0/servicePrincipals", true, sr_graph_service_principal_create, NULL},
	{"DELETE", SR_DOOR_PUBLIC, "/v1.0/servicePrincipals/{principal}", true, sr_graph_application_delete, NULL},
	{"POST", SR_DOOR_PUBLIC, "/v1.0/{collection}/{principal}/addPassword", true, sr_graph_add_password, NULL},
	{"POST", SR_DOOR_PUBLIC, "/v1.0/{collection}/{principal}/removePassword", true, sr_graph_remove_password, NULL},
	{"GET", SR_DOOR_PUBLIC, "/v1.0/groups/{group}/members", true, sr_graph_members, NULL},
	{"GET", SR_DOOR_PUBLIC, "/v1.0/{collection}", true, sr_graph_list, NULL},
	{"GET", SR_DOOR_PUBLIC, "/v1.0/{collection}/{object}", true, sr_graph_get, NULL},
};
/* clang-format on */
const size_t sr_graph_route_count = sizeof sr_graph_routes / sizeof *sr_graph_routes;
