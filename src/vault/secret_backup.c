/*
 * Backup and restore of a secret with all its versions. The blob is sealed under the vault's records key, so that only
 * this installation can restore it.
 *
 * Plaintext of the blob (integers big-endian, blocks are u32 length and bytes):
 *   u8 format 1 · block name · u32 count · count times:
 *   block version · u8 enabled · u64 nbf · exp · created · updated · block content type · block tags · block value
 */
#include "vault/secret_handlers.h"

#include "vault/secret_json.h"

enum { FORMAT = 1, VERSIONS_MAX = 500, BLOCK_MAX = 65536, BACKUP_MAX = 16 * 1024 * 1024 };
#define BACKUP_AAD "secret-backup"

struct backup {
	struct sr_vault_call *call;
	struct sr_secret_page versions;
};

static struct sr_result backup_read(struct sr_connection *connection, void *context)
{
	struct backup *backup = context;
	struct sr_vault_call *call = backup->call;
	struct sr_secret_record current;
	SR_TRY(sr_vault_secret_find(connection, call->arena, NULL, call->record.name, call->name, NULL, SR_SECRET_LIVE,
	                            &current));
	SR_TRY(sr_secret_check_unmanaged(&current, "backup"));
	call->name = current.name;
	SR_TRY(sr_vault_secret_list_versions(connection, call->arena, call->record.name, call->name, 0, VERSIONS_MAX,
	                                     &backup->versions));
	if (backup->versions.has_more) {
		return sr_fail(SR_INVALID, "The secret has more than %d versions, too many for a backup.", VERSIONS_MAX);
	}
	for (size_t i = 0; i < backup->versions.count; i++) {
		struct sr_secret_record *version = &backup->versions.items[i];
		SR_TRY(sr_vault_secret_find(connection, call->arena, call->vault->state.records, call->record.name, call->name,
		                            version->version, SR_SECRET_LIVE, version));
	}
	return sr_ok();
}

static void write_version(struct sr_buf *blob, const struct sr_secret_record *secret)
{
	sr_buf_append_block(blob, sr_bytes_str(secret->version));
	sr_buf_append_u8(blob, secret->is_enabled);
	sr_buf_append_u64(blob, (uint64_t)secret->nbf);
	sr_buf_append_u64(blob, (uint64_t)secret->exp);
	sr_buf_append_u64(blob, (uint64_t)secret->created);
	sr_buf_append_u64(blob, (uint64_t)secret->updated);
	sr_buf_append_block(blob, sr_bytes_str(secret->content_type));
	sr_buf_append_block(blob, sr_bytes_str(secret->tags));
	sr_buf_append_block(blob, secret->value);
}

struct sr_result sr_handle_secret_backup(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct backup backup = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, backup_read, &backup));
	SR_CLEANUP(sr_buf) struct sr_buf blob = SR_BUF(BACKUP_MAX);
	sr_buf_append_u8(&blob, FORMAT);
	sr_buf_append_block(&blob, sr_bytes_str(call->name));
	sr_buf_append_u32(&blob, (uint32_t)backup.versions.count);
	for (size_t i = 0; i < backup.versions.count; i++) {
		write_version(&blob, &backup.versions.items[i]);
	}
	SR_TRY(sr_buf_result(&blob));
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(BACKUP_MAX + SR_AEAD_OVERHEAD);
	SR_TRY(sr_aead_seal(call->vault->state.records, SR_LITERAL(BACKUP_AAD), sr_buf_bytes(&blob), &sealed));
	answer->body = json_object();
	sr_json_set_base64url(answer->body, "value", sr_buf_bytes(&sealed));
	return sr_ok();
}

/* A backup taken apart; text lives in the call's arena, values in the opened blob. */
struct restoration {
	struct sr_vault_call *call;
	const char *name;
	struct sr_secret_record *versions;
	uint32_t count;
};

/* NULL for an empty block. */
static char *read_text(struct sr_reader *reader, struct sr_arena *arena)
{
	struct sr_bytes block = sr_reader_block(reader, BLOCK_MAX);
	return block.len ? sr_arena_text(arena, block) : NULL;
}

static struct sr_result read_version(struct sr_reader *reader, const struct restoration *restoration,
                                     struct sr_secret_record *ret_secret)
{
	struct sr_arena *arena = restoration->call->arena;
	struct sr_secret_record secret = {.vault = restoration->call->record.name, .name = restoration->name};
	secret.version = read_text(reader, arena);
	secret.is_enabled = sr_reader_u8(reader) != 0;
	secret.nbf = (int64_t)sr_reader_u64(reader);
	secret.exp = (int64_t)sr_reader_u64(reader);
	secret.created = (int64_t)sr_reader_u64(reader);
	secret.updated = (int64_t)sr_reader_u64(reader);
	secret.content_type = read_text(reader, arena);
	secret.tags = read_text(reader, arena);
	secret.value = sr_reader_block(reader, SR_SECRET_VALUE_MAX);
	secret.deleted_at = secret.purge_at = SR_NO_TIME;
	if (!secret.version || !sr_is_key_version(secret.version)) {
		return sr_fail(SR_INVALID, "value: the backup has a version without a name");
	}
	*ret_secret = secret;
	return sr_ok();
}

static struct sr_result read_blob(struct sr_bytes blob, struct restoration *restoration)
{
	struct sr_arena *arena = restoration->call->arena;
	struct sr_reader reader = sr_reader_of(blob);
	if (sr_reader_u8(&reader) != FORMAT) {
		return sr_fail(SR_INVALID, "value: the backup has a format that is not known");
	}
	restoration->name = read_text(&reader, arena);
	const uint32_t count = sr_reader_u32(&reader);
	if (count == 0 || count > VERSIONS_MAX || !restoration->name || !sr_is_key_name(restoration->name)) {
		return sr_fail(SR_INVALID, "value: the backup holds no secret");
	}
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
	struct sr_secret_record found;
	struct sr_result result = sr_vault_secret_find(connection, call->arena, NULL, call->record.name, restoration->name,
	                                               NULL, SR_SECRET_LIVE, &found);
	if (sr_is_ok(result)) {
		return sr_fail_as(SR_CONFLICT, "SecretAlreadyExists", "Secret %s exists already; a restore never overwrites.",
		                  restoration->name);
	}
	if (sr_result_code(result) == SR_NOT_FOUND) {
		sr_ignore(result);
		return sr_ok(); /* a deleted one is refused by the insertion */
	}
	return result;
}

static struct sr_result restore_work(struct sr_connection *connection, void *context)
{
	const struct restoration *restoration = context;
	SR_TRY(check_is_absent(connection, restoration));
	for (uint32_t i = 0; i < restoration->count; i++) {
		SR_TRY(sr_vault_secret_insert(connection, restoration->call->vault->state.records, &restoration->versions[i]));
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
		return sr_fail(SR_INVALID, "value: this is no backup of a secret that this installation made");
	}
	return result;
}

/* Answers without the value, as the service does. */
struct sr_result sr_handle_secret_restore(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	SR_CLEANUP(sr_buf) struct sr_buf blob = SR_BUF(BACKUP_MAX);
	SR_TRY(open_blob(call, &blob));
	struct restoration restoration = {.call = call};
	SR_TRY(read_blob(sr_buf_bytes(&blob), &restoration));
	call->name = restoration.name;
	SR_TRY(sr_call_write(call, restore_work, &restoration, NULL));
	struct sr_secret_record last = restoration.versions[restoration.count - 1];
	last.value = (struct sr_bytes){0};
	const struct sr_key_view view = {call->base_url, &call->record};
	return sr_secret_bundle(&view, &last, &answer->body);
}
