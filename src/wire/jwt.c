/*
 * The compact form of JSON Web Tokens. Not here: whether a token is to be believed (access), and
 * how it is signed (identity, through seal).
 */
#include "wire/jwt.h"

#include "base/text.h"

#include <string.h>

void sr_jwt_free(struct sr_jwt *jwt)
{
	json_decref(jwt->header);
	json_decref(jwt->claims);
	*jwt = (struct sr_jwt){0};
}

void sr_jwt_cleanup(struct sr_jwt *jwt)
{
	sr_jwt_free(jwt);
}

/* Decodes a part into the arena. RFC 7515 2: base64url with all trailing '=' left out. */
static struct sr_result decode_part(struct sr_arena *arena, struct sr_bytes part, const char *what,
                                    struct sr_bytes *ret_bytes)
{
	size_t room = part.len / 4 * 3 + 3;
	/* Over the arena's memory, at its full size: it never grows and is never freed. */
	struct sr_buf decoded = {.data = sr_arena_alloc(arena, room + 1), .cap = room, .max = room};
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_base64url_decode(part, &decoded);
	if (!sr_is_ok(outcome) || (part.len && part.data[part.len - 1] == '=')) {
		return sr_fail(SR_INVALID, "the token's %s is not base64url", what);
	}
	*ret_bytes = sr_buf_bytes(&decoded);
	return sr_ok();
}

/* Decodes a part that is a JSON object; the caller owns it. */
static struct sr_result decode_object(struct sr_arena *arena, struct sr_bytes part, const char *what,
                                      json_t **ret_object)
{
	struct sr_bytes text;
	SR_TRY(decode_part(arena, part, what, &text));
	SR_CLEANUP(sr_json) json_t *object = NULL;
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_json_parse(text, &object);
	if (!sr_is_ok(outcome) || !json_is_object(object)) {
		return sr_fail(SR_INVALID, "the token's %s is no JSON object: %s", what, sr_result_message(outcome));
	}
	*ret_object = SR_TAKE(object);
	return sr_ok();
}

struct sr_result sr_jwt_parse(struct sr_arena *arena, struct sr_bytes token, struct sr_jwt *ret_jwt)
{
	if (token.len > SR_JWT_MAX) {
		return sr_fail(SR_INVALID, "a token of %zu characters, at most %d are taken", token.len, SR_JWT_MAX);
	}
	const uint8_t *end = token.data + token.len;
	const uint8_t *first_dot = token.len ? memchr(token.data, '.', token.len) : NULL;
	const uint8_t *second_dot = first_dot ? memchr(first_dot + 1, '.', (size_t)(end - first_dot - 1)) : NULL;
	if (!second_dot) {
		return sr_fail(SR_INVALID, "the token is not of three parts");
	}
	/* A third dot is no base64url digit, so it fails below. */
	struct sr_bytes header = {token.data, (size_t)(first_dot - token.data)};
	struct sr_bytes claims = {first_dot + 1, (size_t)(second_dot - first_dot - 1)};
	struct sr_bytes signature = {second_dot + 1, (size_t)(end - second_dot - 1)};
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {.signed_part = {token.data, (size_t)(second_dot - token.data)}};
	SR_TRY(decode_object(arena, header, "header", &jwt.header));
	SR_TRY(decode_object(arena, claims, "claims", &jwt.claims));
	SR_TRY(decode_part(arena, signature, "signature", &jwt.signature));
	*ret_jwt = jwt;
	jwt = (struct sr_jwt){0};
	return sr_ok();
}

static struct sr_result append_object(const json_t *object, struct sr_buf *input)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_JWT_MAX);
	SR_TRY(sr_json_write(object, &text));
	sr_base64url_encode(input, sr_buf_bytes(&text));
	return sr_buf_result(input);
}

struct sr_result sr_jwt_signing_input(const json_t *header, const json_t *claims, struct sr_buf *input)
{
	SR_TRY(append_object(header, input));
	sr_buf_append_u8(input, '.');
	return append_object(claims, input);
}

void sr_jwt_append_signature(struct sr_buf *token, struct sr_bytes signature)
{
	sr_buf_append_u8(token, '.');
	sr_base64url_encode(token, signature);
}
