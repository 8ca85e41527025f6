/* Assertions on results, and cmocka with what it needs before it. */
#ifndef SR_TESTS_BLOB_CHECK_H
#define SR_TESTS_BLOB_CHECK_H

#include "base/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* The result is a success; its message is shown otherwise. Ends the result. */
static inline void expect_ok(struct sr_result result)
{
	if (!sr_is_ok(result)) {
		print_error("unexpected failure: %s\n", sr_result_message(result));
	}
	enum sr_code code = sr_result_code(result);
	sr_result_free(result);
	assert_int_equal(code, SR_OK);
}

/* The result has this code and (where it is not NULL) this reason. Ends the result. */
static inline void expect_failure(struct sr_result result, enum sr_code code, const char *reason)
{
	enum sr_code got = sr_result_code(result);
	const char *got_reason = sr_result_reason(result);
	sr_result_free(result);
	assert_int_equal(got, code);
	if (reason) {
		assert_non_null(got_reason);
		assert_string_equal(got_reason, reason);
	}
}

#endif
