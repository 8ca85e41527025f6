/* Statements, keys and signatures of checkpoints. */
#include "audit/statement.h"

#include "wire/json.h"
#include "wire/time.h"

#include <string.h>

enum { FIELD_LEN = 32, RAW_LEN = 2 * FIELD_LEN, POINT_AT = 27, PEM_MAX = 4096, KEY_ID_BYTES = 16 };

#define TYPE      "strongroom-audit-checkpoint"
#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define PEM_END   "-----END PUBLIC KEY-----\n"

/* SEQUENCE { SEQUENCE { ecPublicKey, prime256v1 }, BIT STRING { 04 … (RFC 5480); x and y follow. */
static const uint8_t spki_head[POINT_AT] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                            0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                            0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

static void set_id(struct sr_audit_key *key)
{
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, sr_bytes_of(key->spki, sizeof key->spki), digest);
	sr_hex_encode(sr_bytes_of(digest, KEY_ID_BYTES), key->id);
}

struct sr_result sr_audit_key_of(const struct sr_keypair *keypair, struct sr_audit_key *ret_key)
{
	struct sr_key_public parts;
	sr_keypair_public(keypair, &parts);
	if (parts.spec.type != SR_KEY_EC || parts.spec.curve != SR_CURVE_P256 || parts.xy_len != FIELD_LEN) {
		return sr_fail(SR_INVALID, "an audit log is signed by a key on P-256");
	}
	struct sr_audit_key key;
	memcpy(key.spki, spki_head, POINT_AT);
	memcpy(key.spki + POINT_AT, parts.x, FIELD_LEN);
	memcpy(key.spki + POINT_AT + FIELD_LEN, parts.y, FIELD_LEN);
	set_id(&key);
	*ret_key = key;
	return sr_ok();
}

struct sr_result sr_audit_key_from_spki(struct sr_bytes spki, struct sr_audit_key *ret_key)
{
	if (spki.len != SR_AUDIT_SPKI_LEN || !sr_bytes_start_with(spki, sr_bytes_of(spki_head, POINT_AT))) {
		return sr_fail(SR_INVALID, "this is no public key on P-256");
	}
	memcpy(ret_key->spki, spki.data, SR_AUDIT_SPKI_LEN);
	set_id(ret_key);
	return sr_ok();
}

void sr_audit_key_pem(const struct sr_audit_key *key, struct sr_buf *pem)
{
	enum { LINE_LEN = 64 };
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(PEM_MAX);
	sr_base64_encode(&text, sr_bytes_of(key->spki, sizeof key->spki));
	sr_buf_append_str(pem, PEM_BEGIN);
	for (size_t at = 0; at < text.len; at += LINE_LEN) {
		const size_t len = text.len - at < LINE_LEN ? text.len - at : LINE_LEN;
		sr_buf_append(pem, sr_bytes_of(text.data + at, len));
		sr_buf_append_u8(pem, '\n');
	}
	sr_buf_append_str(pem, PEM_END);
}

struct sr_result sr_audit_key_from_pem(struct sr_bytes pem, struct sr_audit_key *ret_key)
{
	const char *const begin = "-----BEGIN PUBLIC KEY-----", *const end = "-----END PUBLIC KEY-----";
	const uint8_t *from = pem.len <= PEM_MAX ? memmem(pem.data, pem.len, begin, strlen(begin)) : NULL;
	const uint8_t *until = from ? memmem(from, pem.len - (size_t)(from - pem.data), end, strlen(end)) : NULL;
	if (!until) {
		return sr_fail(SR_INVALID, "this is no PEM file with a public key");
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(PEM_MAX), spki = SR_BUF(PEM_MAX);
	for (const uint8_t *at = from + strlen(begin); at < until; at++) {
		if (*at != '\n' && *at != '\r' && *at != ' ') {
			sr_buf_append_u8(&text, *at);
		}
	}
	SR_TRY(sr_base64_decode(sr_buf_bytes(&text), &spki));
	return sr_audit_key_from_spki(sr_buf_bytes(&spki), ret_key);
}

static void append_hex(struct sr_buf *text, const uint8_t *bytes, size_t len)
{
	char hex[2 * SR_SHA256_LEN + 1];
	sr_hex_encode(sr_bytes_of(bytes, len), hex);
	sr_buf_append_str(text, hex);
}

void sr_audit_statement_write(const struct sr_audit_statement *statement, struct sr_buf *text)
{
	char log[SR_ID_TEXT_LEN], time[SR_ISO_TIME_LEN];
	sr_id_text(&statement->log, log);
	sr_iso_time(statement->time, time);
	sr_buf_printf(text,
	              "{\"type\":\"" TYPE "\",\"version\":1,\"service\":\"%s\",\"log\":\"%s\",\"number\":%llu,"
	              "\"time\":\"%s\",\"sequence\":%llu,\"hash\":\"",
	              statement->service, log, (unsigned long long)statement->number, time,
	              (unsigned long long)statement->sequence);
	append_hex(text, statement->hash, SR_SHA256_LEN);
	sr_buf_append_str(text, "\",\"previous\":\"");
	append_hex(text, statement->previous, SR_SHA256_LEN);
	sr_buf_printf(text, "\",\"key\":\"%s\"", statement->key);
	if (statement->has_next) {
		sr_buf_append_str(text, ",\"next_key\":\"");
		sr_base64_encode(text, sr_bytes_of(statement->next.spki, SR_AUDIT_SPKI_LEN));
		sr_buf_append_u8(text, '"');
	}
	sr_buf_append_u8(text, '}');
}

/* A text member that must be there and fit. */
static struct sr_result read_text(const json_t *object, const char *name, char *to, size_t size)
{
	const char *text = NULL;
	SR_TRY(sr_json_get_string(object, name, &text));
	const size_t len = text ? strlen(text) : size;
	if (len >= size) {
		return sr_fail(SR_INVALID, "a checkpoint's '%s' does not read", name);
	}
	memcpy(to, text, len + 1);
	return sr_ok();
}

static struct sr_result read_number(const json_t *object, const char *name, uint64_t *ret_number)
{
	int64_t number = -1;
	SR_TRY(sr_json_get_int(object, name, &number));
	if (number < 0) {
		return sr_fail(SR_INVALID, "a checkpoint's '%s' does not read", name);
	}
	*ret_number = (uint64_t)number;
	return sr_ok();
}

static struct sr_result read_hash(const json_t *object, const char *name, uint8_t ret_hash[static SR_SHA256_LEN])
{
	char hex[2 * SR_SHA256_LEN + 1];
	SR_TRY(read_text(object, name, hex, sizeof hex));
	return sr_hex_decode(sr_bytes_str(hex), ret_hash, SR_SHA256_LEN);
}

static struct sr_result read_next(const json_t *object, struct sr_audit_statement *statement)
{
	const char *text = NULL;
	SR_TRY(sr_json_get_string(object, "next_key", &text));
	statement->has_next = text != NULL;
	if (!text) {
		return sr_ok();
	}
	SR_CLEANUP(sr_buf) struct sr_buf spki = SR_BUF(PEM_MAX);
	SR_TRY(sr_base64_decode(sr_bytes_str(text), &spki));
	return sr_audit_key_from_spki(sr_buf_bytes(&spki), &statement->next);
}

static struct sr_result read_members(const json_t *object, struct sr_audit_statement *statement)
{
	char log[SR_ID_TEXT_LEN], time[SR_ISO_TIME_LEN];
	int64_t time_us;
	SR_TRY(read_text(object, "service", statement->service, sizeof statement->service));
	SR_TRY(read_text(object, "log", log, sizeof log));
	SR_TRY(sr_id_parse(sr_bytes_str(log), &statement->log));
	SR_TRY(read_number(object, "number", &statement->number));
	SR_TRY(read_text(object, "time", time, sizeof time));
	SR_TRY(sr_iso_time_parse(sr_bytes_str(time), &time_us));
	statement->time = time_us / 1000000;
	SR_TRY(read_number(object, "sequence", &statement->sequence));
	SR_TRY(read_hash(object, "hash", statement->hash));
	SR_TRY(read_hash(object, "previous", statement->previous));
	SR_TRY(read_text(object, "key", statement->key, sizeof statement->key));
	return read_next(object, statement);
}

struct sr_result sr_audit_statement_read(struct sr_bytes text, struct sr_audit_statement *ret_statement)
{
	struct sr_audit_statement statement = {0};
	SR_CLEANUP(sr_json) json_t *object = NULL;
	SR_TRY(sr_json_parse(text, &object));
	SR_TRY(read_members(object, &statement));
	SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(SR_AUDIT_STATEMENT_MAX);
	sr_audit_statement_write(&statement, &again);
	if (!sr_equal_public(text, sr_buf_bytes(&again))) {
		return sr_fail(SR_INVALID, "this is no checkpoint");
	}
	*ret_statement = statement;
	return sr_ok();
}

void sr_audit_statement_digest(struct sr_bytes text, uint8_t ret_digest[static SR_SHA256_LEN])
{
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, text, digest);
	memcpy(ret_digest, digest, SR_SHA256_LEN);
}

/* An INTEGER in DER: no leading zeros, but one where the first bit is set. */
static void append_integer(struct sr_buf *der, const uint8_t *number)
{
	size_t skip = 0;
	while (skip < FIELD_LEN - 1 && !number[skip]) {
		skip++;
	}
	const bool is_padded = number[skip] & 0x80;
	sr_buf_append_u8(der, 0x02);
	sr_buf_append_u8(der, (uint8_t)(FIELD_LEN - skip + is_padded));
	if (is_padded) {
		sr_buf_append_u8(der, 0);
	}
	sr_buf_append(der, sr_bytes_of(number + skip, FIELD_LEN - skip));
}

/* r ‖ s to Ecdsa-Sig-Value (RFC 3279). */
static void append_der(struct sr_buf *der, const uint8_t raw[static RAW_LEN])
{
	SR_CLEANUP(sr_buf) struct sr_buf inner = SR_BUF(SR_AUDIT_SIGNATURE_MAX);
	append_integer(&inner, raw);
	append_integer(&inner, raw + FIELD_LEN);
	sr_buf_append_u8(der, 0x30);
	sr_buf_append_u8(der, (uint8_t)inner.len);
	sr_buf_append(der, sr_buf_bytes(&inner));
}

static bool read_integer(struct sr_reader *reader, uint8_t to[static FIELD_LEN])
{
	if (sr_reader_u8(reader) != 0x02) {
		return false;
	}
	size_t len = sr_reader_u8(reader);
	if (len == FIELD_LEN + 1) {
		len -= sr_reader_u8(reader) == 0;
	}
	if (!len || len > FIELD_LEN) {
		return false;
	}
	memset(to, 0, FIELD_LEN);
	sr_reader_copy(reader, to + FIELD_LEN - len, len);
	return !reader->failed;
}

/* False unless `der` is exactly what append_der gives. */
static bool read_der(struct sr_bytes der, uint8_t ret_raw[static RAW_LEN])
{
	struct sr_reader reader = sr_reader_of(der);
	if (sr_reader_u8(&reader) != 0x30 || sr_reader_u8(&reader) + (size_t)2 != der.len ||
	    !read_integer(&reader, ret_raw) || !read_integer(&reader, ret_raw + FIELD_LEN)) {
		return false;
	}
	SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(SR_AUDIT_SIGNATURE_MAX);
	append_der(&again, ret_raw);
	return sr_equal_public(der, sr_buf_bytes(&again));
}

struct sr_result sr_audit_sign_text(const struct sr_keypair *keypair, struct sr_bytes text, struct sr_buf *signature)
{
	uint8_t digest[SR_SHA256_LEN];
	SR_CLEANUP(sr_buf) struct sr_buf raw = SR_BUF(RAW_LEN);
	sr_audit_statement_digest(text, digest);
	SR_TRY(sr_keypair_sign(keypair, SR_ALG_ES256, sr_bytes_of(digest, sizeof digest), &raw));
	SR_TRY(sr_buf_result(&raw));
	if (raw.len != RAW_LEN) {
		return sr_fail(SR_INTERNAL, "a signature has the wrong length");
	}
	append_der(signature, raw.data);
	return sr_buf_result(signature);
}

struct sr_result sr_audit_signature_holds(const struct sr_audit_key *key, struct sr_bytes text,
                                          struct sr_bytes signature, bool *ret_holds)
{
	struct sr_key_public parts = {.spec = {.type = SR_KEY_EC, .curve = SR_CURVE_P256}, .xy_len = FIELD_LEN};
	uint8_t raw[RAW_LEN], digest[SR_SHA256_LEN];
	*ret_holds = false;
	if (!read_der(signature, raw)) {
		return sr_ok();
	}
	memcpy(parts.x, key->spki + POINT_AT, FIELD_LEN);
	memcpy(parts.y, key->spki + POINT_AT + FIELD_LEN, FIELD_LEN);
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	struct sr_result made = sr_keypair_from_public(&parts, &keypair);
	if (sr_result_code(made) == SR_INVALID) {
		sr_ignore(made);
		return sr_ok();
	}
	SR_TRY(made);
	sr_audit_statement_digest(text, digest);
	return sr_keypair_verify(keypair, SR_ALG_ES256, sr_bytes_of(digest, sizeof digest), sr_bytes_of(raw, sizeof raw),
	                         ret_holds);
}
