/* Reading of JSON Web Key Sets. Where they come from is federation.c's. */
#include "identity/jwks.h"

#include "wire/json.h"

#include <string.h>

/* Leading zeros are no part of a number. */
static struct sr_result copy_number(struct sr_bytes number, uint8_t *to, size_t max, size_t *ret_len)
{
	while (number.len && number.data[0] == 0) {
		number = sr_bytes_of(number.data + 1, number.len - 1);
	}
	if (number.len == 0 || number.len > max) {
		return sr_fail(SR_INVALID, "a key's number has %zu bytes", number.len);
	}
	memcpy(to, number.data, number.len);
	*ret_len = number.len;
	return sr_ok();
}

static struct sr_result read_rsa(struct sr_arena *arena, const json_t *jwk, struct sr_key_public *parts)
{
	struct sr_bytes n = {0};
	struct sr_bytes e = {0};
	SR_TRY(sr_json_get_base64url(arena, jwk, "n", &n));
	SR_TRY(sr_json_get_base64url(arena, jwk, "e", &e));
	SR_TRY(copy_number(n, parts->n, sizeof parts->n, &parts->n_len));
	SR_TRY(copy_number(e, parts->e, sizeof parts->e, &parts->e_len));
	parts->spec = (struct sr_key_spec){.type = SR_KEY_RSA, .bits = (unsigned)(parts->n_len * 8)};
	return sr_ok();
}

static struct sr_result read_p256(struct sr_arena *arena, const json_t *jwk, struct sr_key_public *parts)
{
	struct sr_bytes x = {0};
	struct sr_bytes y = {0};
	SR_TRY(sr_json_get_base64url(arena, jwk, "x", &x));
	SR_TRY(sr_json_get_base64url(arena, jwk, "y", &y));
	if (x.len != 32 || y.len != 32) {
		return sr_fail(SR_INVALID, "a point of P-256 has coordinates of 32 bytes");
	}
	memcpy(parts->x, x.data, x.len);
	memcpy(parts->y, y.data, y.len);
	parts->xy_len = x.len;
	parts->spec = (struct sr_key_spec){.type = SR_KEY_EC, .curve = SR_CURVE_P256};
	return sr_ok();
}

static const char *member(const json_t *jwk, const char *name)
{
	const char *text = json_string_value(json_object_get(jwk, name));
	return text ? text : "";
}

/* Makes the key of a JWK that signs; NULL where it is of another kind or for another use. */
static struct sr_result read_key(struct sr_arena *arena, const json_t *jwk, struct sr_keypair **ret_keypair)
{
	struct sr_key_public parts = {0};
	const char *use = member(jwk, "use");
	*ret_keypair = NULL;
	if (*use && strcmp(use, "sig") != 0) {
		return sr_ok();
	}
	if (strcmp(member(jwk, "kty"), "RSA") == 0) {
		SR_TRY(read_rsa(arena, jwk, &parts));
	} else if (strcmp(member(jwk, "kty"), "EC") == 0 && strcmp(member(jwk, "crv"), "P-256") == 0) {
		SR_TRY(read_p256(arena, jwk, &parts));
	} else {
		return sr_ok();
	}
	return sr_keypair_from_public(&parts, ret_keypair);
}

/* The "keys" of a set; the caller owns the document. */
static struct sr_result parse(struct sr_bytes text, json_t **ret_document, const json_t **ret_keys)
{
	SR_CLEANUP(sr_json) json_t *document = NULL;
	if (text.len > SR_JWKS_TEXT_MAX) {
		return sr_fail(SR_INVALID, "a JWKS of %zu bytes, at most %d are taken", text.len, SR_JWKS_TEXT_MAX);
	}
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_json_parse(text, &document);
	const json_t *keys = sr_is_ok(parsed) ? json_object_get(document, "keys") : NULL;
	if (!json_is_array(keys) || json_array_size(keys) > SR_JWKS_KEYS_MAX) {
		return sr_fail(SR_INVALID, "this is no JWKS (RFC 7517): {\"keys\": [at most %d]}", SR_JWKS_KEYS_MAX);
	}
	*ret_keys = keys;
	*ret_document = SR_TAKE(document);
	return sr_ok();
}

struct sr_result sr_jwks_check(struct sr_arena *arena, struct sr_bytes text, size_t *ret_count)
{
	SR_CLEANUP(sr_json) json_t *document = NULL;
	const json_t *keys = NULL;
	SR_TRY(parse(text, &document, &keys));
	size_t count = 0;
	for (size_t i = 0; i < json_array_size(keys); i++) {
		SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
		SR_TRY(read_key(arena, json_array_get(keys, i), &keypair));
		count += keypair != NULL;
	}
	if (!count) {
		return sr_fail(SR_INVALID, "the JWKS has no key for RS256, PS256 or ES256");
	}
	*ret_count = count;
	return sr_ok();
}

static bool does(const json_t *jwk, const struct sr_keypair *keypair, enum sr_alg alg)
{
	struct sr_key_spec spec = sr_keypair_spec(keypair);
	const char *only = member(jwk, "alg");
	return sr_alg_fits(alg, &spec) && (!*only || strcmp(only, sr_alg_name(alg)) == 0);
}

static struct sr_result unknown(void)
{
	return sr_fail(SR_NOT_FOUND, "the issuer has no such key");
}

struct sr_result sr_jwks_find(struct sr_arena *arena, struct sr_bytes text, const char *kid, enum sr_alg alg,
                              struct sr_keypair **ret_keypair)
{
	SR_CLEANUP(sr_json) json_t *document = NULL;
	SR_CLEANUP(sr_keypair) struct sr_keypair *found = NULL;
	const json_t *keys = NULL;
	SR_TRY(parse(text, &document, &keys));
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *jwk = json_array_get(keys, i);
		SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
		if (*kid && strcmp(member(jwk, "kid"), kid) != 0) {
			continue;
		}
		SR_TRY(read_key(arena, jwk, &keypair));
		if (!keypair || !does(jwk, keypair, alg)) {
			continue;
		}
		if (found) {
			return unknown(); /* it cannot be said which */
		}
		found = SR_TAKE(keypair);
	}
	if (!found) {
		return unknown();
	}
	*ret_keypair = SR_TAKE(found);
	return sr_ok();
}
