/* A call handed on to the service whose resource it is about, in the name of who asks. The service trusts us by our
 * certificate: whether the caller may is decided here. */
#ifndef SR_WORKSPACE_FORWARD_H
#define SR_WORKSPACE_FORWARD_H

#include "workspace/call.h"

/* Sends the call's method (GET for HEAD), target and body on, and makes the service's answer ours (its errors too).
 * SR_UNAVAILABLE: it cannot be reached; SR_PROTOCOL: its answer is no JSON. */
SR_MUST struct sr_result sr_forward(struct sr_arm_call *call, const char *service, struct sr_arm_answer *answer);

/* Who a request of the workspace's own is made for, as headers tell the service. */
struct sr_forward_caller {
	const char *object_id, *app_id, *request_id;
};
/* Another request to the service ("GET", a target, a body or NULL), its answer parsed; *ret_body may be NULL and is the
 * caller's. */
SR_MUST struct sr_result sr_forward_request(struct sr_workspace *workspace, const char *service, const char *method,
                                            const char *target, const json_t *body,
                                            const struct sr_forward_caller *caller, int *ret_status, json_t **ret_body);

#endif
