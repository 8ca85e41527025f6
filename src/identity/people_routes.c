/* The routes of people: where they sign in, where devices ask, and their administration on the Unix socket. */
#include "identity/api.h"
#include "identity/route.h"

/* clang-format off */
const struct sr_route sr_people_routes[] = {
	{"GET", SR_DOOR_PUBLIC, "/devicelogin", false, sr_device_page, NULL},
	{"POST", SR_DOOR_PUBLIC, "/devicelogin", false, sr_device_page_post, NULL},
	{"POST", SR_DOOR_PUBLIC, "/adfs/oauth2/devicecode", true, sr_device_adfs, NULL},
	{"POST", SR_DOOR_PUBLIC, "/{tenant}/oauth2/v2.0/devicecode", true, sr_device_v2, NULL},
	{"POST", SR_DOOR_PUBLIC, "/{tenant}/oauth2/devicecode", true, sr_device_v1, NULL},

	{"GET", SR_DOOR_LOCAL, "/_strongroom/people", false, sr_people_list, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/people", false, sr_people_create, NULL},
	{"GET", SR_DOOR_LOCAL, "/_strongroom/people/{person}", false, sr_people_get, NULL},
	{"PATCH", SR_DOOR_LOCAL, "/_strongroom/people/{person}", false, sr_people_update, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/people/{person}", false, sr_people_delete, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/people/{person}/reset-password", false, sr_people_reset_password, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/people/{person}/unlock", false, sr_people_unlock, NULL},
	{"POST", SR_DOOR_LOCAL, "/_strongroom/people/{person}/sign-out", false, sr_people_sign_out, NULL},

	{"GET", SR_DOOR_LOCAL, "/_strongroom/public-clients", true, sr_public_clients_list, NULL},
	{"PUT", SR_DOOR_LOCAL, "/_strongroom/public-clients/{client}", true, sr_public_clients_allow, NULL},
	{"DELETE", SR_DOOR_LOCAL, "/_strongroom/public-clients/{client}", true, sr_public_clients_remove, NULL},
};
/* clang-format on */
const size_t sr_people_route_count = sizeof sr_people_routes / sizeof *sr_people_routes;
