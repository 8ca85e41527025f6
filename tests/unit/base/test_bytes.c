/* Buffers that never pass their maximum, readers that never overrun, text forms that accept only what is canonical. */
#include "check.h"

#include "base/arena.h"
#include "base/bytes.h"
#include "base/memory.h"
#include "base/text.h"

static void buffer_fails_past_its_maximum_and_says_so(void **state)
{
	(void)state;
	struct sr_buf buf = SR_BUF(10);
	sr_buf_append_str(&buf, "12345678");
	expect_ok(sr_buf_result(&buf));
	sr_buf_append_u32(&buf, 1);
	expect_code(sr_buf_result(&buf), SR_TOO_LARGE);
	assert_int_equal(buf.len, 8);
	sr_buf_append_str(&buf, "9");
	assert_int_equal(buf.len, 8); /* a failed buffer takes nothing more */
	sr_buf_reset(&buf);
	sr_buf_printf(&buf, "%d", 1234567890);
	expect_ok(sr_buf_result(&buf));
	assert_string_equal(sr_buf_text(&buf), "1234567890");
	sr_buf_free(&buf);
}

static void extending_by_nothing_is_no_failure(void **state)
{
	(void)state;
	struct sr_buf buf = SR_BUF(0);
	assert_non_null(sr_buf_extend(&buf, 0));
	expect_ok(sr_buf_result(&buf));
	assert_null(sr_buf_extend(&buf, 1));
	expect_code(sr_buf_result(&buf), SR_TOO_LARGE);
	sr_buf_free(&buf);
}

static void reader_yields_zeros_past_the_end_and_fails(void **state)
{
	(void)state;
	const uint8_t bytes[] = {0, 1, 2, 3, 4};
	struct sr_reader reader = sr_reader_of(sr_bytes_of(bytes, sizeof bytes));
	assert_int_equal(sr_reader_u16(&reader), 1);
	assert_int_equal(sr_reader_u64(&reader), 0);
	assert_int_equal(sr_reader_u8(&reader), 0);
	expect_code(sr_reader_finish(&reader, "message"), SR_PROTOCOL);
	reader = sr_reader_of(sr_bytes_of(bytes, sizeof bytes));
	assert_int_equal(sr_reader_u32(&reader), 0x00010203);
	expect_code(sr_reader_finish(&reader, "message"), SR_PROTOCOL); /* one byte is left over */
}

static void blocks_come_back_and_lying_lengths_fail(void **state)
{
	(void)state;
	struct sr_buf buf = SR_BUF(100);
	sr_buf_append_block(&buf, SR_LITERAL("block"));
	struct sr_reader reader = sr_reader_of(sr_buf_bytes(&buf));
	assert_true(sr_equal_public(sr_reader_block(&reader, 5), SR_LITERAL("block")));
	expect_ok(sr_reader_finish(&reader, "message"));
	reader = sr_reader_of(sr_buf_bytes(&buf));
	sr_reader_block(&reader, 4);
	expect_code(sr_reader_finish(&reader, "message"), SR_PROTOCOL);
	buf.data[0] = 0xff;
	reader = sr_reader_of(sr_buf_bytes(&buf));
	assert_int_equal(sr_reader_block(&reader, SIZE_MAX).len, 0);
	sr_buf_free(&buf);
}

static void zero_means_every_byte(void **state)
{
	(void)state;
	uint8_t bytes[4] = {0};
	assert_true(sr_bytes_are_zero(sr_bytes_of(bytes, sizeof bytes)));
	assert_true(sr_bytes_are_zero((struct sr_bytes){NULL, 0}));
	for (size_t i = 0; i < sizeof bytes; i++) {
		bytes[i] = 1;
		assert_false(sr_bytes_are_zero(sr_bytes_of(bytes, sizeof bytes)));
		bytes[i] = 0;
	}
}

static void base64_accepts_only_the_canonical_form(void **state)
{
	(void)state;
	static const char *const good[][2] = {
	    {"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYmFy", "foobar"}};
	static const char *const bad[] = {
	    "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z g=", "Zm9v\n", "Zm9v====", "=", "====", "Zm-_", "Zm9v=Zg="};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct sr_buf buf = SR_BUF(100);
		expect_ok(sr_base64_decode(sr_bytes_str(good[i][0]), &buf));
		assert_true(sr_equal_public(sr_buf_bytes(&buf), sr_bytes_str(good[i][1])));
		sr_buf_reset(&buf);
		sr_base64_encode(&buf, sr_bytes_str(good[i][1]));
		assert_string_equal(sr_buf_text(&buf), good[i][0]);
		sr_buf_free(&buf);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sr_buf buf = SR_BUF(100);
		expect_code(sr_base64_decode(sr_bytes_str(bad[i]), &buf), SR_INVALID);
		assert_int_equal(buf.len, 0);
		sr_buf_free(&buf);
	}
}

static void base64url_takes_missing_padding_but_no_wrong_one(void **state)
{
	(void)state;
	struct sr_buf buf = SR_BUF(100);
	expect_ok(sr_base64url_decode(SR_LITERAL("-_8"), &buf));
	expect_ok(sr_base64url_decode(SR_LITERAL("-_8="), &buf));
	expect_code(sr_base64url_decode(SR_LITERAL("-_8=="), &buf), SR_INVALID);
	expect_code(sr_base64url_decode(SR_LITERAL("+/8"), &buf), SR_INVALID);
	assert_int_equal(buf.len, 4);
	sr_buf_free(&buf);
}

static void numbers_are_strict_and_bounded(void **state)
{
	(void)state;
	uint64_t value = 7;
	expect_ok(sr_parse_u64(SR_LITERAL("18446744073709551615"), UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	value = 7;
	static const char *const bad[] = {
	    "", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999999"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		expect_code(sr_parse_u64(sr_bytes_str(bad[i]), UINT64_MAX, &value), SR_INVALID);
	}
	expect_code(sr_parse_u64(SR_LITERAL("11"), 10, &value), SR_INVALID);
	assert_int_equal(value, 7); /* untouched on failure */
}

static void utf8_refuses_overlong_surrogates_and_nul(void **state)
{
	(void)state;
	assert_true(sr_is_utf8(SR_LITERAL("pl\xc3\xa4in \xe2\x82\xac \xf0\x9f\x94\x91")));
	assert_false(sr_is_utf8(SR_LITERAL("\xc0\xaf")));
	assert_false(sr_is_utf8(SR_LITERAL("\xe0\x80\xaf")));
	assert_false(sr_is_utf8(SR_LITERAL("\xed\xa0\x80")));
	assert_false(sr_is_utf8(SR_LITERAL("\xf4\x90\x80\x80")));
	assert_false(sr_is_utf8(SR_LITERAL("\xc3")));
	assert_false(sr_is_utf8(SR_LITERAL("a\0b")));
}

static void identifiers_are_strict_and_guids_are_version_4(void **state)
{
	(void)state;
	struct sr_id id = sr_id_random();
	struct sr_id back;
	char text[SR_ID_TEXT_LEN];
	sr_id_text(&id, text);
	expect_ok(sr_id_parse(sr_bytes_str(text), &back));
	assert_memory_equal(&id, &back, sizeof id);
	expect_code(sr_id_parse(SR_LITERAL("ABCDEF00000000000000000000000000"), &back), SR_INVALID);
	expect_code(sr_id_parse(SR_LITERAL("00"), &back), SR_INVALID);
	char guid[SR_GUID_TEXT_LEN];
	sr_guid_text(&id, guid);
	assert_true(sr_is_guid(sr_bytes_str(guid)));
	assert_int_equal(guid[14], '4');
	assert_non_null(strchr("89ab", guid[19]));
	assert_false(sr_is_guid(SR_LITERAL("00000000-0000-0000-0000-00000000000g")));
}

static void arena_wipes_what_it_handed_out(void **state)
{
	(void)state;
	struct sr_arena *arena = sr_arena_new();
	char *text = sr_arena_strdup(arena, "a token");
	char *large = sr_arena_alloc(arena, 100000);
	assert_int_equal(large[99999], 0);
	sr_arena_reset(arena);
	assert_int_equal(text[0], 0); /* the first block stays, empty */
	assert_int_equal(sr_arena_alloc(arena, 8) == text, 1);
	sr_arena_free(arena);
}

static void first_error_is_kept_and_the_other_freed(void **state)
{
	(void)state;
	struct sr_result kept = sr_first_error(sr_fail(SR_RANGE, "first"), sr_fail(SR_IO, "second"));
	assert_string_equal(sr_result_message(kept), "first");
	expect_code(kept, SR_RANGE);
	expect_code(sr_first_error(sr_ok(), sr_fail(SR_IO, "second")), SR_IO);
	expect_ok(sr_first_error(sr_ok(), sr_ok()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buffer_fails_past_its_maximum_and_says_so),
	    cmocka_unit_test(extending_by_nothing_is_no_failure),
	    cmocka_unit_test(reader_yields_zeros_past_the_end_and_fails),
	    cmocka_unit_test(blocks_come_back_and_lying_lengths_fail),
	    cmocka_unit_test(zero_means_every_byte),
	    cmocka_unit_test(base64_accepts_only_the_canonical_form),
	    cmocka_unit_test(base64url_takes_missing_padding_but_no_wrong_one),
	    cmocka_unit_test(numbers_are_strict_and_bounded),
	    cmocka_unit_test(utf8_refuses_overlong_surrogates_and_nul),
	    cmocka_unit_test(identifiers_are_strict_and_guids_are_version_4),
	    cmocka_unit_test(arena_wipes_what_it_handed_out),
	    cmocka_unit_test(first_error_is_kept_and_the_other_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
