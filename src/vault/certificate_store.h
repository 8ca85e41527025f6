/*
 * Certificates, their versions and the operations that make them, in the database. Every function runs within a read or
 * a write, so that callers compose them with the linked key and secret and the audit entry into one durable step. Times
 * are Unix seconds or SR_NO_TIME. Texts and bytes of results live in the arena.
 */
#ifndef SR_VAULT_CERTIFICATE_STORE_H
#define SR_VAULT_CERTIFICATE_STORE_H

#include "base/arena.h"
#include "seal/database.h"
#include "vault/key_rules.h"

/* A certificate as a whole. */
struct sr_certificate_head {
	const char *vault, *name;
	int64_t created, deleted_at, purge_at;
	const char *policy; /* normalized JSON */
	int64_t policy_created, policy_updated;
};

/* One version. */
struct sr_certificate_record {
	struct sr_certificate_head head;
	const char *version;
	bool is_enabled;
	int64_t nbf, exp, created, updated;
	const char *tags; /* JSON object or NULL */
	bool has_key;     /* with a key and a secret of the same name and version */
	int64_t renew_at, notice_at;
	struct sr_bytes thumbprint, cer, chain; /* chain: blocks of DER */
	int64_t number;
};

enum sr_certificate_presence { SR_CERTIFICATE_LIVE, SR_CERTIFICATE_DELETED, SR_CERTIFICATE_EITHER };

/* The certificate; SR_NOT_FOUND "CertificateNotFound". It may have no version yet. */
SR_MUST struct sr_result sr_vault_certificate_find_head(struct sr_connection *connection, struct sr_arena *arena,
                                                        const char *vault, const char *name,
                                                        enum sr_certificate_presence presence,
                                                        struct sr_certificate_head *ret_head);
/* A version, or the current one where `version` is NULL; SR_NOT_FOUND "CertificateNotFound". */
SR_MUST struct sr_result sr_vault_certificate_find(struct sr_connection *connection, struct sr_arena *arena,
                                                   const char *vault, const char *name, const char *version,
                                                   enum sr_certificate_presence presence,
                                                   struct sr_certificate_record *ret_certificate);
/* Makes the certificate or gives it another policy. SR_CONFLICT "ObjectIsDeletedButRecoverable". */
SR_MUST struct sr_result sr_vault_certificate_set_policy(struct sr_connection *connection, const char *vault,
                                                         const char *name, const char *policy, int64_t now);
/* Adds a version, of which alone actions are due from then on. The certificate is there. */
SR_MUST struct sr_result sr_vault_certificate_insert(struct sr_connection *connection,
                                                     const struct sr_certificate_record *certificate);
/* Writes a version's is_enabled, tags, updated, renew_at and notice_at. */
SR_MUST struct sr_result sr_vault_certificate_update(struct sr_connection *connection,
                                                     const struct sr_certificate_record *certificate);
/* Deletes with recovery, recovers, removes for good with its operation. The caller has found the certificate. */
SR_MUST struct sr_result sr_vault_certificate_mark_deleted(struct sr_connection *connection, const char *vault,
                                                           const char *name, int64_t deleted_at, int64_t purge_at);
SR_MUST struct sr_result sr_vault_certificate_recover(struct sr_connection *connection, const char *vault,
                                                      const char *name);
SR_MUST struct sr_result sr_vault_certificate_purge(struct sr_connection *connection, const char *vault,
                                                    const char *name);

/* A page of a list, in the arena. */
struct sr_certificate_page {
	struct sr_certificate_record *items;
	size_t count;
	bool has_more;
};
/* The current versions of certificates whose names come after `after` ("" from the start), by name. */
SR_MUST struct sr_result sr_vault_certificate_list(struct sr_connection *connection, struct sr_arena *arena,
                                                   const char *vault, const char *after,
                                                   enum sr_certificate_presence presence, size_t limit,
                                                   struct sr_certificate_page *ret_page);
/* The versions of a certificate with numbers over `after`, oldest first; none where there is no such certificate. */
SR_MUST struct sr_result sr_vault_certificate_list_versions(struct sr_connection *connection, struct sr_arena *arena,
                                                            const char *vault, const char *name, int64_t after,
                                                            size_t limit, struct sr_certificate_page *ret_page);
/* Certificates that no version was made of yet (their first operation waits), for lists that include them: the page's
 * items have the operation's version, and no dates. */
SR_MUST struct sr_result sr_vault_certificate_list_pending(struct sr_connection *connection, struct sr_arena *arena,
                                                           const char *vault, const char *after, size_t limit,
                                                           struct sr_certificate_page *ret_page);

/* The first time at which some certificate's action is due (renewal or notice), or a deleted one is to be purged. */
SR_MUST struct sr_result sr_vault_certificate_next_action(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_vault_certificate_next_purge(struct sr_connection *connection, int64_t *ret_time);
/* What is due at `now` of all vaults, at most `limit`; a record's renew_at and notice_at tell which. */
SR_MUST struct sr_result sr_vault_certificate_list_due(struct sr_connection *connection, struct sr_arena *arena,
                                                       int64_t now, size_t limit, struct sr_certificate_page *ret_page);
struct sr_certificate_heads {
	struct sr_certificate_head *items;
	size_t count;
};
SR_MUST struct sr_result sr_vault_certificate_list_purgeable(struct sr_connection *connection, struct sr_arena *arena,
                                                             int64_t now, size_t limit,
                                                             struct sr_certificate_heads *ret_heads);

/* The last creation of a certificate: running, or how it ended. */
struct sr_certificate_operation {
	const char *vault, *name, *version;
	const char *request_id, *status, *issuer;
	struct sr_bytes csr, sealed; /* sealed: the key pair while it waits, else empty */
	bool is_enabled;
	const char *tags;
	int64_t created;
};
#define SR_OPERATION_RUNNING   "inProgress"
#define SR_OPERATION_DONE      "completed"
#define SR_OPERATION_CANCELLED "cancelled"
/* SR_NOT_FOUND "PendingCertificateNotFound". */
SR_MUST struct sr_result sr_certificate_operation_find(struct sr_connection *connection, struct sr_arena *arena,
                                                       const char *vault, const char *name,
                                                       struct sr_certificate_operation *ret_operation);
/* Puts it in the place of the one before. */
SR_MUST struct sr_result sr_certificate_operation_put(struct sr_connection *connection,
                                                      const struct sr_certificate_operation *operation);
/* Ends it: the key pair goes. */
SR_MUST struct sr_result sr_certificate_operation_end(struct sr_connection *connection, const char *vault,
                                                      const char *name, const char *status);
/* Removes it, and the certificate too where no version was ever made. */
SR_MUST struct sr_result sr_certificate_operation_remove(struct sr_connection *connection, const char *vault,
                                                         const char *name);

#endif
