/* Writing secrets as JSON, and reading what clients say about them: attributes, tags, content type. */
#include "vault/secret_json.h"

#include <string.h>

/* Azure's limit. */
enum { CONTENT_TYPE_MAX = 255 };

static void set_time(json_t *object, const char *name, int64_t time)
{
	if (time != SR_NO_TIME) {
		sr_json_set_int(object, name, time);
	}
}

static json_t *attributes(const struct sr_key_view *view, const struct sr_secret_record *secret)
{
	json_t *object = json_object();
	sr_json_set_bool(object, "enabled", secret->is_enabled);
	set_time(object, "nbf", secret->nbf);
	set_time(object, "exp", secret->exp);
	set_time(object, "created", secret->created);
	set_time(object, "updated", secret->updated);
	sr_json_set_string(object, "recoveryLevel",
	                   sr_recovery_level(view->vault->retention_days, view->vault->is_purge_protected));
	sr_json_set_int(object, "recoverableDays", view->vault->retention_days);
	return object;
}

/* "BASE/COLLECTION/name" or, with a version, "BASE/COLLECTION/name/version". */
static void set_id(json_t *object, const char *member, const struct sr_key_view *view, const char *collection,
                   const char *name, const char *version)
{
	SR_CLEANUP(sr_buf) struct sr_buf id = SR_BUF(2048);
	sr_buf_append_str(&id, view->base_url);
	sr_buf_append_str(&id, collection);
	sr_buf_append_str(&id, name);
	if (version) {
		sr_buf_append_str(&id, "/");
		sr_buf_append_str(&id, version);
	}
	sr_json_set_string(object, member, sr_buf_text(&id));
}

/* What bundles and items have in common. */
static struct sr_result set_common(json_t *object, const struct sr_key_view *view,
                                   const struct sr_secret_record *secret)
{
	sr_json_set_string(object, "contentType", secret->content_type);
	sr_json_set(object, "attributes", attributes(view, secret));
	if (secret->tags) {
		json_t *tags;
		SR_TRY(sr_json_parse(sr_bytes_str(secret->tags), &tags));
		sr_json_set(object, "tags", tags);
	}
	if (secret->is_managed) {
		sr_json_set_bool(object, "managed", true);
	}
	if (secret->deleted_at != SR_NO_TIME) {
		set_id(object, "recoveryId", view, "/deletedsecrets/", secret->name, NULL);
		set_time(object, "deletedDate", secret->deleted_at);
		set_time(object, "scheduledPurgeDate", secret->purge_at);
	}
	return sr_ok();
}

struct sr_result sr_secret_bundle(const struct sr_key_view *view, const struct sr_secret_record *secret,
                                  json_t **ret_bundle)
{
	SR_CLEANUP(sr_json) json_t *bundle = json_object();
	if (secret->value.data) {
		json_t *value = json_stringn((const char *)secret->value.data, secret->value.len);
		if (!value) {
			return sr_fail(SR_CORRUPT, "a secret's value is no text");
		}
		sr_json_set(bundle, "value", value);
	}
	set_id(bundle, "id", view, "/secrets/", secret->name, secret->version);
	if (secret->is_managed) {
		set_id(bundle, "kid", view, "/keys/", secret->name, secret->version);
	}
	SR_TRY(set_common(bundle, view, secret));
	*ret_bundle = SR_TAKE(bundle);
	return sr_ok();
}

struct sr_result sr_secret_item(const struct sr_key_view *view, const struct sr_secret_record *secret,
                                bool with_version, json_t **ret_item)
{
	SR_CLEANUP(sr_json) json_t *item = json_object();
	set_id(item, "id", view, "/secrets/", secret->name, with_version ? secret->version : NULL);
	SR_TRY(set_common(item, view, secret));
	*ret_item = SR_TAKE(item);
	return sr_ok();
}

struct sr_result sr_secret_wishes_read(struct sr_arena *arena, const json_t *body, struct sr_secret_wishes *ret_wishes)
{
	struct sr_key_wishes shared; /* attributes and tags are as keys have them */
	SR_TRY(sr_key_wishes_read(arena, body, NULL, &shared));
	const char *content_type = NULL;
	SR_TRY(sr_json_get_string(body, "contentType", &content_type));
	if (content_type && strlen(content_type) > CONTENT_TYPE_MAX) {
		return sr_fail(SR_INVALID, "contentType: at most %d bytes", CONTENT_TYPE_MAX);
	}
	*ret_wishes = (struct sr_secret_wishes){
	    .has_enabled = shared.has_enabled,
	    .has_nbf = shared.has_nbf,
	    .has_exp = shared.has_exp,
	    .has_tags = shared.has_tags,
	    .is_enabled = shared.is_enabled,
	    .nbf = shared.nbf,
	    .exp = shared.exp,
	    .tags = shared.tags,
	    .content_type = content_type,
	};
	return sr_ok();
}

struct sr_result sr_secret_wishes_apply(const struct sr_secret_wishes *wishes, struct sr_secret_record *secret)
{
	const int64_t nbf = wishes->has_nbf ? wishes->nbf : secret->nbf;
	const int64_t exp = wishes->has_exp ? wishes->exp : secret->exp;
	if (nbf != SR_NO_TIME && exp != SR_NO_TIME && exp <= nbf) {
		return sr_fail(SR_INVALID, "attributes: exp must come after nbf");
	}
	secret->nbf = nbf;
	secret->exp = exp;
	if (wishes->has_enabled) {
		secret->is_enabled = wishes->is_enabled;
	}
	if (wishes->has_tags) {
		secret->tags = wishes->tags;
	}
	if (wishes->content_type) {
		secret->content_type = wishes->content_type;
	}
	return sr_ok();
}
