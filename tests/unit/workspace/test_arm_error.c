/* What failures are to Resource Manager's clients: by reason, else by kind; what is ours is not shown. */
#include "check.h"

#include "workspace/arm_error.h"

#include <string.h>

static void reasons_have_their_status(void **state)
{
	(void)state;
	SR_CLEANUP(sr_result) struct sr_result refused = sr_fail_as(SR_DENIED, "AuthorizationFailed", "no");
	SR_CLEANUP(sr_result) struct sr_result missing = sr_fail_as(SR_NOT_FOUND, "RoleAssignmentNotFound", "none");
	SR_CLEANUP(sr_result) struct sr_result there = sr_fail_as(SR_EXISTS, "RoleAssignmentExists", "is there");
	assert_int_equal(sr_arm_error_of(refused).status, 403);
	assert_int_equal(sr_arm_error_of(missing).status, 404);
	assert_int_equal(sr_arm_error_of(there).status, 409);
	assert_string_equal(sr_arm_error_of(there).code, "RoleAssignmentExists");
}

static void failures_without_a_reason_go_by_their_kind(void **state)
{
	(void)state;
	SR_CLEANUP(sr_result) struct sr_result revoked = sr_fail(SR_REVOKED, "no key");
	SR_CLEANUP(sr_result) struct sr_result defect = sr_fail(SR_INTERNAL, "a defect");
	assert_int_equal(sr_arm_error_of(revoked).status, 503);
	assert_false(sr_arm_error_of(revoked).is_ours);
	assert_int_equal(sr_arm_error_of(defect).status, 500);
	assert_true(sr_arm_error_of(defect).is_ours);
}

static void the_body_is_what_clients_parse(void **state)
{
	(void)state;
	const struct sr_arm_error error = {"ResourceNotFound", 404, false};
	json_t *body = sr_arm_error_body(&error, "none");
	const json_t *inner = json_object_get(body, "error");
	assert_string_equal(json_string_value(json_object_get(inner, "code")), "ResourceNotFound");
	assert_string_equal(json_string_value(json_object_get(inner, "message")), "none");
	json_decref(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reasons_have_their_status),
	    cmocka_unit_test(failures_without_a_reason_go_by_their_kind),
	    cmocka_unit_test(the_body_is_what_clients_parse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
