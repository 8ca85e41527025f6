/* Getting keys, and their way out: deleted but recoverable, recovered, or purged for good with all that they wrap. */
#include "vault/key_handlers.h"

#include "base/clock.h"
#include "vault/hardware.h"
#include "vault/key_json.h"

enum { DAY_S = 86400 };

static struct sr_result answer_bundle(struct sr_vault_call *call, const struct sr_key_record *key,
                                      struct sr_vault_answer *answer)
{
	const struct sr_key_view view = {call->base_url, &call->record};
	return sr_key_bundle(&view, key, &answer->body);
}

/* Also a disabled key: only its public part and its attributes are shown, and who enables it again must see them. */
struct sr_result sr_handle_key_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct sr_key_record key;
	SR_TRY(sr_call_find_key(call, SR_KEY_LIVE, &key));
	return answer_bundle(call, &key, answer);
}

struct sr_result sr_handle_deleted_key_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct sr_key_record key;
	SR_TRY(sr_call_find_key(call, SR_KEY_DELETED, &key));
	return answer_bundle(call, &key, answer);
}

/* A change of the whole key, with the KEKs that lose it. */
struct change {
	struct sr_vault_call *call;
	struct sr_key_record key;
	struct sr_kek_set revoked;
};

static struct sr_result delete_work(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	const struct sr_key_name name = sr_call_key(change->call);
	SR_TRY(sr_key_find(connection, change->call->arena, &name, SR_KEY_LIVE, &change->key));
	SR_TRY(sr_key_check_unmanaged(&change->key));
	change->key.deleted_at = sr_unix_s();
	change->key.purge_at = change->key.deleted_at + change->call->record.retention_days * DAY_S;
	SR_TRY(sr_key_mark_deleted(connection, change->key.vault, change->key.name, change->key.deleted_at,
	                           change->key.purge_at));
	return sr_kek_revoke(connection, &name, &change->revoked);
}

/* Runs a change that takes the key away, then recalls what was leased under it. */
static struct sr_result take_away(struct change *change, sr_database_work work, struct sr_vault_answer *answer)
{
	struct sr_vault_call *call = change->call;
	struct sr_result result = sr_call_write(call, work, change, NULL);
	if (sr_is_ok(result)) {
		const struct sr_key_name name = sr_call_key(call);
		sr_key_cache_forget(call->vault->state.cache, &name);
		sr_call_recall(call, &change->revoked, "KeyNotFound", answer);
	}
	sr_kek_set_cleanup(&change->revoked);
	return result;
}

struct sr_result sr_handle_key_delete(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct change change = {.call = call};
	SR_TRY(take_away(&change, delete_work, answer));
	return answer_bundle(call, &change.key, answer);
}

static struct sr_result recover_work(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	const struct sr_key_name name = sr_call_key(change->call);
	SR_TRY(sr_key_find(connection, change->call->arena, &name, SR_KEY_DELETED, &change->key));
	SR_TRY(sr_key_check_unmanaged(&change->key));
	change->key.deleted_at = change->key.purge_at = SR_NO_TIME;
	return sr_key_recover(connection, change->key.vault, change->key.name);
}

struct sr_result sr_handle_deleted_key_recover(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct change change = {.call = call};
	SR_TRY(sr_call_write(call, recover_work, &change, NULL));
	sr_tending_wake(call->vault->tending);
	return answer_bundle(call, &change.key, answer);
}

struct sr_result sr_key_destroy(struct sr_connection *connection, const struct sr_key_record *key,
                                struct sr_kek_set *ret_revoked)
{
	const struct sr_key_name name = {key->vault, key->name, NULL};
	SR_CLEANUP(sr_kek_set) struct sr_kek_set revoked = {0};
	SR_TRY(sr_kek_revoke(connection, &name, &revoked));
	SR_TRY(sr_kek_shred(connection, key->vault, key->name));
	SR_TRY(sr_key_purge(connection, key->vault, key->name));
	*ret_revoked = revoked;
	revoked.resources = NULL;
	return sr_ok();
}

static struct sr_result purge_work(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	struct sr_vault_call *call = change->call;
	const struct sr_key_name name = sr_call_key(call);
	SR_TRY(sr_key_find(connection, call->arena, &name, SR_KEY_DELETED, &change->key));
	SR_TRY(sr_key_check_unmanaged(&change->key));
	if (call->record.is_purge_protected && sr_unix_s() < change->key.purge_at) {
		return sr_fail_as(SR_DENIED, "ForbiddenByPolicy",
		                  "Operation purge is not allowed before its time: purge protection is on for this vault.");
	}
	SR_TRY(sr_key_destroy(connection, &change->key, &change->revoked));
	call->detail = sr_arena_printf(call->arena, "shredded=%zu", change->revoked.count);
	return sr_ok();
}

struct sr_result sr_handle_deleted_key_purge(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct change change = {.call = call};
	SR_TRY(take_away(&change, purge_work, answer));
	sr_hardware_sweep_soon(&call->vault->state);
	return sr_kek_fold_log(&call->vault->state);
}
