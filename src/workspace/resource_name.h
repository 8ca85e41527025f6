/* What follows "/providers/" in a resource's id: provider, types and names in turn. Pure. */
#ifndef SR_WORKSPACE_RESOURCE_NAME_H
#define SR_WORKSPACE_RESOURCE_NAME_H

#include "base/arena.h"

struct sr_resource_name {
	const char *namespace; /* "Microsoft.KeyVault" */
	const char *type;      /* "vaults", "vaults/accessPolicies" */
	const char *last;      /* the last segment where they do not come in pairs: a collection, or an action of POST */
};

/* SR_NOT_FOUND "InvalidResourceType" where there is only a provider. Texts go into the arena. */
SR_MUST struct sr_result sr_resource_name_parse(struct sr_arena *arena, const char *rest,
                                                struct sr_resource_name *ret_name);
/* The action that a role must grant: "Microsoft.KeyVault/vaults/read"; of a POST "…/vaults/purge/action". SR_INVALID
 * "MethodNotAllowed" for a method that resources do not have. */
SR_MUST struct sr_result sr_resource_action(struct sr_arena *arena, const struct sr_resource_name *name,
                                            const char *method, const char **ret_action);

#endif
