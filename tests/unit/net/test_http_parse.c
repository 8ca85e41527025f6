/* What is a request's head and what is not: the grammar, and the framings that two readers could see differently. */
#include "check.h"

#include "net/http_parse.h"

/* 0 for a good head, -1 for one that never ends, else the code. */
static int judge(const char *text, size_t len, struct sr_http_head *head)
{
	static uint8_t data[65536];
	assert_true(len <= sizeof data);
	memcpy(data, text, len);
	size_t scanned = 0;
	size_t head_len = 0;
	SR_CLEANUP(sr_result)
	struct sr_result found = sr_http_find_head_end(sr_bytes_of(data, len), &scanned, &head_len);
	if (!sr_is_ok(found)) {
		return (int)sr_result_code(found);
	}
	if (head_len == 0) {
		return -1;
	}
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_http_parse_request(data, head_len, head);
	return (int)sr_result_code(parsed);
}

#define CASE(text, code)                \
	{                                   \
		"" text, sizeof(text) - 1, code \
	}
#define HOST "Host: h\r\n"

static const struct {
	const char *text;
	size_t len;
	int code;
} cases[] = {
    CASE("GET / HTTP/1.1\r\n" HOST "\r\n", 0),
    CASE("\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 0),
    CASE("GET / HTTP/1.0\r\n\r\n", 0),
    CASE("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0),
    CASE("GET /%00%0d?a=b&c HTTP/1.1\r\n" HOST "X: \r\nY:z\r\n\r\n", 0),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775807\r\n\r\n", 0),
    CASE("GET / HTTP/1.1\r\n" HOST, -1),
    CASE("GET / HTTP/1.1\r\n" HOST "\r", -1),
    CASE("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST HOST "\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\n" HOST "\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST "X: a\nY: b\r\n\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST "X: a\rY: b\r\n\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST "X: a\x01"
         "b\r\n\r\n",
         SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST "X: a\r\n folded\r\n\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1\r\n" HOST "X(y): a\r\n\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/2.0\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.2\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.10\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("GET /\r\n\r\n", SR_PROTOCOL),
    CASE("GET  / HTTP/1.1\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("GET / HTTP/1.1 \r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("GET / x HTTP/1.1\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("get / HTTP/1.1\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("FROB / HTTP/1.1\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("CONNECT h:443 HTTP/1.1\r\n" HOST "\r\n", SR_PROTOCOL),
    CASE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", SR_PROTOCOL),
    CASE("HTTP/1.1 200 OK\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\ncontent-length: 2\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: 1 2\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\n", SR_INVALID),
    CASE("POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", SR_INVALID),
    CASE("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
         "chunked\r\n\r\n",
         SR_PROTOCOL),
    CASE("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n", SR_PROTOCOL),
    CASE("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", SR_PROTOCOL),
};

static void test_malformed_and_ambiguous_heads_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sr_http_head head;
		int code = judge(cases[i].text, cases[i].len, &head);
		/* A length that is no number is refused by whichever of the two checks sees it first. */
		bool is_length = (cases[i].code == SR_INVALID || cases[i].code == SR_PROTOCOL) &&
		                 strstr(cases[i].text, "Content-Length") && (code == SR_INVALID || code == SR_PROTOCOL);
		if (code != cases[i].code && !is_length) {
			fail_msg("case %zu gave %d, not %d: %s", i, code, cases[i].code, cases[i].text);
		}
	}
}

static void test_a_head_says_what_was_sent(void **state)
{
	(void)state;
	static const char text[] =
	    "PUT /a%20b?c=d HTTP/1.1\r\nHost: h\r\nX-Mixed: \t v w \r\nEmpty:\r\nContent-Length: 12\r\n"
	    "Connection: x, Close\r\nExpect: 100-continue\r\n\r\n";
	struct sr_http_head head;
	assert_int_equal(judge(text, sizeof text - 1, &head), 0);
	assert_string_equal(head.method, "PUT");
	assert_memory_equal(head.target.data, "/a%20b?c=d", head.target.len);
	assert_int_equal(head.header_count, 6);
	assert_string_equal(head.headers[1].name, "x-mixed");
	assert_string_equal(head.headers[1].value, "v w");
	assert_string_equal(head.headers[2].value, "");
	assert_int_equal(head.body_len, 12);
	assert_true(head.wants_close);
	assert_true(head.expects_continue);
}

static void test_a_head_is_found_however_it_is_cut(void **state)
{
	(void)state;
	static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\nrest";
	for (size_t first = 0; first < sizeof text - 1; first++) {
		size_t scanned = 0;
		size_t len = 0;
		expect_ok(sr_http_find_head_end(sr_bytes_of(text, first), &scanned, &len));
		if (len == 0) {
			expect_ok(sr_http_find_head_end(sr_bytes_of(text, sizeof text - 1), &scanned, &len));
		}
		assert_int_equal(len, sizeof text - 1 - 4);
	}
}

static void test_too_many_headers_and_too_long_targets_are_told_apart(void **state)
{
	(void)state;
	struct sr_http_head head;
	char text[32768] = "GET / HTTP/1.1\r\n" HOST;
	for (int i = 0; i < SR_HTTP_HEADERS_MAX; i++) {
		strcat(text, "A: b\r\n");
	}
	strcat(text, "\r\n");
	assert_int_equal(judge(text, strlen(text), &head), SR_TOO_LARGE);
	memset(text, 'a', sizeof text);
	memcpy(text, "GET /", 5);
	strcpy(text + 5 + SR_HTTP_TARGET_MAX, " HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(judge(text, strlen(text), &head), SR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_malformed_and_ambiguous_heads_are_refused),
	    cmocka_unit_test(test_a_head_says_what_was_sent),
	    cmocka_unit_test(test_a_head_is_found_however_it_is_cut),
	    cmocka_unit_test(test_too_many_headers_and_too_long_targets_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
