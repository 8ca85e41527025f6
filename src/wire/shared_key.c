/*
 * What Shared Key and Shared Key Lite sign of a request to the Blob service (versions since 2015-02-21). Not here: the
 * HMAC (seal), the account's keys and the clock's skew (blob), and shared access signatures.
 */
#include "wire/shared_key.h"

#include "wire/credentials.h"

#include <stdlib.h>
#include <string.h>

/* A header to be signed: its value trimmed, and where it stood, so that repetitions keep their order. */
struct entry {
	struct sr_bytes name;
	struct sr_bytes value;
	size_t position;
};

static struct sr_bytes trimmed(const char *text)
{
	struct sr_bytes bytes = sr_bytes_str(text);
	while (bytes.len && (bytes.data[0] == ' ' || bytes.data[0] == '\t')) {
		bytes = sr_bytes_of(bytes.data + 1, bytes.len - 1);
	}
	while (bytes.len && (bytes.data[bytes.len - 1] == ' ' || bytes.data[bytes.len - 1] == '\t')) {
		bytes.len--;
	}
	return bytes;
}

/*
 * Weight of a character in the service's order, which is .NET's for en-US: 0 passes it over ('-' and '\'').
 * Signs come before digits, digits before letters; among signs the order is not ASCII's.
 */
static size_t weight_of(uint8_t character)
{
	static const char order[] = "!#$%&*.^_`|~+0123456789abcdefghijklmnopqrstuvwxyz";
	const char *at = character ? strchr(order, character) : NULL;
	return at ? (size_t)(at - order) + 1 : 0;
}

/* The weight of the next character that has one, 0 at the end. */
static size_t next_weight(struct sr_bytes text, size_t *at)
{
	size_t weight = 0;
	while (*at < text.len && !weight) {
		weight = weight_of(text.data[(*at)++]);
	}
	return weight;
}

/* Names that differ only in characters that are passed over: where they first differ, the one that goes on without such
 * a character is first. */
static int compare_passed_over(struct sr_bytes a, struct sr_bytes b)
{
	size_t i = 0;
	while (i < a.len && i < b.len && a.data[i] == b.data[i]) {
		i++;
	}
	bool a_has_one = i < a.len && weight_of(a.data[i]) == 0;
	bool b_has_one = i < b.len && weight_of(b.data[i]) == 0;
	if (a_has_one && b_has_one) {
		return a.data[i] < b.data[i] ? -1 : 1;
	}
	return (int)a_has_one - (int)b_has_one;
}

static int compare_names(struct sr_bytes a, struct sr_bytes b)
{
	size_t i = 0;
	size_t j = 0;
	size_t weight_a;
	size_t weight_b;
	do {
		weight_a = next_weight(a, &i);
		weight_b = next_weight(b, &j);
		if (weight_a != weight_b) {
			return weight_a < weight_b ? -1 : 1;
		}
	} while (weight_a);
	return compare_passed_over(a, b);
}

static int compare_positions(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_headers(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int by_name = compare_names(x->name, y->name);
	return by_name ? by_name : compare_positions(x->position, y->position);
}

/* Parameters go by their lowercase names in byte order, repetitions by their values. */
static int compare_bytes(struct sr_bytes a, struct sr_bytes b)
{
	size_t i = 0;
	while (i < a.len && i < b.len && a.data[i] == b.data[i]) {
		i++;
	}
	if (i < a.len && i < b.len) {
		return a.data[i] < b.data[i] ? -1 : 1;
	}
	return compare_positions(a.len, b.len);
}

static int compare_parameters(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int by_name = compare_bytes(x->name, y->name);
	return by_name ? by_name : compare_bytes(x->value, y->value);
}

/* Appends "before NAME:VALUE[,VALUE] after" for each name of sorted entries. */
static void append_entries(struct sr_buf *to, const struct entry *entries, size_t count, const char *before,
                           const char *after)
{
	for (size_t i = 0; i < count; i++) {
		if (i && sr_equal_public(entries[i].name, entries[i - 1].name)) {
			sr_buf_append_str(to, ",");
		} else {
			sr_buf_append_str(to, i ? after : "");
			sr_buf_append_str(to, before);
			sr_buf_append(to, entries[i].name);
			sr_buf_append_str(to, ":");
		}
		sr_buf_append(to, entries[i].value);
	}
	sr_buf_append_str(to, count ? after : "");
}

/* CanonicalizedHeaders: each x-ms-* header and a line feed, sorted. */
static void append_headers(struct sr_arena *arena, const struct sr_signed_request *request, struct sr_buf *to)
{
	struct entry *entries = sr_arena_alloc(arena, request->header_count * sizeof *entries);
	size_t count = 0;
	for (size_t i = 0; i < request->header_count; i++) {
		struct sr_bytes name = sr_bytes_str(request->headers[i].name);
		if (sr_bytes_start_with(name, SR_LITERAL("x-ms-"))) {
			entries[count++] = (struct entry){name, trimmed(request->headers[i].value), i};
		}
	}
	qsort(entries, count, sizeof *entries, compare_headers);
	append_entries(to, entries, count, "", "\n");
}

/* The names in lowercase, as they are signed. */
static struct sr_bytes lowercase(struct sr_arena *arena, struct sr_bytes text)
{
	char *copy = sr_arena_text(arena, text);
	for (size_t i = 0; i < text.len; i++) {
		copy[i] = (char)(copy[i] >= 'A' && copy[i] <= 'Z' ? copy[i] | 0x20 : copy[i]);
	}
	return sr_bytes_of(copy, text.len);
}

/* CanonicalizedResource: account and path as sent, then a line for each parameter. */
static void append_resource(struct sr_arena *arena, const struct sr_signed_request *request, struct sr_buf *to)
{
	sr_buf_printf(to, "/%s", request->account);
	sr_buf_append(to, request->path);
	size_t count = request->query->count;
	struct entry *entries = sr_arena_alloc(arena, count * sizeof *entries);
	for (size_t i = 0; i < count; i++) {
		const struct sr_parameter *parameter = &request->query->items[i];
		entries[i] = (struct entry){lowercase(arena, parameter->name), parameter->value, i};
	}
	qsort(entries, count, sizeof *entries, compare_parameters);
	append_entries(to, entries, count, "\n", "");
}

/* Lite's resource knows one parameter only. */
static void append_lite_resource(const struct sr_signed_request *request, struct sr_buf *to)
{
	sr_buf_printf(to, "/%s", request->account);
	sr_buf_append(to, request->path);
	const char *comp = sr_parameter_get(request->query, "comp");
	if (comp) {
		sr_buf_printf(to, "?comp=%s", comp);
	}
}

static const char *header_of(const struct sr_signed_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (strcmp(request->headers[i].name, name) == 0) {
			return request->headers[i].value;
		}
	}
	return NULL;
}

/* A standard header as it is signed: a length of 0 counts as none, and so does Date beside x-ms-date. */
static struct sr_bytes signed_value(const struct sr_signed_request *request, const char *name)
{
	const struct sr_bytes nothing = {0};
	struct sr_bytes value = trimmed(header_of(request, name));
	bool is_no_length = strcmp(name, "content-length") == 0 && sr_equal_public(value, SR_LITERAL("0"));
	bool is_superseded = strcmp(name, "date") == 0 && header_of(request, "x-ms-date");
	return is_no_length || is_superseded ? nothing : value;
}

void sr_shared_key_string(struct sr_arena *arena, const struct sr_signed_request *request, bool lite,
                          struct sr_buf *string_to_sign)
{
	/* In the documentation's order. The JavaScript SDK puts language before encoding, which shows only where a request
	 * bears one of the two itself; its Blob requests carry x-ms-blob-content-encoding instead. */
	static const char *const full_headers[] = {
	    "content-encoding",  "content-language", "content-length", "content-md5",         "content-type", "date",
	    "if-modified-since", "if-match",         "if-none-match",  "if-unmodified-since", "range",        NULL};
	static const char *const lite_headers[] = {"content-md5", "content-type", "date", NULL};

	sr_buf_printf(string_to_sign, "%s\n", request->method);
	for (const char *const *name = lite ? lite_headers : full_headers; *name; name++) {
		sr_buf_append(string_to_sign, signed_value(request, *name));
		sr_buf_append_str(string_to_sign, "\n");
	}
	append_headers(arena, request, string_to_sign);
	if (lite) {
		append_lite_resource(request, string_to_sign);
	} else {
		append_resource(arena, request, string_to_sign);
	}
}

struct sr_result sr_shared_key_parse(struct sr_arena *arena, const char *authorization, bool *ret_lite,
                                     const char **ret_account, struct sr_bytes *ret_signature)
{
	struct sr_bytes full = sr_bytes_str(sr_credentials(authorization, "SharedKey"));
	struct sr_bytes lite = sr_bytes_str(sr_credentials(authorization, "SharedKeyLite"));
	struct sr_bytes credentials = full.len ? full : lite;
	const uint8_t *colon = credentials.len ? memchr(credentials.data, ':', credentials.len) : NULL;
	size_t account_len = colon ? (size_t)(colon - credentials.data) : 0;
	if (account_len == 0 || account_len + 1 == credentials.len) {
		return sr_fail(SR_INVALID, "authorization is not of the form \"SharedKey account:signature\"");
	}
	*ret_lite = lite.len > 0;
	*ret_account = sr_arena_text(arena, sr_bytes_of(credentials.data, account_len));
	*ret_signature = sr_arena_copy(arena, sr_bytes_of(colon + 1, credentials.len - account_len - 1));
	return sr_ok();
}
