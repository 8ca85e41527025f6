/* Access tokens: their claims as Entra ID has them, signed. Who may have one is decided before (token_api.c). */
#ifndef SR_IDENTITY_TOKEN_H
#define SR_IDENTITY_TOKEN_H

#include "identity/signing_keys.h"

enum sr_token_version { SR_TOKEN_V1, SR_TOKEN_V2 };

struct sr_token_claims {
	enum sr_token_version version;
	const char *authority; /* without a trailing slash; iss is AUTHORITY/TENANT/ or AUTHORITY/TENANT/v2.0 */
	const char *tenant;
	const char *audience;
	const char *object_id;
	const char *client_id;
	const char *client_proof;  /* appidacr: "0" none (a public client), "1" secret, "2" certificate or federation */
	const char *credential_id; /* by which it was got: the token ends with it */
	/* A person's tokens; NULL where an application asks for itself. */
	const char *user_name, *display_name;
	const char *resource_id; /* of a managed identity: xms_mirid; NULL for others */
	int64_t issued_s;
	int64_t lifetime_s;
};

/* Appends the token in compact form, signed by the key that is active at `issued_s`. */
SR_MUST struct sr_result sr_token_make(struct sr_signing_keys *keys, const struct sr_token_claims *claims,
                                       struct sr_buf *token);
/* The same for an id token (OIDC Core 2), by which the application learns who signed in. */
SR_MUST struct sr_result sr_id_token_make(struct sr_signing_keys *keys, const struct sr_token_claims *claims,
                                          struct sr_buf *token);

#endif
