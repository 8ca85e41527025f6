/* Who may use managed identities: bindings of the metadata endpoint, and headers of jobs. Rows are identity_holder.h's.
 */
#include "identity/api.h"

#include "identity/body.h"
#include "identity/identity_holder.h"
#include "identity/managed_identity.h"
#include "identity/manager.h"
#include "identity/revision.h"

enum { LIFETIME_S = 86400 };

struct work {
	const struct sr_identity_request *request;
	const json_t *asked; /* the parsed body */
	struct sr_connection *connection;
	struct sr_imds_binding binding;
	char header_id[SR_GUID_TEXT_LEN];
	struct sr_buf header; /* in clear, for the one answer that shows it */
	int64_t lifetime_s;
	json_t *list, *held; /* `held` is borrowed from what is being listed */
};

static void work_cleanup(struct work *work)
{
	sr_wipe(work->header.data, work->header.len);
	sr_buf_free(&work->header);
}

static struct work work_of(const struct sr_identity_request *request, const json_t *asked)
{
	return (struct work){.request = request, .asked = asked, .header = SR_BUF(SR_HEADER_TEXT_MAX)};
}

/* Lets the holder use each of "identities". */
static struct sr_result give_all(struct sr_connection *connection, const struct work *work, const char *holder)
{
	const json_t *identities = NULL;
	SR_TRY(sr_json_get_array(work->asked, "identities", &identities));
	if (!json_array_size(identities)) {
		return sr_fail(SR_INVALID, "'identities' names no managed identity");
	}
	for (size_t i = 0; i < json_array_size(identities); i++) {
		const char *wanted = json_string_value(json_array_get(identities, i));
		struct sr_managed_identity identity;
		SR_TRY(sr_managed_identity_find(connection, work->request->arena, wanted ? wanted : "", &identity));
		SR_TRY(sr_holder_give(connection, holder, identity.object_id));
	}
	return sr_ok();
}

static struct sr_result append_held(const struct sr_managed_identity *identity, void *context)
{
	json_t *item = json_object();
	sr_json_set_string(item, "name", identity->name);
	sr_json_set_string(item, "id", identity->resource_id);
	sr_json_set_string(item, "clientId", identity->client_id);
	sr_json_set_string(item, "principalId", identity->object_id);
	json_array_append_new(context, item);
	return sr_ok();
}

static json_t *binding_json(const struct sr_imds_binding *binding)
{
	json_t *body = json_object();
	sr_json_set_string(body, "id", binding->id);
	sr_json_set_string(body, "address", binding->address);
	if (binding->uid != SR_ANY_UID) {
		sr_json_set_int(body, "uid", binding->uid);
	}
	sr_body_set_time(body, "created", binding->created_s);
	return body;
}

static struct sr_result append_binding(const struct sr_imds_binding *binding, void *context)
{
	const struct work *work = context;
	json_t *item = binding_json(binding);
	json_t *held = json_array();
	sr_json_set(item, "identities", held);
	json_array_append_new(work->list, item);
	return sr_managed_identity_each_held(work->connection, work->request->arena, binding->id, append_held, held);
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	work->connection = connection;
	return sr_imds_binding_each(connection, append_binding, work);
}

struct sr_result sr_bindings_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	SR_CLEANUP(sr_json) json_t *value = json_array();
	struct work work = {.request = request, .list = value};
	SR_TRY(sr_database_read(request->store->database, list, &work));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(value));
	return sr_ok();
}

static struct sr_result bind_identities(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *address;
	int64_t uid = SR_ANY_UID;
	SR_TRY(sr_body_need(work->asked, "address", &address));
	SR_TRY(sr_json_get_int(work->asked, "uid", &uid));
	SR_TRY(sr_imds_binding_make(connection, address, uid, work->request->now_s, &work->binding));
	return give_all(connection, work, work->binding.id);
}

/* {"address", "uid", "identities": […]}: adds to the binding that is there. */
struct sr_result sr_bindings_create(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	struct work work = {.request = request, .asked = asked};
	SR_TRY(sr_database_write(request->store->database, bind_identities, &work));
	answer->status = 201;
	answer->body = binding_json(&work.binding);
	return sr_ok();
}

static struct sr_result unbind(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	const struct sr_identity_request *request = work->request;
	const char *wanted = sr_parameter_get(&request->query, "identity");
	if (!wanted) {
		SR_TRY(sr_imds_binding_remove(connection, request->parts[0], request->now_s));
		return sr_revision_grow(connection);
	}
	struct sr_managed_identity identity;
	SR_TRY(sr_managed_identity_find(connection, request->arena, wanted, &identity));
	return sr_holder_take_back(connection, request->parts[0], identity.object_id);
}

/* The whole binding, whose tokens end with it; or with ?identity=… that one's use by it, whose tokens end by time. */
struct sr_result sr_bindings_delete(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, unbind, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}

static struct sr_result issue(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *label = "job";
	work->lifetime_s = LIFETIME_S;
	SR_TRY(sr_json_get_string(work->asked, "label", &label));
	SR_TRY(sr_json_get_int(work->asked, "lifetime_s", &work->lifetime_s));
	SR_TRY(sr_identity_header_make(connection, label, work->lifetime_s, work->request->now_s, work->header_id,
	                               &work->header));
	return give_all(connection, work, work->header_id);
}

/* {"identities": […], "lifetime_s", "label"}; the answer shows the header this once, and where it is good. */
struct sr_result sr_headers_create(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	SR_CLEANUP(work) struct work work = work_of(request, asked);
	SR_TRY(sr_database_write(request->store->database, issue, &work));
	answer->status = 201;
	answer->is_secret = true;
	answer->body = json_object();
	sr_json_set_string(answer->body, "id", work.header_id);
	sr_json_set_string(answer->body, "header", sr_buf_text(&work.header));
	sr_json_set_string(answer->body, "endpoint",
	                   sr_arena_printf(request->arena, "%s/msi/token", request->identity->options.authority));
	sr_body_set_time(answer->body, "expires", request->now_s + work.lifetime_s);
	return sr_ok();
}

static struct sr_result revoke(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	SR_TRY(sr_identity_header_revoke(connection, work->request->parts[0], work->request->now_s));
	return sr_revision_grow(connection);
}

/* Takes a header back; what tokens it got end too. */
struct sr_result sr_headers_delete(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_TRY(sr_manager_check(request));
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, revoke, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}
