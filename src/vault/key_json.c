/* Writing keys as JSON. Reading is key_wishes.c. */
#include "vault/key_json.h"

static void set_time(json_t *object, const char *name, int64_t time)
{
	if (time != SR_NO_TIME) {
		sr_json_set_int(object, name, time);
	}
}

static json_t *attributes(const struct sr_key_view *view, const struct sr_key_record *key)
{
	json_t *object = json_object();
	sr_json_set_bool(object, "enabled", key->state.is_enabled);
	set_time(object, "nbf", key->state.nbf);
	set_time(object, "exp", key->state.exp);
	set_time(object, "created", key->created);
	set_time(object, "updated", key->updated);
	sr_json_set_string(object, "recoveryLevel",
	                   sr_recovery_level(view->vault->retention_days, view->vault->is_purge_protected));
	sr_json_set_int(object, "recoverableDays", view->vault->retention_days);
	sr_json_set_bool(object, "exportable", false);
	sr_json_set_string(object, "hsmPlatform", key->state.spec.is_in_token ? "PKCS#11" : "0"); /* 0: software */
	return object;
}

/* Said of a certificate's key alone. */
static void set_managed(json_t *object, const struct sr_key_record *key)
{
	if (key->is_managed) {
		sr_json_set_bool(object, "managed", true);
	}
}

static json_t *operation_names(unsigned operations)
{
	json_t *names = json_array();
	for (size_t i = 0; sr_key_operation_at(i); i++) {
		if (operations & sr_key_operation_at(i)) {
			json_array_append_new(names, json_string(sr_key_operation_name(sr_key_operation_at(i))));
		}
	}
	return names;
}

static struct sr_result set_tags(json_t *object, const struct sr_key_record *key)
{
	if (key->tags) {
		json_t *tags;
		SR_TRY(sr_json_parse(sr_bytes_str(key->tags), &tags));
		sr_json_set(object, "tags", tags);
	}
	return sr_ok();
}

static void set_recovery(json_t *object, struct sr_arena *arena, const struct sr_key_view *view,
                         const struct sr_key_record *key)
{
	if (key->deleted_at != SR_NO_TIME) {
		sr_json_set_string(object, "recoveryId",
		                   sr_arena_printf(arena, "%s/deletedkeys/%s", view->base_url, key->name));
		set_time(object, "deletedDate", key->deleted_at);
		set_time(object, "scheduledPurgeDate", key->purge_at);
	}
}

const char *sr_key_id(struct sr_arena *arena, const struct sr_key_view *view, const struct sr_key_record *key)
{
	return sr_arena_printf(arena, "%s/keys/%s/%s", view->base_url, key->name, key->version);
}

struct sr_result sr_key_bundle(const struct sr_key_view *view, const struct sr_key_record *key, json_t **ret_bundle)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_json) json_t *bundle = json_object();
	SR_CLEANUP(sr_json) json_t *jwk = NULL;
	SR_TRY(sr_json_parse(sr_bytes_str(key->public_jwk), &jwk));
	sr_json_set_string(jwk, "kid", sr_key_id(arena, view, key));
	sr_json_set_string(jwk, "kty", sr_key_kty(&key->state.spec));
	sr_json_set(jwk, "key_ops", operation_names(key->state.operations));
	sr_json_set(bundle, "key", SR_TAKE(jwk));
	sr_json_set(bundle, "attributes", attributes(view, key));
	set_managed(bundle, key);
	SR_TRY(set_tags(bundle, key));
	set_recovery(bundle, arena, view, key);
	*ret_bundle = SR_TAKE(bundle);
	return sr_ok();
}

struct sr_result sr_key_item(const struct sr_key_view *view, const struct sr_key_record *key, bool with_version,
                             json_t **ret_item)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_json) json_t *item = json_object();
	sr_json_set_string(item, "kid",
	                   with_version ? sr_key_id(arena, view, key)
	                                : sr_arena_printf(arena, "%s/keys/%s", view->base_url, key->name));
	sr_json_set(item, "attributes", attributes(view, key));
	set_managed(item, key);
	SR_TRY(set_tags(item, key));
	set_recovery(item, arena, view, key);
	*ret_item = SR_TAKE(item);
	return sr_ok();
}

struct sr_result sr_key_public_jwk(struct sr_arena *arena, const struct sr_keypair *keypair, const char **ret_json)
{
	struct sr_key_public parts;
	sr_keypair_public(keypair, &parts);
	SR_CLEANUP(sr_json) json_t *jwk = json_object();
	if (parts.spec.type == SR_KEY_RSA) {
		sr_json_set_base64url(jwk, "n", sr_bytes_of(parts.n, parts.n_len));
		sr_json_set_base64url(jwk, "e", sr_bytes_of(parts.e, parts.e_len));
	}
	if (parts.spec.type == SR_KEY_EC) {
		sr_json_set_string(jwk, "crv", sr_key_curve_name(parts.spec.curve));
		sr_json_set_base64url(jwk, "x", sr_bytes_of(parts.x, parts.xy_len));
		sr_json_set_base64url(jwk, "y", sr_bytes_of(parts.y, parts.xy_len));
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(8192);
	SR_TRY(sr_json_write(jwk, &text));
	*ret_json = sr_arena_text(arena, sr_buf_bytes(&text));
	return sr_ok();
}
