/* The way out of secrets: deleted but recoverable, recovered, or purged for good, by a person or when their time has
 * come. */
#include "vault/secret_handlers.h"

#include "base/clock.h"
#include "vault/audit.h"
#include "vault/secret_json.h"

enum { DAY_S = 86400, PURGE_BATCH = 100 };

static struct sr_result answer_bundle(struct sr_vault_call *call, const struct sr_secret_record *secret,
                                      struct sr_vault_answer *answer)
{
	const struct sr_key_view view = {call->base_url, &call->record};
	return sr_secret_bundle(&view, secret, &answer->body);
}

/* A change of the whole secret. */
struct change {
	struct sr_vault_call *call;
	struct sr_secret_record secret;
};

static struct sr_result find_to_change(struct sr_connection *connection, struct change *change,
                                       enum sr_secret_presence presence, const char *operation)
{
	struct sr_vault_call *call = change->call;
	SR_TRY(sr_vault_secret_find(connection, call->arena, NULL, call->record.name, call->name, NULL, presence,
	                            &change->secret));
	return sr_secret_check_unmanaged(&change->secret, operation);
}

static struct sr_result delete_work(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	struct sr_secret_record *secret = &change->secret;
	SR_TRY(find_to_change(connection, change, SR_SECRET_LIVE, "delete"));
	secret->deleted_at = sr_unix_s();
	secret->purge_at = secret->deleted_at + change->call->record.retention_days * DAY_S;
	return sr_vault_secret_mark_deleted(connection, secret->vault, secret->name, secret->deleted_at, secret->purge_at);
}

struct sr_result sr_handle_secret_delete(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct change change = {.call = call};
	SR_TRY(sr_call_write(call, delete_work, &change, NULL));
	return answer_bundle(call, &change.secret, answer);
}

struct sr_result sr_handle_deleted_secret_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct sr_secret_record secret;
	SR_TRY(sr_call_find_secret(call, NULL, SR_SECRET_DELETED, &secret));
	return answer_bundle(call, &secret, answer);
}

static struct sr_result recover_work(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	SR_TRY(find_to_change(connection, change, SR_SECRET_DELETED, "recover"));
	change->secret.deleted_at = change->secret.purge_at = SR_NO_TIME;
	return sr_vault_secret_recover(connection, change->secret.vault, change->secret.name);
}

struct sr_result sr_handle_deleted_secret_recover(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct change change = {.call = call};
	SR_TRY(sr_call_write(call, recover_work, &change, NULL));
	return answer_bundle(call, &change.secret, answer);
}

static struct sr_result purge_work(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	struct sr_secret_record *secret = &change->secret;
	SR_TRY(find_to_change(connection, change, SR_SECRET_DELETED, "purge"));
	if (change->call->record.is_purge_protected && sr_unix_s() < secret->purge_at) {
		return sr_fail_as(SR_DENIED, "ForbiddenByPolicy",
		                  "Operation \"purge\" is not allowed because purge protection is enabled for this vault. It "
		                  "is purged by itself when its retention is over.");
	}
	return sr_vault_secret_purge(connection, secret->vault, secret->name);
}

struct sr_result sr_handle_deleted_secret_purge(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	(void)answer;
	struct change change = {.call = call};
	return sr_call_write(call, purge_work, &change, NULL);
}

/* The chore: secrets whose retention is over, a batch in one durable step with an entry each. A certificate's secret
 * goes with the certificate. */
struct purge {
	struct sr_arena *arena;
	int64_t now;
	size_t count;
};

static struct sr_result purge_one(struct sr_connection *connection, struct sr_arena *arena,
                                  const struct sr_secret_record *secret)
{
	SR_TRY(sr_vault_secret_purge(connection, secret->vault, secret->name));
	const struct sr_audit_event event = {
	    .service = "vault",
	    .operation = "SecretPurge",
	    .object = sr_arena_printf(arena, "%s/secrets/%s", secret->vault, secret->name),
	    .detail = "retention is over",
	};
	return sr_audit_append(connection, &event);
}

static struct sr_result purge_due(struct sr_connection *connection, void *context)
{
	struct purge *purge = context;
	struct sr_secret_page page;
	SR_TRY(sr_vault_secret_list_due(connection, purge->arena, purge->now, PURGE_BATCH, &page));
	for (size_t i = 0; i < page.count; i++) {
		SR_TRY(purge_one(connection, purge->arena, &page.items[i]));
	}
	purge->count = page.count;
	return sr_ok();
}

struct sr_result sr_purge_secrets_run(struct sr_vault *vault, int64_t now)
{
	struct purge purge = {.now = now, .count = PURGE_BATCH};
	while (purge.count == PURGE_BATCH) {
		SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
		purge.arena = arena;
		SR_TRY(sr_database_write(vault->state.database, purge_due, &purge));
	}
	return sr_ok();
}
