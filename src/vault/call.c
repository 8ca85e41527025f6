/* What handlers share: writing with the audit entry, finding the key, recalling leases. No HTTP here. */
#include "vault/call.h"

#include "base/thread.h"
#include "vault/api.h"
#include "vault/audit.h"

#include <stdio.h>
#include <string.h>

enum { OBJECT_MAX = 1024 };

struct sr_result sr_call_audit(struct sr_connection *connection, const struct sr_vault_call *call, const char *version,
                               int status, const char *outcome)
{
	char object[OBJECT_MAX]; /* as much of it as an entry takes */
	const char *permission = call->route->permission;
	const char *of_version = version ? version : call->version;
	const bool has_version = call->name && of_version;
	snprintf(object, sizeof object, "%s/%.*s%s%s%s%s", call->record.name, (int)strcspn(permission, "/"), permission,
	         call->name ? "/" : "", call->name ? call->name : "", has_version ? "/" : "",
	         has_version ? of_version : "");
	const struct sr_audit_event event = {
	    .object_id = call->who.object_id,
	    .app_id = call->who.app_id,
	    .name = call->who.name,
	    .service = call->service,
	    .from = call->from,
	    .operation = call->route->operation,
	    .object = object,
	    .outcome = outcome,
	    .detail = call->detail,
	    .request_id = call->request_id,
	    .status = status,
	};
	return sr_audit_append(connection, &event);
}

struct audited_write {
	struct sr_vault_call *call;
	sr_database_work work;
	void *context;
	const char *const *version;
};

static struct sr_result run_audited(struct sr_connection *connection, void *context)
{
	const struct audited_write *write = context;
	struct sr_vault_call *call = write->call;
	/* Once more: the vault may have been deleted, or protected from purging, since the call was let in. */
	SR_TRY(sr_vault_find(connection, call->arena, call->record.name, &call->record));
	SR_TRY(write->work(connection, write->context));
	return sr_call_audit(connection, call, write->version ? *write->version : NULL, call->route->success, NULL);
}

struct sr_result sr_call_write(struct sr_vault_call *call, sr_database_work work, void *context,
                               const char *const *version)
{
	struct audited_write write = {call, work, context, version};
	SR_TRY(sr_database_write(call->vault->state.database, run_audited, &write));
	call->is_audited = true;
	return sr_ok();
}

struct key_search {
	const struct sr_vault_call *call;
	enum sr_key_presence presence;
	struct sr_key_record *key;
};

static struct sr_result find_work(struct sr_connection *connection, void *context)
{
	const struct key_search *search = context;
	const struct sr_key_name name = sr_call_key(search->call);
	return sr_key_find(connection, search->call->arena, &name, search->presence, search->key);
}

struct sr_result sr_call_find_key(struct sr_vault_call *call, enum sr_key_presence presence,
                                  struct sr_key_record *ret_key)
{
	struct sr_key_record key;
	struct key_search search = {call, presence, &key};
	SR_TRY(sr_database_read(call->vault->state.database, find_work, &search));
	*ret_key = key;
	return sr_ok();
}

void sr_call_recall(struct sr_vault_call *call, const struct sr_kek_set *set, const char *reason,
                    struct sr_vault_answer *answer)
{
	struct sr_recall_outcome outcome = {0};
	struct sr_grantor *grantor = call->vault->state.grantor;
	if (grantor && set->count) {
		sr_blocking_begin();
		outcome = sr_grantor_recall(grantor, set->resources, set->count, set->revocation_epoch, reason);
		sr_blocking_end();
	}
	snprintf(answer->revocation, sizeof answer->revocation, "took_us=%llu, holders=%u, silent=%u",
	         (unsigned long long)outcome.took_us, outcome.holders_told, outcome.holders_silent);
}
