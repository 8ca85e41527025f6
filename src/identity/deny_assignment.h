/*
 * Deny assignments: what is refused at a scope whatever roles somebody has, for resource groups that a service manages
 * in a customer's subscription. Rows of identity's database; functions run on a connection, within the caller's
 * transaction.
 */
#ifndef SR_IDENTITY_DENY_ASSIGNMENT_H
#define SR_IDENTITY_DENY_ASSIGNMENT_H

#include "base/arena.h"
#include "base/text.h"
#include "seal/database.h"

#include <jansson.h>

/* Azure's name for all principals, among `principals`. */
#define SR_ALL_PRINCIPALS "00000000-0000-0000-0000-000000000000"

enum { SR_DENY_PRINCIPALS_MAX = 1024, SR_DENY_NAME_MAX = 256 };

/* Texts are borrowed during a call. */
struct sr_deny_assignment {
	const char *id; /* GUID */
	const char *name, *scope;
	/* {"principals", "excludePrincipals", "actions", "notActions", "dataActions", "notDataActions",
	 * "doNotApplyToChildScopes"} */
	const json_t *body;
	int64_t created_s;
};

/*
 * Keeps one. Principals and excluded ones are object ids (groups too); SR_ALL_PRINCIPALS stands for everyone. Actions
 * are patterns as in roles. SR_INVALID says what is wrong. `body` is borrowed.
 */
SR_MUST struct sr_result sr_deny_assignment_make(struct sr_connection *connection, struct sr_arena *arena,
                                                 const char *name, const char *scope, const json_t *body, int64_t now_s,
                                                 char ret_id[static SR_GUID_TEXT_LEN]);
/* SR_NOT_FOUND. */
SR_MUST struct sr_result sr_deny_assignment_remove(struct sr_connection *connection, const char *id);
SR_MUST struct sr_result sr_deny_assignment_each(struct sr_connection *connection, struct sr_arena *arena,
                                                 struct sr_result (*each)(const struct sr_deny_assignment *denial,
                                                                          void *context),
                                                 void *context);

#endif
