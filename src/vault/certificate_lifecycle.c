/* Getting certificates, and their way out with the linked key and secret: deleted but recoverable, recovered, purged.
 */
#include "vault/certificate_handlers.h"

#include "base/clock.h"

enum { DAY_S = 86400 };

/* A certificate as a whole, in its current or the named version. */
struct subject {
	struct sr_vault_call *call;
	struct sr_certificate_record certificate;
};

/* A certificate whose first version waits for its CA: all but the certificate itself. */
static struct sr_result find_waiting(struct sr_connection *connection, struct subject *subject)
{
	const struct sr_vault_call *call = subject->call;
	struct sr_certificate_head head;
	struct sr_certificate_operation operation;
	SR_TRY(sr_vault_certificate_find_head(connection, call->arena, call->record.name, call->name, SR_CERTIFICATE_LIVE,
	                                      &head));
	SR_TRY(sr_certificate_operation_find(connection, call->arena, call->record.name, call->name, &operation));
	subject->certificate = (struct sr_certificate_record){.head = head,
	                                                      .version = operation.version,
	                                                      .nbf = SR_NO_TIME,
	                                                      .exp = SR_NO_TIME,
	                                                      .created = operation.created,
	                                                      .updated = operation.created,
	                                                      .tags = operation.tags};
	return sr_ok();
}

static struct sr_result find_live(struct sr_connection *connection, void *context)
{
	struct subject *subject = context;
	const struct sr_vault_call *call = subject->call;
	struct sr_result found = sr_vault_certificate_find(connection, call->arena, call->record.name, call->name,
	                                                   call->version, SR_CERTIFICATE_LIVE, &subject->certificate);
	if (sr_result_code(found) != SR_NOT_FOUND || call->version) {
		return found;
	}
	struct sr_result waiting = find_waiting(connection, subject);
	if (sr_is_ok(waiting)) {
		sr_ignore(found);
		return sr_ok();
	}
	sr_ignore(waiting);
	return found;
}

static struct sr_result answer_bundle(struct subject *subject, struct sr_vault_answer *answer)
{
	const struct sr_certificate_view view = sr_call_certificate_view(subject->call);
	return sr_certificate_bundle(&view, &subject->certificate, &answer->body);
}

struct sr_result sr_handle_certificate_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct subject subject = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, find_live, &subject));
	return answer_bundle(&subject, answer);
}

static struct sr_result find_deleted(struct sr_connection *connection, void *context)
{
	struct subject *subject = context;
	const struct sr_vault_call *call = subject->call;
	return sr_vault_certificate_find(connection, call->arena, call->record.name, call->name, NULL,
	                                 SR_CERTIFICATE_DELETED, &subject->certificate);
}

struct sr_result sr_handle_deleted_certificate_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct subject subject = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, find_deleted, &subject));
	return answer_bundle(&subject, answer);
}

static struct sr_result delete_work(struct sr_connection *connection, void *context)
{
	struct subject *subject = context;
	struct sr_vault_call *call = subject->call;
	SR_TRY(sr_vault_certificate_find(connection, call->arena, call->record.name, call->name, NULL, SR_CERTIFICATE_LIVE,
	                                 &subject->certificate));
	struct sr_certificate_head *head = &subject->certificate.head;
	head->deleted_at = sr_unix_s();
	head->purge_at = head->deleted_at + call->record.retention_days * DAY_S;
	SR_TRY(sr_certificate_operation_end(connection, head->vault, head->name, SR_OPERATION_CANCELLED));
	SR_TRY(sr_vault_certificate_mark_deleted(connection, head->vault, head->name, head->deleted_at, head->purge_at));
	SR_TRY(sr_key_mark_deleted(connection, head->vault, head->name, head->deleted_at, head->purge_at));
	return sr_vault_secret_mark_deleted(connection, head->vault, head->name, head->deleted_at, head->purge_at);
}

static void forget_key(struct sr_vault_call *call)
{
	const struct sr_key_name name = {call->record.name, call->name, NULL};
	sr_key_cache_forget(call->vault->state.cache, &name);
}

struct sr_result sr_handle_certificate_delete(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct subject subject = {.call = call};
	SR_TRY(sr_call_write(call, delete_work, &subject, NULL));
	forget_key(call);
	sr_tending_wake(call->vault->tending);
	return answer_bundle(&subject, answer);
}

static struct sr_result recover_work(struct sr_connection *connection, void *context)
{
	struct subject *subject = context;
	SR_TRY(find_deleted(connection, subject));
	struct sr_certificate_head *head = &subject->certificate.head;
	head->deleted_at = head->purge_at = SR_NO_TIME;
	SR_TRY(sr_vault_certificate_recover(connection, head->vault, head->name));
	SR_TRY(sr_key_recover(connection, head->vault, head->name));
	return sr_vault_secret_recover(connection, head->vault, head->name);
}

struct sr_result sr_handle_deleted_certificate_recover(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct subject subject = {.call = call};
	SR_TRY(sr_call_write(call, recover_work, &subject, NULL));
	sr_tending_wake(call->vault->tending);
	return answer_bundle(&subject, answer);
}

struct sr_result sr_certificate_destroy(struct sr_connection *connection, const char *vault, const char *name)
{
	SR_TRY(sr_vault_certificate_purge(connection, vault, name));
	SR_TRY(sr_key_purge(connection, vault, name));
	return sr_vault_secret_purge(connection, vault, name);
}

static struct sr_result purge_work(struct sr_connection *connection, void *context)
{
	struct subject *subject = context;
	const struct sr_vault_call *call = subject->call;
	SR_TRY(find_deleted(connection, subject));
	const struct sr_certificate_head *head = &subject->certificate.head;
	if (call->record.is_purge_protected && sr_unix_s() < head->purge_at) {
		return sr_fail_as(SR_DENIED, "ForbiddenByPolicy",
		                  "Operation purge is not allowed before its time: purge protection is on for this vault.");
	}
	return sr_certificate_destroy(connection, head->vault, head->name);
}

struct sr_result sr_handle_deleted_certificate_purge(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	(void)answer;
	struct subject subject = {.call = call};
	SR_TRY(sr_call_write(call, purge_work, &subject, NULL));
	forget_key(call);
	return sr_kek_fold_log(&call->vault->state);
}
