/*
 * Identity's state while its key is leased: the sealed database and what is derived from its DEK. It is attached to
 * the lease, so it closes and is wiped with it. Thread-safe.
 */
#ifndef SR_IDENTITY_STORE_H
#define SR_IDENTITY_STORE_H

#include "audit/signer.h"
#include "base/text.h"
#include "identity/signing_keys.h"
#include "seal/database.h"

struct sr_identity_store {
	struct sr_database *database;
	struct sr_signing_keys *signing_keys;
	struct sr_aead *audit_aead; /* seals the audit log's key */
	struct sr_audit_signer *audit;
	char tenant[SR_GUID_TEXT_LEN];
	char subscription[SR_GUID_TEXT_LEN];
};

/* Opens the database in `path`, or makes it, with a tenant, a subscription and a first signing key. */
SR_MUST struct sr_result sr_identity_store_open(const char *path, const struct sr_id *database_id,
                                                const struct sr_secret *dek, int64_t token_lifetime_s,
                                                uint64_t least_anchor, int64_t now_s,
                                                struct sr_identity_store **ret_store);
/* Waits for what runs on the database, closes and wipes. NULL is allowed. */
void sr_identity_store_close(struct sr_identity_store *store);

#endif
