/* Verification of everything that the vault keeps: each page of the database, each sealed key and secret, each wrapped
 * KEK, the CA, the audit chain.
 */
#include "vault/admin_api.h"

#include "host/verification.h"
#include "seal/hsm.h"
#include "vault/audit.h"
#include "vault/certificate_check.h"
#include "vault/kek_store.h"
#include "vault/secret_store.h"

enum { PAGE = 200, NAME_MAX_LEN = 256 };

struct verification {
	struct sr_vault *vault;
	struct sr_verification report;
	struct sr_arena *arena; /* of one page */
	uint64_t done;
};

/* Takes a result: a failure becomes a finding. */
static void note(struct verification *verification, const char *kind, const char *id, struct sr_result result)
{
	if (!sr_is_ok(result)) {
		sr_verification_find(&verification->report, (struct sr_verified){"", kind, id}, result);
	}
}

/* A key in the token must be there too. */
static struct sr_result check_is_in_token(const struct sr_keypair *keypair)
{
	const struct sr_bytes id = sr_keypair_token_id(keypair);
	bool has = true;
	SR_TRY(id.len ? sr_hsm_has(id.data, &has) : sr_ok());
	return has ? sr_ok()
	           : sr_fail(SR_CORRUPT, "the token '%s' has no such key any more", sr_keypair_token_label(keypair));
}

/* Keys, page after page; each is opened from its seal, not from the cache. */
static struct sr_result try_keys(struct sr_connection *connection, void *context)
{
	struct verification *verification = context;
	struct sr_key_page page = {.has_more = true};
	struct sr_key_name after = {"", "", ""};
	while (page.has_more) {
		SR_TRY(sr_key_list_all(connection, verification->arena, &after, PAGE, &page));
		for (size_t i = 0; i < page.count; i++) {
			const struct sr_key_record *key = &page.items[i];
			after = (struct sr_key_name){key->vault, key->name, key->version};
			struct sr_keypair *keypair = NULL;
			struct sr_result opened = sr_key_unseal(verification->vault->state.records, &after, key->sealed, &keypair);
			if (sr_is_ok(opened)) {
				opened = check_is_in_token(keypair);
			}
			sr_keypair_free(keypair);
			note(verification, "key",
			     sr_arena_printf(verification->arena, "%s/%s/%s", key->vault, key->name, key->version), opened);
			verification->done++;
		}
	}
	return sr_ok();
}

/* A page of secrets in one read, each opened as a client's get would. */
struct secret_page {
	struct verification *verification;
	struct sr_secret_record after;
	struct sr_secret_page page;
};

static struct sr_result try_secret_page(struct sr_connection *connection, void *context)
{
	struct secret_page *pages = context;
	struct verification *verification = pages->verification;
	SR_TRY(sr_vault_secret_list_all(connection, verification->arena, &pages->after, PAGE, &pages->page));
	for (size_t i = 0; i < pages->page.count; i++) {
		const struct sr_secret_record *secret = &pages->page.items[i];
		struct sr_secret_record opened;
		note(verification, "secret",
		     sr_arena_printf(verification->arena, "%s/%s/%s", secret->vault, secret->name, secret->version),
		     sr_vault_secret_find(connection, verification->arena, verification->vault->state.records, secret->vault,
		                          secret->name, secret->version, SR_SECRET_EITHER, &opened));
		verification->done++;
	}
	return sr_ok();
}

/* Secrets may be many: a read and an arena a page, so that no snapshot lasts. */
static struct sr_result try_all_secrets(struct verification *verification)
{
	SR_CLEANUP(sr_buf) struct sr_buf vault = SR_BUF(NAME_MAX_LEN), name = SR_BUF(NAME_MAX_LEN);
	struct secret_page pages = {.verification = verification,
	                            .after = {.vault = "", .name = "", .deleted_at = SR_NO_TIME},
	                            .page.has_more = true};
	while (pages.page.has_more && sr_verification_is_heard(&verification->report)) {
		SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
		verification->arena = arena;
		SR_TRY(sr_database_read(verification->vault->state.database, try_secret_page, &pages));
		if (pages.page.count) {
			pages.after = pages.page.items[pages.page.count - 1];
			sr_buf_reset(&vault);
			sr_buf_reset(&name);
			sr_buf_append_str(&vault, pages.after.vault);
			sr_buf_append_str(&name, pages.after.name);
			pages.after.vault = sr_buf_text(&vault);
			pages.after.name = sr_buf_text(&name);
		}
		sr_verification_progress(&verification->report, "secrets", verification->done, verification->done + 1);
	}
	return sr_ok();
}

static void try_secrets(struct verification *verification)
{
	verification->done = 0;
	note(verification, "secrets", "", try_all_secrets(verification));
	sr_verification_progress(&verification->report, "secrets", verification->done, verification->done);
}

static void note_certificate(void *context, const char *kind, const char *id, struct sr_result result)
{
	struct verification *verification = context;
	note(verification, kind, id, result);
	verification->done++;
}

static struct sr_result try_certificates(struct sr_connection *connection, void *context)
{
	struct verification *verification = context;
	return sr_certificate_check(connection, verification->arena, &verification->vault->state, note_certificate,
	                            verification);
}

static struct sr_result try_keks(struct sr_connection *connection, void *context)
{
	struct verification *verification = context;
	struct sr_kek_page page = {.has_more = true};
	const struct sr_kek_filter everything = {0};
	struct sr_id after;
	while (page.has_more) {
		SR_TRY(sr_kek_list(connection, verification->arena, &everything, page.items ? &after : NULL, PAGE, &page));
		for (size_t i = 0; i < page.count; i++) {
			after = page.items[i].resource;
			char resource[SR_ID_TEXT_LEN];
			sr_id_text(&after, resource);
			note(verification, "kek", resource,
			     sr_kek_try(&verification->vault->state, connection, verification->arena, &page.items[i]));
			verification->done++;
		}
	}
	return sr_ok();
}

static void try_all(struct verification *verification, const char *what, sr_database_work work)
{
	verification->done = 0;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	verification->arena = arena;
	note(verification, what, "", sr_database_read(verification->vault->state.database, work, verification));
	sr_verification_progress(&verification->report, what, verification->done, verification->done);
}

static void check_audit(struct verification *verification)
{
	struct sr_audit_verdict verdict = {0};
	struct sr_result result = sr_audit_verify(verification->vault->audit, NULL, &verdict);
	if (sr_is_ok(result) && verdict.broken_at) {
		result = sr_fail(SR_CORRUPT, "the chain is broken at entry %llu: %s", (unsigned long long)verdict.broken_at,
		                 verdict.why);
	}
	note(verification, "audit", "", result);
	sr_verification_progress(&verification->report, "audit", verdict.entries, verdict.entries);
}

static void verification_cleanup(struct verification *verification)
{
	sr_verification_cleanup(&verification->report);
}

struct sr_result sr_vault_admin_verify(struct sr_exchange *exchange, struct sr_vault *vault)
{
	SR_CLEANUP(verification) struct verification verification = {.vault = vault};
	SR_TRY(sr_verification_begin(exchange, &verification.report));
	note(&verification, "database", "vault.db",
	     sr_database_verify(vault->state.database, sr_verification_pages, &verification.report));
	try_all(&verification, "keys", try_keys);
	try_secrets(&verification);
	try_all(&verification, "certificates", try_certificates);
	try_all(&verification, "keks", try_keks);
	note(&verification, "ca", "", sr_authority_check(&vault->state));
	check_audit(&verification);
	return sr_verification_finish(&verification.report);
}
