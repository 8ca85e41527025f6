/*
 * Secrets and their versions in the database, sealed under the vault's records key with their names as AAD. Every
 * function runs within a read or a write, so that callers compose them (a certificate with its key and secret) and the
 * audit entry into one durable step. Times are Unix seconds or SR_NO_TIME. Texts of results live in the arena, which
 * wipes what it held.
 */
#ifndef SR_VAULT_SECRET_STORE_H
#define SR_VAULT_SECRET_STORE_H

#include "base/arena.h"
#include "seal/crypto.h"
#include "seal/database.h"
#include "vault/key_rules.h"

enum { SR_SECRET_VALUE_MAX = 25 * 1024 };

/* One version of a secret. */
struct sr_secret_record {
	const char *vault, *name, *version; /* version: 32 lowercase hex digits */
	bool is_enabled;
	int64_t nbf, exp;
	int64_t created, updated;
	int64_t deleted_at, purge_at; /* of the secret as a whole */
	const char *content_type;     /* NULL: none */
	const char *tags;             /* JSON object or NULL */
	bool is_managed;              /* made by a certificate of the same name and version; not changed by itself */
	struct sr_bytes value;        /* only where it was asked for */
	int64_t number;               /* grows by one a version; the greatest is the current one */
};

enum sr_secret_presence { SR_SECRET_LIVE, SR_SECRET_DELETED, SR_SECRET_EITHER };

/* A version, or the current one where `version` is NULL; `records` opens its value, NULL leaves it empty. SR_NOT_FOUND
 * "SecretNotFound"; SR_CORRUPT where the value does not open. */
SR_MUST struct sr_result sr_vault_secret_find(struct sr_connection *connection, struct sr_arena *arena,
                                              struct sr_aead *records, const char *vault, const char *name,
                                              const char *version, enum sr_secret_presence presence,
                                              struct sr_secret_record *ret_secret);
/* Adds a version (and the secret, where it is the first), sealing its value. SR_CONFLICT
 * "ObjectIsDeletedButRecoverable" while the name is deleted; SR_CONFLICT "ObjectIsManaged" where the name belongs to a
 * certificate and the record does not, or the other way round. */
SR_MUST struct sr_result sr_vault_secret_insert(struct sr_connection *connection, struct sr_aead *records,
                                                const struct sr_secret_record *secret);
/* Writes a version's is_enabled, nbf, exp, content_type, tags and updated. */
SR_MUST struct sr_result sr_vault_secret_update(struct sr_connection *connection,
                                                const struct sr_secret_record *secret);
/* Deletes with recovery, recovers, removes for good. The caller has found the secret. */
SR_MUST struct sr_result sr_vault_secret_mark_deleted(struct sr_connection *connection, const char *vault,
                                                      const char *name, int64_t deleted_at, int64_t purge_at);
SR_MUST struct sr_result sr_vault_secret_recover(struct sr_connection *connection, const char *vault, const char *name);
SR_MUST struct sr_result sr_vault_secret_purge(struct sr_connection *connection, const char *vault, const char *name);
/* The same for all secrets of a vault that is purged. */
SR_MUST struct sr_result sr_vault_secrets_purge(struct sr_connection *connection, const char *vault);

/* A page of a list, in the arena; values stay sealed. */
struct sr_secret_page {
	struct sr_secret_record *items;
	size_t count;
	bool has_more;
};
/* The current versions of secrets whose names come after `after` ("" from the start), by name; the cost is the page's,
 * whatever the vault holds. `presence` is SR_SECRET_LIVE or SR_SECRET_DELETED. */
SR_MUST struct sr_result sr_vault_secret_list(struct sr_connection *connection, struct sr_arena *arena,
                                              const char *vault, const char *after, enum sr_secret_presence presence,
                                              size_t limit, struct sr_secret_page *ret_page);
/* The versions of a live secret with numbers over `after`, oldest first; none where there is no such secret. */
SR_MUST struct sr_result sr_vault_secret_list_versions(struct sr_connection *connection, struct sr_arena *arena,
                                                       const char *vault, const char *name, int64_t after, size_t limit,
                                                       struct sr_secret_page *ret_page);
/* The first time at which a deleted secret of any vault, a certificate's not counted, is to be purged; SR_NO_TIME. */
SR_MUST struct sr_result sr_vault_secret_next_purge(struct sr_connection *connection, int64_t *ret_time);
/* Such secrets of all vaults whose time to be purged is not after `until`, at most `limit`, earliest first. */
SR_MUST struct sr_result sr_vault_secret_list_due(struct sr_connection *connection, struct sr_arena *arena,
                                                  int64_t until, size_t limit, struct sr_secret_page *ret_page);
/* Every version there is, deleted ones included, in a fixed order after `after` (all-empty names to begin with). For
 * verification. */
SR_MUST struct sr_result sr_vault_secret_list_all(struct sr_connection *connection, struct sr_arena *arena,
                                                  const struct sr_secret_record *after, size_t limit,
                                                  struct sr_secret_page *ret_page);

#endif
