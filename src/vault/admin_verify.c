/* Verification of everything that the vault keeps: each page of the database, each sealed key, each wrapped KEK, the
 * CA, the audit chain. Streams lines of JSON: {"what","done","all"} as it goes on, then the result with its findings.
 */
#include "vault/admin_api.h"

#include "vault/audit.h"
#include "vault/kek_store.h"
#include "wire/json.h"

enum { PAGE = 200, LINE_MAX_LEN = 1 << 20, FINDINGS_MAX = 1000 };

struct verification {
	struct sr_vault *vault;
	struct sr_exchange *exchange;
	struct sr_arena *arena; /* of one page */
	json_t *findings;
	struct sr_result sent; /* the first failure to send; the walk goes on, its end is not heard */
	uint64_t done;
};

static void send_line(struct verification *verification, const json_t *line)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(LINE_MAX_LEN);
	struct sr_result result = sr_json_write(line, &text);
	sr_buf_append_str(&text, "\n");
	if (sr_is_ok(result)) {
		result = sr_exchange_write(verification->exchange, sr_buf_bytes(&text));
	}
	verification->sent = sr_first_error(verification->sent, result);
}

static void send_progress(struct verification *verification, const char *what, uint64_t done, uint64_t all)
{
	SR_CLEANUP(sr_json) json_t *line = json_object();
	sr_json_set_string(line, "what", what);
	sr_json_set_int(line, "done", (int64_t)done);
	sr_json_set_int(line, "all", (int64_t)all);
	send_line(verification, line);
}

/* Takes a result: a failure becomes a finding. */
static void note(struct verification *verification, const char *kind, const char *id, struct sr_result result)
{
	if (!sr_is_ok(result) && json_array_size(verification->findings) < FINDINGS_MAX) {
		json_t *finding = json_object();
		sr_json_set_string(finding, "kind", kind);
		sr_json_set_string(finding, "id", id);
		sr_json_set_string(finding, "reason", sr_result_message(result));
		json_array_append_new(verification->findings, finding);
	}
	sr_result_free(result);
}

static void on_pages(uint64_t done, uint64_t all, void *context)
{
	send_progress(context, "pages", done, all);
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
			sr_keypair_free(keypair);
			note(verification, "key",
			     sr_arena_printf(verification->arena, "%s/%s/%s", key->vault, key->name, key->version), opened);
			verification->done++;
		}
	}
	return sr_ok();
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
	send_progress(verification, what, verification->done, verification->done);
}

static void check_audit(struct verification *verification)
{
	struct sr_audit_verdict verdict = {0};
	struct sr_result result = sr_audit_verify(verification->vault->state.database, &verdict);
	if (sr_is_ok(result) && verdict.broken_at) {
		result = sr_fail(SR_CORRUPT, "the chain is broken at entry %llu", (unsigned long long)verdict.broken_at);
	}
	note(verification, "audit", "", result);
	send_progress(verification, "audit", verdict.entries, verdict.entries);
}

struct sr_result sr_vault_admin_verify(struct sr_exchange *exchange, struct sr_vault *vault)
{
	SR_CLEANUP(sr_json) json_t *last = json_object();
	struct verification verification = {.vault = vault, .exchange = exchange, .findings = json_array()};
	json_t *findings = verification.findings;
	sr_json_set(last, "findings", findings);
	sr_exchange_add_header(exchange, "Content-Type", "application/x-ndjson");
	SR_TRY(sr_exchange_begin(exchange, 200, -1));
	note(&verification, "database", "vault.db", sr_database_verify(vault->state.database, on_pages, &verification));
	try_all(&verification, "keys", try_keys);
	try_all(&verification, "keks", try_keks);
	note(&verification, "ca", "", sr_authority_check(&vault->state));
	check_audit(&verification);
	sr_json_set_string(last, "result", json_array_size(findings) ? "damaged" : "ok");
	send_line(&verification, last);
	SR_TRY(verification.sent);
	return sr_exchange_end(exchange);
}
