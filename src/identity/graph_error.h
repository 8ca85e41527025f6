/* Errors in Microsoft Graph's shape. */
#ifndef SR_IDENTITY_GRAPH_ERROR_H
#define SR_IDENTITY_GRAPH_ERROR_H

#include "base/bytes.h"

#include <jansson.h>

/* True for a path of Graph's: below /v1.0. */
bool sr_is_graph_path(struct sr_bytes path);
/* {"error": {"code", "message", "innerError": {"request-id", "client-request-id", "date"}}}; the caller owns it. */
json_t *sr_graph_error_json(struct sr_result failure, const char *request_id, const char *client_request_id,
                            int64_t now_s, int *ret_status);

#endif
