/* The token endpoints: what is asked, by whom, and who answers it. */
#include "identity/api.h"

#include "identity/client_proof.h"
#include "identity/tenant.h"
#include "identity/token_answer.h"

static const struct sr_token_endpoint v2 = {SR_TOKEN_V2, true, true, false, false};
static const struct sr_token_endpoint v1 = {SR_TOKEN_V1, true, false, true, true};
/* az's way in: the parameters of either. */
static const struct sr_token_endpoint adfs = {SR_TOKEN_V1, false, true, true, false};

/* An application asks for itself. */
static struct sr_result client_grant(const struct sr_identity_request *request,
                                     const struct sr_token_endpoint *endpoint, const struct sr_token_request *asked,
                                     struct sr_identity_answer *answer)
{
	const struct sr_identity_options *options = &request->identity->options;
	struct sr_client_proof proof;
	answer->audit.app_id = sr_is_guid(sr_bytes_str(asked->client_id)) ? asked->client_id : NULL;
	answer->audit.object = asked->resource;
	SR_TRY(sr_client_prove(request, asked, answer, &proof));
	answer->audit.object_id = sr_arena_strdup(request->arena, proof.application.object_id);
	answer->audit.name = sr_arena_strdup(request->arena, proof.application.name);
	answer->audit.detail = sr_arena_printf(request->arena, "credential=%s", proof.credential_id);
	SR_TRY(sr_resource_check(request, asked->resource));
	struct sr_token_claims claims = {
	    .version = endpoint->version,
	    .authority = options->authority,
	    .tenant = request->store->tenant,
	    .audience = asked->resource,
	    .object_id = proof.application.object_id,
	    .client_id = proof.application.client_id,
	    .client_proof = proof.by_assertion ? "2" : "1",
	    .credential_id = proof.credential_id,
	    .issued_s = request->now_s,
	    .lifetime_s = options->token_lifetime_s,
	};
	return sr_token_answer_begin(request, endpoint, &claims, answer);
}

static struct sr_result issue(const struct sr_identity_request *request, const struct sr_token_endpoint *endpoint,
                              struct sr_identity_answer *answer)
{
	if (endpoint->has_tenant) {
		SR_TRY(sr_tenant_check(request->store, request->parts[0]));
	}
	struct sr_token_request asked;
	SR_TRY(sr_token_request_read(request->arena, request->body, request->authorization, endpoint->takes_scope,
	                             endpoint->takes_resource, &asked));
	return asked.grant == SR_GRANT_CLIENT ? client_grant(request, endpoint, &asked, answer)
	                                      : sr_user_grant(request, endpoint, &asked, answer);
}

static struct sr_result answer_and_count(const struct sr_identity_request *request,
                                         const struct sr_token_endpoint *endpoint, struct sr_identity_answer *answer)
{
	struct sr_result issued = issue(request, endpoint, answer);
	struct sr_identity *identity = request->identity;
	atomic_fetch_add(sr_is_ok(issued) ? &identity->tokens_issued : &identity->tokens_refused, 1);
	return issued;
}

struct sr_result sr_token_v2(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return answer_and_count(request, &v2, answer);
}

struct sr_result sr_token_v1(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return answer_and_count(request, &v1, answer);
}

struct sr_result sr_token_adfs(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	return answer_and_count(request, &adfs, answer);
}
