/* Shared Key: a request made of the input's lines signs the same whatever the order of its headers. */
#include "wire/shared_key.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { HEADERS_MAX = 32 };

/* Cuts a line off the front as text; "" at the end. */
static char *next_line(struct sr_arena *arena, struct sr_bytes *left)
{
	const uint8_t *end = left->len ? memchr(left->data, '\n', left->len) : NULL;
	size_t line_len = end ? (size_t)(end - left->data) : left->len;
	char *line = sr_arena_text(arena, sr_bytes_of(left->data, line_len));
	size_t passed = end ? line_len + 1 : line_len;
	*left = sr_bytes_of(left->data + passed, left->len - passed);
	return line;
}

/* "name:value" lines; repeated names are left out, since their order is meant to count. */
static size_t headers_of(struct sr_arena *arena, struct sr_bytes *left, struct sr_signed_header headers[HEADERS_MAX])
{
	size_t count = 0;
	while (left->len && count < HEADERS_MAX) {
		char *name = next_line(arena, left);
		char *colon = strchr(name, ':');
		if (colon) {
			*colon = 0;
		}
		bool is_repeated = false;
		for (size_t i = 0; i < count; i++) {
			is_repeated = is_repeated || strcmp(headers[i].name, name) == 0;
		}
		if (!is_repeated) {
			headers[count++] = (struct sr_signed_header){name, colon ? colon + 1 : ""};
		}
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_bytes left = sr_bytes_of(data, len);
	bool is_lite = false;
	const char *account = "account";
	struct sr_bytes signature;
	sr_ignore(sr_shared_key_parse(arena, next_line(arena, &left), &is_lite, &account, &signature));
	struct sr_bytes path = sr_bytes_str(next_line(arena, &left));
	struct sr_parameters query = {0};
	sr_ignore(sr_parameters_parse(arena, sr_bytes_str(next_line(arena, &left)), false, &query));
	struct sr_signed_header headers[HEADERS_MAX];
	struct sr_signed_header reversed[HEADERS_MAX];
	size_t count = headers_of(arena, &left, headers);
	for (size_t i = 0; i < count; i++) {
		reversed[i] = headers[count - 1 - i];
	}
	struct sr_signed_request request = {"GET", path, &query, headers, count, account};
	struct sr_signed_request other_order = {"GET", path, &query, reversed, count, account};
	SR_CLEANUP(sr_buf) struct sr_buf first = SR_BUF(64 << 20);
	SR_CLEANUP(sr_buf) struct sr_buf second = SR_BUF(64 << 20);
	sr_shared_key_string(arena, &request, is_lite, &first);
	sr_shared_key_string(arena, &other_order, is_lite, &second);
	if (first.failed || !sr_equal_public(sr_buf_bytes(&first), sr_buf_bytes(&second))) {
		abort();
	}
	return 0;
}
