/*
 * JSON through jansson: its limits, and typed access with errors that name the member. Not here: the shapes of any
 * protocol. Requests carry secrets in JSON (an imported key, a secret's value), so what jansson frees is wiped.
 */
#include "wire/json.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

static void wipe_and_free(void *block)
{
	if (block) {
		explicit_bzero(block, malloc_usable_size(block));
		sr_free(block);
	}
}

/* Before main, since neither may change while another thread uses jansson. The seed keeps members' names, which clients
 * choose, from being made to collide in its hash tables; 0 would have jansson look for a seed by itself. */
__attribute__((constructor)) static void set_up_jansson(void)
{
	json_set_alloc_funcs(sr_try_alloc, wipe_and_free);
	json_object_seed((size_t)sr_random_u64() | 1);
}

void sr_json_cleanup(json_t **value)
{
	json_decref(*value);
	*value = NULL;
}

/* True unless arrays and objects nest deeper than DEPTH_MAX; asked before jansson, which recurses. Brackets in strings
 * are no nesting. */
static bool is_shallow(struct sr_bytes text)
{
	bool in_string = false;
	size_t depth = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t at = text.data[i];
		if (in_string) {
			i += at == '\\';
			in_string = at != '"';
		} else if (at == '"') {
			in_string = true;
		} else if (at == '{' || at == '[') {
			if (++depth > DEPTH_MAX) {
				return false;
			}
		} else if ((at == '}' || at == ']') && depth) {
			depth--;
		}
	}
	return true;
}

struct sr_result sr_json_parse(struct sr_bytes text, json_t **ret_value)
{
	if (!is_shallow(text)) {
		return sr_fail(SR_INVALID, "JSON nests deeper than %d", DEPTH_MAX);
	}
	json_error_t error;
	json_t *value = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!value && json_error_code(&error) == json_error_out_of_memory) {
		return sr_fail(SR_NO_MEMORY, "no memory for a JSON document of %zu bytes", text.len);
	}
	if (!value) {
		/* jansson's own text quotes the input, which may be a secret. */
		bool is_duplicate = json_error_code(&error) == json_error_duplicate_key;
		return sr_fail(SR_INVALID, "%s at line %d, column %d", is_duplicate ? "JSON repeats a name" : "not JSON",
		               error.line, error.column);
	}
	*ret_value = value;
	return sr_ok();
}

static int append_piece(const char *piece, size_t len, void *context)
{
	struct sr_buf *text = context;
	sr_buf_append(text, sr_bytes_of(piece, len));
	return text->failed ? -1 : 0;
}

struct sr_result sr_json_write(const json_t *value, struct sr_buf *text)
{
	int outcome = json_dump_callback(value, append_piece, text, JSON_COMPACT | JSON_ENCODE_ANY);
	SR_TRY(sr_buf_result(text));
	return outcome ? sr_fail(SR_INTERNAL, "a JSON value does not write") : sr_ok();
}

/* A set of jansson's types, and how people call it. */
struct kind {
	unsigned types;
	const char *text;
};
static const struct kind a_string = {1U << JSON_STRING, "a string"};
static const struct kind an_integer = {1U << JSON_INTEGER, "an integer"};
static const struct kind a_boolean = {1U << JSON_TRUE | 1U << JSON_FALSE, "true or false"};
static const struct kind an_object = {1U << JSON_OBJECT, "an object"};
static const struct kind an_array = {1U << JSON_ARRAY, "an array"};

/* The member, or NULL where it is absent or null; SR_INVALID if it is of another kind. */
static struct sr_result find_member(const json_t *object, const char *name, const struct kind *kind,
                                    const json_t **ret_member)
{
	if (!json_is_object(object)) {
		return sr_fail(SR_INVALID, "expected an object with a member '%s', found another JSON value", name);
	}
	const json_t *member = json_object_get(object, name);
	if (json_is_null(member)) {
		member = NULL;
	}
	if (member && !(kind->types >> json_typeof(member) & 1)) {
		return sr_fail(SR_INVALID, "member '%s' is not %s", name, kind->text);
	}
	*ret_member = member;
	return sr_ok();
}

struct sr_result sr_json_get_string(const json_t *object, const char *name, const char **ret_text)
{
	const json_t *member = NULL;
	SR_TRY(find_member(object, name, &a_string, &member));
	if (member) {
		*ret_text = json_string_value(member);
	}
	return sr_ok();
}

struct sr_result sr_json_get_int(const json_t *object, const char *name, int64_t *ret_value)
{
	const json_t *member = NULL;
	SR_TRY(find_member(object, name, &an_integer, &member));
	if (member) {
		*ret_value = json_integer_value(member);
	}
	return sr_ok();
}

struct sr_result sr_json_get_bool(const json_t *object, const char *name, bool *ret_value)
{
	const json_t *member = NULL;
	SR_TRY(find_member(object, name, &a_boolean, &member));
	if (member) {
		*ret_value = json_is_true(member);
	}
	return sr_ok();
}

static struct sr_result get_container(const json_t *object, const char *name, const struct kind *kind,
                                      const json_t **ret_value)
{
	const json_t *member = NULL;
	SR_TRY(find_member(object, name, kind, &member));
	if (member) {
		*ret_value = member;
	}
	return sr_ok();
}

struct sr_result sr_json_get_object(const json_t *object, const char *name, const json_t **ret_value)
{
	return get_container(object, name, &an_object, ret_value);
}

struct sr_result sr_json_get_array(const json_t *object, const char *name, const json_t **ret_value)
{
	return get_container(object, name, &an_array, ret_value);
}

struct sr_result sr_json_get_base64url(struct sr_arena *arena, const json_t *object, const char *name,
                                       struct sr_bytes *ret_bytes)
{
	const json_t *member = NULL;
	SR_TRY(find_member(object, name, &a_string, &member));
	if (!member) {
		return sr_ok();
	}
	struct sr_bytes text = sr_bytes_of(json_string_value(member), json_string_length(member));
	/* A buffer over the arena's memory, which is wiped: full size at once, so it never grows and is never freed. */
	size_t room = text.len / 4 * 3 + 3;
	struct sr_buf decoded = {.data = sr_arena_alloc(arena, room + 1), .cap = room, .max = room};
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_base64url_decode(text, &decoded);
	if (!sr_is_ok(outcome)) {
		return sr_fail(SR_INVALID, "member '%s' is not base64url", name);
	}
	*ret_bytes = sr_buf_bytes(&decoded);
	return sr_ok();
}

void sr_json_set(json_t *object, const char *name, json_t *value)
{
	if (!value || json_object_set_new(object, name, value)) {
		fputs("strongroom: a JSON member cannot be set: out of memory, or a name that is not UTF-8\n", stderr);
		abort();
	}
}

/* What came from elsewhere may not be UTF-8: then everything past ASCII becomes '?', so that an answer still goes out.
 */
static json_t *string_of(const char *text)
{
	struct sr_bytes bytes = sr_bytes_str(text);
	if (sr_is_utf8(bytes)) {
		return json_stringn_nocheck(text, bytes.len);
	}
	SR_CLEANUP(sr_string) char *readable = sr_strdup(text);
	for (char *at = readable; *at; at++) {
		*at = *at & 0x80 ? '?' : *at;
	}
	return json_string(readable);
}

void sr_json_set_string(json_t *object, const char *name, const char *text)
{
	if (text) {
		sr_json_set(object, name, string_of(text));
	}
}

void sr_json_set_int(json_t *object, const char *name, int64_t value)
{
	sr_json_set(object, name, json_integer(value));
}

void sr_json_set_bool(json_t *object, const char *name, bool value)
{
	sr_json_set(object, name, json_boolean(value));
}

void sr_json_set_base64url(json_t *object, const char *name, struct sr_bytes bytes)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	size_t room = bytes.len / 3 * 4 + 4;
	struct sr_buf text = {.data = sr_arena_alloc(arena, room + 1), .cap = room, .max = room};
	sr_base64url_encode(&text, bytes);
	sr_json_set(object, name, json_stringn_nocheck((const char *)text.data, text.len));
}
