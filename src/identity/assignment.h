/*
 * Role assignments: who has which role at which scope. Rows of identity's database; functions run on a connection,
 * within the caller's transaction. What a role allows is access's table,
 * or custom_role.h's.
 */
#ifndef SR_IDENTITY_ASSIGNMENT_H
#define SR_IDENTITY_ASSIGNMENT_H

#include "base/arena.h"
#include "base/text.h"
#include "seal/database.h"

enum { SR_SCOPE_MAX = 1024 };

struct sr_assignment {
	const char *id;                       /* GUID */
	const char *principal;                /* object id */
	const char *role;                     /* role definition's GUID */
	const char *scope;                    /* "/subscriptions/…", without a trailing slash, or "/" */
	const char *description, *created_by; /* NULL: none; an object id */
	int64_t created_s;
};

/* A scope as it is kept: starts with '/', no empty, "." or ".." segments, no trailing slash. SR_INVALID says what is
 * wrong. */
SR_MUST struct sr_result sr_assignment_scope(struct sr_arena *arena, const char *scope, const char **ret_scope);
/* Assigns a role, built-in or custom (by name, GUID or resource id), to an object id. SR_INVALID: no such role, bad
 * scope, or the role may not be assigned there; SR_EXISTS. Texts of the result live in the arena. */
SR_MUST struct sr_result sr_assignment_make(struct sr_connection *connection, struct sr_arena *arena,
                                            const char *object_id, const char *role, const char *scope, int64_t now_s,
                                            struct sr_assignment *ret_assignment);
/* The same for all of *asked that is set; its id too, if it is not NULL (SR_INVALID: no GUID). */
SR_MUST struct sr_result sr_assignment_make_as(struct sr_connection *connection, struct sr_arena *arena,
                                               const struct sr_assignment *asked, int64_t now_s,
                                               struct sr_assignment *ret_assignment);
/* By its id. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_assignment_find(struct sr_connection *connection, struct sr_arena *arena, const char *id,
                                            struct sr_assignment *ret_assignment);
SR_MUST struct sr_result sr_assignment_describe(struct sr_connection *connection, const char *id,
                                                const char *description);
/* By its id. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_assignment_remove(struct sr_connection *connection, const char *id);
/* By what it says. SR_NOT_FOUND, SR_INVALID. */
SR_MUST struct sr_result sr_assignment_take_back(struct sr_connection *connection, struct sr_arena *arena,
                                                 const char *object_id, const char *role, const char *scope);
SR_MUST struct sr_result sr_assignment_count(struct sr_connection *connection, int64_t *ret_count);
/* Calls `each` for every assignment; `object_id` NULL: of all principals. Texts are borrowed during the call. */
SR_MUST struct sr_result
sr_assignment_each(struct sr_connection *connection, struct sr_arena *arena, const char *object_id,
                   struct sr_result (*each)(const struct sr_assignment *assignment, void *context), void *context);

#endif
