/* Percent-encoding, parameters, segments. */
#include "check.h"

#include "wire/url.h"

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

static enum sr_code decode_code(struct sr_arena *arena, struct sr_bytes text)
{
	struct sr_bytes decoded = {0};
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_url_decode(arena, text, false, &decoded);
	return sr_result_code(outcome);
}

static void decodes_escapes_of_both_cases_and_ends_with_a_nul(void **state)
{
	struct sr_bytes decoded;
	expect_ok(sr_url_decode(*state, SR_LITERAL("a%20b%c3%A9+c"), false, &decoded));
	assert_string_equal((const char *)decoded.data, "a b\xc3\xa9+c");
	assert_int_equal(decoded.len, 7);
	expect_ok(sr_url_decode(*state, SR_LITERAL("a+b%2B"), true, &decoded));
	assert_string_equal((const char *)decoded.data, "a b+");
	expect_ok(sr_url_decode(*state, (struct sr_bytes){0}, true, &decoded));
	assert_string_equal((const char *)decoded.data, "");
}

static void refuses_broken_escapes_and_nul(void **state)
{
	static const char *const broken[] = {"%", "%4", "a%", "%zz", "%4g", "%%41", "%00", "a%00b"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		assert_int_equal(decode_code(*state, sr_bytes_str(broken[i])), SR_INVALID);
	}
	assert_int_equal(decode_code(*state, sr_bytes_of("a\0b", 3)), SR_INVALID);
}

static void encodes_all_but_unreserved_and_kept(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(100);
	sr_url_encode(&text, sr_bytes_of("a-Z_0.~ /\xc3\xa9\0+", 13), "/");
	assert_string_equal(sr_buf_text(&text), "a-Z_0.~%20/%C3%A9%00%2B");
}

static void every_byte_survives_a_round_trip(void **state)
{
	uint8_t all[255];
	for (size_t i = 0; i < sizeof all; i++) {
		all[i] = (uint8_t)(i + 1);
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1000);
	sr_url_encode(&text, sr_bytes_of(all, sizeof all), "");
	struct sr_bytes decoded;
	expect_ok(sr_url_decode(*state, sr_buf_bytes(&text), true, &decoded));
	assert_true(sr_equal_public(decoded, sr_bytes_of(all, sizeof all)));
}

static void splits_parameters_in_order_with_names_decoded(void **state)
{
	struct sr_parameters query;
	struct sr_bytes text = SR_LITERAL("&api%2Dversion=7.4&&comp=list&prefix=a%2Fb+c&x==&COMP=second&flag");
	expect_ok(sr_parameters_parse(*state, text, false, &query));
	assert_int_equal(query.count, 6);
	assert_string_equal(sr_parameter_get(&query, "api-version"), "7.4");
	assert_string_equal(sr_parameter_get(&query, "comp"), "list");
	assert_string_equal(sr_parameter_get(&query, "prefix"), "a/b+c");
	assert_string_equal(sr_parameter_get(&query, "x"), "=");
	assert_string_equal(sr_parameter_get(&query, "flag"), "");
	assert_null(sr_parameter_get(&query, "none"));
	assert_int_equal(sr_parameter_count(&query, "comp"), 2);
	assert_int_equal(sr_parameter_count(&query, "none"), 0);
}

static void a_form_has_spaces_for_plus(void **state)
{
	struct sr_parameters form;
	expect_ok(sr_parameters_parse(*state, SR_LITERAL("a+b=c+d"), true, &form));
	assert_string_equal(sr_parameter_get(&form, "a b"), "c d");
	expect_ok(sr_parameters_parse(*state, (struct sr_bytes){0}, true, &form));
	assert_int_equal(form.count, 0);
}

static void parameters_are_bounded(void **state)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(10000);
	struct sr_parameters query;
	for (int i = 0; i < SR_PARAMETERS_MAX; i++) {
		sr_buf_append_str(&text, "a=&");
	}
	expect_ok(sr_parameters_parse(*state, sr_buf_bytes(&text), false, &query));
	assert_int_equal(query.count, SR_PARAMETERS_MAX);
	sr_buf_append_str(&text, "b");
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_parameters_parse(*state, sr_buf_bytes(&text), false, &query);
	assert_int_equal(sr_result_code(outcome), SR_TOO_LARGE);
}

static void splits_a_path_and_leaves_empty_segments_out(void **state)
{
	struct sr_segments segments;
	expect_ok(sr_segments_parse(*state, SR_LITERAL("//keys/a%2Fb//v1/"), &segments));
	assert_int_equal(segments.count, 3);
	assert_string_equal((const char *)segments.items[0].data, "keys");
	assert_string_equal((const char *)segments.items[1].data, "a/b");
	assert_string_equal((const char *)segments.items[2].data, "v1");
	expect_ok(sr_segments_parse(*state, SR_LITERAL("/"), &segments));
	assert_int_equal(segments.count, 0);
}

static void refuses_dot_segments_however_they_are_written(void **state)
{
	static const char *const paths[] = {"/..", "/a/../b", "/./a", "/%2e%2E/a", "/a/.%2e", "/a/%2e"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct sr_segments segments;
		SR_CLEANUP(sr_result)
		struct sr_result outcome = sr_segments_parse(*state, sr_bytes_str(paths[i]), &segments);
		assert_int_equal(sr_result_code(outcome), SR_INVALID);
	}
	struct sr_segments segments;
	expect_ok(sr_segments_parse(*state, SR_LITERAL("/.../..a/a.."), &segments));
	assert_int_equal(segments.count, 3);
}

static void segments_are_bounded(void **state)
{
	char path[2 * (SR_SEGMENTS_MAX + 1)];
	for (size_t i = 0; i < sizeof path; i += 2) {
		path[i] = '/';
		path[i + 1] = 'a';
	}
	struct sr_segments segments;
	expect_ok(sr_segments_parse(*state, sr_bytes_of(path, sizeof path - 2), &segments));
	assert_int_equal(segments.count, SR_SEGMENTS_MAX);
	SR_CLEANUP(sr_result)
	struct sr_result outcome = sr_segments_parse(*state, sr_bytes_of(path, sizeof path), &segments);
	assert_int_equal(sr_result_code(outcome), SR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(decodes_escapes_of_both_cases_and_ends_with_a_nul, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(refuses_broken_escapes_and_nul, set_up, tear_down),
	    cmocka_unit_test(encodes_all_but_unreserved_and_kept),
	    cmocka_unit_test_setup_teardown(every_byte_survives_a_round_trip, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(splits_parameters_in_order_with_names_decoded, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_form_has_spaces_for_plus, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(parameters_are_bounded, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(splits_a_path_and_leaves_empty_segments_out, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(refuses_dot_segments_however_they_are_written, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(segments_are_bounded, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
