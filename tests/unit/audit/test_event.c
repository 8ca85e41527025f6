/* The text of entries: JSON whatever it is given, in one line, in bounds. */
#include "audit/event.h"

#include "wire/json.h"

#include "check.h"

static json_t *written(const struct sr_audit_event *event)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_AUDIT_ENTRY_MAX);
	json_t *value;
	sr_audit_event_write(event, 1795536000000000, &text);
	expect_ok(sr_buf_result(&text));
	assert_null(memchr(text.data, '\n', text.len));
	expect_ok(sr_json_parse(sr_buf_bytes(&text), &value));
	return value;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static void all_that_is_known_is_written_and_nothing_else(void **state)
{
	(void)state;
	const struct sr_audit_event full = {"oid", "app", "name", "blob", "::1", "Op", "a/b", "Denied", "x=1", "req", 403};
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_AUDIT_ENTRY_MAX);
	sr_audit_event_write(&full, 1795536000000000, &text);
	assert_string_equal(
	    sr_buf_text(&text),
	    "{\"time\":\"2026-11-24T16:00:00.0000000Z\",\"who\":{\"oid\":\"oid\",\"appid\":\"app\","
	    "\"name\":\"name\",\"service\":\"blob\"},\"from\":\"::1\",\"operation\":\"Op\",\"object\":\"a/b\","
	    "\"status\":403,\"outcome\":\"Denied\",\"detail\":\"x=1\",\"request\":\"req\"}");
	sr_buf_reset(&text);
	const struct sr_audit_event least = {.operation = "Op"};
	sr_audit_event_write(&least, 0, &text);
	assert_string_equal(sr_buf_text(&text),
	                    "{\"time\":\"1970-01-01T00:00:00.0000000Z\",\"who\":{},\"operation\":\"Op\","
	                    "\"outcome\":\"ok\"}");
}

static void odd_texts_stay_json(void **state)
{
	(void)state;
	const struct {
		const char *given, *expected;
	} texts[] = {
	    {"quote \" back \\ slash /", "quote \" back \\ slash /"},
	    {"line\nend\ttab\x01\x7f", "line\nend\ttab\x01\x7f"},
	    {"", ""},
	    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91"},
	    {"bad \xff\xc3 bytes", "bad ?? bytes"},
	    {"\xed\xa0\x80", "???"}, /* half a surrogate pair */
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const struct sr_audit_event event = {.operation = "Op", .object = texts[i].given, .name = texts[i].given};
		SR_CLEANUP(sr_json) json_t *value = written(&event);
		assert_string_equal(text_of(value, "object"), texts[i].expected);
		assert_string_equal(text_of(json_object_get(value, "who"), "name"), texts[i].expected);
	}
}

static void long_texts_are_cut_between_characters(void **state)
{
	(void)state;
	static char text[5000];
	for (size_t i = 0; i + 1 < sizeof text; i += 2) {
		memcpy(text + i, "\xc3\xa9", 2);
	}
	text[0] = 'x';
	text[1] = 'y';
	text[4999] = '\0';
	memmove(text + 1, text + 2, sizeof text - 2); /* so that a character crosses the bound */
	text[4997] = '\0';
	const struct sr_audit_event event = {.operation = "Op", .object = text};
	SR_CLEANUP(sr_json) json_t *value = written(&event);
	const char *object = text_of(value, "object");
	assert_in_range(strlen(object), 1000, 1024);
	assert_true(sr_bytes_start_with(sr_bytes_str(text), sr_bytes_str(object)));
	/* All of them at their longest, each byte of which takes six. */
	memset(text, 1, sizeof text - 1);
	const struct sr_audit_event longest = {text, text, text, text, text, text, text, text, text, text, 200};
	json_decref(written(&longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_that_is_known_is_written_and_nothing_else),
	    cmocka_unit_test(odd_texts_stay_json),
	    cmocka_unit_test(long_texts_are_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
