/*
 * Role definitions of a customer's own: what Azure's JSON says of one, and what one may say. Pure functions; built-in
 * ones are access's table, rows are custom_role.c's.
 */
#ifndef SR_IDENTITY_ROLE_DEFINITION_H
#define SR_IDENTITY_ROLE_DEFINITION_H

#include "access/role.h"
#include "base/arena.h"
#include "wire/json.h"

enum {
	SR_ROLE_NAME_MAX = 512,
	SR_ROLE_DESCRIPTION_MAX = 2048,
	SR_ROLE_ACTIONS_MAX = 1024, /* in each of the four lists */
	SR_ROLE_ACTION_LEN_MAX = 256,
	SR_ROLE_SCOPES_MAX = 2000
};

/* Texts live in an arena, or are static where it is a built-in one. */
struct sr_role_definition {
	struct sr_role role; /* .id is NULL until it is kept */
	const char *description;
	const char *const *assignable_scopes; /* ended by NULL */
	bool is_builtin;
	int64_t created_s, changed_s; /* 0 for built-in ones */
};

/*
 * Reads a definition in either of Azure's shapes: that of the REST API ({"properties": {"roleName", "permissions": […],
 * "assignableScopes"}}) or that of `az role definition create` ({"Name", "Actions", "AssignableScopes"}, in either
 * case). SR_INVALID says what is wrong; nothing is checked but types.
 */
SR_MUST struct sr_result sr_role_definition_read(struct sr_arena *arena, const json_t *document,
                                                 struct sr_role_definition *ret_definition);
/*
 * What Azure demands of a custom role: a name; one action or data action at least, each "Provider/type/verb" with '*'
 * for any run of characters; at least one assignable scope, a management group (one at most, and none together with
 * data actions), a subscription or a resource group, never "/". SR_INVALID with Azure's code as its reason.
 */
SR_MUST struct sr_result sr_role_definition_check(const struct sr_role_definition *definition);
/* A built-in role in the same shape. */
struct sr_role_definition sr_role_definition_builtin(const struct sr_role *role);
/* The definition as `az role definition list` shows it; the caller owns it. */
json_t *sr_role_definition_json(const struct sr_role_definition *definition);

/* A list of texts as a JSON array, and back (copied into the arena; SR_INVALID names the list). */
json_t *sr_texts_json(const char *const *texts);
SR_MUST struct sr_result sr_texts_read(struct sr_arena *arena, const json_t *array, const char *name, size_t max,
                                       const char *const **ret_texts);
/* One action, or pattern of actions: sr_role_definition_check's rule. */
SR_MUST struct sr_result sr_action_check(const char *action);

#endif
