/*
 * A snapshot of identity's directory: keys, principals and their groups, role and deny assignments, the tree of
 * management groups, and the tokens that were checked against it. Immutable but for those, shared by counting, private
 * to the room. A change makes a new snapshot, so what was concluded from an old one goes with it.
 */
#ifndef SR_ACCESS_DIRECTORY_H
#define SR_ACCESS_DIRECTORY_H

#include "access/role.h"
#include "access/token_cache.h"
#include "base/bytes.h"
#include "base/text.h"
#include "seal/keypair.h"

/* A management group's place in the tree, or none. */
enum { SR_NO_MANAGEMENT_GROUP = -1 };

/* A scope as it stands in an assignment: its text, and which management group it is, if it is one. */
struct sr_scope_entry {
	const char *text;
	int32_t management_group;
};

struct sr_assignment_entry {
	struct sr_id id;
	const struct sr_role *role;
	struct sr_scope_entry scope;
};

enum sr_principal_kind { SR_PRINCIPAL_APPLICATION, SR_PRINCIPAL_PERSON, SR_PRINCIPAL_GROUP };

/* Whoever roles are given to: an application (a managed identity is one too), a person, a group. */
struct sr_principal_entry {
	struct sr_id object_id;
	const char *object_id_text;
	const char *app_id; /* "" but for applications */
	const char *name;
	enum sr_principal_kind kind;
	bool is_enabled; /* groups are: they cannot ask, but what they are given counts */
	struct sr_assignment_entry *assignments;
	size_t assignment_count;
	uint32_t *groups; /* all that it is in, through others too, by place, ascending; for sr_directory_at */
	size_t group_count;
};

/* What is refused to whom, whatever roles they have. */
struct sr_denial {
	struct sr_id id;
	const char *name;
	struct sr_scope_entry scope;
	bool is_for_scope_alone; /* not for what is below */
	bool is_for_everyone;
	uint32_t *principals, *excluded; /* by place, ascending */
	size_t principal_count, excluded_count;
	struct sr_role denied; /* the actions; no definition of its own */
};

struct sr_directory;

/* From identity's document. SR_PROTOCOL where it is not what was agreed. The caller owns one share. */
SR_MUST struct sr_result sr_directory_parse(struct sr_bytes document, struct sr_directory **ret_directory);
/* One more share; freed when the last one is. Thread-safe. */
struct sr_directory *sr_directory_share(struct sr_directory *directory);
void sr_directory_free(struct sr_directory *directory);
void sr_directory_cleanup(struct sr_directory **directory);

/* What follows is borrowed from the snapshot. */
int64_t sr_directory_revision(const struct sr_directory *directory);
const char *sr_directory_tenant(const struct sr_directory *directory);
const char *sr_directory_subscription(const struct sr_directory *directory);
struct sr_token_cache *sr_directory_tokens(struct sr_directory *directory);
/* The signing key of a kid and its only algorithm; NULL if there is none. */
const struct sr_keypair *sr_directory_key(const struct sr_directory *directory, const char *kid, enum sr_alg *ret_alg);
/* True if the credential or sign-in of this id (GUID text in lower case) was taken back. */
bool sr_directory_has_revoked(const struct sr_directory *directory, const char *credential_id);
/* Who may ask by this object id (GUID text): an application or a person, or NULL. */
const struct sr_principal_entry *sr_directory_principal(const struct sr_directory *directory, const char *object_id);
/* The same for groups. */
const struct sr_principal_entry *sr_directory_group(const struct sr_directory *directory, const char *object_id);
/* By its place. */
const struct sr_principal_entry *sr_directory_at(const struct sr_directory *directory, uint32_t place);
/* True if the principal is in the group, through others too. */
bool sr_directory_is_member(const struct sr_directory *directory, const struct sr_principal_entry *principal,
                            const struct sr_principal_entry *group);

/* What an action is asked for at: computed once for all assignments that are held against it. */
struct sr_scope_place {
	const char *text;
	int32_t management_group; /* the nearest above, or itself */
};
struct sr_scope_place sr_directory_place(const struct sr_directory *directory, const char *scope);
/* True if `entry` is the scope or lies above it: by its text, or in the tree of management groups. */
bool sr_directory_covers(const struct sr_directory *directory, const struct sr_scope_entry *entry,
                         const struct sr_scope_place *place);
/* The assignment (of the principal's own, or of a group that it is in) that allows the action there; NULL: none. */
const struct sr_assignment_entry *sr_directory_allowing(const struct sr_directory *directory,
                                                        const struct sr_principal_entry *principal, const char *action,
                                                        bool is_data, const struct sr_scope_place *place);
/* Calls `each` for the role of every assignment, of the principal's own or of a group's, that covers the place. */
SR_MUST struct sr_result sr_directory_each_role(const struct sr_directory *directory,
                                                const struct sr_principal_entry *principal,
                                                const struct sr_scope_place *place,
                                                struct sr_result (*each)(const struct sr_role *role, void *context),
                                                void *context);
/* True if the scope of this text is the place or above it. */
bool sr_directory_is_above(const struct sr_directory *directory, const char *scope, const struct sr_scope_place *place);
/* The denial that refuses it; NULL: none. */
const struct sr_denial *sr_directory_denying(const struct sr_directory *directory,
                                             const struct sr_principal_entry *principal, const char *action,
                                             bool is_data, const struct sr_scope_place *place);

#endif
