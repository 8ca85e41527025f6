/* Administration of principals and their secrets on the Unix socket. Rows are principal.c's. */
#include "identity/api.h"

#include "identity/assignment.h"
#include "identity/client_certificate.h"
#include "identity/federation.h"
#include "identity/principal.h"
#include "identity/revision.h"
#include "wire/time.h"

enum { SECRET_TEXT_MAX = 256 };

/* What a change of one principal works on and yields. */
struct work {
	const struct sr_identity_request *request;
	const json_t *asked; /* the parsed body */
	struct sr_application application;
	char secret_id[SR_GUID_TEXT_LEN];
	struct sr_buf secret; /* in clear, for the one answer that shows it */
	json_t *body;         /* owned; what the answer says */
};

static void work_cleanup(struct work *work)
{
	sr_wipe(work->secret.data, work->secret.len);
	sr_buf_free(&work->secret);
	sr_json_cleanup(&work->body);
}

static struct work work_of(const struct sr_identity_request *request)
{
	return (struct work){.request = request, .secret = SR_BUF(SECRET_TEXT_MAX)};
}

static struct sr_result require_string(const json_t *object, const char *name, const char **ret_text)
{
	const char *text = NULL;
	SR_TRY(sr_json_get_string(object, name, &text));
	if (!text) {
		return sr_fail(SR_INVALID, "'%s' is missing", name);
	}
	*ret_text = text;
	return sr_ok();
}

static struct sr_result parse_body(const struct sr_identity_request *request, json_t **ret_asked)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	if (request->body.len) {
		SR_TRY(sr_json_parse(request->body, &asked));
	} else {
		asked = json_object();
	}
	if (!json_is_object(asked)) {
		return sr_fail(SR_INVALID, "the body is no JSON object");
	}
	*ret_asked = SR_TAKE(asked);
	return sr_ok();
}

static json_t *principal_json(const struct sr_application *application)
{
	char created[SR_ISO_TIME_LEN];
	sr_iso_time(application->created_s, created);
	json_t *body = json_object();
	sr_json_set_string(body, "name", application->name);
	sr_json_set_string(body, "clientId", application->client_id);
	sr_json_set_string(body, "objectId", application->object_id);
	sr_json_set_bool(body, "enabled", application->is_enabled);
	sr_json_set_string(body, "created", created);
	return body;
}

static struct sr_result assign_asked_roles(struct sr_connection *connection, const struct work *work)
{
	const json_t *roles = NULL;
	SR_TRY(sr_json_get_array(work->asked, "roles", &roles));
	for (size_t i = 0; i < json_array_size(roles); i++) {
		const json_t *item = json_array_get(roles, i);
		const char *role;
		const char *scope;
		struct sr_assignment assignment;
		SR_TRY(require_string(item, "role", &role));
		SR_TRY(require_string(item, "scope", &scope));
		SR_TRY(sr_assignment_make(connection, work->request->arena, work->application.object_id, role, scope,
		                          work->request->now_s, &assignment));
	}
	return sr_ok();
}

static struct sr_result read_lifetime(const json_t *asked, int64_t *ret_lifetime_s)
{
	int64_t lifetime_s = 0;
	SR_TRY(sr_json_get_int(asked, "expires_s", &lifetime_s));
	if (lifetime_s < 0) {
		return sr_fail(SR_INVALID, "'expires_s' is the number of seconds that the secret is good for");
	}
	*ret_lifetime_s = lifetime_s;
	return sr_ok();
}

static struct sr_result add_secret(struct sr_connection *connection, struct work *work)
{
	int64_t lifetime_s = 0;
	SR_TRY(read_lifetime(work->asked, &lifetime_s));
	return sr_client_secret_make(connection, work->application.object_id, work->request->now_s, lifetime_s,
	                             work->secret_id, &work->secret);
}

static void show_secret(struct work *work, json_t *body)
{
	sr_json_set_string(body, "secretId", work->secret_id);
	sr_json_set_string(body, "secret", sr_buf_text(&work->secret));
}

static struct sr_result create(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *name;
	SR_TRY(require_string(work->asked, "name", &name));
	SR_TRY(sr_application_make(connection, name, work->request->now_s, &work->application));
	SR_TRY(assign_asked_roles(connection, work));
	SR_TRY(add_secret(connection, work));
	return sr_revision_grow(connection);
}

struct sr_result sr_principals_create(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(parse_body(request, &asked));
	SR_CLEANUP(work) struct work work = work_of(request);
	work.asked = asked;
	SR_TRY(sr_database_write(request->store->database, create, &work));
	answer->status = 201;
	answer->is_secret = true;
	answer->is_change = true;
	answer->body = principal_json(&work.application);
	sr_json_set_string(answer->body, "tenant", request->store->tenant);
	sr_json_set_string(answer->body, "subscription", request->store->subscription);
	show_secret(&work, answer->body);
	return sr_ok();
}

static struct sr_result append_listed(const struct sr_application *application, void *context)
{
	json_array_append_new(context, principal_json(application));
	return sr_ok();
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	return sr_application_each(connection, append_listed, context);
}

struct sr_result sr_principals_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *value = json_array();
	SR_TRY(sr_database_read(request->store->database, list, value));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(value));
	return sr_ok();
}

static struct sr_result append_role(const struct sr_assignment *assignment, void *context)
{
	json_t *item = json_object();
	sr_json_set_string(item, "id", assignment->id);
	sr_json_set_string(item, "role", assignment->role);
	sr_json_set_string(item, "scope", assignment->scope);
	json_array_append_new(context, item);
	return sr_ok();
}

static struct sr_result get(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_application_find(connection, work->request->parts[0], &work->application));
	SR_CLEANUP(sr_json) json_t *body = principal_json(&work->application);
	json_t *secrets;
	SR_TRY(sr_client_secret_list(connection, work->application.object_id, &secrets));
	sr_json_set(body, "secrets", secrets);
	json_t *certificates;
	SR_TRY(sr_client_certificate_list(connection, work->application.object_id, &certificates));
	sr_json_set(body, "certificates", certificates);
	json_t *federated;
	SR_TRY(sr_federated_list(connection, work->application.object_id, &federated));
	sr_json_set(body, "federated", federated);
	json_t *roles = json_array();
	sr_json_set(body, "roles", roles);
	SR_TRY(sr_assignment_each(connection, work->request->arena, work->application.object_id, append_role, roles));
	work->body = SR_TAKE(body);
	return sr_ok();
}

struct sr_result sr_principals_get(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(work) struct work work = work_of(request);
	SR_TRY(sr_database_read(request->store->database, get, &work));
	answer->body = SR_TAKE(work.body);
	return sr_ok();
}

static struct sr_result update(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_application_find(connection, work->request->parts[0], &work->application));
	bool is_enabled = work->application.is_enabled;
	SR_TRY(sr_json_get_bool(work->asked, "enabled", &is_enabled));
	if (is_enabled != work->application.is_enabled) {
		SR_TRY(sr_application_enable(connection, work->application.object_id, is_enabled));
		SR_TRY(sr_revision_grow(connection));
	}
	work->application.is_enabled = is_enabled;
	return sr_ok();
}

struct sr_result sr_principals_update(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(parse_body(request, &asked));
	SR_CLEANUP(work) struct work work = work_of(request);
	work.asked = asked;
	SR_TRY(sr_database_write(request->store->database, update, &work));
	answer->is_change = true;
	answer->body = principal_json(&work.application);
	return sr_ok();
}

static struct sr_result remove_principal(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_application_find(connection, work->request->parts[0], &work->application));
	SR_TRY(sr_application_remove(connection, work->application.object_id));
	return sr_revision_grow(connection);
}

struct sr_result sr_principals_delete(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(work) struct work work = work_of(request);
	SR_TRY(sr_database_write(request->store->database, remove_principal, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}

static struct sr_result add_further_secret(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_application_find(connection, work->request->parts[0], &work->application));
	return add_secret(connection, work);
}

struct sr_result sr_principals_add_secret(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(parse_body(request, &asked));
	SR_CLEANUP(work) struct work work = work_of(request);
	work.asked = asked;
	SR_TRY(sr_database_write(request->store->database, add_further_secret, &work));
	answer->status = 201;
	answer->is_secret = true;
	answer->body = json_object();
	sr_json_set_string(answer->body, "clientId", work.application.client_id);
	show_secret(&work, answer->body);
	return sr_ok();
}

static struct sr_result remove_secret(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_application_find(connection, work->request->parts[0], &work->application));
	SR_TRY(sr_client_secret_remove(connection, work->application.object_id, work->request->parts[1],
	                               work->request->now_s));
	return sr_revision_grow(connection);
}

struct sr_result sr_principals_delete_secret(const struct sr_identity_request *request,
                                             struct sr_identity_answer *answer)
{
	SR_CLEANUP(work) struct work work = work_of(request);
	SR_TRY(sr_database_write(request->store->database, remove_secret, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}
