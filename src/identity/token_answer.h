/* What the token endpoints differ in, and the JSON in which they answer. */
#ifndef SR_IDENTITY_TOKEN_ANSWER_H
#define SR_IDENTITY_TOKEN_ANSWER_H

#include "identity/request.h"
#include "identity/token.h"
#include "identity/token_request.h"

struct sr_token_endpoint {
	enum sr_token_version version;
	bool has_tenant;
	bool takes_scope;
	bool takes_resource;
	bool has_text_numbers; /* v1 writes numbers as strings and says more */
};

/* A number as the endpoint writes it. */
void sr_token_answer_number(json_t *body, const struct sr_token_endpoint *endpoint, struct sr_arena *arena,
                            const char *name, int64_t value);
/* Makes the access token of these claims and begins the answer with it: token_type, access_token, times, and what
 * version 1 says besides. */
SR_MUST struct sr_result sr_token_answer_begin(const struct sr_identity_request *request,
                                               const struct sr_token_endpoint *endpoint,
                                               const struct sr_token_claims *claims, struct sr_identity_answer *answer);

/* user_grant.c: device codes and refresh tokens. */
SR_MUST struct sr_result sr_user_grant(const struct sr_identity_request *request,
                                       const struct sr_token_endpoint *endpoint, const struct sr_token_request *asked,
                                       struct sr_identity_answer *answer);
/* SR_INVALID with AADSTS500011 unless tokens are made for the resource here. */
SR_MUST struct sr_result sr_resource_check(const struct sr_identity_request *request, const char *resource);

#endif
