/* JSON: limits, typed members, what is written. */
#include "check.h"

#include "wire/json.h"

static enum sr_code parse_code(struct sr_bytes text)
{
	SR_CLEANUP(sr_json) json_t *value = NULL;
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_json_parse(text, &value);
	assert_true(sr_is_ok(outcome) == (value != NULL));
	return sr_result_code(outcome);
}

static json_t *parsed(const char *text)
{
	json_t *value = NULL;
	expect_ok(sr_json_parse(sr_bytes_str(text), &value));
	return value;
}

static void takes_any_whole_document(void **state)
{
	(void)state;
	static const char *const documents[] = {
	    "{}", "[]", " {\"a\": [1, 2.5e3, \"\\u00e9\\ud83d\\ude00\", null, true]} ", "\"x\"", "3", "null"};
	for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
		assert_int_equal(parse_code(sr_bytes_str(documents[i])), SR_OK);
	}
}

static void refuses_what_is_malformed(void **state)
{
	(void)state;
	static const char *const broken[] = {"",
	                                     " ",
	                                     "{",
	                                     "{]",
	                                     "[1,]",
	                                     "{\"a\":1,}",
	                                     "{\"a\":1}x",
	                                     "{a:1}",
	                                     "'a'",
	                                     "01",
	                                     "[1e999]",
	                                     "99999999999999999999",
	                                     "\"\\ud800\"",
	                                     "\"\xff\"",
	                                     "\"\xc0\x80\"",
	                                     "\"\xed\xa0\x80\"",
	                                     "\"\t\"",
	                                     "\"\\u0000\"",
	                                     "\xef\xbb\xbf{}",
	                                     "NaN",
	                                     "// x\n{}",
	                                     "\"\\"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		assert_int_equal(parse_code(sr_bytes_str(broken[i])), SR_INVALID);
	}
	assert_int_equal(parse_code(sr_bytes_of("{}\0", 3)), SR_INVALID);
}

static void refuses_duplicate_names_at_every_depth(void **state)
{
	(void)state;
	assert_int_equal(parse_code(SR_LITERAL("{\"a\":1,\"a\":1}")), SR_INVALID);
	assert_int_equal(parse_code(SR_LITERAL("[{\"b\":{\"a\":1,\"\\u0061\":2}}]")), SR_INVALID);
	assert_int_equal(parse_code(SR_LITERAL("[{\"a\":1},{\"a\":1}]")), SR_OK);
}

static void bounds_depth_but_not_brackets_in_strings(void **state)
{
	(void)state;
	char text[200];
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	assert_int_equal(parse_code(sr_bytes_of(text, 128)), SR_OK);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(parse_code(sr_bytes_of(text, 130)), SR_INVALID);
	memset(text, '[', sizeof text);
	text[0] = text[199] = '"';
	assert_int_equal(parse_code(sr_bytes_of(text, sizeof text)), SR_OK);
	memcpy(text, "[\"\\\"", 4);
	memcpy(text + 198, "\"]", 2);
	assert_int_equal(parse_code(sr_bytes_of(text, sizeof text)), SR_OK);
}

static void an_error_says_where_and_quotes_nothing(void **state)
{
	(void)state;
	SR_CLEANUP(sr_json) json_t *value = NULL;
	SR_CLEANUP(sr_result)
	struct sr_result outcome = sr_json_parse(SR_LITERAL("{\"secret\":\n  \"hunter2\" oops}"), &value);
	assert_non_null(strstr(sr_result_message(outcome), "line 2"));
	assert_null(strstr(sr_result_message(outcome), "hunter2"));
	assert_null(strstr(sr_result_message(outcome), "oops"));
}

static void reads_typed_members(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_json) json_t *object = parsed("{\"s\":\"t\",\"i\":-5,\"b\":true,\"o\":{},\"a\":[],\"u\":\"AQID\"}");
	const char *text = NULL;
	int64_t number = 0;
	bool flag = false;
	const json_t *inner = NULL;
	struct sr_bytes bytes = {0};
	expect_ok(sr_json_get_string(object, "s", &text));
	assert_string_equal(text, "t");
	expect_ok(sr_json_get_int(object, "i", &number));
	assert_int_equal(number, -5);
	expect_ok(sr_json_get_bool(object, "b", &flag));
	assert_true(flag);
	expect_ok(sr_json_get_object(object, "o", &inner));
	assert_true(json_is_object(inner));
	expect_ok(sr_json_get_array(object, "a", &inner));
	assert_true(json_is_array(inner));
	expect_ok(sr_json_get_base64url(arena, object, "u", &bytes));
	assert_true(sr_equal_public(bytes, SR_LITERAL("\1\2\3")));
}

static void absent_and_null_members_leave_the_default(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_json) json_t *object = parsed("{\"n\":null}");
	for (const char *name = "n"; name; name = *name == 'n' ? "absent" : NULL) {
		const char *text = "default";
		int64_t number = 7;
		bool flag = true;
		const json_t *inner = object;
		struct sr_bytes bytes = SR_LITERAL("d");
		expect_ok(sr_json_get_string(object, name, &text));
		expect_ok(sr_json_get_int(object, name, &number));
		expect_ok(sr_json_get_bool(object, name, &flag));
		expect_ok(sr_json_get_object(object, name, &inner));
		expect_ok(sr_json_get_array(object, name, &inner));
		expect_ok(sr_json_get_base64url(arena, object, name, &bytes));
		assert_string_equal(text, "default");
		assert_true(number == 7 && flag && inner == object && bytes.len == 1);
	}
}

static void check_names_member(struct sr_result outcome)
{
	assert_int_equal(sr_result_code(outcome), SR_INVALID);
	assert_non_null(strstr(sr_result_message(outcome), "'member'"));
	sr_result_free(outcome);
}

static void a_wrong_type_names_the_member(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_json) json_t *real = parsed("{\"member\":1.5}");
	SR_CLEANUP(sr_json) json_t *string = parsed("{\"member\":\"A\"}");
	SR_CLEANUP(sr_json) json_t *array = parsed("[]");
	const char *text = NULL;
	int64_t number = 0;
	bool flag = false;
	const json_t *inner = NULL;
	struct sr_bytes bytes = {0};
	check_names_member(sr_json_get_string(real, "member", &text));
	check_names_member(sr_json_get_int(real, "member", &number));
	check_names_member(sr_json_get_bool(real, "member", &flag));
	check_names_member(sr_json_get_object(real, "member", &inner));
	check_names_member(sr_json_get_array(real, "member", &inner));
	check_names_member(sr_json_get_base64url(arena, real, "member", &bytes));
	check_names_member(sr_json_get_base64url(arena, string, "member", &bytes));
	check_names_member(sr_json_get_string(array, "member", &text));
	check_names_member(sr_json_get_string(NULL, "member", &text));
	assert_true(!text && !number && !flag && !inner && !bytes.len);
}

static void writes_compact_text_in_order(void **state)
{
	(void)state;
	SR_CLEANUP(sr_json) json_t *object = json_object();
	sr_json_set_string(object, "z", "a\"\n\xc3\xa9");
	sr_json_set_string(object, "left out", NULL);
	sr_json_set_int(object, "i", INT64_MIN);
	sr_json_set_bool(object, "b", false);
	sr_json_set_base64url(object, "u", SR_LITERAL("\xff\xfe"));
	sr_json_set_base64url(object, "e", (struct sr_bytes){0});
	sr_json_set(object, "a", json_array());
	sr_json_set_string(object, "broken", "a\xff");
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1000);
	expect_ok(sr_json_write(object, &text));
	assert_string_equal(sr_buf_text(&text), "{\"z\":\"a\\\"\\n\xc3\xa9\",\"i\":-9223372036854775808,\"b\":false,"
	                                        "\"u\":\"__4\",\"e\":\"\",\"a\":[],\"broken\":\"a?\"}");
}

static void writing_past_the_limit_is_told(void **state)
{
	(void)state;
	SR_CLEANUP(sr_json) json_t *object = parsed("{\"a\":\"bcd\"}");
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(5);
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_json_write(object, &text);
	assert_int_equal(sr_result_code(outcome), SR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_any_whole_document),
	    cmocka_unit_test(refuses_what_is_malformed),
	    cmocka_unit_test(refuses_duplicate_names_at_every_depth),
	    cmocka_unit_test(bounds_depth_but_not_brackets_in_strings),
	    cmocka_unit_test(an_error_says_where_and_quotes_nothing),
	    cmocka_unit_test(reads_typed_members),
	    cmocka_unit_test(absent_and_null_members_leave_the_default),
	    cmocka_unit_test(a_wrong_type_names_the_member),
	    cmocka_unit_test(writes_compact_text_in_order),
	    cmocka_unit_test(writing_past_the_limit_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
