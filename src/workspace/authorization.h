/* What the handlers of Microsoft.Authorization have in common: scopes, rights, ids. */
#ifndef SR_WORKSPACE_AUTHORIZATION_H
#define SR_WORKSPACE_AUTHORIZATION_H

#include "workspace/call.h"

#define SR_AUTHORIZATION "/providers/Microsoft.Authorization/"

/* The scope in the call's path ("/" for the root), which must not be another subscription's. SR_NOT_FOUND
 * "SubscriptionNotFound". */
SR_MUST struct sr_result sr_authorization_scope(struct sr_arm_call *call, const char **ret_scope);
/* May who asks do "Microsoft.Authorization/{action}" at the scope? */
SR_MUST struct sr_result sr_authorization_check(struct sr_arm_call *call, const char *action, const char *scope);
/* "{scope}/providers/Microsoft.Authorization/{type}/{name}". */
const char *sr_authorization_id(struct sr_arena *arena, const char *scope, const char *type, const char *name);
/* Is what is at `at` shown in a list at `scope`: at it, above it, or (unless `is_at_scope`) below it? */
SR_MUST struct sr_result sr_authorization_is_shown(struct sr_arm_call *call, const char *at, const char *scope,
                                                   bool is_at_scope, bool *ret_is_shown);
/* A new object's last segment: the GUID at the end of an id, or all of it. */
const char *sr_authorization_name_of(const char *id);

#endif
