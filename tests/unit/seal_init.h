/* cmocka's group set-up for tests that make secrets without a service around them. */
#ifndef SR_TESTS_SEAL_INIT_H
#define SR_TESTS_SEAL_INIT_H

#include "check.h"

#include "seal/secret.h"

static inline int init_seal(void **state)
{
	(void)state;
	expect_ok(sr_seal_init());
	return 0;
}

#endif
