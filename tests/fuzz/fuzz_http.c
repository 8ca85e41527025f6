/*
 * Fuzzes what reads a client's bytes before anything else: the head's end, the head, the chunked coding. Whatever comes
 * in, results lie within the input, and cutting the input elsewhere changes nothing.
 */
#include "net/chunked.h"
#include "net/http_parse.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

static bool lies_within(const void *at, size_t len, const uint8_t *data, size_t data_len)
{
	const uint8_t *start = at;
	return start >= data && len <= data_len && (size_t)(start - data) <= data_len - len;
}

static void check_head(const struct sr_http_head *head, const uint8_t *data, size_t len)
{
	require(head->body_len >= -1 && head->header_count <= SR_HTTP_HEADERS_MAX);
	require(head->body_len <= 0 || head->has_body_len);
	for (size_t i = 0; i < head->header_count; i++) {
		const struct sr_http_header *header = &head->headers[i];
		require(lies_within(header->name, header->name_len + 1U, data, len));
		require(lies_within(header->value, header->value_len + 1U, data, len));
		require(strlen(header->name) == header->name_len && header->name_len > 0);
		require(strlen(header->value) == header->value_len && !strpbrk(header->value, "\r\n"));
	}
}

/* The length of the head, found with `step` bytes more each time; 0 if there is none or it is refused. */
static size_t find_head(const uint8_t *data, size_t len, size_t step)
{
	size_t scanned = 0;
	for (size_t arrived = step < len ? step : len;; arrived = step < len - arrived ? arrived + step : len) {
		size_t head_len = 0;
		struct sr_result result = sr_http_find_head_end(sr_bytes_of(data, arrived), &scanned, &head_len);
		bool is_over = !sr_is_ok(result) || head_len > 0 || arrived == len;
		sr_result_free(result);
		require(head_len <= arrived);
		if (is_over) {
			return head_len;
		}
	}
}

static void fuzz_head(const uint8_t *data, size_t len, bool is_request)
{
	size_t head_len = find_head(data, len, len);
	require(find_head(data, len, 1) == head_len);
	if (head_len == 0) {
		return;
	}
	uint8_t *copy = malloc(head_len); /* exactly as long, so that a sanitizer sees each step past it */
	struct sr_http_head *head = malloc(sizeof *head);
	memcpy(copy, data, head_len);
	struct sr_result result =
	    is_request ? sr_http_parse_request(copy, head_len, head) : sr_http_parse_response(copy, head_len, head);
	if (sr_is_ok(result)) {
		check_head(head, copy, head_len);
		require(!is_request || lies_within(head->target.data, head->target.len, copy, head_len));
	}
	sr_result_free(result);
	free(head);
	free(copy);
}

/* Decodes in steps; a sum over the body's bytes, their number and the outcome. */
static uint64_t decode(const uint8_t *data, size_t len, size_t step)
{
	struct sr_chunked chunked;
	sr_chunked_init(&chunked);
	uint64_t sum = 0;
	for (size_t at = 0; at < len && !sr_chunked_is_done(&chunked);) {
		size_t used = 0;
		struct sr_bytes body = {0};
		struct sr_bytes window = sr_bytes_of(data + at, step < len - at ? step : len - at);
		struct sr_result result = sr_chunked_next(&chunked, window, &used, &body);
		bool is_bad = !sr_is_ok(result);
		sr_result_free(result);
		if (is_bad) {
			return UINT64_MAX;
		}
		require(used > 0 && used <= window.len);
		require(body.len == 0 || lies_within(body.data, body.len, window.data, window.len));
		for (size_t i = 0; i < body.len; i++) {
			sum = sum * 31 + body.data[i] + 1;
		}
		at += used;
	}
	return sum * 2 + sr_chunked_is_done(&chunked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 1) {
		return 0;
	}
	switch (data[0] % 3) {
	case 0:
		fuzz_head(data + 1, len - 1, true);
		break;
	case 1:
		fuzz_head(data + 1, len - 1, false);
		break;
	default:
		require(decode(data + 1, len - 1, len) == decode(data + 1, len - 1, 1));
	}
	return 0;
}
