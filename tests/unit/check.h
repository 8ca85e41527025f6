/*
 * cmocka with what it needs before it, and what every test says of results: that one is a success, or fails as it must.
 * Each ends the result, and the test with the message and the line where it is otherwise.
 */
#ifndef SR_TESTS_CHECK_H
#define SR_TESTS_CHECK_H

#include "base/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A success. */
#define expect_ok(result) check_failure((result), SR_OK, NULL, #result, __FILE__, __LINE__)
/* A failure with this code (SR_OK: a success). */
#define expect_code(result, code) check_failure((result), (code), NULL, #result, __FILE__, __LINE__)
/* A failure with this code and, unless it is NULL, this reason. */
#define expect_reason(result, code, reason) check_failure((result), (code), (reason), #result, __FILE__, __LINE__)

static inline void check_failure(struct sr_result result, enum sr_code code, const char *reason, const char *expression,
                                 const char *file, int line)
{
	const char *given = sr_result_reason(result);
	bool is_expected = sr_result_code(result) == code && (!reason || (given && strcmp(given, reason) == 0));
	if (!is_expected) {
		print_error("%s:%d: %s gave code %d, reason %s, not code %d, reason %s: %s\n", file, line, expression,
		            (int)sr_result_code(result), given ? given : "none", (int)code, reason ? reason : "any",
		            result.error ? sr_result_message(result) : "success");
	}
	sr_result_free(result);
	if (!is_expected) {
		_fail(file, line);
	}
}

#endif
