/*
 * Managed identities: principals without a secret, whose tokens only the machine or job gets that they are bound to
 * (metadata_api.c). Rows of identity's database; functions run on a connection, within the caller's transaction; texts
 * of results live in the arena.
 */
#ifndef SR_IDENTITY_MANAGED_IDENTITY_H
#define SR_IDENTITY_MANAGED_IDENTITY_H

#include "base/arena.h"
#include "base/text.h"
#include "seal/database.h"

enum { SR_MANAGED_NAME_MIN = 3, SR_MANAGED_NAME_MAX = 128, SR_RESOURCE_NAME_MAX = 256 };

enum sr_managed_kind {
	SR_MANAGED_SYSTEM = 1, /* of one resource: made and removed with it, and named like it */
	SR_MANAGED_USER = 2    /* a resource itself: Microsoft.ManagedIdentity/userAssignedIdentities */
};

struct sr_managed_identity {
	const char *object_id, *client_id; /* GUIDs; Azure calls the first principalId */
	const char *name;                  /* the resource's */
	const char *resource_id;           /* what a token's xms_mirid says */
	enum sr_managed_kind kind;
	bool is_enabled;
	const char *location; /* user-assigned: as it was made */
	const char *tags;     /* JSON object */
	int64_t created_s;
};

/*
 * Makes the identity of a resource id ("/subscriptions/S/resourceGroups/G/providers/P/TYPE/NAME"); where there is one
 * already of that kind, gives it (with new tags if they are not NULL) and *ret_is_new is false. `location` and `tags`
 * (JSON text) may be NULL. SR_INVALID: no fit resource id; SR_CONFLICT: one of the other kind.
 */
SR_MUST struct sr_result sr_managed_identity_make(struct sr_connection *connection, struct sr_arena *arena,
                                                  const char *resource_id, enum sr_managed_kind kind,
                                                  const char *location, const char *tags, int64_t now_s,
                                                  struct sr_managed_identity *ret_identity, bool *ret_is_new);
/* By object id, client id, resource id, or name (SR_CONFLICT where several have it). SR_NOT_FOUND. */
SR_MUST struct sr_result sr_managed_identity_find(struct sr_connection *connection, struct sr_arena *arena,
                                                  const char *id_or_name, struct sr_managed_identity *ret_identity);
/* SR_NOT_FOUND. */
SR_MUST struct sr_result sr_managed_identity_enable(struct sr_connection *connection, const char *object_id,
                                                    bool is_enabled);
/* Removes it with its role assignments, memberships and bindings. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_managed_identity_remove(struct sr_connection *connection, const char *object_id);
/* Calls `each` for every one, by resource id. */
SR_MUST struct sr_result sr_managed_identity_each(struct sr_connection *connection, struct sr_arena *arena,
                                                  struct sr_result (*each)(const struct sr_managed_identity *identity,
                                                                           void *context),
                                                  void *context);
/* The same for those that a holder (identity_holder.h) may use. */
SR_MUST struct sr_result
sr_managed_identity_each_held(struct sr_connection *connection, struct sr_arena *arena, const char *holder,
                              struct sr_result (*each)(const struct sr_managed_identity *identity, void *context),
                              void *context);

#endif
