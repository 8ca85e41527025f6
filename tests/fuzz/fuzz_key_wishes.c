/* What clients say about keys in JSON: attributes, operations, tags, rotation policies. What is taken keeps the rules.
 */
#include "vault/key_json.h"
#include "vault/rotation_policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_applied(const struct sr_key_wishes *wishes, enum sr_key_type type)
{
	struct sr_key_record key = {
	    .state = {.is_enabled = true,
	              .nbf = SR_NO_TIME,
	              .exp = SR_NO_TIME,
	              .operations = sr_key_default_operations(type),
	              .spec = {.type = type}},
	};
	SR_CLEANUP(sr_result) struct sr_result applied = sr_key_wishes_apply(wishes, &key);
	if (sr_is_ok(applied)) {
		require((key.state.operations & ~sr_key_possible_operations(type)) == 0);
		require(key.state.nbf == SR_NO_TIME || key.state.exp == SR_NO_TIME || key.state.nbf < key.state.exp);
		require(key.state.exp == SR_NO_TIME || key.state.exp >= 0);
	}
}

static void check_tags(const char *tags)
{
	SR_CLEANUP(sr_json) json_t *value = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_json_parse(sr_bytes_str(tags), &value);
	require(sr_is_ok(parsed) && json_is_object(value) && json_object_size(value) <= 15);
}

static void check_wishes(struct sr_arena *arena, const json_t *body)
{
	struct sr_key_wishes wishes;
	SR_CLEANUP(sr_result)
	struct sr_result read = sr_key_wishes_read(arena, body, json_object_get(body, "key_ops"), &wishes);
	if (!sr_is_ok(read)) {
		return;
	}
	check_applied(&wishes, SR_KEY_RSA);
	check_applied(&wishes, SR_KEY_EC);
	check_applied(&wishes, SR_KEY_OCT);
	if (wishes.has_tags) {
		check_tags(wishes.tags);
	}
}

/* A policy that was taken is taken again as it is kept. */
static void check_policy(const json_t *body)
{
	SR_CLEANUP(sr_json) json_t *policy = NULL;
	SR_CLEANUP(sr_json) json_t *again = NULL;
	SR_CLEANUP(sr_result) struct sr_result read = sr_rotation_policy_read(body, &policy);
	if (!sr_is_ok(read)) {
		return;
	}
	SR_CLEANUP(sr_result) struct sr_result reread = sr_rotation_policy_read(policy, &again);
	require(sr_is_ok(reread) && json_equal(policy, again));
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
	SR_CLEANUP(sr_result) struct sr_result written = sr_json_write(policy, &text);
	int64_t end = 0;
	SR_CLEANUP(sr_result) struct sr_result ended = sr_rotation_policy_end(sr_buf_text(&text), 1700000000, &end);
	require(sr_is_ok(written) && sr_is_ok(ended) && (end == SR_NO_TIME || end > 1700000000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_json) json_t *body = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_json_parse(sr_bytes_of(data, len), &body);
	if (!sr_is_ok(parsed)) {
		return 0;
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	check_wishes(arena, body);
	check_policy(body);
	return 0;
}
