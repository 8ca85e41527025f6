/* The chunked coding, however its bytes are cut, and what is none. */
#include "check.h"

#include "net/chunked.h"

/* Decodes `text` fed in pieces of `step` bytes; the code, with what was body and what was left over. */
static int decode(const char *text, size_t step, char *body, size_t *ret_left)
{
	struct sr_chunked chunked;
	sr_chunked_init(&chunked);
	size_t len = strlen(text);
	size_t at = 0;
	body[0] = '\0';
	while (at < len && !sr_chunked_is_done(&chunked)) {
		size_t window = step < len - at ? step : len - at;
		size_t used = 0;
		struct sr_bytes data = {0};
		SR_CLEANUP(sr_result)
		struct sr_result result = sr_chunked_next(&chunked, sr_bytes_of(text + at, window), &used, &data);
		if (!sr_is_ok(result)) {
			return (int)sr_result_code(result);
		}
		if (data.len > 0) {
			strncat(body, (const char *)data.data, data.len);
		}
		at += used;
	}
	*ret_left = len - at;
	return sr_chunked_is_done(&chunked) ? 0 : -1;
}

static void test_bodies_decode_however_they_are_cut(void **state)
{
	(void)state;
	static const char text[] = "5\r\nhello\r\n001;a=\"b\"\r\n,\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET /next";
	for (size_t step = 1; step < sizeof text; step++) {
		char body[64];
		size_t left = 0;
		assert_int_equal(decode(text, step, body, &left), 0);
		assert_string_equal(body, "hello,0123456789");
		assert_int_equal(left, strlen("GET /next"));
	}
}

static void test_malformed_chunks_are_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
	    "\r\n",     "g\r\n",           ";\r\n",        " 5\r\nhello\r\n", "0x5\r\nhello",          "-1\r\n",
	    "5\nhello", "5\r\nhello0\r\n", "5\r\nhello\n", "5\r\nhello\rX",   "FFFFFFFFFFFFFFFFF\r\n", "5\rhello",
	    "0\r\n\n",  "0\r\nA: b\n\r\n", "0\r\n\rX",     "5;\x01\r\nhello", "8000000000000000\r\n",  "5 6\r\n",
	    "5 \r\n",
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t step = 1; step < 8; step++) {
			char body[64];
			size_t left = 0;
			int code = decode(cases[i], step, body, &left);
			if (code != SR_PROTOCOL) {
				fail_msg("case %zu gave %d in steps of %zu", i, code, step);
			}
		}
	}
}

static void test_endless_extensions_and_trailers_are_refused(void **state)
{
	(void)state;
	char body[64];
	size_t left = 0;
	char text[20000] = "5;";
	memset(text + 2, 'a', 300);
	assert_int_equal(decode(text, sizeof text, body, &left), SR_PROTOCOL);
	strcpy(text, "0\r\n");
	for (size_t i = 0; i < 1500; i++) {
		strcat(text, "Abc: d\r\n");
	}
	assert_int_equal(decode(text, sizeof text, body, &left), SR_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bodies_decode_however_they_are_cut),
	    cmocka_unit_test(test_malformed_chunks_are_refused),
	    cmocka_unit_test(test_endless_extensions_and_trailers_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
