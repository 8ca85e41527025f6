/* What a change of a key's state does to the KEKs under it: counting revocations and shredding. Declared in
 * kek_store.h; telling the holders is the grantor's. */
#include "vault/kek_store.h"

#include "base/memory.h"

/* Which KEKs a revocation touches; each is a WHERE clause over ?1 to ?3. */
#define OF_KEY "vault = ?1 AND key = ?2 AND (?3 IS NULL OR version = ?3)"
#define OF_EXPIRED                                                                                                    \
	"(vault, key, version) IN (SELECT vault, key, version FROM key_version WHERE exp IS NOT NULL AND expired_for IS " \
	"NOT "                                                                                                            \
	"exp AND exp <= ?1)"

void sr_kek_set_cleanup(struct sr_kek_set *set)
{
	sr_free(set->resources);
	*set = (struct sr_kek_set){0};
}

/* The set from a bound SELECT resource, revocation_epoch: one epoch beyond any that its members have had. */
static struct sr_result collect(struct sr_statement *statement, struct sr_kek_set *ret_set)
{
	SR_CLEANUP(sr_buf) struct sr_buf ids = SR_BUF(SIZE_MAX);
	SR_CLEANUP(sr_kek_set) struct sr_kek_set set = {.revocation_epoch = 1};
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			break;
		}
		struct sr_id resource;
		SR_TRY(sr_column_id(statement, 0, &resource));
		uint64_t epoch = (uint64_t)sr_column_int(statement, 1);
		if (set.revocation_epoch <= epoch) {
			set.revocation_epoch = epoch + 1;
		}
		sr_buf_append(&ids, sr_id_bytes(&resource));
		set.count++;
	}
	SR_TRY(sr_buf_result(&ids));
	set.resources = (struct sr_id *)SR_TAKE(ids.data);
	*ret_set = set;
	set.resources = NULL;
	return sr_ok();
}

static void bind_key(struct sr_statement *statement, const struct sr_key_name *name)
{
	sr_bind_text(statement, 1, name->vault);
	sr_bind_text(statement, 2, name->name);
	sr_bind_text(statement, 3, name->version);
}

struct sr_result sr_kek_revoke(struct sr_connection *connection, const struct sr_key_name *name,
                               struct sr_kek_set *ret_set)
{
	SR_CLEANUP(sr_kek_set) struct sr_kek_set set = {0};
	{
		SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
		SR_TRY(sr_prepare(connection, "SELECT resource, revocation_epoch FROM kek WHERE " OF_KEY, &select));
		bind_key(select, name);
		SR_TRY(collect(select, &set));
	}
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE kek SET revocation_epoch = ?4 WHERE " OF_KEY, &update));
	bind_key(update, name);
	sr_bind_int(update, 4, (int64_t)set.revocation_epoch);
	SR_TRY(sr_run(update));
	*ret_set = set;
	set.resources = NULL;
	return sr_ok();
}

struct sr_result sr_kek_revoke_expired(struct sr_connection *connection, int64_t now, struct sr_kek_set *ret_set)
{
	SR_CLEANUP(sr_kek_set) struct sr_kek_set set = {0};
	{
		SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
		SR_TRY(sr_prepare(connection, "SELECT resource, revocation_epoch FROM kek WHERE " OF_EXPIRED, &select));
		sr_bind_int(select, 1, now);
		SR_TRY(collect(select, &set));
	}
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE kek SET revocation_epoch = ?2 WHERE " OF_EXPIRED, &update));
	sr_bind_int(update, 1, now);
	sr_bind_int(update, 2, (int64_t)set.revocation_epoch);
	SR_TRY(sr_run(update));
	*ret_set = set;
	set.resources = NULL;
	return sr_ok();
}

struct sr_result sr_kek_shred(struct sr_connection *connection, const char *vault, const char *key)
{
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON"));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE kek SET wrapped = NULL WHERE vault = ?1 AND key = ?2", &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, key);
	return sr_run(statement);
}

struct sr_result sr_kek_revoke_vault(struct sr_connection *connection, const char *vault, struct sr_kek_set *ret_set)
{
	SR_CLEANUP(sr_kek_set) struct sr_kek_set set = {0};
	{
		SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
		SR_TRY(sr_prepare(connection, "SELECT resource, revocation_epoch FROM kek WHERE vault = ?1", &select));
		sr_bind_text(select, 1, vault);
		SR_TRY(collect(select, &set));
	}
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE kek SET revocation_epoch = ?2 WHERE vault = ?1", &update));
	sr_bind_text(update, 1, vault);
	sr_bind_int(update, 2, (int64_t)set.revocation_epoch);
	SR_TRY(sr_run(update));
	*ret_set = set;
	set.resources = NULL;
	return sr_ok();
}

struct sr_result sr_kek_shred_vault(struct sr_connection *connection, const char *vault)
{
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON"));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE kek SET wrapped = NULL WHERE vault = ?1", &statement));
	sr_bind_text(statement, 1, vault);
	return sr_run(statement);
}

struct sr_result sr_kek_fold_log(struct sr_vault_state *state)
{
	struct sr_result result = sr_database_checkpoint(state->database);
	if (sr_result_code(result) == SR_CONFLICT) {
		sr_ignore(result);
		return sr_ok();
	}
	return result;
}
