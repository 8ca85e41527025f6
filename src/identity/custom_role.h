/*
 * Custom roles: rows of identity's database, beside access's table of built-in ones. Functions run on a connection,
 * within the caller's transaction; texts of results live in the arena.
 */
#ifndef SR_IDENTITY_CUSTOM_ROLE_H
#define SR_IDENTITY_CUSTOM_ROLE_H

#include "identity/role_definition.h"
#include "seal/database.h"

enum { SR_CUSTOM_ROLES_MAX = 5000 };

/*
 * Keeps a definition under `id` (a GUID; NULL: a fresh one). SR_INVALID as sr_role_definition_check; SR_EXISTS
 * (RoleDefinitionWithSameNameExists): a role, built-in ones among them, has the name or id; SR_TOO_LARGE
 * (RoleDefinitionLimitExceeded).
 */
SR_MUST struct sr_result sr_custom_role_make(struct sr_connection *connection, struct sr_arena *arena, const char *id,
                                             const struct sr_role_definition *definition, int64_t now_s,
                                             struct sr_role_definition *ret_definition);
/* Puts another definition in its place. SR_CONFLICT: it is assigned where the new one may not be; else as above. */
SR_MUST struct sr_result sr_custom_role_change(struct sr_connection *connection, struct sr_arena *arena, const char *id,
                                               const struct sr_role_definition *definition, int64_t now_s,
                                               struct sr_role_definition *ret_definition);
/* SR_NOT_FOUND; SR_CONFLICT (RoleDefinitionHasAssignments) while somebody has it. */
SR_MUST struct sr_result sr_custom_role_remove(struct sr_connection *connection, const char *id);
/* Custom roles by name. */
SR_MUST struct sr_result sr_custom_role_each(struct sr_connection *connection, struct sr_arena *arena,
                                             struct sr_result (*each)(const struct sr_role_definition *definition,
                                                                      void *context),
                                             void *context);
/* Built-in or custom; by GUID, by "…/roleDefinitions/GUID", or by name (case ignored). SR_NOT_FOUND. */
SR_MUST struct sr_result sr_role_definition_find(struct sr_connection *connection, struct sr_arena *arena,
                                                 const char *id_or_name, struct sr_role_definition *ret_definition);
/* SR_INVALID if the definition may not be assigned at the scope (its assignable scopes, its data actions). */
SR_MUST struct sr_result sr_role_definition_fits(struct sr_connection *connection,
                                                 const struct sr_role_definition *definition, const char *scope);

#endif
