/* The table of Entra ID's errors and their JSON. Which failure means which row is decided where it is seen. */
#include "identity/oauth_error.h"

#include "base/bytes.h"
#include "base/memory.h"
#include "base/text.h"
#include "wire/json.h"
#include "wire/time.h"

#include <string.h>

enum { REASON_PREFIX_LEN = sizeof "AADSTS" - 1 };

static const struct sr_oauth_error table[] = {
    {SR_AADSTS_BAD_JWT, "invalid_client", 401},
    {SR_AADSTS_UNKNOWN_INSTANCE, "invalid_instance", 400},
    {SR_AADSTS_GRANT_REVOKED, "invalid_grant", 400},
    {SR_AADSTS_TOO_OFTEN, "slow_down", 400},
    {SR_AADSTS_NO_CONSENT, "invalid_grant", 400},
    {SR_AADSTS_DECLINED, "access_denied", 400},
    {SR_AADSTS_BAD_GRANT_VALUE, "invalid_grant", 400},
    {SR_AADSTS_BAD_GRANT, "unsupported_grant_type", 400},
    {SR_AADSTS_PENDING, "authorization_pending", 400},
    {SR_AADSTS_BAD_DEVICE_CODE, "bad_verification_code", 400},
    {SR_AADSTS_CODE_EXPIRED, "expired_token", 400},
    {SR_AADSTS_BAD_SCOPE, "invalid_scope", 400},
    {SR_AADSTS_UNKNOWN_TENANT, "invalid_request", 400},
    {SR_AADSTS_UNAVAILABLE, "temporarily_unavailable", 503},
    {SR_AADSTS_THROTTLED, "temporarily_unavailable", 429},
    {SR_AADSTS_UNKNOWN_RESOURCE, "invalid_resource", 400},
    {SR_AADSTS_UNKNOWN_APP, "unauthorized_client", 400},
    {SR_AADSTS_WRONG_CLIENT, "invalid_client", 401},
    {SR_AADSTS_WRONG_AUDIENCE, "invalid_client", 401},
    {SR_AADSTS_ASSERTION_TIME, "invalid_client", 401},
    {SR_AADSTS_BAD_ASSERTION, "invalid_client", 401},
    {SR_AADSTS_IDLE_TOKEN, "invalid_grant", 400},
    {SR_AADSTS_FEDERATED_ISSUER, "invalid_client", 401},
    {SR_AADSTS_FEDERATED_AUD, "invalid_client", 401},
    {SR_AADSTS_FEDERATED_SUBJECT, "invalid_client", 401},
    {SR_AADSTS_MISSING_PARAMETER, "invalid_request", 400},
    {SR_AADSTS_WRONG_METHOD, "invalid_request", 405},
    {SR_AADSTS_APP_DISABLED, "unauthorized_client", 400},
    {SR_AADSTS_WRONG_SECRET, "invalid_client", 401},
    {SR_AADSTS_NO_CREDENTIAL, "invalid_client", 401},
    {SR_AADSTS_EXPIRED_SECRET, "invalid_client", 401},
    {SR_AADSTS_MALFORMED, "invalid_request", 400},
};

/* Failures without a reason, which are not about what the client said; the last row takes all others. */
static const struct {
	enum sr_code code;
	struct sr_oauth_error row;
	const char *text;
} by_code[] = {
    {SR_NOT_FOUND, {SR_AADSTS_MALFORMED, "invalid_request", 404}, "There is nothing at this address."},
    {SR_INVALID, {SR_AADSTS_MALFORMED, "invalid_request", 400}, "The request is malformed or invalid."},
    {SR_PROTOCOL, {SR_AADSTS_MALFORMED, "invalid_request", 400}, "The request is malformed or invalid."},
    {SR_RANGE, {SR_AADSTS_MALFORMED, "invalid_request", 400}, "The request is malformed or invalid."},
    {SR_TOO_LARGE, {SR_AADSTS_MALFORMED, "invalid_request", 413}, "The request is too large."},
    {SR_TIMEOUT, {SR_AADSTS_MALFORMED, "invalid_request", 408}, "The request did not arrive in time."},
    {SR_REVOKED, {SR_AADSTS_UNAVAILABLE, "temporarily_unavailable", 503}, "The directory's key cannot be used now."},
    {SR_OK, {SR_AADSTS_UNAVAILABLE, "temporarily_unavailable", 503}, "A transient error has occurred. Try again."},
};

static const struct sr_oauth_error *row_by_reason(const char *reason)
{
	for (size_t i = 0; reason && i < sizeof table / sizeof *table; i++) {
		if (strcmp(table[i].reason, reason) == 0) {
			return &table[i];
		}
	}
	return NULL;
}

static size_t index_by_code(enum sr_code code)
{
	size_t i = 0;
	while (by_code[i].code != code && by_code[i].code != SR_OK) {
		i++;
	}
	return i;
}

const struct sr_oauth_error *sr_oauth_error_of(struct sr_result failure)
{
	const struct sr_oauth_error *row = row_by_reason(sr_result_reason(failure));
	return row ? row : &by_code[index_by_code(sr_result_code(failure))].row;
}

const struct sr_oauth_error *sr_oauth_error_at(size_t index)
{
	return index < sizeof table / sizeof *table ? &table[index] : NULL;
}

int64_t sr_oauth_error_number(const struct sr_oauth_error *row)
{
	int64_t number = 0;
	for (const char *digit = row->reason + REASON_PREFIX_LEN; *digit; digit++) {
		number = number * 10 + (*digit - '0');
	}
	return number;
}

/* "2026-11-24 12:00:00Z", as Entra writes it. */
static void write_timestamp(int64_t now_s, char ret_text[static SR_ISO_TIME_LEN])
{
	sr_iso_time(now_s, ret_text);
	char *separator = strchr(ret_text, 'T');
	if (separator) {
		*separator = ' ';
	}
}

json_t *sr_oauth_error_json(struct sr_result failure, const struct sr_oauth_error_context *context)
{
	bool is_known = row_by_reason(sr_result_reason(failure)) != NULL;
	const struct sr_oauth_error *row = sr_oauth_error_of(failure);
	const char *what = is_known ? sr_result_message(failure) : by_code[index_by_code(sr_result_code(failure))].text;
	char timestamp[SR_ISO_TIME_LEN];
	write_timestamp(context->now_s, timestamp);
	SR_CLEANUP(sr_string)
	char *description = sr_strdupf("%s: %s Trace ID: %s Correlation ID: %s Timestamp: %s", row->reason, what,
	                               context->trace_id, context->correlation_id, timestamp);
	SR_CLEANUP(sr_string)
	char *uri = sr_strdupf("%s/error?code=%lld", context->authority, (long long)sr_oauth_error_number(row));
	json_t *codes = json_array();
	json_array_append_new(codes, json_integer(sr_oauth_error_number(row)));

	json_t *body = json_object();
	sr_json_set_string(body, "error", row->error);
	sr_json_set_string(body, "error_description", description);
	sr_json_set(body, "error_codes", codes);
	sr_json_set_string(body, "timestamp", timestamp);
	sr_json_set_string(body, "trace_id", context->trace_id);
	sr_json_set_string(body, "correlation_id", context->correlation_id);
	sr_json_set_string(body, "error_uri", uri);
	return body;
}
