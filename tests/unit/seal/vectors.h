/*
 * Reads test vectors: Wycheproof's from the shared folder, and our own known answers from
 * tests/vectors. A file that is missing or malformed fails the test.
 */
#ifndef SR_TEST_SEAL_VECTORS_H
#define SR_TEST_SEAL_VECTORS_H

#include "seal_init.h"

#include "base/text.h"

#include <jansson.h>

/* One hex member, decoded. */
struct hex {
	uint8_t *data;
	size_t len;
};

static inline void hex_cleanup(struct hex *hex)
{
	free(hex->data);
}

static inline struct sr_bytes hex_bytes(const struct hex *hex)
{
	return sr_bytes_of(hex->data, hex->len);
}

static inline struct hex hex_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	if (!text) {
		fail_msg("vector has no member %s", member);
	}
	struct hex hex = {.len = strlen(text) / 2};
	hex.data = malloc(hex.len + 1);
	expect_ok(sr_hex_decode(sr_bytes_str(text), hex.data, hex.len));
	return hex;
}

static inline json_t *load_json(const char *environment, const char *folder, const char *file)
{
	const char *root = getenv(environment);
	if (!root) {
		fail_msg("%s is not set: run the tests through meson", environment);
	}
	char path[1024];
	snprintf(path, sizeof path, "%s/%s%s", root, folder, file);
	json_error_t error;
	json_t *json = json_load_file(path, 0, &error);
	if (!json) {
		fail_msg("%s: %s", path, error.text);
	}
	return json;
}

/* Our own known answers; the caller frees with json_decref. */
static inline json_t *load_known(const char *file)
{
	return load_json("SR_VECTORS", "", file);
}

typedef void (*vector_test)(const json_t *group, const json_t *test, bool is_valid, void *context);

/*
 * Calls `each` for every test of one of Wycheproof's files whose result is "valid" or "invalid"; tests
 * marked "acceptable" are a matter of taste and are counted as `acceptable_is`. Gives how many there were.
 */
static inline unsigned for_each_vector(const char *file, bool acceptable_is, vector_test each, void *context)
{
	json_t *json = load_json("SR_SHARED", "vectors/", file);
	unsigned count = 0;
	size_t group_index;
	json_t *group;
	json_array_foreach(json_object_get(json, "testGroups"), group_index, group)
	{
		size_t test_index;
		json_t *test;
		json_array_foreach(json_object_get(group, "tests"), test_index, test)
		{
			const char *result = json_string_value(json_object_get(test, "result"));
			bool is_valid = strcmp(result, "acceptable") == 0 ? acceptable_is : strcmp(result, "valid") == 0;
			each(group, test, is_valid, context);
			count++;
		}
	}
	json_decref(json);
	assert_true(count > 0);
	return count;
}

static inline long long number_of(const json_t *test, const char *member)
{
	return json_integer_value(json_object_get(test, member));
}

/* Says which vector a check is about, as it fails. */
#define vector_check(test, statement)                                                  \
	do {                                                                               \
		if (!(statement)) {                                                            \
			fail_msg("vector %lld (%s): not so: %s", number_of(test, "tcId"),          \
			         json_string_value(json_object_get(test, "comment")), #statement); \
		}                                                                              \
	} while (0)

#endif
