/* Requests to identity, which keeps role assignments, role definitions and managed identities: in the name of who asks,
 * who was found to be allowed before. */
#ifndef SR_WORKSPACE_IDENTITY_CALL_H
#define SR_WORKSPACE_IDENTITY_CALL_H

#include "workspace/call.h"

/* Its answer's body (NULL: none; the caller's) and status; a refusal becomes an error in Resource Manager's words.
 * `body` may be NULL. */
SR_MUST struct sr_result sr_identity_call(struct sr_arm_call *call, const char *method, const char *target,
                                          const json_t *body, int *ret_status, json_t **ret_body);
/* Percent-encoded, in the arena: for segments and values of a target. */
const char *sr_identity_escaped(struct sr_arena *arena, const char *text);

#endif
