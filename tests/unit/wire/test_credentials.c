/* The scheme of an Authorization header. */
#include "check.h"

#include "wire/credentials.h"

static void the_scheme_is_taken_off_in_either_case(void **state)
{
	(void)state;
	assert_string_equal(sr_credentials("Bearer abc", "Bearer"), "abc");
	assert_string_equal(sr_credentials("bEARER a b", "Bearer"), "a b");
	assert_string_equal(sr_credentials("Basic ", "Basic"), "");
}

static void another_scheme_gives_nothing(void **state)
{
	(void)state;
	static const char *const others[] = {NULL,          "",         "B", "Bearer", "Bearers abc", " Bearer abc",
	                                     "Bearer\tabc", "Basic abc"};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		assert_null(sr_credentials(others[i], "Bearer"));
	}
	assert_null(sr_credentials("SharedKeyLite a:b", "SharedKey"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_scheme_is_taken_off_in_either_case),
	    cmocka_unit_test(another_scheme_gives_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
