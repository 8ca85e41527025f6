/* Administration of public clients on the Unix socket. Rows are public_client.c's. */
#include "identity/api.h"

#include "identity/body.h"
#include "identity/public_client.h"
#include "identity/revision.h"
#include "identity/sign_in.h"

struct work {
	const struct sr_identity_request *request;
	const json_t *asked;
	struct sr_public_client client;
};

static json_t *client_json(const struct sr_public_client *client)
{
	json_t *body = json_object();
	sr_json_set_string(body, "clientId", client->client_id);
	sr_json_set_string(body, "name", client->name);
	sr_json_set_string(body, "resources", client->resources);
	sr_body_set_time(body, "created", client->created_s);
	return body;
}

/* Sign-ins that were made with more than it may now have end. */
static struct sr_result allow(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *name = NULL;
	const char *resources = "*";
	SR_TRY(sr_json_get_string(work->asked, "name", &name));
	SR_TRY(sr_json_get_string(work->asked, "resources", &resources));
	SR_TRY(sr_public_client_allow(connection, work->request->parts[0], name, resources, work->request->now_s,
	                              &work->client));
	SR_TRY(sr_sign_in_end_of_client(connection, work->client.client_id, work->request->now_s));
	return sr_revision_grow(connection);
}

struct sr_result sr_public_clients_allow(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, allow, &work));
	answer->is_change = true;
	answer->body = client_json(&work.client);
	return sr_ok();
}

static struct sr_result append(const struct sr_public_client *client, void *context)
{
	json_array_append_new(context, client_json(client));
	return sr_ok();
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	return sr_public_client_each(connection, append, context);
}

struct sr_result sr_public_clients_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *value = json_array();
	SR_TRY(sr_database_read(request->store->database, list, value));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(value));
	return sr_ok();
}

static struct sr_result remove_client(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_public_client_find(connection, work->request->parts[0], &work->client));
	SR_TRY(sr_sign_in_end_of_client(connection, work->client.client_id, work->request->now_s));
	SR_TRY(sr_public_client_remove(connection, work->client.client_id));
	return sr_revision_grow(connection);
}

struct sr_result sr_public_clients_remove(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, remove_client, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}
