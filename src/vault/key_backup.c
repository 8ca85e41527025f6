/*
 * Backup and restore of a key with all its versions. The blob is sealed under the vault's records key, so that only
 * this installation can restore it; inside, each key stays sealed once more, tied to its place.
 *
 * Plaintext of the blob (integers big-endian, blocks are u32 length and bytes):
 *   u8 format 1 · block vault · block name · block policy · u32 count · count times:
 *   block version · block kty · block crv · u32 bits · u8 enabled · u64 nbf · exp · created · updated · u32 operations
 * · block tags · block public · block sealed
 */
#include "vault/key_handlers.h"

#include "base/clock.h"
#include "vault/kek_rewrap.h"
#include "vault/key_json.h"

enum { FORMAT = 1, VERSIONS_MAX = 500, BACKUP_MAX = 8 * 1024 * 1024, BLOCK_MAX = 65536 };
#define BACKUP_AAD "key-backup"

struct backup {
	struct sr_vault_call *call;
	struct sr_key_page versions;
	struct sr_key_policy policy;
};

static struct sr_result backup_read(struct sr_connection *connection, void *context)
{
	struct backup *backup = context;
	struct sr_vault_call *call = backup->call;
	struct sr_key_record current;
	const struct sr_key_name name = sr_call_key(call);
	SR_TRY(sr_key_find(connection, call->arena, &name, SR_KEY_LIVE, &current));
	SR_TRY(sr_key_check_unmanaged(&current));
	call->name = current.name;
	SR_TRY(sr_key_policy_get(connection, call->arena, call->record.name, call->name, &backup->policy));
	SR_TRY(sr_key_list_versions(connection, call->arena, call->record.name, call->name, 0, VERSIONS_MAX,
	                            &backup->versions));
	return backup->versions.has_more
	           ? sr_fail(SR_INVALID, "the key has more than %d versions, too many for a backup", VERSIONS_MAX)
	           : sr_ok();
}

static void write_version(struct sr_buf *blob, const struct sr_key_record *key)
{
	sr_buf_append_block(blob, sr_bytes_str(key->version));
	sr_buf_append_block(blob, sr_bytes_str(sr_key_kty(&key->state.spec)));
	sr_buf_append_block(blob, sr_bytes_str(sr_key_curve_name(key->state.spec.curve)));
	sr_buf_append_u32(blob, key->state.spec.bits);
	sr_buf_append_u8(blob, key->state.is_enabled);
	sr_buf_append_u64(blob, (uint64_t)key->state.nbf);
	sr_buf_append_u64(blob, (uint64_t)key->state.exp);
	sr_buf_append_u64(blob, (uint64_t)key->created);
	sr_buf_append_u64(blob, (uint64_t)key->updated);
	sr_buf_append_u32(blob, key->state.operations);
	sr_buf_append_block(blob, sr_bytes_str(key->tags));
	sr_buf_append_block(blob, sr_bytes_str(key->public_jwk));
	sr_buf_append_block(blob, key->sealed);
}

/* A version in the token is not extractable, and a backup that does not hold it would be none. */
static struct sr_result check_may_leave(const struct sr_key_record *key)
{
	return key->state.spec.is_in_token
	           ? sr_fail_as(SR_DENIED, "KeyNotExportable",
	                        "Version %s of this key lives in the hardware module and cannot be taken out of it: copy "
	                        "the token by its maker's means.",
	                        key->version)
	           : sr_ok();
}

struct sr_result sr_handle_key_backup(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct backup backup = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, backup_read, &backup));
	SR_CLEANUP(sr_buf) struct sr_buf blob = SR_BUF(BACKUP_MAX);
	sr_buf_append_u8(&blob, FORMAT);
	sr_buf_append_block(&blob, sr_bytes_str(call->record.name));
	sr_buf_append_block(&blob, sr_bytes_str(call->name));
	sr_buf_append_block(&blob, sr_bytes_str(backup.policy.json));
	sr_buf_append_u32(&blob, (uint32_t)backup.versions.count);
	for (size_t i = 0; i < backup.versions.count; i++) {
		SR_TRY(check_may_leave(&backup.versions.items[i]));
		write_version(&blob, &backup.versions.items[i]);
	}
	SR_TRY(sr_buf_result(&blob));
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(BACKUP_MAX + SR_AEAD_OVERHEAD);
	SR_TRY(sr_aead_seal(call->vault->state.records, SR_LITERAL(BACKUP_AAD), sr_buf_bytes(&blob), &sealed));
	answer->body = json_object();
	sr_json_set_base64url(answer->body, "value", sr_buf_bytes(&sealed));
	return sr_ok();
}

/* A backup taken apart; text lives in the call's arena. */
struct restoration {
	struct sr_vault_call *call;
	const char *vault, *name, *policy; /* where it came from */
	struct sr_key_record *versions;
	uint32_t count;
};

/* NULL for an empty block. */
static char *read_text(struct sr_reader *reader, struct sr_arena *arena)
{
	struct sr_bytes block = sr_reader_block(reader, BLOCK_MAX);
	return block.len ? sr_arena_text(arena, block) : NULL;
}

static struct sr_result read_version(struct sr_reader *reader, struct sr_arena *arena, struct sr_key_record *key)
{
	key->version = read_text(reader, arena);
	const char *kty = read_text(reader, arena), *crv = read_text(reader, arena);
	const uint32_t bits = sr_reader_u32(reader);
	key->state.is_enabled = sr_reader_u8(reader) != 0;
	key->state.nbf = (int64_t)sr_reader_u64(reader);
	key->state.exp = (int64_t)sr_reader_u64(reader);
	key->created = (int64_t)sr_reader_u64(reader);
	key->updated = (int64_t)sr_reader_u64(reader);
	key->state.operations = sr_reader_u32(reader);
	key->tags = read_text(reader, arena);
	key->public_jwk = read_text(reader, arena);
	key->sealed = sr_reader_block(reader, BLOCK_MAX);
	key->deleted_at = key->purge_at = SR_NO_TIME;
	if (reader->failed || !kty || !key->public_jwk || !key->version || !sr_is_key_version(key->version)) {
		return sr_fail(SR_INVALID, "value: the backup is cut short");
	}
	return sr_key_spec_of(kty, bits, crv, &key->state.spec);
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
	restoration->policy = read_text(&reader, arena);
	const uint32_t count = sr_reader_u32(&reader);
	if (count == 0 || count > VERSIONS_MAX || !restoration->vault || !restoration->name ||
	    !sr_is_key_name(restoration->name)) {
		return sr_fail(SR_INVALID, "value: the backup holds no key");
	}
	restoration->versions = sr_arena_alloc(arena, count * sizeof *restoration->versions);
	restoration->count = count;
	for (uint32_t i = 0; i < count; i++) {
		SR_TRY(read_version(&reader, arena, &restoration->versions[i]));
	}
	return sr_reader_finish(&reader, "the backup");
}

/* A key that goes into another vault than it came from is sealed anew, tied to its new place. */
static struct sr_result settle(struct restoration *restoration, struct sr_key_record *key)
{
	struct sr_vault_call *call = restoration->call;
	const struct sr_key_name from = {restoration->vault, restoration->name, key->version};
	key->vault = call->record.name;
	key->name = restoration->name;
	const struct sr_key_name to = {key->vault, key->name, key->version};
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	SR_TRY(sr_key_unseal(call->vault->state.records, &from, key->sealed, &keypair));
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(BLOCK_MAX);
	SR_TRY(sr_key_seal(call->vault->state.records, &to, keypair, &sealed));
	SR_TRY(sr_buf_result(&sealed));
	key->sealed = sr_arena_copy(call->arena, sr_buf_bytes(&sealed));
	return sr_ok();
}

static struct sr_result check_is_absent(struct sr_connection *connection, const struct restoration *restoration)
{
	struct sr_vault_call *call = restoration->call;
	const struct sr_key_name name = {call->record.name, restoration->name, NULL};
	struct sr_key_record found;
	struct sr_result result = sr_key_find(connection, call->arena, &name, SR_KEY_LIVE, &found);
	if (sr_is_ok(result)) {
		return sr_fail_as(SR_CONFLICT, "KeyAlreadyExists", "Key %s exists already; a restore never overwrites.",
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
	struct restoration *restoration = context;
	SR_TRY(check_is_absent(connection, restoration));
	for (uint32_t i = 0; i < restoration->count; i++) {
		SR_TRY(sr_key_insert(connection, &restoration->versions[i]));
	}
	if (restoration->policy) {
		SR_TRY(sr_key_policy_set(connection, restoration->call->record.name, restoration->name, restoration->policy,
		                         sr_unix_s()));
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
		return sr_fail(SR_INVALID, "value: this is no backup that this installation made");
	}
	return result;
}

struct sr_result sr_handle_key_restore(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	SR_CLEANUP(sr_buf) struct sr_buf blob = SR_BUF(BACKUP_MAX);
	SR_TRY(open_blob(call, &blob));
	struct restoration restoration = {.call = call};
	SR_TRY(read_blob(sr_buf_bytes(&blob), &restoration));
	for (uint32_t i = 0; i < restoration.count; i++) {
		SR_TRY(settle(&restoration, &restoration.versions[i]));
	}
	call->name = restoration.name;
	SR_TRY(sr_call_write(call, restore_work, &restoration, NULL));
	sr_tending_wake(call->vault->tending);
	const struct sr_key_view view = {call->base_url, &call->record};
	return sr_key_bundle(&view, &restoration.versions[restoration.count - 1], &answer->body);
}
