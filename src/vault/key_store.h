/*
 * Keys and their versions in the database. Every function runs within a read or a write (sr_database_read,
 * sr_database_write), so that callers compose them, the audit entry and the rewrapping of KEKs into one durable step.
 * Rules are key_rules'.
 */
#ifndef SR_VAULT_KEY_STORE_H
#define SR_VAULT_KEY_STORE_H

#include "base/arena.h"
#include "seal/database.h"
#include "vault/key_cache.h"
#include "vault/key_rules.h"

/* One version of a key. Text and bytes are borrowed: from the arena where it was read, from the caller where it is to
 * be written. */
struct sr_key_record {
	const char *vault, *name, *version;
	struct sr_key_state state;
	int64_t created, updated;
	int64_t deleted_at, purge_at; /* of the key; SR_NO_TIME */
	const char *tags;             /* JSON object or NULL */
	const char *public_jwk;       /* JSON object of the JWK's public members */
	struct sr_bytes sealed;
	struct sr_bytes token_id; /* of a new version in the token (sr_keypair_token_id); unset where a record was read */
	int64_t number;
	bool is_managed; /* of the key: a certificate's of the same name; not changed by itself */
};

enum sr_key_presence { SR_KEY_LIVE, SR_KEY_DELETED, SR_KEY_EITHER };

/* A version, or the current one where `version` is NULL. SR_NOT_FOUND "KeyNotFound". */
SR_MUST struct sr_result sr_key_find(struct sr_connection *connection, struct sr_arena *arena,
                                     const struct sr_key_name *name, enum sr_key_presence presence,
                                     struct sr_key_record *ret_key);
/* The state of a live key's version, but for its kind: what sr_key_check_use looks at. SR_NOT_FOUND "KeyNotFound". */
SR_MUST struct sr_result sr_key_find_state(struct sr_connection *connection, const struct sr_key_name *name,
                                           struct sr_key_state *ret_state);
/* May a client change, delete or copy the key by itself? SR_DENIED "KeyManagedByKeyVault" where it is a certificate's.
 */
SR_MUST struct sr_result sr_key_check_unmanaged(const struct sr_key_record *key);
/* Adds a version (and the key, where it is the first). SR_CONFLICT "ObjectIsDeletedButRecoverable" while the name is
 * deleted, "ObjectIsManaged" where the name belongs to a certificate and the record does not, or the other way round.
 */
SR_MUST struct sr_result sr_key_insert(struct sr_connection *connection, const struct sr_key_record *key);
/* Writes a version's enabled, nbf, exp, operations, tags and updated. */
SR_MUST struct sr_result sr_key_update(struct sr_connection *connection, const struct sr_key_record *key);
/* Deletes with recovery, recovers, and removes for good. The caller has found the key. */
SR_MUST struct sr_result sr_key_mark_deleted(struct sr_connection *connection, const char *vault, const char *name,
                                             int64_t deleted_at, int64_t purge_at);
SR_MUST struct sr_result sr_key_recover(struct sr_connection *connection, const char *vault, const char *name);
SR_MUST struct sr_result sr_key_purge(struct sr_connection *connection, const char *vault, const char *name);

/* A page of a list, in the arena. */
struct sr_key_page {
	struct sr_key_record *items;
	size_t count;
	bool has_more;
};
/* The current versions of keys whose names come after `after` ("" from the start), by name. */
SR_MUST struct sr_result sr_key_list(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                     const char *after, enum sr_key_presence presence, size_t limit,
                                     struct sr_key_page *ret_page);
/* The versions of a live key with numbers over `after`, oldest first; none where there is no such key. */
SR_MUST struct sr_result sr_key_list_versions(struct sr_connection *connection, struct sr_arena *arena,
                                              const char *vault, const char *name, int64_t after, size_t limit,
                                              struct sr_key_page *ret_page);

/* A key's rotation policy: JSON, or NULL where none was set. */
struct sr_key_policy {
	const char *json;
	int64_t created, updated;
};
SR_MUST struct sr_result sr_key_policy_get(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                           const char *name, struct sr_key_policy *ret_policy);
SR_MUST struct sr_result sr_key_policy_set(struct sr_connection *connection, const char *vault, const char *name,
                                           const char *json, int64_t now);

/* Every version there is, a page at a time, in a fixed order; start with an all-empty name. For verification. */
SR_MUST struct sr_result sr_key_list_all(struct sr_connection *connection, struct sr_arena *arena,
                                         const struct sr_key_name *after, size_t limit, struct sr_key_page *ret_page);

#endif
