/* What a snapshot is made of; for directory.c, which holds it, and for those that build it from identity's document. */
#ifndef SR_ACCESS_DIRECTORY_PARTS_H
#define SR_ACCESS_DIRECTORY_PARTS_H

#include "access/directory.h"
#include "base/arena.h"
#include "wire/json.h"

#include <stdatomic.h>

struct sr_directory_key {
	const char *kid;
	enum sr_alg alg;
	struct sr_keypair *keypair; /* owned */
};

struct sr_management_group {
	const char *name;
	int32_t parent;
};

/* A subscription that was put under a management group; the others are under the root. */
struct sr_placed_subscription {
	const char *id;
	int32_t management_group;
};

struct sr_directory {
	struct sr_arena *arena; /* owned; everything below that is not said to be owned lies in it */
	atomic_uint share_count;
	int64_t revision;
	char tenant[SR_GUID_TEXT_LEN];
	char subscription[SR_GUID_TEXT_LEN];
	struct sr_directory_key *keys;
	size_t key_count;
	struct sr_id *revoked; /* credentials and sign-ins, sorted */
	size_t revoked_count;
	struct sr_principal_entry *principals; /* groups last */
	size_t principal_count;
	/* Open addressing by object id: 1 + the principal's place, 0 for none. At most half are in use. */
	uint32_t *slots;
	size_t slot_count;                             /* a power of two */
	struct sr_management_group *management_groups; /* the root first */
	size_t management_group_count;
	struct sr_placed_subscription *subscriptions;
	size_t subscription_count;
	struct sr_denial *denials;
	size_t denial_count;
	struct sr_token_cache *tokens; /* owned */
};

struct sr_directory *sr_directory_new(void);
/* The order of `revoked`, for qsort and bsearch. */
int sr_id_order(const void *a, const void *b);
/* GUID text of either case as bytes; false if it is none. */
bool sr_guid_read(const char *text, struct sr_id *ret_id);
/* The slot that holds the principal, or the free one where it would go. */
size_t sr_directory_slot(const struct sr_directory *directory, const struct sr_id *object_id);

/* directory_document.c: members of the document that must be there; SR_INVALID names the one that is not. */
SR_MUST struct sr_result sr_document_string(const json_t *object, const char *name, const char **ret_text);
SR_MUST struct sr_result sr_document_guid(const json_t *object, const char *name, const char **ret_text,
                                          struct sr_id *ret_id);
/* An array member; an absent one has no elements. */
SR_MUST struct sr_result sr_document_array(const json_t *object, const char *name, const json_t **ret_array,
                                           size_t *ret_count);
/* actions, notActions, dataActions and notDataActions of a role's or a denial's; copies. */
SR_MUST struct sr_result sr_document_permission(struct sr_arena *arena, const json_t *object,
                                                struct sr_role *permission);

/* directory_groups.c: memberships, once all principals stand there: groups[] of each. */
SR_MUST struct sr_result sr_document_memberships(struct sr_directory *directory, const json_t *groups);
/* directory_scopes.c: the tree of management groups. */
SR_MUST struct sr_result sr_document_scopes(struct sr_directory *directory, const json_t *document);
/* A scope of an assignment, after the tree is read; copies. */
struct sr_scope_entry sr_document_scope(const struct sr_directory *directory, const char *scope);
/* directory_denials.c: after the principals and the tree. */
SR_MUST struct sr_result sr_document_denials(struct sr_directory *directory, const json_t *document);

#endif
