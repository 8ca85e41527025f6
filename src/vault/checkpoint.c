/* Signed checkpoints of the vault's audit log, by audit/signer.h. */
#include "vault/checkpoint.h"

#include "base/log.h"
#include "vault/audit.h"
#include "vault/service.h"

static struct sr_result check_continuity(struct sr_vault *vault)
{
	bool is_continued;
	SR_TRY(sr_audit_is_continued(vault->state.database, &is_continued));
	if (is_continued) {
		return sr_ok();
	}
	sr_log(SR_LOG_ERROR,
	       "the audit log does not go on where its last checkpoint says: entries were taken out or changed; "
	       "see `strongroom audit verify`");
	const struct sr_audit_event event = {
	    .service = "vault", .operation = "AuditCheck", .object = "audit", .outcome = "AuditLogDamaged"};
	return sr_audit_write(vault->state.database, &event);
}

struct sr_result sr_vault_checkpoints_open(struct sr_vault *vault, int64_t now)
{
	SR_TRY(sr_audit_signer_open(vault->state.database, vault->state.records, "vault", &vault->master.database_id, now,
	                            &vault->audit));
	SR_TRY(check_continuity(vault));
	const struct sr_audit_event event = {.service = "vault", .operation = "VaultStart", .object = "audit"};
	SR_TRY(sr_audit_write(vault->state.database, &event));
	return sr_audit_sign(vault->audit, now);
}

void sr_vault_checkpoints_close(struct sr_vault *vault, int64_t now)
{
	if (!vault->audit) {
		return;
	}
	const struct sr_audit_event event = {.service = "vault", .operation = "VaultStop", .object = "audit"};
	struct sr_result signed_off =
	    sr_first_error(sr_audit_write(vault->state.database, &event), sr_audit_sign(vault->audit, now));
	if (!sr_is_ok(signed_off)) {
		sr_log(SR_LOG_ERROR, "the audit log's last entries could not be signed: failure %d",
		       (int)sr_result_code(signed_off));
		sr_ignore(signed_off);
	}
	sr_audit_signer_close(vault->audit);
	vault->audit = NULL;
}

struct sr_result sr_sign_checkpoint_next(struct sr_connection *connection, int64_t *ret_time)
{
	return sr_audit_next_checkpoint(connection, ret_time);
}

struct sr_result sr_sign_checkpoint_run(struct sr_vault *vault, int64_t now)
{
	return vault->audit ? sr_audit_sign(vault->audit, now) : sr_ok();
}
