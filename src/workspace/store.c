/* Opening and closing the workspace's state. Its rows are in the files of their nouns. */
#include "workspace/store.h"

#include "base/clock.h"
#include "base/memory.h"
#include "workspace/schema.h"

static void store_cleanup(struct sr_workspace_store **store)
{
	sr_workspace_store_close(*store);
	*store = NULL;
}

/* The audit log's key, and a checkpoint for what an earlier opening left unsigned. */
static struct sr_result open_audit(struct sr_workspace_store *store, const struct sr_id *database_id,
                                   const struct sr_secret *dek)
{
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_TRY(sr_derive(dek, SR_LITERAL(""), "workspace/audit", SR_KEY_LEN, &key));
	SR_TRY(sr_aead_new(key, &store->audit_aead));
	SR_TRY(
	    sr_audit_signer_open(store->database, store->audit_aead, "workspace", database_id, sr_unix_s(), &store->audit));
	return sr_audit_sign(store->audit, sr_unix_s());
}

struct sr_result sr_workspace_store_open(const char *path, const struct sr_id *database_id, const struct sr_secret *dek,
                                         uint64_t least_anchor, struct sr_workspace_store **ret_store)
{
	SR_CLEANUP(store) struct sr_workspace_store *store = sr_alloc(sizeof *store);
	const struct sr_database_options options = {.path = path,
	                                            .id = *database_id,
	                                            .schema = sr_workspace_schema,
	                                            .upgrades = sr_workspace_upgrades,
	                                            .least_anchor = least_anchor};
	SR_TRY(sr_database_open(&options, dek, &store->database));
	SR_TRY(open_audit(store, database_id, dek));
	*ret_store = SR_TAKE(store);
	return sr_ok();
}

void sr_workspace_store_close(struct sr_workspace_store *store)
{
	if (!store) {
		return;
	}
	if (store->audit) {
		sr_ignore(sr_audit_sign(store->audit, sr_unix_s())); /* what is left is signed at the next opening */
	}
	sr_audit_signer_close(store->audit);
	sr_aead_free(store->audit_aead);
	sr_database_close(store->database);
	sr_free(store);
}
