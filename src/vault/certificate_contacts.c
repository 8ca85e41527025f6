/* Whom a vault's certificates concern: told by an entry in the audit log when a policy asks for it. */
#include "vault/certificate_handlers.h"

enum { CONTACTS_MAX = 100, TEXT_MAX = 65536, FIELD_MAX = 256 };

struct contacts {
	struct sr_vault_call *call;
	const char *json;
};

static struct sr_result find_contacts(struct sr_connection *connection, void *context)
{
	struct contacts *contacts = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT contacts FROM certificate_contacts WHERE vault = ?1", &statement));
	sr_bind_text(statement, 1, contacts->call->record.name);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail_as(SR_NOT_FOUND, "ContactsNotFound", "Contacts not found: none were set for this vault.");
	}
	contacts->json = sr_arena_text(contacts->call->arena, sr_column_text(statement, 0));
	return sr_ok();
}

static struct sr_result answer_contacts(const struct contacts *contacts, struct sr_vault_answer *answer)
{
	const struct sr_vault_call *call = contacts->call;
	SR_CLEANUP(sr_json) json_t *body = json_object();
	json_t *list;
	SR_TRY(sr_json_parse(sr_bytes_str(contacts->json), &list));
	sr_json_set(body, "contacts", list);
	sr_json_set_string(body, "id", sr_arena_printf(call->arena, "%s/certificates/contacts", call->base_url));
	answer->body = SR_TAKE(body);
	return sr_ok();
}

struct sr_result sr_handle_contacts_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct contacts contacts = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, find_contacts, &contacts));
	return answer_contacts(&contacts, answer);
}

static struct sr_result copy_field(const json_t *from, const char *name, json_t *to)
{
	const char *text = NULL;
	SR_TRY(sr_json_get_string(from, name, &text));
	if (text && sr_bytes_str(text).len > FIELD_MAX) {
		return sr_fail(SR_INVALID, "contacts: %s is longer than %d bytes", name, FIELD_MAX);
	}
	sr_json_set_string(to, name, text);
	return sr_ok();
}

/* What a contact has, and nothing else that a client may send. */
static struct sr_result normalize(const json_t *given, json_t *list)
{
	for (size_t i = 0; i < json_array_size(given); i++) {
		const json_t *item = json_array_get(given, i);
		const char *email = NULL;
		SR_TRY(sr_json_get_string(item, "email", &email));
		if (!email || !*email) {
			return sr_fail(SR_INVALID, "contacts: each has an email");
		}
		json_t *contact = json_object();
		json_array_append_new(list, contact);
		SR_TRY(copy_field(item, "email", contact));
		SR_TRY(copy_field(item, "name", contact));
		SR_TRY(copy_field(item, "phone", contact));
	}
	return sr_ok();
}

static struct sr_result set_work(struct sr_connection *connection, void *context)
{
	const struct contacts *contacts = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "INSERT OR REPLACE INTO certificate_contacts(vault, contacts) VALUES(?1, ?2)",
	                  &statement));
	sr_bind_text(statement, 1, contacts->call->record.name);
	sr_bind_text(statement, 2, contacts->json);
	return sr_run(statement);
}

struct sr_result sr_handle_contacts_set(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	const json_t *given = NULL;
	SR_TRY(sr_json_get_array(call->body, "contacts", &given));
	if (!given || json_array_size(given) == 0 || json_array_size(given) > CONTACTS_MAX) {
		return sr_fail(SR_INVALID, "contacts: 1 to %d; to have none, delete them", CONTACTS_MAX);
	}
	SR_CLEANUP(sr_json) json_t *list = json_array();
	SR_TRY(normalize(given, list));
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(TEXT_MAX);
	SR_TRY(sr_json_write(list, &text));
	struct contacts contacts = {.call = call, .json = sr_arena_text(call->arena, sr_buf_bytes(&text))};
	SR_TRY(sr_call_write(call, set_work, &contacts, NULL));
	return answer_contacts(&contacts, answer);
}

static struct sr_result delete_work(struct sr_connection *connection, void *context)
{
	struct contacts *contacts = context;
	SR_TRY(find_contacts(connection, contacts));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM certificate_contacts WHERE vault = ?1", &statement));
	sr_bind_text(statement, 1, contacts->call->record.name);
	return sr_run(statement);
}

struct sr_result sr_handle_contacts_delete(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct contacts contacts = {.call = call};
	SR_TRY(sr_call_write(call, delete_work, &contacts, NULL));
	return answer_contacts(&contacts, answer);
}
