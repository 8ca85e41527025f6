/* Administration of certificates, federated credentials and outside issuers on the Unix socket. */
#include "identity/api.h"

#include "identity/body.h"
#include "identity/client_certificate.h"
#include "identity/federation.h"
#include "identity/principal.h"
#include "identity/revision.h"

/* What a change works on and yields. */
struct work {
	const struct sr_identity_request *request;
	const json_t *asked; /* the parsed body */
	struct sr_application application;
	char id[SR_GUID_TEXT_LEN];
	char thumbprint[SR_THUMBPRINT_LEN];
	json_t *list; /* owned by whoever reads it out */
};

static struct sr_result find(struct sr_connection *connection, struct work *work)
{
	return sr_application_find(connection, work->request->parts[0], &work->application);
}

/* Runs a change with the request's JSON body. */
static struct sr_result change(const struct sr_identity_request *request, sr_database_work run, struct work *work)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	work->request = request;
	work->asked = asked;
	struct sr_result changed = sr_database_write(request->store->database, run, work);
	work->asked = NULL;
	return changed;
}

static struct sr_result add_certificate(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *certificate;
	SR_TRY(sr_body_need(work->asked, "certificate", &certificate));
	SR_TRY(find(connection, work));
	return sr_client_certificate_add(connection, work->application.object_id, sr_bytes_str(certificate),
	                                 work->request->now_s, work->id, work->thumbprint);
}

struct sr_result sr_credentials_add_certificate(const struct sr_identity_request *request,
                                                struct sr_identity_answer *answer)
{
	struct work work = {0};
	SR_TRY(change(request, add_certificate, &work));
	answer->status = 201;
	answer->body = json_object();
	sr_json_set_string(answer->body, "clientId", work.application.client_id);
	sr_json_set_string(answer->body, "certificateId", work.id);
	sr_json_set_string(answer->body, "thumbprint", work.thumbprint);
	return sr_ok();
}

static struct sr_result remove_certificate(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(find(connection, work));
	SR_TRY(sr_client_certificate_remove(connection, work->application.object_id, work->request->parts[1],
	                                    work->request->now_s));
	return sr_revision_grow(connection);
}

static struct sr_result take_back(const struct sr_identity_request *request, sr_database_work run,
                                  struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, run, &work));
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}

struct sr_result sr_credentials_remove_certificate(const struct sr_identity_request *request,
                                                   struct sr_identity_answer *answer)
{
	return take_back(request, remove_certificate, answer);
}

static struct sr_result add_federated(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	struct sr_federated federated = {.audience = SR_FEDERATED_AUDIENCE};
	SR_TRY(sr_body_need(work->asked, "issuer", &federated.issuer));
	SR_TRY(sr_body_need(work->asked, "subject", &federated.subject));
	SR_TRY(sr_json_get_string(work->asked, "audience", &federated.audience));
	SR_TRY(find(connection, work));
	return sr_federated_make(connection, work->application.object_id, &federated, work->request->now_s, work->id);
}

struct sr_result sr_credentials_add_federated(const struct sr_identity_request *request,
                                              struct sr_identity_answer *answer)
{
	struct work work = {0};
	SR_TRY(change(request, add_federated, &work));
	answer->status = 201;
	answer->body = json_object();
	sr_json_set_string(answer->body, "clientId", work.application.client_id);
	sr_json_set_string(answer->body, "credentialId", work.id);
	return sr_ok();
}

static struct sr_result remove_federated(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(find(connection, work));
	SR_TRY(sr_federated_remove(connection, work->application.object_id, work->request->parts[1], work->request->now_s));
	return sr_revision_grow(connection);
}

struct sr_result sr_credentials_remove_federated(const struct sr_identity_request *request,
                                                 struct sr_identity_answer *answer)
{
	return take_back(request, remove_federated, answer);
}

static struct sr_result set_issuer(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	const char *issuer;
	const json_t *keys = NULL;
	SR_TRY(sr_body_need(work->asked, "issuer", &issuer));
	SR_TRY(sr_json_get_object(work->asked, "jwks", &keys));
	if (!keys) {
		return sr_fail(SR_INVALID, "'jwks' is missing");
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_REQUEST_BODY_MAX);
	SR_TRY(sr_json_write(keys, &text));
	return sr_federation_issuer_set(connection, work->request->arena, issuer, sr_buf_bytes(&text),
	                                work->request->now_s);
}

struct sr_result sr_federation_set(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {0};
	SR_TRY(change(request, set_issuer, &work));
	answer->status = 204;
	return sr_ok();
}

static struct sr_result list_issuers(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	return sr_federation_issuer_list(connection, work->request->arena, &work->list);
}

struct sr_result sr_federation_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_read(request->store->database, list_issuers, &work));
	answer->body = json_object();
	sr_json_set(answer->body, "value", work.list);
	return sr_ok();
}

static struct sr_result remove_issuer(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	const char *issuer = sr_parameter_get(&work->request->query, "issuer");
	return issuer ? sr_federation_issuer_remove(connection, issuer) : sr_fail(SR_INVALID, "'issuer' is missing");
}

struct sr_result sr_federation_remove(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.request = request};
	SR_TRY(sr_database_write(request->store->database, remove_issuer, &work));
	answer->status = 204;
	return sr_ok();
}
