/* Making applications and their secrets as clients of Microsoft Graph do (az ad sp create-for-rbac). An application is
 * its own service principal here, so making the latter finds it. */
#include "identity/api.h"

#include "identity/body.h"
#include "identity/graph_caller.h"
#include "identity/graph_object.h"
#include "identity/revision.h"
#include "wire/time.h"

#include <string.h>

enum { SECRET_TEXT_MAX = 256 };

struct work {
	const struct sr_identity_request *request;
	const json_t *asked;
	struct sr_application application;
	struct sr_graph_scope scope;
	enum sr_graph_kind kind;
	json_t *made; /* owned by the handler */
	char secret_id[SR_GUID_TEXT_LEN];
	struct sr_buf secret; /* in clear, for the one answer that shows it */
	int64_t lifetime_s;
};

static struct sr_result begin(const struct sr_identity_request *request, struct sr_identity_answer *answer,
                              struct work *work, json_t **ret_asked)
{
	struct sr_principal who;
	work->request = request;
	work->scope = (struct sr_graph_scope){.arena = request->arena, .tenant = request->store->tenant};
	answer->audit.object = sr_arena_text(request->arena, request->path);
	SR_TRY(sr_graph_authenticate(request, answer, &who));
	SR_TRY(sr_graph_check_write(request, &who));
	SR_TRY(sr_body_parse(request, ret_asked));
	work->asked = *ret_asked;
	return sr_ok();
}

static struct sr_result find_application(struct sr_connection *connection, const char *id,
                                         struct sr_application *ret_application)
{
	struct sr_result found = sr_application_find(connection, id, ret_application);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_graph_no_such(id);
	}
	return found;
}

/* Runs the write; what it made becomes the answer's. */
static struct sr_result write_and_answer(struct work *work, sr_database_work change, int status,
                                         struct sr_identity_answer *answer)
{
	struct sr_result written = sr_database_write(work->request->store->database, change, work);
	if (!sr_is_ok(written)) {
		json_decref(work->made);
		return written;
	}
	answer->status = status;
	answer->is_change = true;
	answer->body = work->made;
	return sr_ok();
}

static struct sr_result create(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *name;
	SR_TRY(sr_body_need(work->asked, "displayName", &name));
	SR_TRY(sr_application_make(connection, name, work->request->now_s, &work->application));
	SR_TRY(sr_revision_grow(connection));
	work->scope.connection = connection;
	return sr_graph_application_json(&work->scope, SR_GRAPH_APPLICATION, &work->application, &work->made);
}

/* What would be lost if it were passed over is refused: certificates are added by `strongroom identity`. */
static struct sr_result refuse_what_is_not_kept(const json_t *asked)
{
	static const char *const members[] = {"keyCredentials", "identifierUris", "appRoles", "requiredResourceAccess"};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const json_t *member = json_object_get(asked, members[i]);
		if (member && json_array_size(member) > 0) {
			return sr_fail_as(
			    SR_INVALID, "Request_BadRequest",
			    "'%s' is not kept here. Certificates are added by: strongroom identity principal add-certificate",
			    members[i]);
		}
	}
	return sr_ok();
}

struct sr_result sr_graph_application_create(const struct sr_identity_request *request,
                                             struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	struct work work = {0};
	SR_TRY(begin(request, answer, &work, &asked));
	SR_TRY(refuse_what_is_not_kept(asked));
	SR_TRY(write_and_answer(&work, create, 201, answer));
	answer->audit.object = sr_arena_printf(request->arena, "principals/%s", work.application.object_id);
	return sr_ok();
}

static struct sr_result check_unchanged(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *name = NULL;
	SR_TRY(find_application(connection, work->request->parts[0], &work->application));
	SR_TRY(sr_json_get_string(work->asked, "displayName", &name));
	if (name && strcmp(name, work->application.name) != 0) {
		return sr_fail_as(SR_INVALID, "Request_BadRequest", "The name of an application does not change here.");
	}
	return sr_ok();
}

/* az writes an application again that is there: nothing of it changes. */
struct sr_result sr_graph_application_update(const struct sr_identity_request *request,
                                             struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	struct work work = {0};
	SR_TRY(begin(request, answer, &work, &asked));
	SR_TRY(refuse_what_is_not_kept(asked));
	SR_TRY(sr_database_read(request->store->database, check_unchanged, &work));
	answer->status = 204;
	return sr_ok();
}

static struct sr_result remove_application(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(find_application(connection, work->request->parts[0], &work->application));
	SR_TRY(sr_application_remove(connection, work->application.object_id));
	return sr_revision_grow(connection);
}

struct sr_result sr_graph_application_delete(const struct sr_identity_request *request,
                                             struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	struct work work = {0};
	SR_TRY(begin(request, answer, &work, &asked));
	return write_and_answer(&work, remove_application, 204, answer);
}

static struct sr_result find_service_principal(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *app_id;
	SR_TRY(sr_body_need(work->asked, "appId", &app_id));
	struct sr_result found = sr_application_of_client(connection, app_id, &work->application);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_fail_as(SR_INVALID, "Request_BadRequest",
		                  "The appId '%.64s' does not reference a valid application object.", app_id);
	}
	SR_TRY(found);
	work->scope.connection = connection;
	return sr_graph_application_json(&work->scope, SR_GRAPH_SERVICE_PRINCIPAL, &work->application, &work->made);
}

struct sr_result sr_graph_service_principal_create(const struct sr_identity_request *request,
                                                   struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	struct work work = {0};
	SR_TRY(begin(request, answer, &work, &asked));
	SR_TRY(sr_database_read(request->store->database, find_service_principal, &work));
	answer->status = 201;
	answer->body = work.made;
	return sr_ok();
}

/* How long the secret is to be good for; Graph's default is two years. */
static struct sr_result read_lifetime(struct work *work)
{
	enum { DEFAULT_S = 2 * 365 * 86400 };
	const json_t *credential = NULL;
	const char *end = NULL;
	int64_t end_us;
	work->lifetime_s = DEFAULT_S;
	SR_TRY(sr_json_get_object(work->asked, "passwordCredential", &credential));
	if (credential) {
		SR_TRY(sr_json_get_string(credential, "endDateTime", &end));
	}
	if (!end) {
		return sr_ok();
	}
	SR_TRY(sr_iso_time_parse(sr_bytes_str(end), &end_us));
	work->lifetime_s = end_us / 1000000 - work->request->now_s;
	return work->lifetime_s > 0 ? sr_ok()
	                            : sr_fail_as(SR_INVALID, "Request_BadRequest", "'endDateTime' lies in the past.");
}

static struct sr_result add_password(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(find_application(connection, work->request->parts[1], &work->application));
	return sr_client_secret_make(connection, work->application.object_id, work->request->now_s, work->lifetime_s,
	                             work->secret_id, &work->secret);
}

static json_t *password_json(struct work *work)
{
	const json_t *credential = json_object_get(work->asked, "passwordCredential");
	json_t *body = json_object();
	sr_json_set_string(body, "displayName", json_string_value(json_object_get(credential, "displayName")));
	sr_body_set_time(body, "startDateTime", work->request->now_s);
	sr_body_set_time(body, "endDateTime", work->request->now_s + work->lifetime_s);
	sr_json_set_string(body, "keyId", work->secret_id);
	sr_json_set_string(body, "secretText", sr_buf_text(&work->secret));
	return body;
}

/* {"passwordCredential": {"displayName", "endDateTime"}}: the answer alone shows the secret. */
struct sr_result sr_graph_add_password(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	struct work work = {.secret = SR_BUF(SECRET_TEXT_MAX)};
	SR_TRY(begin(request, answer, &work, &asked));
	SR_TRY(read_lifetime(&work));
	struct sr_result written = sr_database_write(request->store->database, add_password, &work);
	if (sr_is_ok(written)) {
		answer->is_secret = true;
		answer->body = password_json(&work);
	}
	sr_wipe(work.secret.data, work.secret.len);
	sr_buf_free(&work.secret);
	return written;
}

static struct sr_result remove_password(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *key_id;
	SR_TRY(sr_body_need(work->asked, "keyId", &key_id));
	SR_TRY(find_application(connection, work->request->parts[1], &work->application));
	SR_TRY(sr_client_secret_remove(connection, work->application.object_id, key_id, work->request->now_s));
	return sr_revision_grow(connection);
}

struct sr_result sr_graph_remove_password(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	struct work work = {0};
	SR_TRY(begin(request, answer, &work, &asked));
	return write_and_answer(&work, remove_password, 204, answer);
}
