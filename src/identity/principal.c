/* Rows of principals. Their secrets are in client_secret.c, their roles in assignment.c. */
#include "identity/principal.h"

#include "identity/object.h"

#include <string.h>

static void new_guid(char ret_text[static SR_GUID_TEXT_LEN])
{
	struct sr_id id = sr_id_random();
	sr_guid_text(&id, ret_text);
}

static struct sr_result no_such(const char *id_or_name)
{
	return sr_fail(SR_NOT_FOUND, "there is no principal '%s'", id_or_name);
}

struct sr_result sr_application_make(struct sr_connection *connection, const char *name, int64_t now_s,
                                     struct sr_application *ret_application)
{
	SR_TRY(sr_object_check_name("a principal's name", name, SR_PRINCIPAL_NAME_MAX));
	struct sr_application application = {.is_enabled = true, .created_s = now_s};
	new_guid(application.object_id);
	new_guid(application.client_id);
	memcpy(application.name, name, strlen(name) + 1);
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO principal (object_id, client_id, name, is_enabled, created_s)"
	                  " VALUES (?1, ?2, ?3, 1, ?4)",
	                  &insert));
	sr_bind_text(insert, 1, application.object_id);
	sr_bind_text(insert, 2, application.client_id);
	sr_bind_text(insert, 3, application.name);
	sr_bind_int(insert, 4, now_s);
	struct sr_result inserted = sr_run(insert);
	if (sr_result_code(inserted) == SR_EXISTS) {
		sr_ignore(inserted);
		return sr_fail(SR_EXISTS, "there is a principal '%s' already", name);
	}
	SR_TRY(inserted);
	*ret_application = application;
	return sr_ok();
}

static struct sr_result copy_text(struct sr_statement *statement, int column, char *to, size_t room)
{
	struct sr_bytes text = sr_column_text(statement, column);
	if (text.len >= room) {
		return sr_fail(SR_CORRUPT, "read a principal's row: a column is too long");
	}
	memcpy(to, text.data, text.len);
	to[text.len] = 0;
	return sr_ok();
}

/* From the columns object_id, client_id, name, is_enabled, created_s. */
static struct sr_result read_row(struct sr_statement *statement, struct sr_application *ret_application)
{
	struct sr_application application = {0};
	SR_TRY(copy_text(statement, 0, application.object_id, sizeof application.object_id));
	SR_TRY(copy_text(statement, 1, application.client_id, sizeof application.client_id));
	SR_TRY(copy_text(statement, 2, application.name, sizeof application.name));
	application.is_enabled = sr_column_int(statement, 3) != 0;
	application.created_s = sr_column_int(statement, 4);
	*ret_application = application;
	return sr_ok();
}

static struct sr_result find_by(struct sr_connection *connection, const char *sql, const char *id_or_name,
                                struct sr_application *ret_application)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, sql, &select));
	sr_bind_text(select, 1, id_or_name);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return has_row ? read_row(select, ret_application) : no_such(id_or_name);
}

struct sr_result sr_application_find(struct sr_connection *connection, const char *id_or_name,
                                     struct sr_application *ret_application)
{
	return find_by(connection,
	               "SELECT object_id, client_id, name, is_enabled, created_s FROM principal"
	               " WHERE object_id = lower(?1) OR client_id = lower(?1) OR name = ?1",
	               id_or_name, ret_application);
}

struct sr_result sr_application_of_client(struct sr_connection *connection, const char *client_id,
                                          struct sr_application *ret_application)
{
	return find_by(connection,
	               "SELECT object_id, client_id, name, is_enabled, created_s FROM principal"
	               " WHERE client_id = lower(?1)",
	               client_id, ret_application);
}

struct sr_result sr_application_enable(struct sr_connection *connection, const char *object_id, bool is_enabled)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE principal SET is_enabled = ?2 WHERE object_id = ?1", &update));
	sr_bind_text(update, 1, object_id);
	sr_bind_int(update, 2, is_enabled);
	SR_TRY(sr_run(update));
	return sr_changes(connection) ? sr_ok() : no_such(object_id);
}

static struct sr_result run_for(struct sr_connection *connection, const char *sql, const char *object_id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	sr_bind_text(statement, 1, object_id);
	return sr_run(statement);
}

struct sr_result sr_application_remove(struct sr_connection *connection, const char *object_id)
{
	SR_TRY(run_for(connection, "DELETE FROM client_secret WHERE principal = ?1", object_id));
	SR_TRY(run_for(connection, "DELETE FROM client_certificate WHERE principal = ?1", object_id));
	SR_TRY(run_for(connection, "DELETE FROM federated_credential WHERE principal = ?1", object_id));
	SR_TRY(sr_object_forget(connection, object_id));
	SR_TRY(run_for(connection, "DELETE FROM principal WHERE object_id = ?1", object_id));
	return sr_changes(connection) ? sr_ok() : no_such(object_id);
}

struct sr_result sr_application_count(struct sr_connection *connection, int64_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM principal", &select));
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	*ret_count = sr_column_int(select, 0);
	return sr_ok();
}

struct sr_result sr_application_each(struct sr_connection *connection,
                                     struct sr_result (*each)(const struct sr_application *application, void *context),
                                     void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(
	    connection, "SELECT object_id, client_id, name, is_enabled, created_s FROM principal ORDER BY name", &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		struct sr_application application;
		SR_TRY(read_row(select, &application));
		SR_TRY(each(&application, context));
	}
}
