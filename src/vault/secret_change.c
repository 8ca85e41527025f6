/* Setting secrets, updating what a version says of itself, and reading them. Each change is one durable write. */
#include "vault/secret_handlers.h"

#include "base/clock.h"
#include "seal/x509.h"
#include "vault/secret_json.h"

#include <string.h>

#define PFX "application/x-pkcs12"
#define PEM "application/x-pem-file"

struct search {
	const struct sr_vault_call *call;
	struct sr_aead *records;
	enum sr_secret_presence presence;
	struct sr_secret_record secret;
};

static struct sr_result find_work(struct sr_connection *connection, void *context)
{
	struct search *search = context;
	const struct sr_vault_call *call = search->call;
	return sr_vault_secret_find(connection, call->arena, search->records, call->record.name, call->name, call->version,
	                            search->presence, &search->secret);
}

struct sr_result sr_call_find_secret(struct sr_vault_call *call, struct sr_aead *records,
                                     enum sr_secret_presence presence, struct sr_secret_record *ret_secret)
{
	struct search search = {call, records, presence, {0}};
	SR_TRY(sr_database_read(call->vault->state.database, find_work, &search));
	*ret_secret = search.secret;
	return sr_ok();
}

struct sr_result sr_secret_check_unmanaged(const struct sr_secret_record *secret, const char *operation)
{
	if (secret->is_managed) {
		return sr_fail_as(SR_DENIED, "SecretManagedByKeyVault",
		                  "Operation \"%s\" is not allowed on this secret, since it is associated with a certificate. "
		                  "Perform the operation on the corresponding certificate.",
		                  operation);
	}
	return sr_ok();
}

static struct sr_result answer_bundle(struct sr_vault_call *call, const struct sr_secret_record *secret,
                                      struct sr_vault_answer *answer)
{
	const struct sr_key_view view = {call->base_url, &call->record};
	return sr_secret_bundle(&view, secret, &answer->body);
}

static struct sr_result read_value(const json_t *body, struct sr_bytes *ret_value)
{
	const char *value = NULL;
	SR_TRY(sr_json_get_string(body, "value", &value));
	if (!value) {
		return sr_fail(SR_INVALID, "Property 'value' is required.");
	}
	const size_t len = strlen(value);
	if (len > SR_SECRET_VALUE_MAX) {
		return sr_fail(SR_INVALID,
		               "Secret is beyond the maximum permitted length of %d bytes: keep large data in a blob, and its "
		               "key here.",
		               SR_SECRET_VALUE_MAX);
	}
	*ret_value = sr_bytes_of(value, len);
	return sr_ok();
}

/* What stands under the name already: its letters are kept, a certificate's is left alone. Inserting checks again. */
static struct sr_result check_name(struct sr_vault_call *call)
{
	struct sr_secret_record found;
	struct sr_result result = sr_call_find_secret(call, NULL, SR_SECRET_LIVE, &found);
	if (sr_result_code(result) == SR_NOT_FOUND) {
		sr_ignore(result);
		return sr_ok();
	}
	SR_TRY(result);
	SR_TRY(sr_secret_check_unmanaged(&found, "set"));
	call->name = found.name;
	return sr_ok();
}

struct addition {
	struct sr_vault_call *call;
	struct sr_secret_record secret;
};

static struct sr_result addition_work(struct sr_connection *connection, void *context)
{
	const struct addition *addition = context;
	return sr_vault_secret_insert(connection, addition->call->vault->state.records, &addition->secret);
}

struct sr_result sr_handle_secret_set(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct addition addition = {.call = call};
	struct sr_secret_record *secret = &addition.secret;
	struct sr_secret_wishes wishes;
	*secret = (struct sr_secret_record){.is_enabled = true, .nbf = SR_NO_TIME, .exp = SR_NO_TIME};
	SR_TRY(read_value(call->body, &secret->value));
	SR_TRY(sr_secret_wishes_read(call->arena, call->body, &wishes));
	SR_TRY(sr_secret_wishes_apply(&wishes, secret));
	SR_TRY(check_name(call));

	const struct sr_id id = sr_id_random();
	char version[SR_ID_TEXT_LEN];
	sr_id_text(&id, version);
	secret->vault = call->record.name;
	secret->name = call->name;
	secret->version = version;
	secret->created = secret->updated = sr_unix_s();
	secret->deleted_at = secret->purge_at = SR_NO_TIME;
	SR_TRY(sr_call_write(call, addition_work, &addition, &secret->version));
	return answer_bundle(call, secret, answer);
}

struct update {
	struct sr_vault_call *call;
	struct sr_secret_wishes wishes;
	struct sr_secret_record secret;
};

static struct sr_result update_work(struct sr_connection *connection, void *context)
{
	struct update *update = context;
	struct sr_vault_call *call = update->call;
	struct sr_secret_record *secret = &update->secret;
	SR_TRY(sr_vault_secret_find(connection, call->arena, NULL, call->record.name, call->name, call->version,
	                            SR_SECRET_LIVE, secret));
	SR_TRY(sr_secret_check_unmanaged(secret, "update"));
	SR_TRY(sr_secret_wishes_apply(&update->wishes, secret));
	secret->updated = sr_unix_s();
	call->detail = secret->is_enabled ? "enabled" : "disabled";
	return sr_vault_secret_update(connection, secret);
}

/* Answers without the value, as the service does. */
struct sr_result sr_handle_secret_update(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct update update = {.call = call};
	SR_TRY(sr_secret_wishes_read(call->arena, call->body, &update.wishes));
	SR_TRY(sr_call_write(call, update_work, &update, &update.secret.version));
	return answer_bundle(call, &update.secret, answer);
}

/* A certificate's PKCS#12, kept as Base64, as PEM. */
static struct sr_result convert_to_pem(struct sr_arena *arena, struct sr_secret_record *secret)
{
	SR_CLEANUP(sr_buf) struct sr_buf pfx = SR_BUF(SR_SECRET_VALUE_MAX), pem = SR_BUF((size_t)4 * SR_SECRET_VALUE_MAX);
	SR_TRY(sr_base64_decode(secret->value, &pfx));
	struct sr_x509_import import = {0};
	SR_TRY(sr_x509_from_pkcs12(arena, sr_buf_bytes(&pfx), "", &import));
	struct sr_result result = sr_first_error(sr_x509_pem(import.keypair, &import.chain, &pem), sr_buf_result(&pem));
	sr_keypair_free(import.keypair);
	SR_TRY(result);
	secret->value = sr_arena_copy(arena, sr_buf_bytes(&pem));
	secret->content_type = PEM;
	return sr_ok();
}

/* The form in which a certificate's secret is wanted: its own, or PEM of PKCS#12, as the service converts. */
static struct sr_result give_wanted_form(const struct sr_vault_call *call, struct sr_secret_record *secret)
{
	const char *wanted = sr_parameter_get(&call->query, "outContentType");
	const char *kept = secret->content_type ? secret->content_type : "";
	if (!wanted || strcmp(wanted, kept) == 0) {
		return sr_ok();
	}
	if (secret->is_managed && strcmp(wanted, PEM) == 0 && strcmp(kept, PFX) == 0) {
		return convert_to_pem(call->arena, secret);
	}
	return sr_fail(SR_INVALID, "outContentType: a certificate's secret is given as it is kept, or its PKCS#12 as PEM; "
	                           "nothing else is converted.");
}

/* A disabled secret is refused; one that is expired, or not yet valid, is still given: its owner decides. */
static struct sr_result check_may_get(const struct sr_secret_record *secret)
{
	return secret->is_enabled
	           ? sr_ok()
	           : sr_fail_as(SR_DENIED, "SecretDisabled", "Operation get is not allowed on a disabled secret.");
}

/* Within the write of the audit entry, so that no value is given away after an entry that takes the secret away. */
static struct sr_result check_again(struct sr_connection *connection, void *context)
{
	struct sr_vault_call *call = context;
	struct sr_vault_record vault;
	struct sr_secret_record secret;
	SR_TRY(sr_vault_find(connection, call->arena, call->record.name, &vault));
	SR_TRY(sr_vault_secret_find(connection, call->arena, NULL, call->record.name, call->name, call->version,
	                            SR_SECRET_LIVE, &secret));
	return check_may_get(&secret);
}

struct sr_result sr_handle_secret_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct sr_secret_record secret;
	SR_TRY(sr_call_find_secret(call, call->vault->state.records, SR_SECRET_LIVE, &secret));
	SR_TRY(check_may_get(&secret));
	SR_TRY(give_wanted_form(call, &secret));
	call->version = secret.version; /* for the audit entry: which one was given */
	call->check = check_again;
	call->check_context = call;
	return answer_bundle(call, &secret, answer);
}
