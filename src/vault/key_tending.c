/*
 * The chore that carries rotation policies out: it rotates a key when its time has come, as if its owner had, and
 * records the notice before a version's end in the audit log, once. Each key has the time of its next event in
 * `tend_at`; a change of the key sets that to 0, and the next look works it out.
 */
#include "vault/key_chores.h"

#include "base/log.h"
#include "vault/api.h"
#include "vault/audit.h"
#include "vault/key_handlers.h"
#include "vault/key_schedule.h"
#include "vault/rotation_policy.h"

enum { AT_ONCE = 50, RETRY_S = 3600 };

/* What sr_call_audit needs to know of an operation that nobody called. */
static const struct sr_vault_route rotation = {.operation = "KeyRotate", .permission = "keys/rotate", .success = 200};

struct look {
	struct sr_arena *arena;
	int64_t now;
	struct sr_key_names names;
	bool *is_rotation_due; /* of each name */
};

struct sr_result sr_tend_keys_next(struct sr_connection *connection, int64_t *ret_time)
{
	return sr_key_next_tending(connection, ret_time);
}

static bool is_due(int64_t time, int64_t now)
{
	return time != SR_NO_TIME && time <= now;
}

static int64_t earlier(int64_t a, int64_t b)
{
	if (a == SR_NO_TIME || b == SR_NO_TIME) {
		return a == SR_NO_TIME ? b : a;
	}
	return a < b ? a : b;
}

/* Gives notice of the version's end if it is time; `time` loses what is behind. */
static struct sr_result notify(struct sr_connection *connection, const struct look *look,
                               const struct sr_key_record *key, int64_t *time)
{
	const struct sr_key_name name = {key->vault, key->name, key->version};
	bool is_notified;
	SR_TRY(sr_key_is_notified(connection, &name, &is_notified));
	if (is_notified || key->state.exp == SR_NO_TIME || key->state.exp <= look->now) {
		*time = SR_NO_TIME;
	}
	if (!is_due(*time, look->now)) {
		return sr_ok();
	}
	*time = SR_NO_TIME;
	const struct sr_audit_event event = {
	    .service = "vault",
	    .operation = "KeyNearExpiry",
	    .object = sr_arena_printf(look->arena, "%s/keys/%s/%s", key->vault, key->name, key->version),
	    .detail = sr_arena_printf(look->arena, "exp=%lld", (long long)key->state.exp)};
	SR_TRY(sr_audit_append(connection, &event));
	return sr_key_set_notified(connection, &name);
}

/* What the policy of one key asks for, and when it does next. A key whose current version is disabled is left alone,
 * and so is a certificate's, which follows that one's policy. */
static struct sr_result tend(struct sr_connection *connection, struct look *look, size_t index)
{
	const struct sr_key_name *name = &look->names.items[index];
	struct sr_key_record key;
	struct sr_key_policy policy;
	struct sr_policy_times times = {SR_NO_TIME, SR_NO_TIME};
	SR_TRY(sr_key_find(connection, look->arena, name, SR_KEY_LIVE, &key));
	SR_TRY(sr_key_policy_get(connection, look->arena, key.vault, key.name, &policy));
	if (key.state.is_enabled && !key.is_managed) {
		SR_TRY(sr_rotation_policy_times(policy.json, key.created, key.state.exp, &times));
	}
	SR_TRY(notify(connection, look, &key, &times.notify));
	look->is_rotation_due[index] = is_due(times.rotate, look->now);
	/* Where a rotation is due it is asked for again later, should it fail. */
	return sr_key_tend_at(connection, name,
	                      look->is_rotation_due[index] ? look->now + RETRY_S : earlier(times.rotate, times.notify));
}

static struct sr_result look_work(struct sr_connection *connection, void *context)
{
	struct look *look = context;
	SR_TRY(sr_key_list_tendable(connection, look->arena, look->now, AT_ONCE, &look->names));
	look->is_rotation_due = sr_arena_alloc(look->arena, (look->names.count + 1) * sizeof *look->is_rotation_due);
	for (size_t i = 0; i < look->names.count; i++) {
		look->is_rotation_due[i] = false;
		struct sr_result result = tend(connection, look, i);
		if (sr_is_ok(result)) {
			continue;
		}
		/* A key that cannot be tended does not keep the others. */
		sr_log(SR_LOG_ERROR, "a key's rotation policy could not be looked at: failure %d", (int)sr_result_code(result));
		sr_ignore(result);
		SR_TRY(sr_key_tend_at(connection, &look->names.items[i], look->now + RETRY_S));
	}
	return sr_ok();
}

static struct sr_result find_vault(struct sr_connection *connection, void *context)
{
	struct sr_vault_call *call = context;
	return sr_vault_find(connection, call->arena, call->record.name, &call->record);
}

struct refusal {
	const struct sr_vault_call *call;
	const char *outcome;
};

static struct sr_result refuse_work(struct sr_connection *connection, void *context)
{
	const struct refusal *refusal = context;
	return sr_call_audit(connection, refusal->call, NULL, 0, refusal->outcome);
}

/* Rotates as the API does, with the vault itself as the one who asks. A failure is audited; tend_at has the next try.
 */
static struct sr_result rotate(struct sr_vault *vault, struct sr_arena *arena, const struct sr_key_name *name,
                               int64_t now)
{
	struct sr_vault_call call = {.vault = vault,
	                             .arena = arena,
	                             .route = &rotation,
	                             .record = {.name = name->vault},
	                             .name = name->name,
	                             .base_url = "",
	                             .service = "vault"};
	struct sr_vault_answer answer = {0};
	SR_TRY(sr_database_read(vault->state.database, find_vault, &call));
	struct sr_result rotated = sr_key_rotate(&call, now, &answer);
	json_decref(answer.body);
	if (sr_is_ok(rotated)) {
		return sr_ok();
	}
	const char *reason = sr_result_reason(rotated);
	struct refusal refusal = {&call, reason ? reason : "failed"};
	return sr_first_error(rotated, sr_database_write(vault->state.database, refuse_work, &refusal));
}

struct sr_result sr_tend_keys_run(struct sr_vault *vault, int64_t now)
{
	for (;;) {
		SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
		struct look look = {.arena = arena, .now = now};
		SR_TRY(sr_database_write(vault->state.database, look_work, &look));
		for (size_t i = 0; i < look.names.count; i++) {
			if (!look.is_rotation_due[i]) {
				continue;
			}
			struct sr_result rotated = rotate(vault, arena, &look.names.items[i], now);
			if (!sr_is_ok(rotated)) {
				sr_log(SR_LOG_ERROR, "a key's rotation by its policy: failure %d", (int)sr_result_code(rotated));
				sr_ignore(rotated);
			}
		}
		if (!look.names.count) {
			return sr_ok();
		}
	}
}
