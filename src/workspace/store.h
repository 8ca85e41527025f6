/*
 * The workspace's state while its key is leased: the sealed database and the audit log in it. It is attached to the
 * lease, so it closes and is wiped with it. Thread-safe.
 */
#ifndef SR_WORKSPACE_STORE_H
#define SR_WORKSPACE_STORE_H

#include "audit/signer.h"
#include "seal/database.h"

struct sr_workspace_store {
	struct sr_database *database;
	struct sr_aead *audit_aead; /* seals the audit log's key */
	struct sr_audit_signer *audit;
};

/* Opens the database in `path`, or makes it; `least_anchor` as sr_database_options has it. */
SR_MUST struct sr_result sr_workspace_store_open(const char *path, const struct sr_id *database_id,
                                                 const struct sr_secret *dek, uint64_t least_anchor,
                                                 struct sr_workspace_store **ret_store);
/* Signs what is left of the audit log, waits for what runs on the database, closes and wipes. NULL is allowed. */
void sr_workspace_store_close(struct sr_workspace_store *store);

#endif
