/* New versions of certificates, by policy or from outside, and what an update changes. Each is one durable write with
 * the linked key and secret and the audit entry. */
#include "vault/certificate_handlers.h"

#include "base/clock.h"
#include "vault/key_json.h"

#include <string.h>

enum { CSR_MAX = 65536, SEALED_MAX = 32768, VALUE_MAX = 1 << 20 };

/* What stands already of the name that is to be made. */
struct standing {
	const struct sr_vault_call *call;
	bool is_there;
	struct sr_certificate_head head;
	const char *issuer; /* to be checked; NULL: not */
};

/* Refuses what the write would refuse too, before a key is made. */
static struct sr_result find_standing(struct sr_connection *connection, void *context)
{
	struct standing *standing = context;
	const struct sr_vault_call *call = standing->call;
	struct sr_result found = sr_vault_certificate_find_head(connection, call->arena, call->record.name, call->name,
	                                                        SR_CERTIFICATE_EITHER, &standing->head);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	SR_TRY(found);
	standing->is_there = true;
	if (standing->head.deleted_at != SR_NO_TIME) {
		return sr_fail_as(SR_CONFLICT, "ObjectIsDeletedButRecoverable",
		                  "Certificate %s is currently in a deleted but recoverable state, and its name cannot be "
		                  "reused; in this state, the certificate can only be recovered or purged.",
		                  call->name);
	}
	struct sr_certificate_operation operation;
	struct sr_result pending =
	    sr_certificate_operation_find(connection, call->arena, call->record.name, call->name, &operation);
	if (sr_is_ok(pending) && strcmp(operation.status, SR_OPERATION_RUNNING) == 0) {
		return sr_fail_as(SR_CONFLICT, "PendingOperationExists",
		                  "A new version of certificate %s waits for its signature already: merge the signed "
		                  "certificate, or delete the pending operation.",
		                  call->name);
	}
	if (sr_result_code(pending) == SR_NOT_FOUND) {
		sr_ignore(pending);
		return sr_ok();
	}
	return pending;
}

static struct sr_result check_issuer(struct sr_connection *connection, void *context)
{
	const struct standing *standing = context;
	return sr_issuer_check(connection, standing->call->record.name, standing->issuer);
}

/* The policy that a creation names, or the one that stands. */
static struct sr_result policy_for_create(struct sr_vault_call *call, const struct standing *standing,
                                          struct sr_certificate_policy *ret_policy)
{
	const json_t *given = NULL;
	SR_TRY(sr_json_get_object(call->body, "policy", &given));
	if (given) {
		return sr_certificate_policy_read(call->arena, given, ret_policy);
	}
	if (!standing->is_there) {
		return sr_fail(SR_INVALID, "Property 'policy' is required.");
	}
	SR_TRY(sr_certificate_policy_open(call->arena, standing->head.policy, ret_policy));
	return sr_x509_check_plan(&ret_policy->plan);
}

/* Attributes and tags of a new version; its dates are the certificate's own. */
static struct sr_result read_wishes(struct sr_vault_call *call, struct sr_certificate_making *making)
{
	struct sr_key_wishes wishes;
	SR_TRY(sr_key_wishes_read(call->arena, call->body, NULL, &wishes));
	making->is_enabled = !wishes.has_enabled || wishes.is_enabled;
	making->tags = wishes.has_tags ? wishes.tags : NULL;
	return sr_ok();
}

static struct sr_certificate_making begin(struct sr_vault_call *call)
{
	return (struct sr_certificate_making){
	    .state = &call->vault->state,
	    .arena = call->arena,
	    .vault = call->record.name,
	    .name = call->name,
	    .version = sr_certificate_new_version(call->arena),
	    .now = sr_unix_s(),
	};
}

/* A creation on its way into the database: whole, or waiting for a CA elsewhere. */
struct creation {
	const struct sr_vault_call *call;
	struct sr_certificate_making making;
	struct sr_certificate_operation operation;
	bool waits;
};

static struct sr_result write_creation(struct sr_connection *connection, void *context)
{
	struct creation *creation = context;
	struct sr_certificate_making *making = &creation->making;
	/* Once more: another creation that waits would lose its key, and be signed for nothing. */
	struct standing standing = {.call = creation->call};
	SR_TRY(find_standing(connection, &standing));
	if (creation->waits) {
		SR_TRY(
		    sr_vault_certificate_set_policy(connection, making->vault, making->name, making->policy.json, making->now));
	} else {
		SR_TRY(sr_certificate_write(connection, making));
	}
	return sr_certificate_operation_put(connection, &creation->operation);
}

/* The operation with its request; with the sealed key pair where it waits. */
static struct sr_result prepare_operation(struct sr_vault_call *call, const struct sr_keypair *keypair,
                                          struct creation *creation)
{
	const struct sr_certificate_making *making = &creation->making;
	const struct sr_id request_id = sr_id_random();
	char *request_text = sr_arena_alloc(call->arena, SR_ID_TEXT_LEN);
	sr_id_text(&request_id, request_text);
	SR_CLEANUP(sr_buf) struct sr_buf csr = SR_BUF(CSR_MAX);
	SR_TRY(sr_x509_request(keypair, &making->policy.plan, &csr));
	creation->operation = (struct sr_certificate_operation){
	    .vault = making->vault,
	    .name = making->name,
	    .version = making->version,
	    .request_id = request_text,
	    .status = creation->waits ? SR_OPERATION_RUNNING : SR_OPERATION_DONE,
	    .issuer = making->policy.issuer,
	    .csr = sr_arena_copy(call->arena, sr_buf_bytes(&csr)),
	    .is_enabled = making->is_enabled,
	    .tags = making->tags,
	    .created = making->now,
	};
	if (creation->waits) {
		SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SEALED_MAX);
		const struct sr_key_name name = {making->vault, making->name, making->version};
		SR_TRY(sr_key_seal(making->state->records, &name, keypair, &sealed));
		creation->operation.sealed = sr_arena_copy(call->arena, sr_buf_bytes(&sealed));
	}
	return sr_ok();
}

static struct sr_result prepare_creation(struct sr_vault_call *call, struct creation *creation)
{
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	SR_TRY(sr_certificate_keypair(&creation->making, &keypair));
	creation->waits = !sr_certificate_policy_signs(&creation->making.policy);
	if (!creation->waits) {
		struct sr_x509_chain chain;
		SR_TRY(sr_certificate_sign_by_policy(&creation->making, keypair, &chain));
		SR_TRY(sr_certificate_prepare(&creation->making, keypair, &chain));
	}
	return prepare_operation(call, keypair, creation);
}

struct sr_result sr_handle_certificate_create(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct standing standing = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, find_standing, &standing));
	call->name = standing.is_there ? standing.head.name : call->name;
	struct creation creation = {.call = call, .making = begin(call)};
	SR_TRY(policy_for_create(call, &standing, &creation.making.policy));
	standing.issuer = creation.making.policy.issuer;
	SR_TRY(sr_database_read(call->vault->state.database, check_issuer, &standing));
	SR_TRY(read_wishes(call, &creation.making));
	SR_TRY(prepare_creation(call, &creation));
	call->detail = sr_arena_printf(call->arena, "issuer=%s", creation.making.policy.issuer);
	SR_TRY(sr_call_write(call, write_creation, &creation, &creation.making.version));
	sr_tending_wake(call->vault->tending);
	/* The answer's status is 202 and its operation's the one that goes with it: clients (azure-core for Python) ask for
	 * the certificate only once they have seen the operation end. */
	creation.operation.status = SR_OPERATION_RUNNING;
	const struct sr_certificate_view view = sr_call_certificate_view(call);
	return sr_certificate_operation_json(&view, &creation.operation, &answer->body);
}

/* PEM as it is or in Base64 (the SDK for Python encodes whatever it is given), or PKCS#12 in Base64. */
static struct sr_result read_import(struct sr_vault_call *call, struct sr_x509_import *ret_import, bool *ret_is_pem)
{
	const char *value = NULL, *password = "";
	SR_TRY(sr_json_get_string(call->body, "value", &value));
	SR_TRY(sr_json_get_string(call->body, "pwd", &password));
	if (!value || !*value) {
		return sr_fail(SR_INVALID, "Property 'value' is required.");
	}
	*ret_is_pem = strstr(value, "-----BEGIN ") != NULL;
	if (*ret_is_pem) {
		return sr_x509_from_pem(call->arena, sr_bytes_str(value), password, ret_import);
	}
	static const char mark[] = "-----BEGIN ";
	enum { DER_SEQUENCE = 0x30 };
	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(VALUE_MAX);
	SR_TRY(sr_base64_decode(sr_bytes_str(value), &file));
	*ret_is_pem =
	    file.len && file.data[0] != DER_SEQUENCE && memmem(file.data, file.len, mark, sizeof mark - 1) != NULL;
	return *ret_is_pem ? sr_x509_from_pem(call->arena, sr_buf_bytes(&file), password, ret_import)
	                   : sr_x509_from_pkcs12(call->arena, sr_buf_bytes(&file), password, ret_import);
}

static struct sr_result prepare_imported(struct sr_vault_call *call, const struct sr_x509_import *import, bool is_pem,
                                         struct sr_certificate_making *making)
{
	const json_t *given = NULL;
	struct sr_x509_facts facts;
	SR_TRY(sr_json_get_object(call->body, "policy", &given));
	SR_TRY(sr_x509_read(call->arena, import->chain.own, &facts));
	const struct sr_key_spec spec = sr_keypair_spec(import->keypair);
	SR_TRY(sr_certificate_policy_imported(call->arena, given, &facts, &spec, is_pem, &making->policy));
	return sr_certificate_prepare(making, import->keypair, &import->chain);
}

static struct sr_result write_making(struct sr_connection *connection, void *context)
{
	return sr_certificate_write(connection, context);
}

struct sr_result sr_handle_certificate_import(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct standing standing = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, find_standing, &standing));
	call->name = standing.is_there ? standing.head.name : call->name;
	struct sr_certificate_making making = begin(call);
	struct sr_x509_import import = {0};
	bool is_pem;
	SR_TRY(read_wishes(call, &making));
	SR_TRY(read_import(call, &import, &is_pem));
	struct sr_result prepared = prepare_imported(call, &import, is_pem, &making);
	sr_keypair_free(import.keypair);
	SR_TRY(prepared);
	SR_TRY(sr_call_write(call, write_making, &making, &making.version));
	sr_tending_wake(call->vault->tending);
	const struct sr_certificate_view view = sr_call_certificate_view(call);
	return sr_certificate_bundle(&view, &making.certificate, &answer->body);
}

struct update {
	struct sr_vault_call *call;
	struct sr_key_wishes wishes;
	const json_t *policy; /* changes; NULL: none */
	struct sr_certificate_record certificate;
};

/* Enabled or not, and tags, are the same on the linked key and secret. */
static struct sr_result update_linked(struct sr_connection *connection, struct update *update)
{
	const struct sr_certificate_record *certificate = &update->certificate;
	struct sr_vault_call *call = update->call;
	const struct sr_key_name name = {certificate->head.vault, certificate->head.name, certificate->version};
	struct sr_key_record key;
	struct sr_secret_record secret;
	SR_TRY(sr_key_find(connection, call->arena, &name, SR_KEY_LIVE, &key));
	key.state.is_enabled = certificate->is_enabled;
	key.tags = certificate->tags;
	key.updated = certificate->updated;
	SR_TRY(sr_key_update(connection, &key));
	SR_TRY(sr_vault_secret_find(connection, call->arena, NULL, name.vault, name.name, name.version, SR_SECRET_LIVE,
	                            &secret));
	secret.is_enabled = certificate->is_enabled;
	secret.tags = certificate->tags;
	secret.updated = certificate->updated;
	return sr_vault_secret_update(connection, &secret);
}

/* What is due of the certificate's current version under another policy. */
static struct sr_result apply_policy(struct sr_connection *connection, struct sr_vault_call *call, const char *name,
                                     const struct sr_certificate_policy *policy)
{
	SR_TRY(sr_vault_certificate_set_policy(connection, call->record.name, name, policy->json, sr_unix_s()));
	struct sr_certificate_record current;
	struct sr_result found = sr_vault_certificate_find(connection, call->arena, call->record.name, name, NULL,
	                                                   SR_CERTIFICATE_LIVE, &current);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	SR_TRY(found);
	current.renew_at = sr_certificate_trigger_time(&policy->renew, current.nbf, current.exp);
	current.notice_at = sr_certificate_trigger_time(&policy->notice, current.nbf, current.exp);
	return sr_vault_certificate_update(connection, &current);
}

static struct sr_result change_policy(struct sr_connection *connection, struct sr_vault_call *call,
                                      const struct sr_certificate_head *head, const json_t *changes)
{
	struct sr_certificate_policy policy;
	SR_TRY(sr_certificate_policy_change(call->arena, head->policy, changes, &policy));
	SR_TRY(sr_issuer_check(connection, call->record.name, policy.issuer));
	return apply_policy(connection, call, head->name, &policy);
}

static struct sr_result check_dates(const struct update *update)
{
	const struct sr_key_wishes *wishes = &update->wishes;
	if ((wishes->has_nbf && wishes->nbf != update->certificate.nbf) ||
	    (wishes->has_exp && wishes->exp != update->certificate.exp)) {
		return sr_fail(SR_INVALID, "attributes: nbf and exp are the certificate's own and do not change");
	}
	return sr_ok();
}

static struct sr_result update_work(struct sr_connection *connection, void *context)
{
	struct update *update = context;
	struct sr_vault_call *call = update->call;
	struct sr_certificate_record *certificate = &update->certificate;
	SR_TRY(sr_vault_certificate_find(connection, call->arena, call->record.name, call->name, call->version,
	                                 SR_CERTIFICATE_LIVE, certificate));
	SR_TRY(check_dates(update));
	if (update->wishes.has_enabled) {
		certificate->is_enabled = update->wishes.is_enabled;
		call->detail = certificate->is_enabled ? "enabled" : "disabled";
	}
	if (update->wishes.has_tags) {
		certificate->tags = update->wishes.tags;
	}
	certificate->updated = sr_unix_s();
	SR_TRY(sr_vault_certificate_update(connection, certificate));
	if (certificate->has_key) {
		SR_TRY(update_linked(connection, update));
	}
	if (update->policy) {
		SR_TRY(change_policy(connection, call, &certificate->head, update->policy));
	}
	return sr_vault_certificate_find(connection, call->arena, call->record.name, call->name, certificate->version,
	                                 SR_CERTIFICATE_LIVE, certificate);
}

struct sr_result sr_handle_certificate_update(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct update update = {.call = call};
	SR_TRY(sr_key_wishes_read(call->arena, call->body, NULL, &update.wishes));
	SR_TRY(sr_json_get_object(call->body, "policy", &update.policy));
	SR_TRY(sr_call_write(call, update_work, &update, &update.certificate.version));
	const struct sr_key_name name = {call->record.name, update.certificate.head.name, update.certificate.version};
	sr_key_cache_forget(call->vault->state.cache, &name);
	sr_tending_wake(call->vault->tending);
	const struct sr_certificate_view view = sr_call_certificate_view(call);
	return sr_certificate_bundle(&view, &update.certificate, &answer->body);
}

struct policy_call {
	struct sr_vault_call *call;
	struct sr_certificate_head head;
};

static struct sr_result read_policy(struct sr_connection *connection, void *context)
{
	struct policy_call *policy = context;
	const struct sr_vault_call *call = policy->call;
	return sr_vault_certificate_find_head(connection, call->arena, call->record.name, call->name, SR_CERTIFICATE_LIVE,
	                                      &policy->head);
}

static struct sr_result write_policy(struct sr_connection *connection, void *context)
{
	struct policy_call *policy = context;
	SR_TRY(read_policy(connection, policy));
	SR_TRY(change_policy(connection, policy->call, &policy->head, policy->call->body));
	return read_policy(connection, policy);
}

struct sr_result sr_handle_certificate_policy_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct policy_call policy = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, read_policy, &policy));
	const struct sr_certificate_view view = sr_call_certificate_view(call);
	return sr_certificate_policy_json(&view, &policy.head, &answer->body);
}

struct sr_result sr_handle_certificate_policy_update(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct policy_call policy = {.call = call};
	SR_TRY(sr_call_write(call, write_policy, &policy, NULL));
	sr_tending_wake(call->vault->tending);
	const struct sr_certificate_view view = sr_call_certificate_view(call);
	return sr_certificate_policy_json(&view, &policy.head, &answer->body);
}
