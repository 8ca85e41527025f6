/* Rows of public clients. */
#include "identity/public_client.h"

#include "identity/object.h"

#include <string.h>

/* Applications of Microsoft's that people have on their machines. */
static const struct {
	const char *word, *client_id, *name;
} known[] = {
    {"az", "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Microsoft Azure CLI"},
    {"powershell", "1950a258-227b-4e31-a9cf-717495945fc2", "Microsoft Azure PowerShell"},
};

static struct sr_result fill(const char *client_id, const char *name, struct sr_public_client *client)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcmp(client_id, known[i].word) == 0 ||
		    sr_equal_nocase(sr_bytes_str(client_id), sr_bytes_str(known[i].client_id))) {
			client_id = known[i].client_id;
			name = name ? name : known[i].name;
		}
	}
	if (!sr_is_guid(sr_bytes_str(client_id))) {
		return sr_fail(SR_INVALID, "a public client's id is a GUID, or \"az\" or \"powershell\"");
	}
	if (!name) {
		return sr_fail(SR_INVALID, "a name is needed: it is what people are shown when they are asked to approve");
	}
	SR_TRY(sr_object_check_name("a public client's name", name, SR_CLIENT_NAME_MAX));
	for (size_t i = 0; i < SR_GUID_TEXT_LEN; i++) {
		client->client_id[i] =
		    (char)(client_id[i] >= 'A' && client_id[i] <= 'F' ? client_id[i] - 'A' + 'a' : client_id[i]);
	}
	memcpy(client->name, name, strlen(name) + 1);
	return sr_ok();
}

struct sr_result sr_public_client_allow(struct sr_connection *connection, const char *client_id, const char *name,
                                        const char *resources, int64_t now_s, struct sr_public_client *ret_client)
{
	struct sr_public_client client = {.created_s = now_s};
	SR_TRY(fill(client_id, name, &client));
	if (strlen(resources) > SR_CLIENT_RESOURCES_MAX || !*resources) {
		return sr_fail(SR_INVALID, "a public client has 1 to %d bytes of resources", SR_CLIENT_RESOURCES_MAX);
	}
	memcpy(client.resources, resources, strlen(resources) + 1);
	SR_CLEANUP(sr_statement) struct sr_statement *upsert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO public_client (client_id, name, resources, created_s) VALUES (?1, ?2, ?3, ?4)"
	                  " ON CONFLICT (client_id) DO UPDATE SET name = ?2, resources = ?3",
	                  &upsert));
	sr_bind_text(upsert, 1, client.client_id);
	sr_bind_text(upsert, 2, client.name);
	sr_bind_text(upsert, 3, client.resources);
	sr_bind_int(upsert, 4, now_s);
	SR_TRY(sr_run(upsert));
	*ret_client = client;
	return sr_ok();
}

static struct sr_result copy_text(struct sr_statement *statement, int column, char *to, size_t room)
{
	struct sr_bytes text = sr_column_text(statement, column);
	if (text.len >= room) {
		return sr_fail(SR_CORRUPT, "read a public client's row: a column is too long");
	}
	memcpy(to, text.data, text.len);
	to[text.len] = 0;
	return sr_ok();
}

static struct sr_result read_row(struct sr_statement *statement, struct sr_public_client *ret_client)
{
	struct sr_public_client client = {0};
	SR_TRY(copy_text(statement, 0, client.client_id, sizeof client.client_id));
	SR_TRY(copy_text(statement, 1, client.name, sizeof client.name));
	SR_TRY(copy_text(statement, 2, client.resources, sizeof client.resources));
	client.created_s = sr_column_int(statement, 3);
	*ret_client = client;
	return sr_ok();
}

static struct sr_result no_such(const char *client_id)
{
	return sr_fail(SR_NOT_FOUND, "there is no public client '%.100s'", client_id);
}

struct sr_result sr_public_client_find(struct sr_connection *connection, const char *client_id,
                                       struct sr_public_client *ret_client)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT client_id, name, resources, created_s FROM public_client WHERE client_id = lower(?1)",
	                  &select));
	sr_bind_text(select, 1, client_id);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return has_row ? read_row(select, ret_client) : no_such(client_id);
}

struct sr_result sr_public_client_remove(struct sr_connection *connection, const char *client_id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM public_client WHERE client_id = lower(?1)", &remove));
	sr_bind_text(remove, 1, client_id);
	SR_TRY(sr_run(remove));
	return sr_changes(connection) ? sr_ok() : no_such(client_id);
}

struct sr_result sr_public_client_each(struct sr_connection *connection,
                                       struct sr_result (*each)(const struct sr_public_client *client, void *context),
                                       void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT client_id, name, resources, created_s FROM public_client ORDER BY name, client_id",
	                  &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		struct sr_public_client client;
		SR_TRY(read_row(select, &client));
		SR_TRY(each(&client, context));
	}
}

static struct sr_bytes without_slashes(struct sr_bytes text)
{
	while (text.len && text.data[text.len - 1] == '/') {
		text.len--;
	}
	return text;
}

bool sr_resources_have(const char *resources, const char *resource)
{
	struct sr_bytes wanted = without_slashes(sr_bytes_str(resource));
	for (const char *at = resources + strspn(resources, " "); *at; at += strspn(at, " ")) {
		struct sr_bytes word = sr_bytes_of(at, strcspn(at, " "));
		if (sr_equal_public(word, SR_LITERAL("*")) || sr_equal_nocase(without_slashes(word), wanted)) {
			return true;
		}
		at += word.len;
	}
	return false;
}
