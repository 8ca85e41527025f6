/* The table of all requests that exist: method, door, path, and who answers. */
#ifndef SR_IDENTITY_ROUTE_H
#define SR_IDENTITY_ROUTE_H

#include "identity/request.h"

/* By which of the listeners a request came. */
enum sr_door {
	SR_DOOR_PUBLIC = 1,   /* clients, TLS */
	SR_DOOR_INTERNAL = 2, /* our services, mutual TLS */
	SR_DOOR_LOCAL = 4,    /* the machine's administrator, Unix socket */
	SR_DOOR_METADATA = 8  /* instance metadata, plain HTTP from a link away at most */
};

struct sr_route {
	const char *method;
	unsigned doors;   /* one or more of enum sr_door */
	const char *path; /* "/{tenant}/oauth2/token": a segment in braces takes any text; others match in any case */
	bool needs_store;
	sr_identity_handler handler;   /* one of both */
	sr_identity_streamer streamer; /* is set */
};

/* management_routes.c: what administrators and our services do with groups, roles, scopes and managed identities. */
extern const struct sr_route sr_management_routes[];
extern const struct sr_route sr_people_routes[];
extern const size_t sr_management_route_count;
extern const size_t sr_people_route_count;
extern const struct sr_route sr_graph_routes[];
extern const size_t sr_graph_route_count;

/*
 * Finds the route; variable segments go to `ret_parts`, text in the arena. SR_NOT_FOUND: no such path at this door;
 * SR_INVALID with AADSTS900561: the path exists, but not for this method, and *ret_allowed names one that does.
 */
SR_MUST struct sr_result sr_identity_route(struct sr_arena *arena, enum sr_door door, const char *method,
                                           struct sr_bytes path, const struct sr_route **ret_route,
                                           const char *ret_parts[static SR_REQUEST_PARTS_MAX],
                                           const char **ret_allowed);

#endif
