/* What is done with keys: encrypt, decrypt, wrap, unwrap, sign, verify; and random bytes. The state is checked for each
 * use; the cryptography is seal's. Plaintexts live in buffers that are wiped. */
#include "vault/key_handlers.h"

#include "base/clock.h"
#include "base/random.h"
#include "vault/key_json.h"

enum { RESULT_MAX = 65536 + 64, RANDOM_MAX = 128 };

/* A buffer that may hold plaintext. */
static void plaintext_cleanup(struct sr_buf *buf)
{
	if (buf->data) {
		sr_wipe(buf->data, buf->cap);
	}
	sr_buf_free(buf);
}

/* One use: the key in its hand and the request taken apart. */
struct use {
	struct sr_key_record key;
	struct sr_open_key *open;
	enum sr_key_operation operation;
	enum sr_alg alg;
	struct sr_bytes value;
};

static void use_cleanup(struct use *use)
{
	sr_open_key_cleanup(&use->open);
}

static struct sr_result read_required(struct sr_vault_call *call, const char *name, struct sr_bytes *ret_bytes)
{
	struct sr_bytes bytes = {0};
	SR_TRY(sr_json_get_base64url(call->arena, call->body, name, &bytes));
	if (!bytes.data || !bytes.len) {
		return sr_fail(SR_INVALID, "Property '%s' is required.", name);
	}
	*ret_bytes = bytes;
	return sr_ok();
}

static struct sr_result read_alg(struct sr_vault_call *call, bool (*is_kind)(enum sr_alg), enum sr_alg *ret_alg)
{
	const char *name = NULL;
	SR_TRY(sr_json_get_string(call->body, "alg", &name));
	if (!name) {
		return sr_fail(SR_INVALID, "Property 'alg' is required.");
	}
	enum sr_alg alg;
	SR_TRY(sr_alg_by_name(sr_bytes_str(name), &alg));
	if (!is_kind(alg)) {
		return sr_fail(SR_INVALID, "alg: %s is no algorithm for this operation", sr_alg_name(alg));
	}
	*ret_alg = alg;
	return sr_ok();
}

/* State, algorithm and value checked, key opened. End with use_cleanup. */
static struct sr_result begin(struct sr_vault_call *call, enum sr_key_operation operation, bool (*is_kind)(enum sr_alg),
                              struct use *use)
{
	use->operation = operation;
	SR_TRY(sr_call_find_key(call, SR_KEY_LIVE, &use->key));
	SR_TRY(sr_key_check_use(&use->key.state, operation, sr_unix_s()));
	SR_TRY(read_alg(call, is_kind, &use->alg));
	SR_TRY(read_required(call, "value", &use->value));
	if (!sr_alg_fits(use->alg, &use->key.state.spec)) {
		return sr_fail(SR_INVALID, "alg: %s does not go with this key", sr_alg_name(use->alg));
	}
	call->version = use->key.version;
	call->detail = sr_alg_name(use->alg);
	const struct sr_key_name name = {use->key.vault, use->key.name, use->key.version};
	SR_TRY(sr_key_cache_open(call->vault->state.cache, &name, use->key.sealed, &use->open));
	call->is_announced = true;
	sr_database_announce(call->vault->state.database);
	return sr_ok();
}

/* Which key was used for what. */
struct used {
	struct sr_key_name name;
	enum sr_key_operation operation;
};

/* Within the write of the audit entry: the state once more, so that no use is recorded, and none answered, after an
 * entry that takes the key away. */
static struct sr_result check_again(struct sr_connection *connection, void *context)
{
	const struct used *used = context;
	struct sr_key_state state;
	SR_TRY(sr_key_find_state(connection, &used->name, &state));
	return sr_key_check_use(&state, used->operation, sr_unix_s());
}

/* Has the use checked once more as it is recorded; only after that the result is given away. */
static void finish(struct sr_vault_call *call, const struct use *use)
{
	struct used *used = sr_arena_alloc(call->arena, sizeof *used);
	*used = (struct used){{use->key.vault, use->key.name, use->key.version}, use->operation};
	call->check = check_again;
	call->check_context = used;
}

static json_t *answer_object(struct sr_vault_call *call, const struct use *use)
{
	const struct sr_key_view view = {call->base_url, &call->record};
	json_t *body = json_object();
	sr_json_set_string(body, "kid", sr_key_id(call->arena, &view, &use->key));
	return body;
}

/* iv, aad and tag, for the symmetric algorithms. */
static struct sr_result read_parts(struct sr_vault_call *call, struct sr_cipher_parts *parts)
{
	SR_TRY(sr_json_get_base64url(call->arena, call->body, "iv", &parts->iv));
	SR_TRY(sr_json_get_base64url(call->arena, call->body, "aad", &parts->aad));
	return sr_json_get_base64url(call->arena, call->body, "tag", &parts->tag);
}

static bool is_gcm(enum sr_alg alg)
{
	return alg == SR_ALG_A128GCM || alg == SR_ALG_A192GCM || alg == SR_ALG_A256GCM;
}

static void set_bytes(json_t *body, const char *name, const struct sr_buf *bytes)
{
	if (bytes->len) {
		sr_json_set_base64url(body, name, sr_buf_bytes(bytes));
	}
}

static struct sr_result encrypt_value(struct sr_vault_call *call, enum sr_key_operation operation,
                                      bool (*is_kind)(enum sr_alg), struct sr_vault_answer *answer)
{
	SR_CLEANUP(use) struct use use = {0};
	SR_TRY(begin(call, operation, is_kind, &use));
	struct sr_cipher_parts parts = {0};
	SR_TRY(read_parts(call, &parts));
	if (is_gcm(use.alg) && parts.iv.len) {
		return sr_fail(SR_INVALID, "iv: for %s the vault makes it, since one used twice would give the key away",
		               sr_alg_name(use.alg));
	}
	SR_CLEANUP(sr_buf) struct sr_buf ciphertext = SR_BUF(RESULT_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf iv = SR_BUF(64);
	SR_CLEANUP(sr_buf) struct sr_buf tag = SR_BUF(64);
	SR_TRY(sr_keypair_encrypt(sr_open_key_pair(use.open), use.alg, use.value, &parts, &ciphertext, &iv, &tag));
	SR_TRY(sr_buf_result(&ciphertext));
	finish(call, &use);
	answer->body = answer_object(call, &use);
	sr_json_set_base64url(answer->body, "value", sr_buf_bytes(&ciphertext));
	set_bytes(answer->body, "iv", &iv);
	set_bytes(answer->body, "tag", &tag);
	if (parts.aad.len) {
		sr_json_set_base64url(answer->body, "aad", parts.aad);
	}
	return sr_ok();
}

static struct sr_result decrypt_value(struct sr_vault_call *call, enum sr_key_operation operation,
                                      bool (*is_kind)(enum sr_alg), struct sr_vault_answer *answer)
{
	SR_CLEANUP(use) struct use use = {0};
	SR_TRY(begin(call, operation, is_kind, &use));
	struct sr_cipher_parts parts = {0};
	SR_TRY(read_parts(call, &parts));
	SR_CLEANUP(plaintext) struct sr_buf plaintext = SR_BUF(RESULT_MAX);
	SR_TRY(sr_keypair_decrypt(sr_open_key_pair(use.open), use.alg, use.value, &parts, &plaintext));
	SR_TRY(sr_buf_result(&plaintext));
	finish(call, &use);
	answer->body = answer_object(call, &use);
	sr_json_set_base64url(answer->body, "value", sr_buf_bytes(&plaintext));
	return sr_ok();
}

struct sr_result sr_handle_key_encrypt(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return encrypt_value(call, SR_KEY_ENCRYPT, sr_alg_is_encryption, answer);
}

struct sr_result sr_handle_key_decrypt(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return decrypt_value(call, SR_KEY_DECRYPT, sr_alg_is_encryption, answer);
}

struct sr_result sr_handle_key_wrap(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return encrypt_value(call, SR_KEY_WRAP, sr_alg_is_wrapping, answer);
}

struct sr_result sr_handle_key_unwrap(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return decrypt_value(call, SR_KEY_UNWRAP, sr_alg_is_wrapping, answer);
}

struct sr_result sr_handle_key_sign(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	SR_CLEANUP(use) struct use use = {0};
	SR_TRY(begin(call, SR_KEY_SIGN, sr_alg_is_signature, &use));
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(RESULT_MAX);
	SR_TRY(sr_keypair_sign(sr_open_key_pair(use.open), use.alg, use.value, &signature));
	finish(call, &use);
	answer->body = answer_object(call, &use);
	sr_json_set_base64url(answer->body, "value", sr_buf_bytes(&signature));
	return sr_ok();
}

struct sr_result sr_handle_key_verify(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	SR_CLEANUP(use) struct use use = {0};
	SR_TRY(begin(call, SR_KEY_VERIFY, sr_alg_is_signature, &use));
	struct sr_bytes digest = {0};
	SR_TRY(read_required(call, "digest", &digest));
	bool is_valid;
	SR_TRY(sr_keypair_verify(sr_open_key_pair(use.open), use.alg, digest, use.value, &is_valid));
	finish(call, &use);
	answer->body = json_object();
	sr_json_set_bool(answer->body, "value", is_valid);
	return sr_ok();
}

/* Release hands a key to a confidential machine; no key of this vault is exportable. */
struct sr_result sr_handle_key_release(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	(void)answer;
	struct sr_key_record key;
	SR_TRY(sr_call_find_key(call, SR_KEY_LIVE, &key));
	return sr_fail_as(SR_DENIED, "KeyNotExportable", "Operation release is not allowed: the key is not exportable.");
}

struct sr_result sr_handle_random(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	int64_t count = 0;
	SR_TRY(sr_json_get_int(call->body, "count", &count));
	if (count < 1 || count > RANDOM_MAX) {
		return sr_fail(SR_INVALID, "count: 1 to %d", RANDOM_MAX);
	}
	uint8_t bytes[RANDOM_MAX];
	sr_random(bytes, (size_t)count);
	answer->body = json_object();
	sr_json_set_base64url(answer->body, "value", sr_bytes_of(bytes, (size_t)count));
	sr_wipe(bytes, sizeof bytes);
	return sr_ok();
}
