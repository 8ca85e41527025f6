/* The handlers, for the table of routes. One file a group. */
#ifndef SR_WORKSPACE_API_H
#define SR_WORKSPACE_API_H

#include "workspace/call.h"

/* subscription_api.c */
SR_MUST struct sr_result sr_tenants_list(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_subscriptions_list(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_subscription_get(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_locations_list(struct sr_arm_call *call, struct sr_arm_answer *answer);

/* group_api.c */
SR_MUST struct sr_result sr_resource_groups_list(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_resource_group_get(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_resource_group_check(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_resource_group_put(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_resource_group_patch(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_resource_group_delete(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_resource_group_deletion(struct sr_arm_call *call, struct sr_arm_answer *answer);

/* provider_api.c */
SR_MUST struct sr_result sr_providers_list(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_provider_get(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_provider_register(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_provider_unregister(struct sr_arm_call *call, struct sr_arm_answer *answer);

/* resource_api.c: what belongs to a provider goes to its service */
SR_MUST struct sr_result sr_resource_in_group(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_resource_in_subscription(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_resources_of_subscription(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_resources_of_group(struct sr_arm_call *call, struct sr_arm_answer *answer);

/* role_assignment_api.c, role_definition_api.c: Microsoft.Authorization, at any scope */
SR_MUST struct sr_result sr_role_assignments_list(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_role_assignment_get(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_role_assignment_put(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_role_assignment_delete(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_role_definitions_list(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_role_definition_get(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_role_definition_put(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_role_definition_delete(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_deny_assignments_list(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_permissions_list(struct sr_arm_call *call, struct sr_arm_answer *answer);

/* admin_api.c: the Unix socket */
SR_MUST struct sr_result sr_workspace_audit_log(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_workspace_status(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_workspace_verify(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_workspace_freeze(struct sr_arm_call *call, struct sr_arm_answer *answer);
SR_MUST struct sr_result sr_workspace_thaw(struct sr_arm_call *call, struct sr_arm_answer *answer);

#endif
