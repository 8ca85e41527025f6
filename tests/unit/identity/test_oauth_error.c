/* The table of Entra ID's errors and the JSON that clients read. */
#include "identity/oauth_error.h"

#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct sr_oauth_error_context tie = {.trace_id = "11111111-1111-4111-8111-111111111111",
                                                  .correlation_id = "22222222-2222-4222-8222-222222222222",
                                                  .authority = "https://127.0.0.1:8441",
                                                  .now_s = 1795521600};

static void rows_are_as_entra_has_them(void **state)
{
	(void)state;
	static const struct {
		int64_t number;
		const char *error;
		int status;
	} expected[] = {
	    {7000215, "invalid_client", 401},        {7000222, "invalid_client", 401},
	    {700016, "unauthorized_client", 400},    {90002, "invalid_request", 400},
	    {70011, "invalid_scope", 400},           {500011, "invalid_resource", 400},
	    {900144, "invalid_request", 400},        {70003, "unsupported_grant_type", 400},
	    {50049, "invalid_instance", 400},        {7000218, "invalid_client", 401},
	    {90033, "temporarily_unavailable", 503}, {90055, "temporarily_unavailable", 429},
	};
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		const struct sr_oauth_error *row = NULL;
		for (size_t at = 0; (row = sr_oauth_error_at(at)) && sr_oauth_error_number(row) != expected[i].number;) {
			at++;
		}
		assert_non_null(row);
		assert_string_equal(row->error, expected[i].error);
		assert_int_equal(row->status, expected[i].status);
	}
}

static void the_body_says_what_and_when(void **state)
{
	(void)state;
	SR_CLEANUP(sr_result)
	struct sr_result failure =
	    sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_WRONG_SECRET, "Invalid client secret provided.");
	SR_CLEANUP(sr_json) json_t *body = sr_oauth_error_json(failure, &tie);
	assert_string_equal(json_string_value(json_object_get(body, "error")), "invalid_client");
	assert_string_equal(json_string_value(json_object_get(body, "error_description")),
	                    "AADSTS7000215: Invalid client secret provided. Trace ID: 11111111-1111-4111-8111-111111111111 "
	                    "Correlation ID: 22222222-2222-4222-8222-222222222222 Timestamp: 2026-11-24 12:00:00Z");
	const json_t *codes = json_object_get(body, "error_codes");
	assert_int_equal(json_array_size(codes), 1);
	assert_int_equal(json_integer_value(json_array_get(codes, 0)), 7000215);
	assert_string_equal(json_string_value(json_object_get(body, "timestamp")), "2026-11-24 12:00:00Z");
	assert_string_equal(json_string_value(json_object_get(body, "trace_id")), tie.trace_id);
	assert_string_equal(json_string_value(json_object_get(body, "correlation_id")), tie.correlation_id);
	assert_string_equal(json_string_value(json_object_get(body, "error_uri")),
	                    "https://127.0.0.1:8441/error?code=7000215");
}

static void inner_failures_are_not_told_to_strangers(void **state)
{
	(void)state;
	static const enum sr_code codes[] = {SR_CORRUPT, SR_IO, SR_INTERNAL, SR_REVOKED, SR_UNAVAILABLE, SR_CRYPTO};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		SR_CLEANUP(sr_result) struct sr_result failure = sr_fail(codes[i], "read /var/lib/strongroom/identity.db");
		SR_CLEANUP(sr_json) json_t *body = sr_oauth_error_json(failure, &tie);
		const char *text = json_string_value(json_object_get(body, "error_description"));
		assert_null(strstr(text, "/var/lib"));
		assert_int_equal(sr_oauth_error_of(failure)->status, 503);
	}
}

static void requests_too_broken_to_route_have_their_status(void **state)
{
	(void)state;
	static const struct {
		enum sr_code code;
		int status;
	} expected[] = {{SR_NOT_FOUND, 404}, {SR_PROTOCOL, 400}, {SR_INVALID, 400}, {SR_TOO_LARGE, 413}, {SR_TIMEOUT, 408}};
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		SR_CLEANUP(sr_result) struct sr_result failure = sr_fail(expected[i].code, "x");
		assert_int_equal(sr_oauth_error_of(failure)->status, expected[i].status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_as_entra_has_them),
	    cmocka_unit_test(the_body_says_what_and_when),
	    cmocka_unit_test(inner_failures_are_not_told_to_strangers),
	    cmocka_unit_test(requests_too_broken_to_route_have_their_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
