/* Resource Manager's errors: code and HTTP status of each failure, in one table, and the JSON in which they go out. */
#ifndef SR_WORKSPACE_ARM_ERROR_H
#define SR_WORKSPACE_ARM_ERROR_H

#include "base/result.h"

#include <jansson.h>

struct sr_arm_error {
	const char *code; /* "ResourceGroupNotFound" */
	int status;
	bool is_ours; /* a defect or a fault of ours: its text goes to the log, not to the client */
};
/* The row of a failure: by its reason, else by its kind. */
struct sr_arm_error sr_arm_error_of(struct sr_result failure);
/* {"error":{"code","message"}}; the caller owns it. */
json_t *sr_arm_error_body(const struct sr_arm_error *error, const char *message);

#endif
