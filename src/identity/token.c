/* Puts a token's header and claims together and has them signed. */
#include "identity/token.h"

#include "access/access.h"
#include "base/memory.h"
#include "base/random.h"
#include "wire/jwt.h"

enum { UTI_LEN = 16, UTI_TEXT_MAX = 24, SIGNATURE_MAX = 512 };

static json_t *header_of(const struct sr_signing_key *key)
{
	json_t *header = json_object();
	sr_json_set_string(header, "typ", "JWT");
	sr_json_set_string(header, "alg", "RS256");
	sr_json_set_string(header, "kid", sr_signing_key_id(key));
	return header;
}

static void set_token_id(json_t *body)
{
	uint8_t id[UTI_LEN];
	sr_random(id, sizeof id);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(UTI_TEXT_MAX);
	sr_base64url_encode(&text, sr_bytes_of(id, sizeof id));
	sr_json_set_string(body, "uti", sr_buf_text(&text));
}

/* What all tokens say. */
static json_t *common_claims(const struct sr_token_claims *claims, const char *audience)
{
	bool is_v2 = claims->version == SR_TOKEN_V2;
	SR_CLEANUP(sr_string)
	char *issuer = sr_strdupf("%s/%s/%s", claims->authority, claims->tenant, is_v2 ? "v2.0" : "");
	json_t *body = json_object();
	sr_json_set_string(body, "aud", audience);
	sr_json_set_string(body, "iss", issuer);
	sr_json_set_int(body, "iat", claims->issued_s);
	sr_json_set_int(body, "nbf", claims->issued_s);
	sr_json_set_int(body, "exp", claims->issued_s + claims->lifetime_s);
	sr_json_set_string(body, "oid", claims->object_id);
	sr_json_set_string(body, "sub", claims->object_id);
	sr_json_set_string(body, "tid", claims->tenant);
	sr_json_set_string(body, "xms_mirid", claims->resource_id);
	set_token_id(body);
	sr_json_set_string(body, "ver", is_v2 ? "2.0" : "1.0");
	return body;
}

/* Version 1 and version 2 tokens, and libraries, differ in the name of a person's name. */
static void set_person(json_t *body, const struct sr_token_claims *claims)
{
	sr_json_set_string(body, "name", claims->display_name);
	sr_json_set_string(body, "preferred_username", claims->user_name);
	sr_json_set_string(body, "upn", claims->user_name);
	sr_json_set_string(body, "unique_name", claims->user_name);
}

static json_t *claims_of(const struct sr_token_claims *claims)
{
	json_t *body = common_claims(claims, claims->audience);
	/* Services differ in which of both names they read. */
	sr_json_set_string(body, "appid", claims->client_id);
	sr_json_set_string(body, "appidacr", claims->client_proof);
	sr_json_set_string(body, "azp", claims->client_id);
	sr_json_set_string(body, "azpacr", claims->client_proof);
	sr_json_set_string(body, "idtyp", claims->user_name ? "user" : "app");
	sr_json_set_string(body, SR_CREDENTIAL_CLAIM, claims->credential_id);
	if (claims->user_name) {
		sr_json_set_string(body, "scp", "user_impersonation");
		set_person(body, claims);
	}
	return body;
}

static struct sr_result make(struct sr_signing_keys *keys, int64_t issued_s, const json_t *body, struct sr_buf *token)
{
	SR_CLEANUP(sr_signing_key) struct sr_signing_key *key = NULL;
	SR_TRY(sr_signing_keys_current(keys, issued_s, &key));
	SR_CLEANUP(sr_json) json_t *header = header_of(key);
	size_t start = token->len;
	SR_TRY(sr_jwt_signing_input(header, body, token));
	SR_TRY(sr_buf_result(token));
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(SIGNATURE_MAX);
	SR_TRY(sr_signing_key_sign(key, sr_bytes_of(token->data + start, token->len - start), &signature));
	sr_jwt_append_signature(token, sr_buf_bytes(&signature));
	return sr_buf_result(token);
}

struct sr_result sr_token_make(struct sr_signing_keys *keys, const struct sr_token_claims *claims, struct sr_buf *token)
{
	SR_CLEANUP(sr_json) json_t *body = claims_of(claims);
	return make(keys, claims->issued_s, body, token);
}

struct sr_result sr_id_token_make(struct sr_signing_keys *keys, const struct sr_token_claims *claims,
                                  struct sr_buf *token)
{
	SR_CLEANUP(sr_json) json_t *body = common_claims(claims, claims->client_id);
	set_person(body, claims);
	return make(keys, claims->issued_s, body, token);
}
