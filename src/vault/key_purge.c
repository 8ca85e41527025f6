/* The chore that purges deleted keys when their retention is over, each in a durable write of its own with its audit
 * entry: after a crash the ones that are left are due still. */
#include "vault/key_chores.h"

#include "vault/audit.h"
#include "vault/hardware.h"
#include "vault/key_handlers.h"
#include "vault/key_schedule.h"

enum { AT_ONCE = 500 };

struct purge {
	struct sr_arena *arena;
	int64_t now;
	struct sr_key_name name;
	struct sr_kek_set revoked;
	bool is_done;
};

struct sr_result sr_purge_keys_next(struct sr_connection *connection, int64_t *ret_time)
{
	return sr_key_next_purge(connection, ret_time);
}

static struct sr_result purge_work(struct sr_connection *connection, void *context)
{
	struct purge *purge = context;
	struct sr_key_record key;
	struct sr_result found = sr_key_find(connection, purge->arena, &purge->name, SR_KEY_DELETED, &key);
	if (sr_result_code(found) == SR_NOT_FOUND) { /* recovered or purged meanwhile */
		sr_ignore(found);
		return sr_ok();
	}
	SR_TRY(found);
	if (key.purge_at == SR_NO_TIME || key.purge_at > purge->now) {
		return sr_ok();
	}
	SR_CLEANUP(sr_kek_set) struct sr_kek_set revoked = {0};
	SR_TRY(sr_key_destroy(connection, &key, &revoked));
	const struct sr_audit_event event = {
	    .service = "vault",
	    .operation = "KeyPurge",
	    .object = sr_arena_printf(purge->arena, "%s/deletedkeys/%s", key.vault, key.name),
	    .detail = sr_arena_printf(purge->arena, "retention over, shredded=%zu", revoked.count)};
	SR_TRY(sr_audit_append(connection, &event));
	purge->is_done = true;
	purge->revoked = revoked;
	revoked.resources = NULL;
	return sr_ok();
}

static struct sr_result purge_one(struct sr_vault *vault, struct purge *purge)
{
	SR_TRY(sr_database_write(vault->state.database, purge_work, purge));
	SR_CLEANUP(sr_kek_set) struct sr_kek_set revoked = purge->revoked;
	sr_key_cache_forget(vault->state.cache, &purge->name);
	if (revoked.count && vault->state.grantor) {
		sr_grantor_recall(vault->state.grantor, revoked.resources, revoked.count, revoked.revocation_epoch,
		                  "KeyNotFound");
	}
	return sr_ok();
}

struct due {
	struct sr_arena *arena;
	int64_t now;
	struct sr_key_names names;
};

static struct sr_result list_due(struct sr_connection *connection, void *context)
{
	struct due *due = context;
	return sr_key_list_purgeable(connection, due->arena, due->now, AT_ONCE, &due->names);
}

struct sr_result sr_purge_keys_run(struct sr_vault *vault, int64_t now)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct due due = {.arena = arena, .now = now};
	SR_TRY(sr_database_read(vault->state.database, list_due, &due));
	struct sr_result result = sr_ok();
	bool is_any_done = false;
	for (size_t i = 0; i < due.names.count; i++) { /* one that fails does not keep the others */
		struct purge purge = {.arena = arena, .now = now, .name = due.names.items[i]};
		result = sr_first_error(result, purge_one(vault, &purge));
		is_any_done = is_any_done || purge.is_done;
	}
	if (is_any_done) {
		sr_hardware_sweep_soon(&vault->state);
	}
	return is_any_done ? sr_first_error(result, sr_kek_fold_log(&vault->state)) : result;
}
