/* The table: what a failure is called there, unless its reason says so. */
#include "identity/graph_error.h"

#include "wire/json.h"
#include "wire/time.h"

#include <string.h>

static const struct {
	enum sr_code code;
	int status;
	const char *name;
} rows[] = {
    {SR_UNAUTHENTICATED, 401, "InvalidAuthenticationToken"},
    {SR_DENIED, 403, "Authorization_RequestDenied"},
    {SR_NOT_FOUND, 404, "Request_ResourceNotFound"},
    {SR_INVALID, 400, "Request_BadRequest"},
    {SR_PROTOCOL, 400, "Request_BadRequest"},
    {SR_EXISTS, 409, "Request_MultipleObjectsWithSameKeyValue"},
    {SR_CONFLICT, 409, "Request_Conflict"},
    {SR_TOO_LARGE, 413, "Request_EntityTooLarge"},
    {SR_TIMEOUT, 408, "Request_Timeout"},
    {SR_OK, 503, "Service_Unavailable"},
};

static bool is_shown(enum sr_code code)
{
	return code != SR_OK;
}

bool sr_is_graph_path(struct sr_bytes path)
{
	return sr_bytes_start_with(path, SR_LITERAL("/v1.0/"));
}

json_t *sr_graph_error_json(struct sr_result failure, const char *request_id, const char *client_request_id,
                            int64_t now_s, int *ret_status)
{
	size_t row = 0;
	while (rows[row].code != sr_result_code(failure) && rows[row].code != SR_OK) {
		row++;
	}
	const char *reason = sr_result_reason(failure);
	const bool is_own = reason && strncmp(reason, "AADSTS", 6) != 0;
	char date[SR_ISO_TIME_LEN];
	sr_iso_time(now_s, date);
	json_t *inner = json_object(), *error = json_object(), *body = json_object();
	sr_json_set_string(inner, "date", date);
	sr_json_set_string(inner, "request-id", request_id);
	sr_json_set_string(inner, "client-request-id", client_request_id);
	sr_json_set_string(error, "code", is_own ? reason : rows[row].name);
	sr_json_set_string(error, "message",
	                   is_shown(rows[row].code) ? sr_result_message(failure)
	                                            : "The directory cannot be read now. Try again.");
	sr_json_set(error, "innerError", inner);
	sr_json_set(body, "error", error);
	*ret_status = rows[row].status;
	return body;
}
