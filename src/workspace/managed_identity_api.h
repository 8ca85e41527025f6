/* User-assigned managed identities as resources. */
#ifndef SR_WORKSPACE_MANAGED_IDENTITY_API_H
#define SR_WORKSPACE_MANAGED_IDENTITY_API_H

#include "workspace/call.h"

/* Any method on "Microsoft.ManagedIdentity/userAssignedIdentities[/NAME]", which is `rest`; what the caller may was
 * checked. SR_NOT_FOUND "InvalidResourceType" for other types. */
SR_MUST struct sr_result sr_managed_identity_call(struct sr_arm_call *call, const char *rest,
                                                  struct sr_arm_answer *answer);
/* Appends those below the scope, in the shape of a resource. */
SR_MUST struct sr_result sr_managed_identities_collect(struct sr_arm_call *call, const char *scope, json_t *list);

#endif
