/* Built-in role definitions with Azure's ids and actions (what of them this installation knows), in one table; and the
 * matching of actions. Pure. */
#ifndef SR_ACCESS_ROLE_H
#define SR_ACCESS_ROLE_H

#include "base/bytes.h"

struct sr_role {
	const char *id;             /* GUID, as Azure has it */
	const char *name;           /* "Key Vault Crypto Officer" */
	const char *const *actions; /* each list ended by NULL */
	const char *const *not_actions;
	const char *const *data_actions;
	const char *const *not_data_actions;
	const char *const *assignable; /* the only roles that it may give and take, by id; NULL: any */
};
/* By id or by name (case ignored); NULL if there is none. */
const struct sr_role *sr_role_find(const char *id_or_name);
/* All, by position; NULL past the end. */
const struct sr_role *sr_role_at(size_t index);
/* True if the role allows the action. A role that may give only some roles does not allow giving in general: ask
 * sr_role_may_assign. */
bool sr_role_allows(const struct sr_role *role, const char *action, bool is_data);
/* True if the role allows giving (or taking) the role of this id: Azure's conditions on roleAssignments/write and
 * roleAssignments/delete. */
bool sr_role_may_assign(const struct sr_role *role, const char *role_id, bool is_taken);
/* True if `scope` is `assigned` or lies below it; "/" covers everything. Case ignored. */
bool sr_scope_covers(const char *assigned, const char *scope);

#endif
