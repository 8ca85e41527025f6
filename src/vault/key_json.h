/* Keys in Key Vault's JSON: bundles, items, attributes, tags, JWKs; reading and writing. Pure. */
#ifndef SR_VAULT_KEY_JSON_H
#define SR_VAULT_KEY_JSON_H

#include "vault/key_store.h"
#include "vault/vault_store.h"
#include "wire/json.h"

/* What ids and recovery levels follow from. */
struct sr_key_view {
	const char *base_url;
	const struct sr_vault_record *vault;
};

/* The caller owns what these give. Bundles and items of a deleted key carry its recovery id and dates. */
SR_MUST struct sr_result sr_key_bundle(const struct sr_key_view *view, const struct sr_key_record *key,
                                       json_t **ret_bundle);
/* `with_version`: the kid names the version (lists of versions) or the key alone (lists of keys). */
SR_MUST struct sr_result sr_key_item(const struct sr_key_view *view, const struct sr_key_record *key, bool with_version,
                                     json_t **ret_item);
/* "BASE/keys/name/version" in the arena. */
const char *sr_key_id(struct sr_arena *arena, const struct sr_key_view *view, const struct sr_key_record *key);

/* The public members of a key's JWK as JSON text in the arena ({"n","e"}, {"crv","x","y"}, or {}). */
SR_MUST struct sr_result sr_key_public_jwk(struct sr_arena *arena, const struct sr_keypair *keypair,
                                           const char **ret_json);

/* What create, import and update may set; `has_…` tells what was there. */
struct sr_key_wishes {
	bool has_enabled, has_nbf, has_exp, has_operations, has_tags;
	bool is_enabled;
	int64_t nbf, exp;
	unsigned operations;
	const char *tags; /* JSON text in the arena */
};
/* From `attributes`, `key_ops` and `tags` of `body`; `operations` is the array to read key_ops from (import has it in
 * the JWK). Refuses what a vault without hardware cannot do: exportable keys, release policies. */
SR_MUST struct sr_result sr_key_wishes_read(struct sr_arena *arena, const json_t *body, const json_t *operations,
                                            struct sr_key_wishes *ret_wishes);
/* Lays the wishes over a version's state and tags; SR_INVALID where they do not go together or with the type. */
SR_MUST struct sr_result sr_key_wishes_apply(const struct sr_key_wishes *wishes, struct sr_key_record *key);

/* A private JWK to a key in software; `ret_is_hardware` tells that its kty asks for one in the token. */
SR_MUST struct sr_result sr_key_import_jwk(struct sr_arena *arena, const json_t *jwk, struct sr_keypair **ret_keypair,
                                           bool *ret_is_hardware);

#endif
