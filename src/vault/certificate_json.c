/* Writing certificates as JSON. Reading policies is certificate_policy.c. */
#include "vault/certificate_json.h"

#include "base/text.h"
#include "vault/certificate_policy.h"

#include <string.h>

enum { TEXT_MAX = 1 << 20 };

static void set_time(json_t *object, const char *name, int64_t time)
{
	if (time != SR_NO_TIME) {
		sr_json_set_int(object, name, time);
	}
}

/* "BASE/COLLECTION/name[/tail]" as a member. */
static void set_id(json_t *object, const char *member, const char *base_url, const char *collection, const char *name,
                   const char *tail)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	sr_json_set_string(
	    object, member,
	    sr_arena_printf(arena, "%s/%s/%s%s%s", base_url, collection, name, tail ? "/" : "", tail ? tail : ""));
}

/* Base64 with padding: the specification's format "byte". */
static struct sr_result set_base64(json_t *object, const char *name, struct sr_bytes bytes)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(TEXT_MAX);
	sr_base64_encode(&text, bytes);
	SR_TRY(sr_buf_result(&text));
	sr_json_set_string(object, name, sr_buf_text(&text));
	return sr_ok();
}

static json_t *attributes(const struct sr_certificate_view *view, const struct sr_certificate_record *certificate)
{
	json_t *object = json_object();
	sr_json_set_bool(object, "enabled", certificate->is_enabled);
	set_time(object, "nbf", certificate->nbf);
	set_time(object, "exp", certificate->exp);
	set_time(object, "created", certificate->created);
	set_time(object, "updated", certificate->updated);
	sr_json_set_string(object, "recoveryLevel",
	                   sr_recovery_level(view->vault->retention_days, view->vault->is_purge_protected));
	sr_json_set_int(object, "recoverableDays", view->vault->retention_days);
	return object;
}

/* What bundles and items have in common. */
static struct sr_result set_properties(json_t *object, const struct sr_certificate_view *view,
                                       const struct sr_certificate_record *certificate)
{
	const struct sr_certificate_head *head = &certificate->head;
	if (certificate->thumbprint.len) {
		sr_json_set_base64url(object, "x5t", certificate->thumbprint);
	}
	sr_json_set(object, "attributes", attributes(view, certificate));
	if (certificate->tags) {
		json_t *tags;
		SR_TRY(sr_json_parse(sr_bytes_str(certificate->tags), &tags));
		sr_json_set(object, "tags", tags);
	}
	if (head->deleted_at != SR_NO_TIME) {
		set_id(object, "recoveryId", view->base_url, "deletedcertificates", head->name, NULL);
		set_time(object, "deletedDate", head->deleted_at);
		set_time(object, "scheduledPurgeDate", head->purge_at);
	}
	return sr_ok();
}

struct sr_result sr_certificate_policy_json(const struct sr_certificate_view *view,
                                            const struct sr_certificate_head *head, json_t **ret_policy)
{
	SR_CLEANUP(sr_json) json_t *policy = NULL;
	SR_TRY(sr_json_parse(sr_bytes_str(head->policy), &policy));
	json_t *own = json_object();
	set_id(policy, "id", view->base_url, "certificates", head->name, "policy");
	sr_json_set_bool(own, "enabled", true);
	sr_json_set_int(own, "created", head->policy_created);
	sr_json_set_int(own, "updated", head->policy_updated);
	sr_json_set(policy, "attributes", own);
	*ret_policy = SR_TAKE(policy);
	return sr_ok();
}

struct sr_result sr_certificate_bundle(const struct sr_certificate_view *view,
                                       const struct sr_certificate_record *certificate, json_t **ret_bundle)
{
	const struct sr_certificate_head *head = &certificate->head;
	SR_CLEANUP(sr_json) json_t *bundle = json_object();
	json_t *policy;
	set_id(bundle, "id", view->base_url, "certificates", head->name, certificate->version);
	if (certificate->has_key) {
		set_id(bundle, "kid", view->base_url, "keys", head->name, certificate->version);
		set_id(bundle, "sid", view->base_url, "secrets", head->name, certificate->version);
	}
	if (certificate->cer.len) {
		SR_TRY(set_base64(bundle, "cer", certificate->cer));
	} else {
		json_t *pending = json_object();
		set_id(pending, "id", view->base_url, "certificates", head->name, "pending");
		sr_json_set(bundle, "pending", pending);
	}
	SR_TRY(set_properties(bundle, view, certificate));
	SR_TRY(sr_certificate_policy_json(view, head, &policy));
	sr_json_set(bundle, "policy", policy);
	*ret_bundle = SR_TAKE(bundle);
	return sr_ok();
}

struct sr_result sr_certificate_item(const struct sr_certificate_view *view,
                                     const struct sr_certificate_record *certificate, bool with_version,
                                     json_t **ret_item)
{
	SR_CLEANUP(sr_json) json_t *item = json_object();
	set_id(item, "id", view->base_url, "certificates", certificate->head.name,
	       with_version ? certificate->version : NULL);
	SR_TRY(set_properties(item, view, certificate));
	*ret_item = SR_TAKE(item);
	return sr_ok();
}

static const char *details_of(const struct sr_certificate_operation *operation)
{
	if (strcmp(operation->status, SR_OPERATION_DONE) == 0) {
		return "The certificate is there; its id is the target.";
	}
	if (strcmp(operation->status, SR_OPERATION_CANCELLED) == 0) {
		return "Cancelled; nothing was made.";
	}
	if (strcmp(operation->issuer, SR_ISSUER_SELF) == 0 || strcmp(operation->issuer, SR_ISSUER_STRONGROOM) == 0) {
		return "Pending certificate created. Please check again.";
	}
	return "Pending certificate created. Have your certificate authority sign the request (csr), then perform Merge to "
	       "complete the request.";
}

struct sr_result sr_certificate_operation_json(const struct sr_certificate_view *view,
                                               const struct sr_certificate_operation *operation, json_t **ret_operation)
{
	SR_CLEANUP(sr_json) json_t *object = json_object();
	json_t *issuer = json_object();
	set_id(object, "id", view->base_url, "certificates", operation->name, "pending");
	sr_json_set_string(issuer, "name", operation->issuer);
	sr_json_set(object, "issuer", issuer);
	SR_TRY(set_base64(object, "csr", operation->csr));
	sr_json_set_bool(object, "cancellation_requested", strcmp(operation->status, SR_OPERATION_CANCELLED) == 0);
	sr_json_set_string(object, "status", operation->status);
	sr_json_set_string(object, "status_details", details_of(operation));
	if (strcmp(operation->status, SR_OPERATION_DONE) == 0) {
		set_id(object, "target", view->base_url, "certificates", operation->name, NULL);
	}
	sr_json_set_string(object, "request_id", operation->request_id);
	*ret_operation = SR_TAKE(object);
	return sr_ok();
}
