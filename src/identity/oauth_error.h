/*
 * Entra ID's errors: the AADSTS number, the OAuth 2.0 symbol (RFC 6749 5.2) and the HTTP status of each, in one
 * table, and the JSON in which they go to the client. Failures name their row by sr_fail_as's reason.
 */
#ifndef SR_IDENTITY_OAUTH_ERROR_H
#define SR_IDENTITY_OAUTH_ERROR_H

#include "base/result.h"

#include <jansson.h>
#include <stdint.h>

/* Reasons for sr_fail_as, so that a misspelt number does not compile. */
#define SR_AADSTS_BAD_JWT           "AADSTS50027"
#define SR_AADSTS_UNKNOWN_INSTANCE  "AADSTS50049"
#define SR_AADSTS_GRANT_REVOKED     "AADSTS50173"
#define SR_AADSTS_TOO_OFTEN         "AADSTS50196"
#define SR_AADSTS_NO_CONSENT        "AADSTS65001"
#define SR_AADSTS_DECLINED          "AADSTS65004"
#define SR_AADSTS_BAD_GRANT_VALUE   "AADSTS70000"
#define SR_AADSTS_BAD_SCOPE         "AADSTS70011"
#define SR_AADSTS_BAD_GRANT         "AADSTS70003"
#define SR_AADSTS_PENDING           "AADSTS70016"
#define SR_AADSTS_BAD_DEVICE_CODE   "AADSTS70018"
#define SR_AADSTS_CODE_EXPIRED      "AADSTS70019"
#define SR_AADSTS_UNKNOWN_TENANT    "AADSTS90002"
#define SR_AADSTS_UNAVAILABLE       "AADSTS90033"
#define SR_AADSTS_THROTTLED         "AADSTS90055"
#define SR_AADSTS_UNKNOWN_RESOURCE  "AADSTS500011"
#define SR_AADSTS_UNKNOWN_APP       "AADSTS700016"
#define SR_AADSTS_WRONG_CLIENT      "AADSTS700021"
#define SR_AADSTS_WRONG_AUDIENCE    "AADSTS700023"
#define SR_AADSTS_ASSERTION_TIME    "AADSTS700024"
#define SR_AADSTS_BAD_ASSERTION     "AADSTS700027"
#define SR_AADSTS_IDLE_TOKEN        "AADSTS700082"
#define SR_AADSTS_FEDERATED_ISSUER  "AADSTS700211"
#define SR_AADSTS_FEDERATED_AUD     "AADSTS700212"
#define SR_AADSTS_FEDERATED_SUBJECT "AADSTS700213"
#define SR_AADSTS_MISSING_PARAMETER "AADSTS900144"
#define SR_AADSTS_WRONG_METHOD      "AADSTS900561"
#define SR_AADSTS_APP_DISABLED      "AADSTS7000112"
#define SR_AADSTS_WRONG_SECRET      "AADSTS7000215"
#define SR_AADSTS_NO_CREDENTIAL     "AADSTS7000218"
#define SR_AADSTS_EXPIRED_SECRET    "AADSTS7000222"
#define SR_AADSTS_MALFORMED         "AADSTS9002313"

struct sr_oauth_error {
	const char *reason; /* "AADSTS" and the number */
	const char *error;  /* "invalid_client" */
	int status;
};
/* The row of a failure: by its reason, else the one that its code stands for. */
const struct sr_oauth_error *sr_oauth_error_of(struct sr_result failure);
/* All rows, by position; NULL past the end. */
const struct sr_oauth_error *sr_oauth_error_at(size_t index);
/* The number in a row's reason. */
int64_t sr_oauth_error_number(const struct sr_oauth_error *row);

/* What ties an error to its request, and the time. */
struct sr_oauth_error_context {
	const char *trace_id;
	const char *correlation_id;
	const char *authority; /* error_uri lies below it */
	int64_t now_s;
};
/* The body of the answer; the caller owns it. Inner failures are not told to strangers: their text stays out. */
json_t *sr_oauth_error_json(struct sr_result failure, const struct sr_oauth_error_context *context);

#endif
