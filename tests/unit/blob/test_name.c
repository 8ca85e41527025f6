/* Addresses in both styles, and which names are allowed. */
#include "blob/name.h"

#include "check.h"

static int set_up(void **state)
{
	*state = sr_arena_new();
	return 0;
}

static int tear_down(void **state)
{
	sr_arena_free(*state);
	return 0;
}

static struct sr_blob_target parse(struct sr_arena *arena, const char *host, const char *path, bool wants_container)
{
	struct sr_blob_target target;
	expect_ok(sr_blob_target_parse(arena, host, sr_bytes_str(path), wants_container, &target));
	return target;
}

static void path_style_has_the_account_first(void **state)
{
	struct sr_blob_target target = parse(*state, "127.0.0.1", "/acct/cont/dir%2Fa%20b/%C3%A9", false);
	assert_true(target.is_path_style);
	assert_int_equal(target.resource, SR_BLOB_BLOB);
	assert_string_equal(target.account, "acct");
	assert_string_equal((const char *)target.container.data, "cont");
	assert_string_equal((const char *)target.blob.data, "dir/a b/\xc3\xa9");
	assert_int_equal(parse(*state, "localhost", "/acct", false).resource, SR_BLOB_SERVICE);
	assert_int_equal(parse(*state, "localhost", "/acct/", false).resource, SR_BLOB_SERVICE);
	assert_int_equal(parse(*state, "::1", "/acct/cont", true).resource, SR_BLOB_CONTAINER);
	assert_int_equal(parse(*state, "::1", "/acct/cont/", false).resource, SR_BLOB_CONTAINER);
}

static void host_style_has_it_in_the_name(void **state)
{
	struct sr_blob_target target = parse(*state, "acct.blob.localhost", "/cont/blob", false);
	assert_false(target.is_path_style);
	assert_string_equal(target.account, "acct");
	assert_string_equal((const char *)target.blob.data, "blob");
	assert_int_equal(parse(*state, "acct.blob.example.org", "/", false).resource, SR_BLOB_SERVICE);
}

static void a_single_segment_is_a_blob_of_root_unless_a_container_is_meant(void **state)
{
	struct sr_blob_target target = parse(*state, "localhost", "/acct/readme.txt", false);
	assert_int_equal(target.resource, SR_BLOB_BLOB);
	assert_string_equal((const char *)target.container.data, "$root");
	assert_string_equal((const char *)target.blob.data, "readme.txt");
}

static void names_keep_what_paths_lose(void **state)
{
	assert_string_equal((const char *)parse(*state, "h", "/acct/cont/a//b/../c/./", false).blob.data, "a//b/../c/./");
	assert_string_equal((const char *)parse(*state, "h", "/acct/cont/%2E%2E%2Fx", false).blob.data, "../x");
	assert_string_equal((const char *)parse(*state, "h", "/acct/cont/a+b", false).blob.data, "a+b");
}

static void broken_addresses_are_refused(void **state)
{
	static const char *const paths[] = {"/",          "", "/ab/c", "/UPPER/cont", "/acct/cont/%", "/acct/cont/%00",
	                                    "/acct/%zz/b"};
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		struct sr_blob_target target;
		expect_reason(sr_blob_target_parse(*state, "h", sr_bytes_str(paths[i]), false, &target), SR_INVALID,
		              "InvalidUri");
	}
}

static void names_in_addresses_are_checked_in_their_turn(void **state)
{
	static const struct {
		const char *path, *reason;
	} rows[] = {
	    {"/acct/cont/%ff", "InvalidUri"},
	    {"/acct/No/x", "OutOfRangeInput"},
	    {"/acct/Bad_Name/x", "InvalidResourceName"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sr_blob_target target = parse(*state, "h", rows[i].path, false);
		expect_reason(sr_blob_target_check(&target), SR_INVALID, rows[i].reason);
	}
	struct sr_blob_target service = parse(*state, "h", "/acct", false);
	expect_ok(sr_blob_target_check(&service));
}

static void container_names_follow_their_rule(void **state)
{
	(void)state;
	static const char *const good[] = {"abc", "a-b", "0-1-2", "$root", "$web", "$logs", "$blobchangefeed"};
	static const char *const bad[] = {"ab", "", "-ab", "ab-", "a--b", "a_b", "Abc", "a.b", "$other", "a b"};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		expect_ok(sr_blob_check_container_name(sr_bytes_str(good[i])));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		expect_code(sr_blob_check_container_name(sr_bytes_str(bad[i])), SR_INVALID);
	}
	char text[65];
	memset(text, 'a', sizeof text);
	expect_ok(sr_blob_check_container_name(sr_bytes_of(text, 63)));
	expect_reason(sr_blob_check_container_name(sr_bytes_of(text, 64)), SR_INVALID, "OutOfRangeInput");
}

static void blob_names_are_bounded_in_characters_and_segments(void **state)
{
	(void)state;
	char text[4096];
	for (size_t i = 0; i < sizeof text; i += 2) {
		memcpy(text + i, "\xc3\xa9", 2);
	}
	expect_ok(sr_blob_check_blob_name(sr_bytes_of(text, 2048)));
	expect_reason(sr_blob_check_blob_name(sr_bytes_of(text, 2050)), SR_INVALID, "InvalidResourceName");
	memset(text, '/', sizeof text);
	expect_ok(sr_blob_check_blob_name(sr_bytes_of(text, 253)));
	expect_reason(sr_blob_check_blob_name(sr_bytes_of(text, 254)), SR_INVALID, "InvalidResourceName");
}

static void block_ids_are_base64_of_1_to_64_bytes(void **state)
{
	(void)state;
	char text[100];
	memset(text, 'A', sizeof text);
	expect_ok(sr_blob_check_block_id(SR_LITERAL("AAAA")));
	expect_ok(sr_blob_check_block_id(SR_LITERAL("AA==")));
	memcpy(text + 86, "==", 2);
	expect_ok(sr_blob_check_block_id(sr_bytes_of(text, 88)));
	memset(text, 'A', sizeof text);
	expect_reason(sr_blob_check_block_id(sr_bytes_of(text, 88)), SR_INVALID, "InvalidQueryParameterValue");
	expect_code(sr_blob_check_block_id(SR_LITERAL("")), SR_INVALID);
	expect_code(sr_blob_check_block_id(SR_LITERAL("not base64!")), SR_INVALID);
	expect_code(sr_blob_check_block_id(SR_LITERAL("AAA")), SR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(path_style_has_the_account_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(host_style_has_it_in_the_name, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_single_segment_is_a_blob_of_root_unless_a_container_is_meant, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(names_keep_what_paths_lose, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(broken_addresses_are_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(names_in_addresses_are_checked_in_their_turn, set_up, tear_down),
	    cmocka_unit_test(container_names_follow_their_rule),
	    cmocka_unit_test(blob_names_are_bounded_in_characters_and_segments),
	    cmocka_unit_test(block_ids_are_base64_of_1_to_64_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
