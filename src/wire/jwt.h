/* JSON Web Tokens in compact form (RFC 7515, 7519): taking apart and putting together. Signatures are checked by
 * access, made by identity, both through seal. */
#ifndef SR_WIRE_JWT_H
#define SR_WIRE_JWT_H

#include "base/arena.h"
#include "wire/json.h"

enum { SR_JWT_MAX = 16384 };

struct sr_jwt {
	json_t *header;              /* owned */
	json_t *claims;              /* owned */
	struct sr_bytes signed_part; /* header.claims as sent; borrowed from the token */
	struct sr_bytes signature;   /* decoded; in the arena */
};
void sr_jwt_free(struct sr_jwt *jwt);
void sr_jwt_cleanup(struct sr_jwt *jwt);
/* Takes a token apart. SR_INVALID unless it is three base64url parts of which two are JSON objects. Checks no
 * signature. */
SR_MUST struct sr_result sr_jwt_parse(struct sr_arena *arena, struct sr_bytes token, struct sr_jwt *ret_jwt);
/* Appends base64url(header).base64url(claims): what is to be signed. */
SR_MUST struct sr_result sr_jwt_signing_input(const json_t *header, const json_t *claims, struct sr_buf *input);
/* Appends ".signature". */
void sr_jwt_append_signature(struct sr_buf *token, struct sr_bytes signature);

#endif
