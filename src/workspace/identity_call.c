/* Identity's refusals by their code, in one table. */
#include "workspace/identity_call.h"

#include "workspace/forward.h"

#include <string.h>

/* What identity says is wrong has the code that Azure's clients know; the error's text goes on as it is. */
static struct sr_result refusal(const char *code, int status, const char *message)
{
	if (strcmp(code, "RoleAssignmentExists") == 0) {
		return sr_fail_as(SR_EXISTS, "RoleAssignmentExists", "%s", message);
	}
	if (strcmp(code, "RoleAssignmentUpdateNotPermitted") == 0) {
		return sr_fail_as(SR_CONFLICT, "RoleAssignmentUpdateNotPermitted", "%s", message);
	}
	if (strcmp(code, "PrincipalNotFound") == 0) {
		return sr_fail_as(SR_INVALID, "PrincipalNotFound", "%s", message);
	}
	if (strcmp(code, "RoleDefinitionWithSameNameExists") == 0) {
		return sr_fail_as(SR_EXISTS, "RoleDefinitionWithSameNameExists", "%s", message);
	}
	if (strcmp(code, "RoleDefinitionHasAssignments") == 0) {
		return sr_fail_as(SR_CONFLICT, "RoleDefinitionHasAssignments", "%s", message);
	}
	if (strcmp(code, "RoleAssignmentNotFound") == 0) {
		return sr_fail_as(SR_NOT_FOUND, "RoleAssignmentNotFound", "%s", message);
	}
	switch (status) {
	case 400:
		return sr_fail_as(SR_INVALID, "InvalidRequestContent", "%s", message);
	case 404:
		return sr_fail_as(SR_NOT_FOUND, "ResourceNotFound", "%s", message);
	case 409:
		return sr_fail(SR_CONFLICT, "%s", message);
	case 413:
		return sr_fail(SR_TOO_LARGE, "%s", message);
	default:
		return sr_fail(SR_UNAVAILABLE, "The service 'identity' cannot do that now: %s", message);
	}
}

struct sr_result sr_identity_call(struct sr_arm_call *call, const char *method, const char *target, const json_t *body,
                                  int *ret_status, json_t **ret_body)
{
	const struct sr_forward_caller caller = {call->who.object_id, call->who.app_id, call->request_id};
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	int status;
	SR_TRY(sr_forward_request(call->workspace, "identity", method, target, body, &caller, &status, &answer));
	if (status >= 300) {
		const json_t *error = json_object_get(answer, "error");
		const char *code = json_string_value(json_object_get(error, "code"));
		const char *message = json_string_value(json_object_get(error, "message"));
		return refusal(code ? code : "", status, message ? message : "it gave no reason");
	}
	*ret_status = status;
	*ret_body = SR_TAKE(answer);
	return sr_ok();
}

const char *sr_identity_escaped(struct sr_arena *arena, const char *text)
{
	SR_CLEANUP(sr_buf) struct sr_buf escaped = SR_BUF(65536);
	sr_url_encode(&escaped, sr_bytes_str(text), "");
	return sr_arena_text(arena, sr_buf_bytes(&escaped));
}
