/* JWTs: the parts lie within the token, and the same token comes out when they are put together again. */
#include "wire/jwt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_jwt_parse(arena, sr_bytes_of(data, len), &jwt);
	if (!sr_is_ok(outcome)) {
		return 0;
	}
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	sr_buf_append(&token, jwt.signed_part);
	sr_jwt_append_signature(&token, jwt.signature);
	if (!json_is_object(jwt.header) || !json_is_object(jwt.claims) || jwt.signed_part.data != data ||
	    !sr_equal_public(sr_buf_bytes(&token), sr_bytes_of(data, len))) {
		abort();
	}
	return 0;
}
