/* What every test of this room says often: a result must be a success, or fail with one code. */
#ifndef SR_TEST_NET_CHECK_H
#define SR_TEST_NET_CHECK_H

#include "base/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define expect_ok(expression)                                          \
	do {                                                               \
		SR_CLEANUP(sr_result) struct sr_result ok_is = (expression);   \
		if (ok_is.error) {                                             \
			fail_msg("%s: %s", #expression, sr_result_message(ok_is)); \
		}                                                              \
	} while (0)

#define expect_code(expression, code)                                                                 \
	do {                                                                                              \
		SR_CLEANUP(sr_result) struct sr_result code_is = (expression);                                \
		if (sr_result_code(code_is) != (code)) {                                                      \
			fail_msg("%s gave code %d, not %s: %s", #expression, (int)sr_result_code(code_is), #code, \
			         sr_result_message(code_is));                                                     \
		}                                                                                             \
	} while (0)

#endif
