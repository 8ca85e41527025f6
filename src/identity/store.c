/* Opening and closing identity's state. Its rows are in the files of their nouns. */
#include "identity/store.h"

#include "base/clock.h"
#include "base/memory.h"
#include "identity/schema.h"

#include <string.h>

static void store_cleanup(struct sr_identity_store **store)
{
	sr_identity_store_close(*store);
	*store = NULL;
}

static struct sr_result copy_guid(struct sr_statement *statement, int column, char ret_guid[static SR_GUID_TEXT_LEN])
{
	struct sr_bytes text = sr_column_text(statement, column);
	if (!sr_is_guid(text)) {
		return sr_fail(SR_CORRUPT, "read identity's installation row: an id is no GUID");
	}
	memcpy(ret_guid, text.data, text.len);
	ret_guid[text.len] = 0;
	return sr_ok();
}

static struct sr_result make_installation(struct sr_connection *connection)
{
	struct sr_id tenant = sr_id_random();
	struct sr_id subscription = sr_id_random();
	char tenant_text[SR_GUID_TEXT_LEN];
	char subscription_text[SR_GUID_TEXT_LEN];
	sr_guid_text(&tenant, tenant_text);
	sr_guid_text(&subscription, subscription_text);
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO installation (one, tenant, subscription, revision) VALUES (1, ?1, ?2, 1)"
	                  " ON CONFLICT DO NOTHING",
	                  &insert));
	sr_bind_text(insert, 1, tenant_text);
	sr_bind_text(insert, 2, subscription_text);
	return sr_run(insert);
}

/* Makes the installation's row at the first start, and reads it. */
static struct sr_result load_installation(struct sr_connection *connection, void *context)
{
	struct sr_identity_store *store = context;
	SR_TRY(make_installation(connection));
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT tenant, subscription FROM installation", &select));
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return sr_fail(SR_CORRUPT, "read identity's installation row: there is none");
	}
	SR_TRY(copy_guid(select, 0, store->tenant));
	return copy_guid(select, 1, store->subscription);
}

/* The audit log's key, and a checkpoint for what an earlier opening left unsigned. */
static struct sr_result open_audit(struct sr_identity_store *store, const struct sr_id *database_id,
                                   const struct sr_secret *dek, int64_t now_s)
{
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_TRY(sr_derive(dek, SR_LITERAL(""), "identity/audit", SR_KEY_LEN, &key));
	SR_TRY(sr_aead_new(key, &store->audit_aead));
	SR_TRY(sr_audit_signer_open(store->database, store->audit_aead, "identity", database_id, now_s, &store->audit));
	return sr_audit_sign(store->audit, now_s);
}

struct sr_result sr_identity_store_open(const char *path, const struct sr_id *database_id, const struct sr_secret *dek,
                                        int64_t token_lifetime_s, uint64_t least_anchor, int64_t now_s,
                                        struct sr_identity_store **ret_store)
{
	SR_CLEANUP(store) struct sr_identity_store *store = sr_alloc(sizeof *store);
	struct sr_database_options options = {.path = path,
	                                      .id = *database_id,
	                                      .schema = sr_identity_schema,
	                                      .upgrades = sr_identity_upgrades,
	                                      .least_anchor = least_anchor};
	SR_TRY(sr_database_open(&options, dek, &store->database));
	SR_TRY(sr_database_write(store->database, load_installation, store));
	SR_TRY(sr_signing_keys_open(store->database, dek, token_lifetime_s, now_s, &store->signing_keys));
	SR_TRY(open_audit(store, database_id, dek, now_s));
	*ret_store = SR_TAKE(store);
	return sr_ok();
}

void sr_identity_store_close(struct sr_identity_store *store)
{
	if (store) {
		if (store->audit) {
			sr_ignore(
			    sr_audit_sign(store->audit, sr_unix_s())); /* what is left unsigned is signed at the next opening */
		}
		sr_audit_signer_close(store->audit);
		sr_aead_free(store->audit_aead);
		sr_signing_keys_close(store->signing_keys);
		sr_database_close(store->database);
		sr_free(store);
	}
}
