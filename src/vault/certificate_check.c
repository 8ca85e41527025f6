/* One pass over each table of certificates. */
#include "vault/certificate_check.h"

#include "seal/x509.h"
#include "vault/certificate_ca.h"
#include "vault/column.h"
#include "vault/key_cache.h"

struct check {
	struct sr_connection *connection;
	struct sr_arena *arena;
	struct sr_vault_state *state;
	sr_certificate_note note;
	void *context;
};

/* The certificate reads, and is the one of which the vault gives out the thumbprint. */
static struct sr_result check_whole(struct check *check, struct sr_bytes cer, struct sr_bytes thumbprint,
                                    bool is_complete)
{
	struct sr_x509_facts facts;
	if (!is_complete) {
		return sr_fail(SR_CORRUPT, "the certificate's key or secret is missing");
	}
	SR_TRY(sr_x509_read(check->arena, cer, &facts));
	return sr_equal_public(thumbprint, sr_bytes_of(facts.thumbprint, sizeof facts.thumbprint))
	           ? sr_ok()
	           : sr_fail(SR_CORRUPT, "the certificate is another than its thumbprint says");
}

static struct sr_result check_versions(struct check *check)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(check->connection,
	                  "SELECT v.vault, v.certificate, v.version, v.cer, v.thumbprint, NOT v.has_key OR "
	                  "(EXISTS(SELECT 1 FROM key_version AS k WHERE k.vault = v.vault AND k.key = v.certificate AND "
	                  "k.version = v.version) AND EXISTS(SELECT 1 FROM secret AS s JOIN secret_version AS w ON "
	                  "w.secret = s.id WHERE s.vault = v.vault AND s.deleted IN (0, 1) AND s.name = v.certificate AND "
	                  "w.version = v.version)) FROM certificate_version AS v",
	                  &statement));
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		const char *id = sr_arena_printf(check->arena, "%s/%s/%s", sr_column_arena_text(check->arena, statement, 0),
		                                 sr_column_arena_text(check->arena, statement, 1),
		                                 sr_column_arena_text(check->arena, statement, 2));
		check->note(check->context, "certificate", id,
		            check_whole(check, sr_column_blob(statement, 3), sr_column_blob(statement, 4),
		                        sr_column_int(statement, 5) != 0));
	}
}

static struct sr_result open_waiting(struct check *check, const struct sr_key_name *name, struct sr_bytes sealed)
{
	struct sr_keypair *keypair = NULL;
	SR_TRY(sr_key_unseal(check->state->records, name, sealed, &keypair));
	sr_keypair_free(keypair);
	return sr_ok();
}

static struct sr_result check_operations(struct check *check)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(check->connection,
	                  "SELECT vault, certificate, version, sealed FROM certificate_operation WHERE sealed IS NOT NULL",
	                  &statement));
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		const struct sr_key_name name = {sr_column_arena_text(check->arena, statement, 0),
		                                 sr_column_arena_text(check->arena, statement, 1),
		                                 sr_column_arena_text(check->arena, statement, 2)};
		check->note(check->context, "pending certificate",
		            sr_arena_printf(check->arena, "%s/%s", name.vault, name.name),
		            open_waiting(check, &name, sr_column_blob(statement, 3)));
	}
}

static struct sr_result check_authorities(struct check *check)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(check->connection, "SELECT vault, sealed FROM certificate_ca", &statement));
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		const char *vault = sr_column_arena_text(check->arena, statement, 0);
		check->note(check->context, "issuing CA", vault,
		            sr_certificate_ca_check(check->state, vault, sr_column_blob(statement, 1)));
	}
}

static struct sr_result check_issuers(struct check *check)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(check->connection,
	                  "SELECT vault, name, password FROM certificate_issuer WHERE password IS NOT NULL", &statement));
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		SR_CLEANUP(sr_buf) struct sr_buf password = SR_BUF(65536);
		const char *id = sr_arena_printf(check->arena, "issuer/%s/%s", sr_column_arena_text(check->arena, statement, 0),
		                                 sr_column_arena_text(check->arena, statement, 1));
		check->note(check->context, "issuer", id,
		            sr_aead_open(check->state->records, sr_bytes_str(id), sr_column_blob(statement, 2), &password));
	}
}

struct sr_result sr_certificate_check(struct sr_connection *connection, struct sr_arena *arena,
                                      struct sr_vault_state *state, sr_certificate_note note, void *context)
{
	struct check check = {connection, arena, state, note, context};
	SR_TRY(check_versions(&check));
	SR_TRY(check_operations(&check));
	SR_TRY(check_authorities(&check));
	return check_issuers(&check);
}
