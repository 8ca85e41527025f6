/* The chore that takes leases back when a key's `exp` is reached, without anybody asking. Renewals are refused by the
 * rules from that second on whether it runs or not; it is what makes holders let go at once instead of at their leases'
 * end. */
#include "vault/key_chores.h"

#include "vault/audit.h"
#include "vault/kek_store.h"
#include "vault/key_schedule.h"
#include "vault/service.h"

struct expiry {
	struct sr_arena *arena;
	int64_t now;
	struct sr_kek_set revoked;
};

struct sr_result sr_expire_keys_next(struct sr_connection *connection, int64_t *ret_time)
{
	return sr_key_next_expiry(connection, ret_time);
}

static struct sr_result append_entries(struct sr_connection *connection, const struct expiry *expiry,
                                       const struct sr_key_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct sr_key_name *name = &names->items[i];
		const struct sr_audit_event event = {
		    .service = "vault",
		    .operation = "KeyExpire",
		    .object = sr_arena_printf(expiry->arena, "%s/keys/%s/%s", name->vault, name->name, name->version)};
		SR_TRY(sr_audit_append(connection, &event));
	}
	return sr_ok();
}

static struct sr_result expire_work(struct sr_connection *connection, void *context)
{
	struct expiry *expiry = context;
	struct sr_key_names names;
	SR_TRY(sr_key_list_expired(connection, expiry->arena, expiry->now, &names));
	SR_CLEANUP(sr_kek_set) struct sr_kek_set revoked = {0};
	SR_TRY(sr_kek_revoke_expired(connection, expiry->now, &revoked));
	SR_TRY(append_entries(connection, expiry, &names));
	SR_TRY(sr_key_mark_expired(connection, expiry->now));
	expiry->revoked = revoked;
	revoked.resources = NULL;
	return sr_ok();
}

struct sr_result sr_expire_keys_run(struct sr_vault *vault, int64_t now)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct expiry expiry = {.arena = arena, .now = now};
	SR_TRY(sr_database_write(vault->state.database, expire_work, &expiry));
	SR_CLEANUP(sr_kek_set) struct sr_kek_set revoked = expiry.revoked;
	if (revoked.count && vault->state.grantor) {
		sr_grantor_recall(vault->state.grantor, revoked.resources, revoked.count, revoked.revocation_epoch,
		                  "KeyExpired");
	}
	return sr_ok();
}
