/*
 * A snapshot of identity's directory: keys, principals, role assignments, and the tokens that were checked against
 * it. Immutable but for those, shared by counting, private to the room. A change makes a new snapshot, so
 * what was concluded from an old one goes with it.
 */
#ifndef SR_ACCESS_DIRECTORY_H
#define SR_ACCESS_DIRECTORY_H

#include "access/role.h"
#include "access/token_cache.h"
#include "base/bytes.h"
#include "base/text.h"
#include "seal/keypair.h"

struct sr_assignment_entry {
	struct sr_id id;
	const struct sr_role *role;
	const char *scope;
};

struct sr_principal_entry {
	struct sr_id object_id;
	const char *object_id_text;
	const char *app_id; /* "" for a person */
	const char *name;
	bool is_enabled;
	struct sr_assignment_entry *assignments;
	size_t assignment_count;
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
/* The principal of an object id (GUID text), or NULL. */
const struct sr_principal_entry *sr_directory_principal(const struct sr_directory *directory, const char *object_id);

#endif
