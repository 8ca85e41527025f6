/* Deleting and destroying vaults, asked for or by time. */
#include "vault/vault_removal.h"

#include "vault/audit.h"
#include "vault/hardware.h"
#include "vault/key_store.h"
#include "vault/secret_store.h"
#include "vault/service.h"

#include <string.h>

enum { DAY_S = 86400, KEY_PAGE = 100 };

void sr_vault_removal_cleanup(struct sr_vault_removal *removal)
{
	sr_kek_set_cleanup(&removal->revoked);
}

/* The names of all keys of a vault, deleted ones too. */
static struct sr_result list_keys(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                  const char *const **ret_keys)
{
	size_t count = 0, cap = KEY_PAGE;
	const char **keys = sr_arena_alloc(arena, (cap + 1) * sizeof *keys);
	struct sr_key_page page = {.has_more = true};
	while (page.has_more) {
		SR_TRY(sr_key_list(connection, arena, vault, count ? keys[count - 1] : "", SR_KEY_EITHER, KEY_PAGE, &page));
		if (count + page.count > cap) {
			const char **larger = sr_arena_alloc(arena, (2 * cap + 1) * sizeof *larger);
			memcpy(larger, keys, count * sizeof *larger);
			keys = larger;
			cap *= 2;
		}
		for (size_t i = 0; i < page.count; i++) {
			keys[count++] = page.items[i].name;
		}
	}
	keys[count] = NULL;
	*ret_keys = keys;
	return sr_ok();
}

struct sr_result sr_vault_delete(struct sr_connection *connection, struct sr_arena *arena,
                                 struct sr_vault_record *vault, int64_t now, struct sr_vault_removal *ret_removal)
{
	SR_CLEANUP(sr_vault_removal) struct sr_vault_removal removal = {0};
	vault->deleted_at = now;
	vault->purge_at = now + vault->retention_days * DAY_S;
	SR_TRY(list_keys(connection, arena, vault->name, &removal.keys));
	SR_TRY(sr_vault_mark_deleted(connection, vault->name, vault->deleted_at, vault->purge_at));
	SR_TRY(sr_kek_revoke_vault(connection, vault->name, &removal.revoked));
	*ret_removal = removal;
	removal.revoked = (struct sr_kek_set){0};
	return sr_ok();
}

struct sr_result sr_vault_destroy(struct sr_connection *connection, struct sr_arena *arena,
                                  const struct sr_vault_record *vault, struct sr_vault_removal *ret_removal)
{
	SR_CLEANUP(sr_vault_removal) struct sr_vault_removal removal = {0};
	SR_TRY(list_keys(connection, arena, vault->name, &removal.keys));
	SR_TRY(sr_kek_revoke_vault(connection, vault->name, &removal.revoked));
	SR_TRY(sr_kek_shred_vault(connection, vault->name));
	for (size_t i = 0; removal.keys[i]; i++) {
		SR_TRY(sr_key_purge(connection, vault->name, removal.keys[i]));
	}
	SR_TRY(sr_vault_secrets_purge(connection, vault->name)); /* their versions do not bear the vault's name */
	SR_TRY(sr_vault_purge(connection, vault->name));
	*ret_removal = removal;
	removal.revoked = (struct sr_kek_set){0};
	return sr_ok();
}

void sr_vault_removal_forget(struct sr_vault_state *state, const char *vault, const struct sr_vault_removal *removal)
{
	for (size_t i = 0; removal->keys && removal->keys[i]; i++) {
		const struct sr_key_name name = {vault, removal->keys[i], NULL};
		sr_key_cache_forget(state->cache, &name);
	}
}

/* One vault that is due. */
struct tick {
	struct sr_arena *arena;
	int64_t now, next;
	const char *name; /* NULL: none is due */
	struct sr_vault_removal removal;
};

static struct sr_result purge_one(struct sr_connection *connection, void *context)
{
	struct tick *tick = context;
	struct sr_vault_record vault;
	const char *name;
	tick->name = NULL;
	SR_TRY(sr_vault_next_purge(connection, tick->arena, &tick->next, &name));
	if (!name || tick->next > tick->now) {
		return sr_ok();
	}
	SR_TRY(sr_vault_find_any(connection, tick->arena, name, SR_VAULT_DELETED, &vault));
	SR_TRY(sr_vault_destroy(connection, tick->arena, &vault, &tick->removal));
	tick->name = name;
	const struct sr_audit_event event = {
	    .service = "vault", .operation = "VaultPurge", .object = name, .detail = "its time had come"};
	return sr_audit_append(connection, &event);
}

struct sr_result sr_purge_vaults_run(struct sr_vault *vault, int64_t now)
{
	struct sr_vault_state *state = &vault->state;
	for (;;) {
		SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
		struct tick tick = {.arena = arena, .now = now};
		SR_TRY(sr_database_write(state->database, purge_one, &tick));
		if (!tick.name) {
			return sr_ok();
		}
		struct sr_grantor *grantor = state->grantor;
		const struct sr_kek_set *set = &tick.removal.revoked;
		sr_vault_removal_forget(state, tick.name, &tick.removal);
		if (grantor && set->count) {
			sr_grantor_recall(grantor, set->resources, set->count, set->revocation_epoch, "KeyNotFound");
		}
		sr_vault_removal_cleanup(&tick.removal);
		sr_hardware_sweep_soon(state);
		SR_TRY(sr_kek_fold_log(state));
	}
}

struct sr_result sr_purge_vaults_next(struct sr_connection *connection, int64_t *ret_time)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *name;
	return sr_vault_next_purge(connection, arena, ret_time, &name);
}
