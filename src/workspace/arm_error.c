/* The table. Which failure means which row is decided where it is seen. */
#include "workspace/arm_error.h"

#include "wire/json.h"

#include <string.h>

static const struct sr_arm_error by_reason[] = {
    {"AuthenticationFailed", 401, false},
    {"InvalidAuthenticationToken", 401, false},
    {"AuthorizationFailed", 403, false},
    {"InvalidApiVersionParameter", 400, false},
    {"MissingApiVersionParameter", 400, false},
    {"InvalidRequestContent", 400, false},
    {"InvalidFilterInQueryString", 400, false},
    {"InvalidResourceGroup", 400, false},
    {"InvalidResourceGroupLocation", 409, false},
    {"InvalidResourceNamespace", 404, false},
    {"InvalidResourceType", 404, false},
    {"LocationRequired", 400, false},
    {"MethodNotAllowed", 405, false},
    {"MissingSubscriptionRegistration", 409, false},
    {"PrincipalNotFound", 400, false},
    {"ResourceGroupBeingDeleted", 409, false},
    {"ResourceGroupNotFound", 404, false},
    {"ResourceNotFound", 404, false},
    {"RoleAssignmentExists", 409, false},
    {"RoleAssignmentNotFound", 404, false},
    {"RoleAssignmentUpdateNotPermitted", 409, false},
    {"RoleDefinitionDoesNotExist", 404, false},
    {"RoleDefinitionHasAssignments", 409, false},
    {"RoleDefinitionWithSameNameExists", 409, false},
    {"SubscriptionNotFound", 404, false},
};

static const struct {
	enum sr_code code;
	struct sr_arm_error error;
} by_code[] = {
    {SR_INVALID, {"InvalidRequestContent", 400, false}},
    {SR_PROTOCOL, {"InvalidRequestContent", 400, false}},
    {SR_TOO_LARGE, {"RequestContentTooLarge", 413, false}},
    {SR_UNAUTHENTICATED, {"InvalidAuthenticationToken", 401, false}},
    {SR_DENIED, {"AuthorizationFailed", 403, false}},
    {SR_NOT_FOUND, {"NotFound", 404, false}},
    {SR_EXISTS, {"Conflict", 409, false}},
    {SR_CONFLICT, {"Conflict", 409, false}},
    {SR_PRECONDITION, {"PreconditionFailed", 412, false}},
    {SR_TIMEOUT, {"RequestTimeout", 408, false}},
    {SR_UNAVAILABLE, {"ServiceUnavailable", 503, false}},
    {SR_REVOKED, {"ServiceUnavailable", 503, false}},
    {SR_NO_SPACE, {"ServiceUnavailable", 503, true}},
};

static const struct sr_arm_error defect = {"InternalServerError", 500, true};

struct sr_arm_error sr_arm_error_of(struct sr_result failure)
{
	const char *reason = sr_result_reason(failure);
	for (size_t i = 0; reason && i < sizeof by_reason / sizeof *by_reason; i++) {
		if (strcmp(by_reason[i].code, reason) == 0) {
			return by_reason[i];
		}
	}
	for (size_t i = 0; i < sizeof by_code / sizeof *by_code; i++) {
		if (by_code[i].code == sr_result_code(failure)) {
			return by_code[i].error;
		}
	}
	return defect;
}

json_t *sr_arm_error_body(const struct sr_arm_error *error, const char *message)
{
	json_t *detail = json_object(), *body = json_object();
	sr_json_set_string(detail, "code", error->code);
	sr_json_set_string(detail, "message", message);
	sr_json_set(body, "error", detail);
	return body;
}
