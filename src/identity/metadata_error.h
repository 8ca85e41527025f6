/* Errors of the metadata endpoint: {"error", "error_description"}, with the statuses that its specification names. */
#ifndef SR_IDENTITY_METADATA_ERROR_H
#define SR_IDENTITY_METADATA_ERROR_H

#include "base/result.h"

#include <jansson.h>

/* A reason for sr_fail_as: the api-version is missing or not one of ours. */
#define SR_METADATA_VERSION "api-version"

/* The body for a failure, owned by the caller, and its status. Inner failures are not told. */
json_t *sr_metadata_error_json(struct sr_result failure, int *ret_status);

#endif
