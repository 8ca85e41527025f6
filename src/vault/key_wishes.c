/* Reading what clients say about keys: attributes, operations, tags, private JWKs. Declared in key_json.h. */
#include "vault/key_json.h"

#include <string.h>

/* Azure's limits on tags. */
enum { TAGS_MAX = 15, TAG_TEXT_MAX = 256 };
/* 9999-12-31T23:59:59Z */
#define TIME_MAX INT64_C(253402300799)

static struct sr_result read_time(const json_t *attributes, const char *name, bool *ret_has, int64_t *ret_time)
{
	int64_t time = SR_NO_TIME;
	SR_TRY(sr_json_get_int(attributes, name, &time));
	if (time != SR_NO_TIME && (time < 0 || time > TIME_MAX)) {
		return sr_fail(SR_INVALID, "attributes.%s is no time in seconds since 1970", name);
	}
	*ret_has = time != SR_NO_TIME;
	*ret_time = time;
	return sr_ok();
}

static struct sr_result read_attributes(const json_t *body, struct sr_key_wishes *wishes)
{
	const json_t *attributes = NULL;
	SR_TRY(sr_json_get_object(body, "attributes", &attributes));
	if (!attributes) {
		return sr_ok();
	}
	bool is_exportable = false;
	SR_TRY(sr_json_get_bool(attributes, "exportable", &is_exportable));
	if (is_exportable) {
		return sr_fail(SR_INVALID, "attributes.exportable: keys of this vault never leave it");
	}
	const json_t *enabled = json_object_get(attributes, "enabled");
	wishes->has_enabled = enabled && !json_is_null(enabled);
	SR_TRY(sr_json_get_bool(attributes, "enabled", &wishes->is_enabled));
	SR_TRY(read_time(attributes, "nbf", &wishes->has_nbf, &wishes->nbf));
	return read_time(attributes, "exp", &wishes->has_exp, &wishes->exp);
}

static struct sr_result read_operations(const json_t *operations, struct sr_key_wishes *wishes)
{
	if (!operations || json_is_null(operations)) {
		return sr_ok();
	}
	if (!json_is_array(operations)) {
		return sr_fail(SR_INVALID, "key_ops is no array");
	}
	for (size_t i = 0; i < json_array_size(operations); i++) {
		const char *name = json_string_value(json_array_get(operations, i));
		enum sr_key_operation operation;
		SR_TRY(sr_key_operation_by_name(name ? name : "", &operation));
		wishes->operations |= operation;
	}
	wishes->has_operations = json_array_size(operations) > 0; /* an empty array leaves the type's own */
	return sr_ok();
}

static struct sr_result check_tags(const json_t *tags)
{
	if (json_object_size(tags) > TAGS_MAX) {
		return sr_fail(SR_INVALID, "tags: at most %d", TAGS_MAX);
	}
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)tags, name, value)
	{
		if (!json_is_string(value) || strlen(name) > TAG_TEXT_MAX || json_string_length(value) > TAG_TEXT_MAX) {
			return sr_fail(SR_INVALID, "tags: names and values are strings of at most %d bytes", TAG_TEXT_MAX);
		}
	}
	return sr_ok();
}

static struct sr_result read_tags(struct sr_arena *arena, const json_t *body, struct sr_key_wishes *wishes)
{
	const json_t *tags = NULL;
	SR_TRY(sr_json_get_object(body, "tags", &tags));
	if (!tags) {
		return sr_ok();
	}
	SR_TRY(check_tags(tags));
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(65536);
	SR_TRY(sr_json_write(tags, &text));
	wishes->has_tags = true;
	wishes->tags = sr_arena_text(arena, sr_buf_bytes(&text));
	return sr_ok();
}

struct sr_result sr_key_wishes_read(struct sr_arena *arena, const json_t *body, const json_t *operations,
                                    struct sr_key_wishes *ret_wishes)
{
	struct sr_key_wishes wishes = {.is_enabled = true, .nbf = SR_NO_TIME, .exp = SR_NO_TIME};
	const json_t *policy = json_object_get(body, "release_policy");
	if (policy && !json_is_null(policy)) {
		return sr_fail(SR_INVALID, "release_policy: keys of this vault never leave it");
	}
	SR_TRY(read_attributes(body, &wishes));
	SR_TRY(read_operations(operations, &wishes));
	SR_TRY(read_tags(arena, body, &wishes));
	*ret_wishes = wishes;
	return sr_ok();
}

struct sr_result sr_key_wishes_apply(const struct sr_key_wishes *wishes, struct sr_key_record *key)
{
	struct sr_key_state state = key->state;
	if (wishes->has_enabled) {
		state.is_enabled = wishes->is_enabled;
	}
	if (wishes->has_nbf) {
		state.nbf = wishes->nbf;
	}
	if (wishes->has_exp) {
		state.exp = wishes->exp;
	}
	if (wishes->has_operations) {
		state.operations = wishes->operations;
	}
	if (state.operations & ~sr_key_possible_operations(state.spec.type)) {
		return sr_fail(SR_INVALID, "key_ops: some do not go with a key of type %s", sr_key_kty(&state.spec));
	}
	if (state.nbf != SR_NO_TIME && state.exp != SR_NO_TIME && state.exp <= state.nbf) {
		return sr_fail(SR_INVALID, "attributes: exp must come after nbf");
	}
	key->state = state;
	if (wishes->has_tags) {
		key->tags = wishes->tags;
	}
	return sr_ok();
}

/* A public member of fixed room, big-endian. */
static struct sr_result read_public(struct sr_arena *arena, const json_t *jwk, const char *name, uint8_t *to,
                                    size_t max, size_t *ret_len)
{
	struct sr_bytes bytes = {0};
	SR_TRY(sr_json_get_base64url(arena, jwk, name, &bytes));
	if (bytes.len == 0 || bytes.len > max) {
		return sr_fail(SR_INVALID, "key.%s is missing or has no size that a key has", name);
	}
	memcpy(to, bytes.data, bytes.len);
	*ret_len = bytes.len;
	return sr_ok();
}

static struct sr_result read_rsa(struct sr_arena *arena, const json_t *jwk, struct sr_key_private *parts)
{
	struct sr_key_public *open = &parts->public_parts;
	SR_TRY(read_public(arena, jwk, "n", open->n, sizeof open->n, &open->n_len));
	SR_TRY(read_public(arena, jwk, "e", open->e, sizeof open->e, &open->e_len));
	const struct {
		const char *name;
		struct sr_bytes *to;
	} members[] = {{"d", &parts->d},   {"p", &parts->p},   {"q", &parts->q},
	               {"dp", &parts->dp}, {"dq", &parts->dq}, {"qi", &parts->qi}};
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		SR_TRY(sr_json_get_base64url(arena, jwk, members[i].name, members[i].to));
	}
	open->spec.bits = (unsigned)open->n_len * 8;
	return sr_ok();
}

static struct sr_result read_ec(struct sr_arena *arena, const json_t *jwk, struct sr_key_private *parts)
{
	struct sr_key_public *open = &parts->public_parts;
	const char *crv = NULL;
	SR_TRY(sr_json_get_string(jwk, "crv", &crv));
	SR_TRY(sr_key_curve_by_name(crv ? crv : "", &open->spec.curve));
	size_t x_len = 0, y_len = 0;
	SR_TRY(read_public(arena, jwk, "x", open->x, sizeof open->x, &x_len));
	SR_TRY(read_public(arena, jwk, "y", open->y, sizeof open->y, &y_len));
	if (x_len != y_len) {
		return sr_fail(SR_INVALID, "key.x and key.y differ in length");
	}
	open->xy_len = x_len;
	return sr_json_get_base64url(arena, jwk, "d", &parts->d);
}

static struct sr_result read_oct(struct sr_arena *arena, const json_t *jwk, struct sr_key_private *parts)
{
	SR_TRY(sr_json_get_base64url(arena, jwk, "k", &parts->k));
	parts->public_parts.spec.bits = (unsigned)parts->k.len * 8;
	return sr_ok();
}

static struct sr_result read_parts(struct sr_arena *arena, const json_t *jwk, struct sr_key_private *parts,
                                   bool *ret_is_hardware)
{
	const char *kty = NULL;
	SR_TRY(sr_json_get_string(jwk, "kty", &kty));
	struct sr_key_spec spec;
	SR_TRY(sr_key_spec_of(kty, 0, NULL, &spec)); /* for the type; the size follows from the members */
	parts->public_parts.spec.type = spec.type;
	*ret_is_hardware = spec.is_in_token;
	switch (spec.type) {
	case SR_KEY_RSA:
		return read_rsa(arena, jwk, parts);
	case SR_KEY_EC:
		return read_ec(arena, jwk, parts);
	case SR_KEY_OCT:
		return read_oct(arena, jwk, parts);
	}
	return sr_fail(SR_INTERNAL, "a key type without a reader");
}

struct sr_result sr_key_import_jwk(struct sr_arena *arena, const json_t *jwk, struct sr_keypair **ret_keypair,
                                   bool *ret_is_hardware)
{
	/* The decoded members lie in the request's arena, which is wiped as it ends. */
	struct sr_key_private parts = {0};
	bool is_hardware;
	SR_TRY(read_parts(arena, jwk, &parts, &is_hardware));
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	SR_TRY(sr_keypair_import(&parts, &keypair));
	struct sr_key_spec spec = sr_keypair_spec(keypair), allowed;
	SR_TRY(sr_key_spec_of(sr_key_kty(&spec), spec.bits, sr_key_curve_name(spec.curve), &allowed));
	*ret_keypair = SR_TAKE(keypair);
	*ret_is_hardware = is_hardware;
	return sr_ok();
}
