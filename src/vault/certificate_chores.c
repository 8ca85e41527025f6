/* Renewal, notice and purging of certificates when their time comes, each in a durable write of its own with its audit
 * entry: after a crash the ones that are left are due still. */
#include "vault/certificate_chores.h"

#include "vault/audit.h"
#include "vault/certificate_handlers.h"

enum { AT_ONCE = 100, RETRY_S = 3600 };

struct sr_result sr_tend_certificates_next(struct sr_connection *connection, int64_t *ret_time)
{
	return sr_vault_certificate_next_action(connection, ret_time);
}

static struct sr_result append_audit(struct sr_connection *connection, struct sr_arena *arena,
                                     const struct sr_certificate_head *head, const char *operation, const char *version,
                                     const char *outcome, const char *detail)
{
	const struct sr_audit_event event = {
	    .service = "vault",
	    .operation = operation,
	    .object = sr_arena_printf(arena, "%s/certificates/%s%s%s", head->vault, head->name, version ? "/" : "",
	                              version ? version : ""),
	    .outcome = outcome,
	    .detail = detail,
	};
	return sr_audit_append(connection, &event);
}

/* One certificate whose action is due. */
struct tending {
	struct sr_vault *vault;
	struct sr_arena *arena;
	int64_t now;
	struct sr_certificate_record certificate;
	struct sr_certificate_making making;
};

/* The policy or the certificate may have changed since it was found due. */
static struct sr_result is_still_due(struct sr_connection *connection, const struct tending *tending, bool *ret_is_due,
                                     struct sr_certificate_record *ret_current)
{
	const struct sr_certificate_record *found = &tending->certificate;
	struct sr_result result = sr_vault_certificate_find(connection, tending->arena, found->head.vault, found->head.name,
	                                                    NULL, SR_CERTIFICATE_LIVE, ret_current);
	*ret_is_due = sr_is_ok(result) && ret_current->number == found->number &&
	              ret_current->renew_at == found->renew_at && ret_current->notice_at == found->notice_at &&
	              ret_current->head.policy_updated == found->head.policy_updated;
	if (sr_result_code(result) == SR_NOT_FOUND) {
		sr_ignore(result);
		return sr_ok();
	}
	return result;
}

static struct sr_result renew_work(struct sr_connection *connection, void *context)
{
	struct tending *tending = context;
	struct sr_certificate_record current;
	bool is_due;
	SR_TRY(is_still_due(connection, tending, &is_due, &current));
	if (!is_due) {
		return sr_ok();
	}
	SR_TRY(sr_certificate_write(connection, &tending->making));
	return append_audit(connection, tending->arena, &current.head, "CertificateRenew", tending->making.version, NULL,
	                    sr_arena_printf(tending->arena, "issuer=%s", tending->making.policy.issuer));
}

static struct sr_result renew(struct tending *tending)
{
	const struct sr_certificate_record *last = &tending->certificate;
	struct sr_certificate_making *making = &tending->making;
	*making = (struct sr_certificate_making){
	    .state = &tending->vault->state,
	    .arena = tending->arena,
	    .vault = last->head.vault,
	    .name = last->head.name,
	    .is_enabled = true,
	    .tags = last->tags,
	    .now = tending->now,
	};
	SR_TRY(sr_certificate_policy_open(tending->arena, last->head.policy, &making->policy));
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	struct sr_x509_chain chain;
	SR_TRY(sr_certificate_keypair(making, &keypair));
	SR_TRY(sr_certificate_sign_by_policy(making, keypair, &chain));
	SR_TRY(sr_certificate_prepare(making, keypair, &chain));
	return sr_database_write(tending->vault->state.database, renew_work, tending);
}

/* A renewal that cannot be done is recorded, and tried again in an hour. */
static struct sr_result postpone_work(struct sr_connection *connection, void *context)
{
	struct tending *tending = context;
	struct sr_certificate_record current;
	bool is_due;
	SR_TRY(is_still_due(connection, tending, &is_due, &current));
	if (!is_due) {
		return sr_ok();
	}
	current.renew_at = tending->now + RETRY_S;
	SR_TRY(sr_vault_certificate_update(connection, &current));
	return append_audit(connection, tending->arena, &current.head, "CertificateRenew", current.version,
	                    "CertificateNotRenewed", "tried again in an hour");
}

/* The contacts' addresses, as far as there is room for them in an entry. */
static struct sr_result addresses(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                  const char **ret_text)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT contacts FROM certificate_contacts WHERE vault = ?1", &statement));
	sr_bind_text(statement, 1, vault);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_text = "contacts: none";
	if (!is_row) {
		return sr_ok();
	}
	SR_CLEANUP(sr_json) json_t *list = NULL;
	SR_TRY(sr_json_parse(sr_column_text(statement, 0), &list));
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1024);
	sr_buf_append_str(&text, "contacts:");
	for (size_t i = 0; i < json_array_size(list); i++) {
		sr_buf_printf(&text, " %s", json_string_value(json_object_get(json_array_get(list, i), "email")));
	}
	*ret_text = text.failed ? "contacts: many" : sr_arena_strdup(arena, sr_buf_text(&text));
	return sr_ok();
}

static struct sr_result notice_work(struct sr_connection *connection, void *context)
{
	struct tending *tending = context;
	struct sr_certificate_record current;
	const char *whom;
	bool is_due;
	SR_TRY(is_still_due(connection, tending, &is_due, &current));
	if (!is_due) {
		return sr_ok();
	}
	current.notice_at = SR_NO_TIME;
	SR_TRY(sr_vault_certificate_update(connection, &current));
	SR_TRY(addresses(connection, tending->arena, current.head.vault, &whom));
	return append_audit(connection, tending->arena, &current.head, "CertificateNearExpiry", current.version, NULL,
	                    sr_arena_printf(tending->arena, "exp=%lld; %s", (long long)current.exp, whom));
}

static struct sr_result tend_one(struct tending *tending)
{
	const struct sr_certificate_record *certificate = &tending->certificate;
	struct sr_database *database = tending->vault->state.database;
	if (certificate->notice_at != SR_NO_TIME && certificate->notice_at <= tending->now) {
		SR_TRY(sr_database_write(database, notice_work, tending));
		tending->certificate.notice_at = SR_NO_TIME;
	}
	if (certificate->renew_at == SR_NO_TIME || certificate->renew_at > tending->now) {
		return sr_ok();
	}
	struct sr_result renewed = renew(tending);
	return sr_is_ok(renewed) ? renewed : sr_first_error(renewed, sr_database_write(database, postpone_work, tending));
}

struct due {
	struct sr_arena *arena;
	int64_t now;
	struct sr_certificate_page page;
	struct sr_certificate_heads heads;
};

static struct sr_result list_due(struct sr_connection *connection, void *context)
{
	struct due *due = context;
	return sr_vault_certificate_list_due(connection, due->arena, due->now, AT_ONCE, &due->page);
}

struct sr_result sr_tend_certificates_run(struct sr_vault *vault, int64_t now)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct due due = {.arena = arena, .now = now};
	SR_TRY(sr_database_read(vault->state.database, list_due, &due));
	struct sr_result result = sr_ok();
	for (size_t i = 0; i < due.page.count; i++) { /* one that fails does not keep the others */
		struct tending tending = {.vault = vault, .arena = arena, .now = now, .certificate = due.page.items[i]};
		result = sr_first_error(result, tend_one(&tending));
	}
	return result;
}

struct sr_result sr_purge_certificates_next(struct sr_connection *connection, int64_t *ret_time)
{
	return sr_vault_certificate_next_purge(connection, ret_time);
}

struct purge {
	struct sr_arena *arena;
	int64_t now;
	struct sr_certificate_head head;
};

static struct sr_result purge_work(struct sr_connection *connection, void *context)
{
	const struct purge *purge = context;
	struct sr_certificate_head current;
	struct sr_result found = sr_vault_certificate_find_head(connection, purge->arena, purge->head.vault,
	                                                        purge->head.name, SR_CERTIFICATE_DELETED, &current);
	if (sr_result_code(found) == SR_NOT_FOUND) { /* recovered or purged meanwhile */
		sr_ignore(found);
		return sr_ok();
	}
	SR_TRY(found);
	if (current.purge_at == SR_NO_TIME || current.purge_at > purge->now) {
		return sr_ok();
	}
	SR_TRY(sr_certificate_destroy(connection, current.vault, current.name));
	return append_audit(connection, purge->arena, &current, "CertificatePurge", NULL, NULL, "retention over");
}

static struct sr_result list_purgeable(struct sr_connection *connection, void *context)
{
	struct due *due = context;
	return sr_vault_certificate_list_purgeable(connection, due->arena, due->now, AT_ONCE, &due->heads);
}

struct sr_result sr_purge_certificates_run(struct sr_vault *vault, int64_t now)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct due due = {.arena = arena, .now = now};
	SR_TRY(sr_database_read(vault->state.database, list_purgeable, &due));
	struct sr_result result = sr_ok();
	for (size_t i = 0; i < due.heads.count; i++) {
		struct purge purge = {arena, now, due.heads.items[i]};
		const struct sr_key_name name = {purge.head.vault, purge.head.name, NULL};
		result = sr_first_error(result, sr_database_write(vault->state.database, purge_work, &purge));
		sr_key_cache_forget(vault->state.cache, &name);
	}
	return due.heads.count ? sr_first_error(result, sr_kek_fold_log(&vault->state)) : result;
}
