/* Issuers that a vault's owner has set (their CA is asked by hand, with the pending request), and the one of the vault
 * itself, whose CA certificate is shown with it. */
#include "vault/certificate_handlers.h"

#include "base/clock.h"
#include "vault/certificate_ca.h"
#include "vault/column.h"

#include <string.h>
#include <strings.h>

enum {
	PAGE_MAX = 25,
	TOKEN_MAX = 256,
	PASSWORD_MAX = 4096,
	TEXT_MAX = 65536,
	FIELD_MAX = 256,
	CERTIFICATE_MAX = 16384,
	BASE64_MAX = 2 * CERTIFICATE_MAX
};

/* An issuer as it is kept. */
struct issuer {
	const char *name, *provider, *account, *organisation;
	struct sr_bytes password; /* sealed */
	bool is_enabled;
	int64_t created, updated;
};

struct issuer_call {
	struct sr_vault_call *call;
	struct issuer issuer;
	struct sr_buf sealed; /* a new password */
};

#define COLUMNS "name, provider, account, password, organisation, enabled, created, updated"

static void read_row(struct sr_arena *arena, struct sr_statement *statement, struct issuer *ret_issuer)
{
	*ret_issuer = (struct issuer){
	    .name = sr_column_arena_text(arena, statement, 0),
	    .provider = sr_column_arena_text(arena, statement, 1),
	    .account = sr_column_arena_text(arena, statement, 2),
	    .password = sr_arena_copy(arena, sr_column_blob(statement, 3)),
	    .organisation = sr_column_arena_text(arena, statement, 4),
	    .is_enabled = sr_column_int(statement, 5) != 0,
	    .created = sr_column_int(statement, 6),
	    .updated = sr_column_int(statement, 7),
	};
}

static struct sr_result find_issuer(struct sr_connection *connection, void *context)
{
	struct issuer_call *search = context;
	const struct sr_vault_call *call = search->call;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM certificate_issuer WHERE vault = ?1 AND name = ?2",
	                  &statement));
	sr_bind_text(statement, 1, call->record.name);
	sr_bind_text(statement, 2, call->name);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail_as(SR_NOT_FOUND, "IssuerNotFound", "Issuer not found: %s", call->name);
	}
	read_row(call->arena, statement, &search->issuer);
	return sr_ok();
}

static bool is_own(const char *name)
{
	return strcasecmp(name, SR_ISSUER_SELF) == 0 || strcasecmp(name, SR_ISSUER_UNKNOWN) == 0 ||
	       strcasecmp(name, SR_ISSUER_STRONGROOM) == 0;
}

struct sr_result sr_issuer_check(struct sr_connection *connection, const char *vault, const char *name)
{
	if (is_own(name)) {
		return sr_ok();
	}
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT enabled FROM certificate_issuer WHERE vault = ?1 AND name = ?2", &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (is_row && sr_column_int(statement, 0)) {
		return sr_ok();
	}
	return sr_fail(SR_INVALID, "issuer.name: this vault has no %sissuer %s; set one, or use %s, %s or %s",
	               is_row ? "enabled " : "", name, SR_ISSUER_SELF, SR_ISSUER_STRONGROOM, SR_ISSUER_UNKNOWN);
}

static void set_id(const struct sr_vault_call *call, json_t *object, const char *name)
{
	sr_json_set_string(object, "id", sr_arena_printf(call->arena, "%s/certificates/issuers/%s", call->base_url, name));
}

static struct sr_result answer_issuer(const struct sr_vault_call *call, const struct issuer *issuer,
                                      struct sr_vault_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *body = json_object();
	json_t *attributes = json_object();
	set_id(call, body, issuer->name);
	sr_json_set_string(body, "provider", issuer->provider);
	if (issuer->account) {
		json_t *credentials = json_object();
		sr_json_set_string(credentials, "account_id", issuer->account);
		sr_json_set(body, "credentials", credentials);
	}
	if (issuer->organisation) {
		json_t *organisation;
		SR_TRY(sr_json_parse(sr_bytes_str(issuer->organisation), &organisation));
		sr_json_set(body, "org_details", organisation);
	}
	sr_json_set_bool(attributes, "enabled", issuer->is_enabled);
	sr_json_set_int(attributes, "created", issuer->created);
	sr_json_set_int(attributes, "updated", issuer->updated);
	sr_json_set(body, "attributes", attributes);
	answer->body = SR_TAKE(body);
	return sr_ok();
}

/* The vault's own: its CA's certificate (Base64 of DER, as x5c has it) is what others must trust. */
static struct sr_result answer_strongroom(const struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(CERTIFICATE_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(BASE64_MAX);
	SR_TRY(sr_certificate_ca_open(&call->vault->state, call->record.name, &ca));
	SR_TRY(sr_certificate_der(ca, &der));
	sr_base64_encode(&text, sr_buf_bytes(&der));
	json_t *body = json_object(), *attributes = json_object(), *x5c = json_array();
	set_id(call, body, SR_ISSUER_STRONGROOM);
	sr_json_set_string(body, "provider", SR_ISSUER_STRONGROOM);
	sr_json_set_bool(attributes, "enabled", true);
	sr_json_set(body, "attributes", attributes);
	json_array_append_new(x5c, json_string(sr_buf_text(&text)));
	sr_json_set(body, "x5c", x5c);
	answer->body = body;
	return sr_buf_result(&text);
}

struct sr_result sr_handle_issuer_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	if (strcasecmp(call->name, SR_ISSUER_STRONGROOM) == 0) {
		return answer_strongroom(call, answer);
	}
	struct issuer_call search = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, find_issuer, &search));
	return answer_issuer(call, &search.issuer, answer);
}

/* The members of org_details that the specification has. */
static struct sr_result read_organisation(struct sr_vault_call *call, struct issuer *issuer)
{
	static const char *const names[] = {"first_name", "last_name", "email", "phone"};
	const json_t *given = NULL, *admins = NULL;
	const char *id = NULL;
	SR_TRY(sr_json_get_object(call->body, "org_details", &given));
	if (!given) {
		return sr_ok();
	}
	SR_CLEANUP(sr_json) json_t *object = json_object();
	json_t *list = json_array();
	sr_json_set(object, "admin_details", list);
	SR_TRY(sr_json_get_string(given, "id", &id));
	SR_TRY(sr_json_get_array(given, "admin_details", &admins));
	sr_json_set_string(object, "id", id);
	for (size_t i = 0; i < json_array_size(admins); i++) {
		json_t *admin = json_object();
		json_array_append_new(list, admin);
		for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
			const char *text = NULL;
			SR_TRY(sr_json_get_string(json_array_get(admins, i), names[k], &text));
			sr_json_set_string(admin, names[k], text);
		}
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(TEXT_MAX);
	SR_TRY(sr_json_write(object, &text));
	SR_TRY(sr_buf_result(&text));
	issuer->organisation = sr_arena_text(call->arena, sr_buf_bytes(&text));
	return sr_ok();
}

/* The password goes nowhere but into the database, sealed to its place. */
static struct sr_result read_credentials(struct issuer_call *setting)
{
	struct sr_vault_call *call = setting->call;
	const json_t *credentials = NULL;
	const char *password = NULL;
	SR_TRY(sr_json_get_object(call->body, "credentials", &credentials));
	if (!credentials) {
		return sr_ok();
	}
	SR_TRY(sr_json_get_string(credentials, "account_id", &setting->issuer.account));
	SR_TRY(sr_json_get_string(credentials, "pwd", &password));
	if (!password) {
		return sr_ok();
	}
	if (strlen(password) > PASSWORD_MAX) {
		return sr_fail(SR_INVALID, "credentials.pwd: longer than %d bytes", PASSWORD_MAX);
	}
	const char *place = sr_arena_printf(call->arena, "issuer/%s/%s", call->record.name, setting->issuer.name);
	SR_TRY(sr_aead_seal(call->vault->state.records, sr_bytes_str(place), sr_bytes_str(password), &setting->sealed));
	setting->issuer.password = sr_buf_bytes(&setting->sealed);
	return sr_ok();
}

/* Lays the body's members over what the issuer has. */
static struct sr_result read_body(struct issuer_call *setting)
{
	struct sr_vault_call *call = setting->call;
	struct issuer *issuer = &setting->issuer;
	const json_t *attributes = NULL;
	SR_TRY(sr_json_get_string(call->body, "provider", &issuer->provider));
	SR_TRY(sr_json_get_object(call->body, "attributes", &attributes));
	if (attributes) {
		SR_TRY(sr_json_get_bool(attributes, "enabled", &issuer->is_enabled));
	}
	SR_TRY(read_credentials(setting));
	SR_TRY(read_organisation(call, issuer));
	if (!issuer->provider || !*issuer->provider || strlen(issuer->provider) > FIELD_MAX) {
		return sr_fail(SR_INVALID, "provider: the name of the certificate authority is needed");
	}
	issuer->updated = sr_unix_s();
	return sr_ok();
}

static struct sr_result write_issuer(struct sr_connection *connection, const struct issuer_call *setting)
{
	const struct issuer *issuer = &setting->issuer;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT OR REPLACE INTO certificate_issuer(vault, name, provider, account, password, "
	                  "organisation, enabled, created, updated) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	                  &statement));
	sr_bind_text(statement, 1, setting->call->record.name);
	sr_bind_text(statement, 2, issuer->name);
	sr_bind_text(statement, 3, issuer->provider);
	sr_bind_text(statement, 4, issuer->account);
	if (issuer->password.len) {
		sr_bind_blob(statement, 5, issuer->password);
	} else {
		sr_bind_null(statement, 5);
	}
	sr_bind_text(statement, 6, issuer->organisation);
	sr_bind_int(statement, 7, issuer->is_enabled);
	sr_bind_int(statement, 8, issuer->created);
	sr_bind_int(statement, 9, issuer->updated);
	return sr_run(statement);
}

static struct sr_result set_work(struct sr_connection *connection, void *context)
{
	struct issuer_call *setting = context;
	const int64_t now = sr_unix_s();
	setting->issuer = (struct issuer){.name = setting->call->name, .is_enabled = true, .created = now};
	sr_buf_reset(&setting->sealed);
	SR_TRY(read_body(setting));
	return write_issuer(connection, setting);
}

static struct sr_result update_work(struct sr_connection *connection, void *context)
{
	struct issuer_call *setting = context;
	SR_TRY(find_issuer(connection, setting));
	sr_buf_reset(&setting->sealed);
	setting->call->name = setting->issuer.name;
	SR_TRY(read_body(setting));
	return write_issuer(connection, setting);
}

static struct sr_result change(struct sr_vault_call *call, sr_database_work work, struct sr_vault_answer *answer)
{
	if (is_own(call->name)) {
		return sr_fail(SR_INVALID, "%s is an issuer of every vault and does not change.", call->name);
	}
	struct issuer_call setting = {.call = call, .sealed = SR_BUF(PASSWORD_MAX + SR_AEAD_OVERHEAD)};
	struct sr_result result = sr_call_write(call, work, &setting, NULL);
	if (sr_is_ok(result)) {
		result = answer_issuer(call, &setting.issuer, answer);
	}
	sr_buf_free(&setting.sealed);
	return result;
}

struct sr_result sr_handle_issuer_set(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return change(call, set_work, answer);
}

struct sr_result sr_handle_issuer_update(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return change(call, update_work, answer);
}

static struct sr_result delete_work(struct sr_connection *connection, void *context)
{
	struct issuer_call *deletion = context;
	SR_TRY(find_issuer(connection, deletion));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM certificate_issuer WHERE vault = ?1 AND name = ?2", &statement));
	sr_bind_text(statement, 1, deletion->call->record.name);
	sr_bind_text(statement, 2, deletion->issuer.name);
	return sr_run(statement);
}

struct sr_result sr_handle_issuer_delete(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return change(call, delete_work, answer);
}

struct issuer_list {
	struct sr_vault_call *call;
	const char *after;
	size_t limit;
	json_t *items;
	const char *last;
	bool has_more;
};

static struct sr_result list_work(struct sr_connection *connection, void *context)
{
	struct issuer_list *list = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT name, provider FROM certificate_issuer WHERE vault = ?1 AND name > ?2 ORDER BY name "
	                  "LIMIT ?3",
	                  &statement));
	sr_bind_text(statement, 1, list->call->record.name);
	sr_bind_text(statement, 2, list->after);
	sr_bind_int(statement, 3, (int64_t)list->limit + 1);
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row || json_array_size(list->items) == list->limit) {
			list->has_more = is_row;
			return sr_ok();
		}
		json_t *item = json_object();
		list->last = sr_column_arena_text(list->call->arena, statement, 0);
		set_id(list->call, item, list->last);
		sr_json_set_string(item, "provider", sr_column_arena_text(list->call->arena, statement, 1));
		json_array_append_new(list->items, item);
	}
}

static struct sr_result read_page_parameters(struct issuer_list *list)
{
	const char *limit_text = sr_parameter_get(&list->call->query, "maxresults");
	const char *token = sr_parameter_get(&list->call->query, "$skiptoken");
	uint64_t limit = PAGE_MAX;
	if (limit_text) {
		SR_TRY(sr_parse_u64(sr_bytes_str(limit_text), PAGE_MAX, &limit));
	}
	if (limit == 0) {
		return sr_fail(SR_INVALID, "maxresults: 1 to %d", PAGE_MAX);
	}
	list->limit = (size_t)limit;
	if (token) {
		SR_CLEANUP(sr_buf) struct sr_buf decoded = SR_BUF(TOKEN_MAX);
		SR_TRY(sr_base64url_decode(sr_bytes_str(token), &decoded));
		list->after = sr_arena_text(list->call->arena, sr_buf_bytes(&decoded));
	}
	return sr_ok();
}

struct sr_result sr_handle_issuers_list(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *body = json_object();
	struct issuer_list list = {.call = call, .after = "", .items = json_array()};
	sr_json_set(body, "value", list.items);
	SR_TRY(read_page_parameters(&list));
	SR_TRY(sr_database_read(call->vault->state.database, list_work, &list));
	SR_CLEANUP(sr_buf) struct sr_buf link = SR_BUF(4096);
	if (list.has_more) {
		sr_buf_printf(&link, "%s/certificates/issuers?api-version=%s&maxresults=%zu&$skiptoken=", call->base_url,
		              call->api_version, list.limit);
		sr_base64url_encode(&link, sr_bytes_str(list.last));
	}
	sr_json_set(body, "nextLink", list.has_more ? json_string(sr_buf_text(&link)) : json_null());
	answer->body = SR_TAKE(body);
	return sr_ok();
}
