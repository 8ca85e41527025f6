/*
 * Access policies of a vault, the permission model beside roles: who may do what, in Azure's names
 * (Microsoft.KeyVault, "Permissions"). Sets of permissions are bits. Pure; the SQL is access_store's.
 */
#ifndef SR_VAULT_ACCESS_POLICY_H
#define SR_VAULT_ACCESS_POLICY_H

#include "base/arena.h"
#include "wire/json.h"

enum sr_policy_collection {
	SR_POLICY_KEYS,
	SR_POLICY_SECRETS,
	SR_POLICY_CERTIFICATES,
	SR_POLICY_STORAGE,
	SR_POLICY_COLLECTIONS
};
enum { SR_ACCESS_POLICIES_MAX = 1024 };

struct sr_access_policy {
	const char *object_id;      /* of a principal or a group; lowercase GUID */
	const char *application_id; /* only by way of this client; "" where any will do */
	uint64_t permissions[SR_POLICY_COLLECTIONS];
};

/* "keys", "secrets", "certificates", "storage". */
const char *sr_policy_collection_name(enum sr_policy_collection collection);
/* The name of bit `index` ("wrapKey"; 0 is "all"), NULL past the end. */
const char *sr_policy_permission_at(enum sr_policy_collection collection, size_t index);

/*
 * What a route's permission ("keys/wrapKey") asks for: any bit of the mask will do. "all" does for everything but
 * purging, which must be granted by its name, and "manageissuers" for reading and deleting issuers. False for what is
 * no permission of Azure's: nobody has it.
 */
bool sr_policy_requirement(const char *permission, enum sr_policy_collection *ret_collection, uint64_t *ret_mask);

/* A list of AccessPolicyEntry (NULL is empty) into the arena. SR_INVALID: not of `tenant`, an id that is none, an
 * unknown permission (letters of either case are taken), an identity twice, more than 1024. */
SR_MUST struct sr_result sr_access_policies_read(struct sr_arena *arena, const json_t *list, const char *tenant,
                                                 struct sr_access_policy **ret_policies, size_t *ret_count);
/* An AccessPolicyEntry; the caller owns it. */
json_t *sr_access_policy_json(const struct sr_access_policy *policy, const char *tenant);
bool sr_access_policy_same_identity(const struct sr_access_policy *a, const struct sr_access_policy *b);
/* True if it grants nothing at all. */
bool sr_access_policy_is_empty(const struct sr_access_policy *policy);

#endif
