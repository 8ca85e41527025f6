/* Secrets in Key Vault's JSON: bundles, items, and what clients wish. Pure. */
#ifndef SR_VAULT_SECRET_JSON_H
#define SR_VAULT_SECRET_JSON_H

#include "vault/key_json.h"
#include "vault/secret_store.h"

/* The caller owns what these give. A bundle carries the value where the record has one; bundles and items of a deleted
 * secret carry its recovery id and dates. `view` is what ids and recovery levels follow from. */
SR_MUST struct sr_result sr_secret_bundle(const struct sr_key_view *view, const struct sr_secret_record *secret,
                                          json_t **ret_bundle);
/* `with_version`: the id names the version (lists of versions) or the secret alone (lists of secrets). */
SR_MUST struct sr_result sr_secret_item(const struct sr_key_view *view, const struct sr_secret_record *secret,
                                        bool with_version, json_t **ret_item);

/* What setting and updating may say of a version; texts live in the arena or the body. */
struct sr_secret_wishes {
	bool has_enabled, has_nbf, has_exp, has_tags;
	bool is_enabled;
	int64_t nbf, exp;
	const char *tags;
	const char *content_type; /* NULL: not said */
};
/* From `attributes`, `tags` and `contentType` of `body`. */
SR_MUST struct sr_result sr_secret_wishes_read(struct sr_arena *arena, const json_t *body,
                                               struct sr_secret_wishes *ret_wishes);
/* Lays them over a version; SR_INVALID where they do not go together. */
SR_MUST struct sr_result sr_secret_wishes_apply(const struct sr_secret_wishes *wishes, struct sr_secret_record *secret);

#endif
