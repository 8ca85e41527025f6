/* The table of the metadata endpoint's errors. */
#include "identity/metadata_error.h"

#include "identity/oauth_error.h"
#include "wire/json.h"

#include <string.h>

static const struct row {
	const char *reason; /* NULL: by the code */
	enum sr_code code;
	int status;
	const char *error;
} rows[] = {
    {SR_AADSTS_UNKNOWN_RESOURCE, SR_INVALID, 400, "invalid_resource"},
    {SR_AADSTS_WRONG_METHOD, SR_INVALID, 405, "method_not_allowed"},
    {SR_AADSTS_THROTTLED, SR_UNAVAILABLE, 429, "too_many_requests"},
    {NULL, SR_INVALID, 400, "invalid_request"},
    {NULL, SR_PROTOCOL, 400, "invalid_request"},
    {NULL, SR_TOO_LARGE, 400, "invalid_request"},
    {NULL, SR_UNAUTHENTICATED, 401, "invalid_client"},
    {NULL, SR_NOT_FOUND, 404, "not_found"},
    {NULL, SR_UNAVAILABLE, 503, "service_unavailable"},
    {NULL, SR_REVOKED, 503, "service_unavailable"},
    {NULL, SR_OK, 500, "server_error"},
};

static const struct row *row_of(struct sr_result failure)
{
	const char *reason = sr_result_reason(failure);
	const struct row *row = rows;
	for (; row->code != SR_OK; row++) {
		bool is_it = row->reason ? reason && strcmp(reason, row->reason) == 0 : row->code == sr_result_code(failure);
		if (is_it) {
			break;
		}
	}
	return row;
}

json_t *sr_metadata_error_json(struct sr_result failure, int *ret_status)
{
	const struct row *row = row_of(failure);
	const char *reason = sr_result_reason(failure);
	json_t *body = json_object();
	sr_json_set_string(body, "error", row->error);
	sr_json_set_string(body, "error_description", row->status == 500 ? "an inner error" : sr_result_message(failure));
	if (reason && strcmp(reason, SR_METADATA_VERSION) == 0) {
		json_t *versions = json_array();
		json_array_append_new(versions, json_string("2018-02-01"));
		sr_json_set(body, "newest-versions", versions);
	}
	*ret_status = row->status;
	return body;
}
