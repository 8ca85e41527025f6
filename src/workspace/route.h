/* The table of all requests that exist: method, path, action, and who answers. */
#ifndef SR_WORKSPACE_ROUTE_H
#define SR_WORKSPACE_ROUTE_H

#include "workspace/call.h"

struct sr_arm_route {
	const char *method; /* "*": any */
	const char *path; /* "/subscriptions/{subscription}": a segment in braces takes any text, others match in any case;
	                     a last "{...}" takes all that is left, at least one segment, and a first one all that is before
	                     the rest, which may be nothing, as "/…" */
	const char *action;    /* that a role must grant at the path's scope; NULL: who has a token, or the handler asks */
	bool has_subscription; /* its first variable segment is one, which must be ours */
	bool is_local;         /* only by the Unix socket; without api-version */
	sr_arm_handler handler;
};

/*
 * Finds the route; variable segments go to `ret_parts`, the decoded path to *ret_path, text in the arena. SR_NOT_FOUND
 * "ResourceNotFound": no such path; SR_INVALID "MethodNotAllowed": the path exists, but not for this method.
 */
SR_MUST struct sr_result sr_arm_route_find(struct sr_arena *arena, const char *method, struct sr_bytes path,
                                           const struct sr_arm_route **ret_route,
                                           const char *ret_parts[static SR_ARM_PARTS_MAX], const char **ret_path);

#endif
