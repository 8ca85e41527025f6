/* One call of Resource Manager, taken apart by dispatch.c: who asks for what. Handlers see this and not HTTP, and give
 * an answer or an error. */
#ifndef SR_WORKSPACE_CALL_H
#define SR_WORKSPACE_CALL_H

#include "wire/json.h"
#include "wire/url.h"
#include "workspace/service.h"

enum { SR_ARM_PARTS_MAX = 4, SR_ARM_BODY_MAX = 4 * 1024 * 1024 };

struct sr_arm_route;

struct sr_arm_call {
	struct sr_workspace *workspace;
	struct sr_exchange *exchange; /* for handlers that stream their answer */
	struct sr_arena *arena;
	const struct sr_arm_route *route;
	const char *method;
	const char *parts[SR_ARM_PARTS_MAX]; /* the path's variable segments, in order, decoded */
	const char *path;                    /* the whole path, decoded, without the query: the resource's id */
	struct sr_bytes target;              /* as sent, with the query */
	struct sr_principal who;
	struct sr_installation installation;
	struct sr_parameters query;
	const char *api_version;
	struct sr_bytes text; /* the body as sent */
	json_t *body;         /* the same, an object; owned by dispatch.c; NULL where none was sent */
	const char *base_url; /* "https://HOST:PORT" by which the client reached us */
	const char *request_id;
};

struct sr_arm_answer {
	int status;             /* 0: 200 */
	json_t *body;           /* owned; NULL: none */
	const char *location;   /* absolute; NULL: none */
	unsigned retry_after_s; /* 0: none */
	bool is_sent;           /* the handler has streamed it */
};

typedef struct sr_result (*sr_arm_handler)(struct sr_arm_call *call, struct sr_arm_answer *answer);

/* May who asks do `action` at `scope`? SR_DENIED "AuthorizationFailed" in the service's words. */
SR_MUST struct sr_result sr_arm_authorise(struct sr_arm_call *call, const char *action, const char *scope);
/* That refusal. */
SR_MUST struct sr_result sr_arm_refuse(const struct sr_arm_call *call, const char *action, const char *scope);
/* A required member of the body, a non-empty string. SR_INVALID "InvalidRequestContent". */
SR_MUST struct sr_result sr_arm_require_text(const struct sr_arm_call *call, const char *name, const char **ret_text);

#endif
