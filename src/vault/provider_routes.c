/* The operations of Microsoft.KeyVault/vaults, against the specification line by line, and the versions of its API. */
#include "vault/provider.h"

#include <string.h>

#define IN_GROUP        "subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/"
#define IN_SUBSCRIPTION "subscriptions/{subscription}/providers/Microsoft.KeyVault/"

static const struct sr_vault_provider_route routes[] = {
    {"PUT", IN_GROUP "vaults/{name}", "VaultPut", sr_vault_provider_put},
    {"PATCH", IN_GROUP "vaults/{name}", "VaultPatch", sr_vault_provider_patch},
    {"GET", IN_GROUP "vaults/{name}", "VaultGet", sr_vault_provider_get},
    {"DELETE", IN_GROUP "vaults/{name}", "VaultDelete", sr_vault_provider_delete},
    {"PUT", IN_GROUP "vaults/{name}/accessPolicies/{kind}", "VaultAccessPolicies", sr_vault_provider_policies},
    {"GET", IN_GROUP "vaults", "VaultList", sr_vault_provider_list},
    {"GET", IN_SUBSCRIPTION "vaults", "VaultList", sr_vault_provider_list},
    {"POST", IN_SUBSCRIPTION "checkNameAvailability", "VaultCheckName", sr_vault_provider_check_name},
    {"GET", IN_SUBSCRIPTION "deletedVaults", "VaultListDeleted", sr_vault_provider_list_deleted},
    {"GET", IN_SUBSCRIPTION "locations/{location}/deletedVaults/{name}", "VaultGetDeleted",
     sr_vault_provider_get_deleted},
    /* There are none, which clients ask for beside vaults. */
    {"GET", IN_GROUP "managedHSMs", "ManagedHsmList", sr_vault_provider_list_none},
    {"GET", IN_SUBSCRIPTION "managedHSMs", "ManagedHsmList", sr_vault_provider_list_none},
    {"GET", IN_SUBSCRIPTION "deletedManagedHSMs", "ManagedHsmListDeleted", sr_vault_provider_list_none},
    {"POST", IN_SUBSCRIPTION "locations/{location}/deletedVaults/{name}/purge", "VaultPurge", sr_vault_provider_purge},
};
enum { ROUTE_COUNT = sizeof routes / sizeof *routes };

/* Where the part "{…}" of a pattern goes. */
static const char **part_of(struct sr_vault_provider_call *call, struct sr_bytes part)
{
	const struct {
		struct sr_bytes part;
		const char **to;
	} parts[] = {
	    {SR_LITERAL("{subscription}"), &call->subscription},
	    {SR_LITERAL("{group}"), &call->group},
	    {SR_LITERAL("{name}"), &call->name},
	    {SR_LITERAL("{location}"), &call->location},
	    {SR_LITERAL("{kind}"), &call->kind},
	};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (sr_equal_public(parts[i].part, part)) {
			return parts[i].to;
		}
	}
	return NULL;
}

static bool match(const char *pattern, const struct sr_segments *path, struct sr_vault_provider_call *call)
{
	size_t i = 0;
	for (const char *rest = pattern; rest; i++) {
		const char *end = strchr(rest, '/');
		const struct sr_bytes part = sr_bytes_of(rest, end ? (size_t)(end - rest) : strlen(rest));
		if (i == path->count) {
			return false;
		}
		const char **to = part_of(call, part);
		if (to) {
			*to = (const char *)path->items[i].data;
		} else if (!sr_equal_nocase(part, path->items[i])) {
			return false;
		}
		rest = end ? end + 1 : NULL;
	}
	return i == path->count;
}

struct sr_result sr_vault_provider_route_find(const char *method, const struct sr_segments *path,
                                              struct sr_vault_provider_call *call)
{
	bool is_path = false;
	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		call->subscription = call->group = call->name = call->location = call->kind = NULL;
		if (!match(routes[i].pattern, path, call)) {
			continue;
		}
		is_path = true;
		if (strcmp(routes[i].method, method) == 0) {
			call->route = &routes[i];
			return sr_ok();
		}
	}
	if (is_path) {
		return sr_fail_as(SR_INVALID, "MethodNotAllowed", "The method %.16s is not allowed here.", method);
	}
	return sr_fail_as(SR_NOT_FOUND, "InvalidResourceType",
	                  "The resource type could not be found in the namespace 'Microsoft.KeyVault'.");
}
