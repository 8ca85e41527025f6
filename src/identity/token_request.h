/*
 * A token request as it is read from form and header, before anything is looked up: client credentials (RFC 6749 4.4),
 * device codes (RFC 8628 3.4), refresh tokens (RFC 6749 6).
 */
#ifndef SR_IDENTITY_TOKEN_REQUEST_H
#define SR_IDENTITY_TOKEN_REQUEST_H

#include "identity/token.h"
#include "wire/url.h"

enum sr_grant { SR_GRANT_CLIENT, SR_GRANT_DEVICE, SR_GRANT_REFRESH };

/* Texts live in the arena, which wipes them. */
struct sr_token_request {
	enum sr_grant grant;
	const char *client_id;
	/* Client credentials: of both one is there, the other NULL. */
	const char *client_secret;
	const char *client_assertion;
	const char *device_code, *refresh_token; /* of their grants */
	const char *resource;                    /* what the token is for; NULL with a device code, which says it */
	const char *scope;                       /* of a refresh, as it was sent; may be NULL */
	bool wants_id_token, wants_client_info;
};

/*
 * Reads the form and the Authorization header (NULL where there is none). `takes_scope` and `takes_resource` say which
 * parameter names the resource at this endpoint. Errors bear their AADSTS number.
 */
SR_MUST struct sr_result sr_token_request_read(struct sr_arena *arena, struct sr_bytes form, const char *authorization,
                                               bool takes_scope, bool takes_resource,
                                               struct sr_token_request *ret_request);

#endif
