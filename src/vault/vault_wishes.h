/*
 * What a client of the resource manager wishes for a vault (VaultCreateOrUpdateParameters, VaultPatchParameters): read
 * and checked by itself, then applied to a new vault or to one that is there, within Azure's rules on what may change.
 */
#ifndef SR_VAULT_VAULT_WISHES_H
#define SR_VAULT_VAULT_WISHES_H

#include "vault/access_policy.h"
#include "vault/network_rule.h"
#include "vault/vault_store.h"

enum sr_wish { SR_WISH_NONE, SR_WISH_OFF, SR_WISH_ON }; /* a boolean that may be absent */

/* Borrowed from the body and the arena. */
struct sr_vault_wishes {
	const char *location, *sku; /* NULL: not named */
	const char *tags;           /* JSON object; NULL: not named */
	json_t *extras;             /* borrowed members without effect here; NULL: none named */
	bool is_recovery;           /* createMode "recover" */
	bool has_tenant;
	int64_t retention_days; /* 0: not named */
	enum sr_wish by_roles, purge_protection, closed, denies, no_bypass;
	bool has_policies, has_rules;
	struct sr_access_policy *policies;
	size_t policy_count;
	struct sr_network_range *rules;
	size_t rule_count;
};
/* SR_INVALID says what is wrong with which property. `tenant` is the installation's: no other is taken. The caller
 * frees with the cleanup. */
SR_MUST struct sr_result sr_vault_wishes_read(struct sr_arena *arena, const json_t *body, const char *tenant,
                                              struct sr_vault_wishes *ret_wishes);
void sr_vault_wishes_cleanup(struct sr_vault_wishes *wishes);

/* A new vault's record: what must be named must be there. The name, group, subscription and creation are the caller's.
 * `api_version` decides the permission model where none is named: policies before 2026-02-01, roles from then on. */
SR_MUST struct sr_result sr_vault_wishes_begin(struct sr_arena *arena, const struct sr_vault_wishes *wishes,
                                               const char *api_version, struct sr_vault_record *vault);
/* Changes to one that is there. SR_INVALID "BadRequest" for what never changes. `is_whole` (PUT): what is not named and
 * only shown is forgotten; what guards the vault (permission model, network rules) stays unless it is named. */
SR_MUST struct sr_result sr_vault_wishes_apply(struct sr_arena *arena, const struct sr_vault_wishes *wishes,
                                               bool is_whole, struct sr_vault_record *vault);
/* A resource's name as Azure has it: 3 to 24 letters, digits and single hyphens, from a letter to no hyphen. */
bool sr_is_vault_name(const char *name);

#endif
