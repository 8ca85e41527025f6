/*
 * Scopes as identity keeps them: their form and their kind. Pure functions. What covers what, where management groups
 * are above subscriptions, is management_group.h's.
 */
#ifndef SR_IDENTITY_SCOPE_H
#define SR_IDENTITY_SCOPE_H

#include "base/arena.h"
#include "base/bytes.h"

#define SR_MANAGEMENT_GROUP_PREFIX "/providers/Microsoft.Management/managementGroups/"

enum sr_scope_kind {
	SR_SCOPE_ROOT, /* "/" */
	SR_SCOPE_MANAGEMENT_GROUP,
	SR_SCOPE_SUBSCRIPTION,
	SR_SCOPE_RESOURCE_GROUP,
	SR_SCOPE_RESOURCE, /* a resource, or what is in one */
	SR_SCOPE_OTHER     /* anything else that starts with '/' */
};

/* Of a scope in the form that sr_assignment_scope gives. */
enum sr_scope_kind sr_scope_kind(const char *scope);
/* The management group's name in a scope of that kind, or below one; empty in others. Borrowed. */
struct sr_bytes sr_scope_management_group(const char *scope);
/* The subscription's id in a scope; empty where it has none. Borrowed. */
struct sr_bytes sr_scope_subscription(const char *scope);

#endif
