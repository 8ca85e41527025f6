/* Assertions on results that show their message and free them. For the vault's tests. */
#ifndef TEST_VAULT_CHECK_H
#define TEST_VAULT_CHECK_H

#include "base/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static inline void check_ok(struct sr_result result, const char *file, int line)
{
	if (!sr_is_ok(result)) {
		print_error("%s:%d: %s\n", file, line, sr_result_message(result));
		sr_result_free(result);
		_fail(file, line);
	}
}

static inline void check_refused(struct sr_result result, enum sr_code code, const char *reason, const char *file,
                                 int line)
{
	const char *given = sr_result_reason(result);
	const bool is_expected = sr_result_code(result) == code && (!reason || (given && strcmp(given, reason) == 0));
	if (!is_expected) {
		print_error("%s:%d: code %d, reason %s, not %d, %s: %s\n", file, line, (int)sr_result_code(result),
		            given ? given : "none", (int)code, reason ? reason : "any", sr_result_message(result));
	}
	sr_result_free(result);
	if (!is_expected) {
		_fail(file, line);
	}
}

#define assert_ok(result)                       check_ok((result), __FILE__, __LINE__)
#define assert_refused(result, code)            check_refused((result), (code), NULL, __FILE__, __LINE__)
#define assert_refused_as(result, code, reason) check_refused((result), (code), (reason), __FILE__, __LINE__)

#endif
