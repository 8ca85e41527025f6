/* $filter of the lists of Microsoft.Authorization, which has a grammar of its own. Pure. */
#ifndef SR_WORKSPACE_AUTHORIZATION_FILTER_H
#define SR_WORKSPACE_AUTHORIZATION_FILTER_H

#include "base/arena.h"

/* What must hold; NULL: no matter. */
struct sr_authorization_filter {
	bool is_at_scope;        /* atScope(): nothing from below */
	const char *principal;   /* principalId eq 'X': given to X itself */
	const char *assigned_to; /* assignedTo('X'): given to X or to a group that X is in */
	const char *role_name;   /* roleName eq 'X' */
	const char *type;        /* type eq 'BuiltInRole' */
};

/* `text` NULL or empty: everything. SR_INVALID "InvalidFilterInQueryString" for anything that is not understood. Texts
 * live in the arena. */
SR_MUST struct sr_result sr_authorization_filter_parse(struct sr_arena *arena, const char *text,
                                                       struct sr_authorization_filter *ret_filter);

#endif
