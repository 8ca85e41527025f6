/* What a token request must hold, and the number of the error where it does not. */
#include "identity/token_request.h"

#include "identity/oauth_error.h"
#include "seal/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct sr_arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = sr_arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sr_arena_free(arena);
	return 0;
}

static struct sr_result read_v2(const char *form, const char *authorization, struct sr_token_request *request)
{
	return sr_token_request_read(arena, sr_bytes_str(form), authorization, true, false, request);
}

#define GOOD "grant_type=client_credentials&scope=https%3A%2F%2Fvault.azure.net%2F.default"

static void reads_a_posted_secret(void **state)
{
	(void)state;
	struct sr_token_request request;
	SR_CLEANUP(sr_result)
	struct sr_result result =
	    read_v2(GOOD "&client_id=app&client_secret=a%2Bb+c%26&x-client-SKU=msal.js", NULL, &request);
	assert_true(sr_is_ok(result));
	assert_string_equal(request.client_id, "app");
	assert_string_equal(request.client_secret, "a+b c&");
	assert_string_equal(request.resource, "https://vault.azure.net");
}

static void reads_a_basic_header(void **state)
{
	(void)state;
	struct sr_token_request request;
	/* app:s%3Ae+t */
	SR_CLEANUP(sr_result) struct sr_result result = read_v2(GOOD, "basic YXBwOnMlM0FlK3Q=", &request);
	assert_true(sr_is_ok(result));
	assert_string_equal(request.client_id, "app");
	assert_string_equal(request.client_secret, "s:e t");
}

static void reads_the_resource_at_the_old_endpoint(void **state)
{
	(void)state;
	struct sr_token_request request;
	const char *form = "grant_type=client_credentials&client_id=a&client_secret=b&resource=https://vault.azure.net/";
	SR_CLEANUP(sr_result)
	struct sr_result result = sr_token_request_read(arena, sr_bytes_str(form), NULL, false, true, &request);
	assert_true(sr_is_ok(result));
	assert_string_equal(request.resource, "https://vault.azure.net/");
}

static void each_fault_has_its_number(void **state)
{
	(void)state;
	static const struct {
		const char *form, *authorization, *reason, *names;
	} faults[] = {
	    {"", NULL, SR_AADSTS_MISSING_PARAMETER, "'grant_type'"},
	    {"grant_type=&client_id=a", NULL, SR_AADSTS_MISSING_PARAMETER, "'grant_type'"},
	    {"grant_type=password&client_id=a", NULL, SR_AADSTS_BAD_GRANT, "'password'"},
	    {GOOD, NULL, SR_AADSTS_MISSING_PARAMETER, "'client_id'"},
	    {GOOD "&client_id=a", NULL, SR_AADSTS_NO_CREDENTIAL, "'client_secret'"},
	    {GOOD "&client_id=a&client_secret=", NULL, SR_AADSTS_NO_CREDENTIAL, "'client_secret'"},
	    {"grant_type=client_credentials&client_id=a&client_secret=b", NULL, SR_AADSTS_MISSING_PARAMETER, "'scope'"},
	    {"grant_type=client_credentials&client_id=a&client_secret=b&scope=User.Read", NULL, SR_AADSTS_BAD_SCOPE,
	     "User.Read"},
	    {GOOD "&client_id=a&client_id=b&client_secret=c", NULL, SR_AADSTS_MALFORMED, "'client_id'"},
	    {GOOD "&client_id=a&client_secret=c&client_secret=c", NULL, SR_AADSTS_MALFORMED, "'client_secret'"},
	    {GOOD, "Basic !!!!", SR_AADSTS_MALFORMED, "Authorization"},
	    {GOOD, "Basic YXBw", SR_AADSTS_MALFORMED, "Authorization"},
	    {GOOD, "Basic OnNlY3JldA==", SR_AADSTS_MALFORMED, "Authorization"},
	    {GOOD, "Basic YXBwOiUwMA==", SR_AADSTS_MALFORMED, "Authorization"},
	    {GOOD "&client_id=other", "Basic YXBwOnNlY3JldA==", SR_AADSTS_MALFORMED, "different"},
	};
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		struct sr_token_request request;
		SR_CLEANUP(sr_result) struct sr_result result = read_v2(faults[i].form, faults[i].authorization, &request);
		assert_false(sr_is_ok(result));
		assert_non_null(sr_result_reason(result));
		assert_string_equal(sr_result_reason(result), faults[i].reason);
		assert_non_null(strstr(sr_result_message(result), faults[i].names));
	}
}

static void an_error_never_repeats_the_secret(void **state)
{
	(void)state;
	struct sr_token_request request;
	SR_CLEANUP(sr_result)
	struct sr_result result =
	    read_v2("grant_type=client_credentials&client_id=a&client_secret=canary1&scope=x", NULL, &request);
	assert_null(strstr(sr_result_message(result), "canary1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_a_posted_secret),
	    cmocka_unit_test(reads_a_basic_header),
	    cmocka_unit_test(reads_the_resource_at_the_old_endpoint),
	    cmocka_unit_test(each_fault_has_its_number),
	    cmocka_unit_test(an_error_never_repeats_the_secret),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
