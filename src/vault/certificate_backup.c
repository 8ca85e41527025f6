/*
 * Backup and restore of a certificate with all its versions, keys and secrets. The blob is sealed under the vault's
 * records key, so that only this installation can restore it; inside, each key stays sealed once more, tied to its
 * place.
 *
 * Plaintext of the blob (integers big-endian, blocks are u32 length and bytes):
 *   u8 format 1 · block vault · block name · block policy · u32 count · count times:
 *   block version · u8 enabled · u64 created · updated · block tags · block certificate · block chain · u32 operations
 * · block sealed key · block content type · block secret's value
 */
#include "vault/certificate_handlers.h"

#include "base/clock.h"

enum { FORMAT = 1, VERSIONS_MAX = 500, BACKUP_MAX = 8 * 1024 * 1024, BLOCK_MAX = 1 << 19 };
#define BACKUP_AAD "certificate-backup"

/* A version with what belongs to it. */
struct whole {
	struct sr_certificate_record certificate;
	struct sr_key_record key;
	struct sr_secret_record secret;
};

struct backup {
	struct sr_vault_call *call;
	struct sr_certificate_head head;
	struct whole *versions;
	size_t count;
};

static struct sr_result read_linked(struct sr_connection *connection, const struct backup *backup, struct whole *whole)
{
	struct sr_vault_call *call = backup->call;
	const struct sr_key_name name = {backup->head.vault, backup->head.name, whole->certificate.version};
	SR_TRY(sr_key_find(connection, call->arena, &name, SR_KEY_LIVE, &whole->key));
	return sr_vault_secret_find(connection, call->arena, call->vault->state.records, name.vault, name.name,
	                            name.version, SR_SECRET_LIVE, &whole->secret);
}

static struct sr_result backup_read(struct sr_connection *connection, void *context)
{
	struct backup *backup = context;
	struct sr_vault_call *call = backup->call;
	struct sr_certificate_page page;
	SR_TRY(sr_vault_certificate_find_head(connection, call->arena, call->record.name, call->name, SR_CERTIFICATE_LIVE,
	                                      &backup->head));
	SR_TRY(sr_vault_certificate_list_versions(connection, call->arena, call->record.name, call->name, 0, VERSIONS_MAX,
	                                          &page));
	if (page.has_more || page.count == 0) {
		return sr_fail(SR_INVALID, "the certificate has %s for a backup",
		               page.count ? "more than 500 versions, too many" : "no version yet, too few");
	}
	backup->count = page.count;
	backup->versions = sr_arena_alloc(call->arena, page.count * sizeof *backup->versions);
	for (size_t i = 0; i < page.count; i++) {
		backup->versions[i].certificate = page.items[i];
		SR_TRY(read_linked(connection, backup, &backup->versions[i]));
	}
	return sr_ok();
}

static void write_version(struct sr_buf *blob, const struct whole *whole)
{
	sr_buf_append_block(blob, sr_bytes_str(whole->certificate.version));
	sr_buf_append_u8(blob, whole->certificate.is_enabled);
	sr_buf_append_u64(blob, (uint64_t)whole->certificate.created);
	sr_buf_append_u64(blob, (uint64_t)whole->certificate.updated);
	sr_buf_append_block(blob, sr_bytes_str(whole->certificate.tags));
	sr_buf_append_block(blob, whole->certificate.cer);
	sr_buf_append_block(blob, whole->certificate.chain);
	sr_buf_append_u32(blob, whole->key.state.operations);
	sr_buf_append_block(blob, whole->key.sealed);
	sr_buf_append_block(blob, sr_bytes_str(whole->secret.content_type));
	sr_buf_append_block(blob, whole->secret.value);
}

struct sr_result sr_handle_certificate_backup(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct backup backup = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, backup_read, &backup));
	SR_CLEANUP(sr_buf) struct sr_buf blob = SR_BUF(BACKUP_MAX);
	sr_buf_append_u8(&blob, FORMAT);
	sr_buf_append_block(&blob, sr_bytes_str(backup.head.vault));
	sr_buf_append_block(&blob, sr_bytes_str(backup.head.name));
	sr_buf_append_block(&blob, sr_bytes_str(backup.head.policy));
	sr_buf_append_u32(&blob, (uint32_t)backup.count);
	for (size_t i = 0; i < backup.count; i++) {
		write_version(&blob, &backup.versions[i]);
	}
	SR_TRY(sr_buf_result(&blob));
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(BACKUP_MAX + SR_AEAD_OVERHEAD);
	SR_TRY(sr_aead_seal(call->vault->state.records, SR_LITERAL(BACKUP_AAD), sr_buf_bytes(&blob), &sealed));
	answer->body = json_object();
	sr_json_set_base64url(answer->body, "value", sr_buf_bytes(&sealed));
	return sr_ok();
}

/* A backup taken apart; what it holds lives in the call's arena. */
struct restoration {
	struct sr_vault_call *call;
	const char *vault, *name, *policy_json; /* where it came from */
	struct sr_certificate_policy policy;
	struct sr_certificate_making *versions;
	uint32_t count;
};

/* NULL for an empty block. */
static char *read_text(struct sr_reader *reader, struct sr_arena *arena)
{
	struct sr_bytes block = sr_reader_block(reader, BLOCK_MAX);
	return block.len ? sr_arena_text(arena, block) : NULL;
}

static struct sr_bytes read_bytes(struct sr_reader *reader, struct sr_arena *arena)
{
	return sr_arena_copy(arena, sr_reader_block(reader, BLOCK_MAX));
}

/* One version, made anew at its new place: the key is opened from where it was, the secret keeps its value (a key that
 * might not leave then must not now). */
static struct sr_result read_version(struct sr_reader *reader, struct restoration *restoration,
                                     struct sr_certificate_making *making)
{
	struct sr_vault_call *call = restoration->call;
	const char *version = read_text(reader, call->arena);
	const bool is_enabled = sr_reader_u8(reader) != 0;
	const int64_t created = (int64_t)sr_reader_u64(reader), updated = (int64_t)sr_reader_u64(reader);
	const char *tags = read_text(reader, call->arena);
	const struct sr_bytes cer = read_bytes(reader, call->arena), chain_bytes = read_bytes(reader, call->arena);
	const unsigned operations = sr_reader_u32(reader);
	const struct sr_bytes sealed = sr_reader_block(reader, BLOCK_MAX);
	const char *content_type = read_text(reader, call->arena);
	const struct sr_bytes value = read_bytes(reader, call->arena);
	if (reader->failed || !version) {
		return sr_fail(SR_INVALID, "value: the backup is cut short");
	}
	*making = (struct sr_certificate_making){.state = &call->vault->state,
	                                         .arena = call->arena,
	                                         .vault = call->record.name,
	                                         .name = restoration->name,
	                                         .version = version,
	                                         .policy = restoration->policy,
	                                         .is_enabled = is_enabled,
	                                         .tags = tags,
	                                         .now = sr_unix_s()};
	const struct sr_key_name from = {restoration->vault, restoration->name, version};
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	struct sr_x509_chain chain;
	SR_TRY(sr_key_unseal(call->vault->state.records, &from, sealed, &keypair));
	SR_TRY(sr_certificate_chain_read(cer, chain_bytes, &chain));
	SR_TRY(sr_certificate_prepare(making, keypair, &chain));
	making->certificate.created = making->key.created = making->secret.created = created;
	making->certificate.updated = making->key.updated = making->secret.updated = updated;
	making->key.state.operations = operations;
	making->secret.content_type = content_type;
	making->secret.value = value;
	return sr_ok();
}

static struct sr_result read_blob(struct sr_bytes blob, struct restoration *restoration)
{
	struct sr_arena *arena = restoration->call->arena;
	struct sr_reader reader = sr_reader_of(blob);
	if (sr_reader_u8(&reader) != FORMAT) {
		return sr_fail(SR_INVALID, "value: the backup has a format that is not known");
	}
	restoration->vault = read_text(&reader, arena);
	restoration->name = read_text(&reader, arena);
	restoration->policy_json = read_text(&reader, arena);
	const uint32_t count = sr_reader_u32(&reader);
	if (count == 0 || count > VERSIONS_MAX || !restoration->vault || !restoration->name || !restoration->policy_json) {
		return sr_fail(SR_INVALID, "value: the backup holds no certificate");
	}
	SR_TRY(sr_certificate_policy_open(arena, restoration->policy_json, &restoration->policy));
	restoration->versions = sr_arena_alloc(arena, count * sizeof *restoration->versions);
	restoration->count = count;
	for (uint32_t i = 0; i < count; i++) {
		SR_TRY(read_version(&reader, restoration, &restoration->versions[i]));
	}
	return sr_reader_finish(&reader, "the backup");
}

static struct sr_result check_is_absent(struct sr_connection *connection, const struct restoration *restoration)
{
	struct sr_vault_call *call = restoration->call;
	struct sr_certificate_head head;
	struct sr_result found = sr_vault_certificate_find_head(connection, call->arena, call->record.name,
	                                                        restoration->name, SR_CERTIFICATE_LIVE, &head);
	if (sr_is_ok(found)) {
		return sr_fail_as(SR_CONFLICT, "CertificateAlreadyExists",
		                  "Certificate %s exists already; a restore never overwrites.", restoration->name);
	}
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok(); /* a deleted one is refused by the insertion */
	}
	return found;
}

static struct sr_result restore_work(struct sr_connection *connection, void *context)
{
	struct restoration *restoration = context;
	SR_TRY(check_is_absent(connection, restoration));
	for (uint32_t i = 0; i < restoration->count; i++) {
		SR_TRY(sr_certificate_write(connection, &restoration->versions[i]));
	}
	return sr_ok();
}

static struct sr_result open_blob(struct sr_vault_call *call, struct sr_buf *blob)
{
	struct sr_bytes value = {0};
	SR_TRY(sr_json_get_base64url(call->arena, call->body, "value", &value));
	if (!value.len) {
		return sr_fail(SR_INVALID, "Property 'value' is required.");
	}
	struct sr_result result = sr_aead_open(call->vault->state.records, SR_LITERAL(BACKUP_AAD), value, blob);
	if (sr_result_code(result) == SR_CORRUPT || sr_result_code(result) == SR_WRONG_KEY) {
		sr_ignore(result);
		return sr_fail(SR_INVALID, "value: this is no backup of a certificate that this installation made");
	}
	return result;
}

struct sr_result sr_handle_certificate_restore(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	SR_CLEANUP(sr_buf) struct sr_buf blob = SR_BUF(BACKUP_MAX);
	SR_TRY(open_blob(call, &blob));
	struct restoration restoration = {.call = call};
	SR_TRY(read_blob(sr_buf_bytes(&blob), &restoration));
	call->name = restoration.name;
	SR_TRY(sr_call_write(call, restore_work, &restoration, NULL));
	sr_tending_wake(call->vault->tending);
	const struct sr_certificate_view view = sr_call_certificate_view(call);
	return sr_certificate_bundle(&view, &restoration.versions[restoration.count - 1].certificate, &answer->body);
}
