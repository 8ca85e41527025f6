/* The string that Shared Key and Shared Key Lite sign (Blob service, Authorize with Shared Key). Pure; the HMAC is
 * seal's. */
#ifndef SR_WIRE_SHARED_KEY_H
#define SR_WIRE_SHARED_KEY_H

#include "base/arena.h"
#include "wire/url.h"

struct sr_signed_header {
	const char *name; /* lowercase */
	const char *value;
};
struct sr_signed_request {
	const char *method;
	struct sr_bytes path;                   /* raw, as sent */
	const struct sr_parameters *query;      /* decoded */
	const struct sr_signed_header *headers; /* all of the request's */
	size_t header_count;
	const char *account;
};
/* Appends StringToSign; `lite` for SharedKeyLite. */
void sr_shared_key_string(struct sr_arena *arena, const struct sr_signed_request *request, bool lite,
                          struct sr_buf *string_to_sign);
/* Splits "SharedKey account:signature"; SR_INVALID for another form. *ret_lite tells which scheme. Signature stays
 * Base64. */
SR_MUST struct sr_result sr_shared_key_parse(struct sr_arena *arena, const char *authorization, bool *ret_lite,
                                             const char **ret_account, struct sr_bytes *ret_signature);

#endif
