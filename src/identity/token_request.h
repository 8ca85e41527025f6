/* A token request (RFC 6749 4.4: client credentials) as it is read from form and header, before anything is looked up.
 */
#ifndef SR_IDENTITY_TOKEN_REQUEST_H
#define SR_IDENTITY_TOKEN_REQUEST_H

#include "identity/token.h"
#include "wire/url.h"

/* Texts live in the arena, which wipes them. Of secret and assertion one is there, the other NULL. */
struct sr_token_request {
	const char *client_id;
	const char *client_secret;
	const char *client_assertion;
	const char *resource; /* what the token is for */
};

/*
 * Reads the form and the Authorization header (NULL where there is none). `takes_scope` and `takes_resource` say which
 * parameter names the resource at this endpoint. Errors bear their AADSTS number.
 */
SR_MUST struct sr_result sr_token_request_read(struct sr_arena *arena, struct sr_bytes form, const char *authorization,
                                               bool takes_scope, bool takes_resource,
                                               struct sr_token_request *ret_request);

#endif
