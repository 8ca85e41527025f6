/* Rows of applications' certificates. What they sign is checked in client_proof.c. */
#include "identity/client_certificate.h"

#include "identity/revoked.h"
#include "seal/certificate.h"
#include "seal/keypair.h"
#include "wire/json.h"
#include "wire/time.h"

#include <string.h>

enum { SHA1_LEN = 20 };

void sr_client_certificate_cleanup(struct sr_client_certificate *certificate)
{
	sr_buf_free(&certificate->der);
}

static struct sr_result parse(struct sr_bytes text, struct sr_certificate **ret_certificate)
{
	if (text.len / 4 > SR_CERTIFICATE_DER_MAX) {
		return sr_fail(SR_INVALID, "a certificate of %zu bytes is too large", text.len);
	}
	bool is_der = text.len && text.data[0] == 0x30; /* a SEQUENCE */
	SR_CLEANUP(sr_result)
	struct sr_result parsed = is_der ? sr_certificate_from_der(text, ret_certificate)
	                                 : sr_certificate_from_pem(text, (struct sr_bytes){0}, ret_certificate);
	return sr_is_ok(parsed) ? sr_ok() : sr_fail(SR_INVALID, "this is no certificate in PEM or DER");
}

static struct sr_result check(const struct sr_certificate *certificate, int64_t now_s)
{
	SR_CLEANUP(sr_keypair) struct sr_keypair *key = NULL;
	SR_TRY(sr_certificate_public_key(certificate, &key));
	struct sr_key_spec spec = sr_keypair_spec(key);
	if (!sr_alg_fits(SR_ALG_RS256, &spec) && !sr_alg_fits(SR_ALG_ES256, &spec)) {
		return sr_fail(SR_INVALID, "the certificate's key can sign neither RS256, PS256 nor ES256");
	}
	if (sr_certificate_not_after(certificate) <= now_s) {
		return sr_fail(SR_INVALID, "the certificate has ended");
	}
	return sr_ok();
}

static struct sr_result check_count(struct sr_connection *connection, const char *object_id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM client_certificate WHERE principal = ?1", &select));
	sr_bind_text(select, 1, object_id);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (sr_column_int(select, 0) >= SR_CLIENT_CERTIFICATES_MAX) {
		return sr_fail(SR_CONFLICT, "the principal has %d certificates already: remove one first",
		               SR_CLIENT_CERTIFICATES_MAX);
	}
	return sr_ok();
}

static void encode(const uint8_t *digest, size_t len, char to[static SR_THUMBPRINT_LEN])
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_THUMBPRINT_LEN);
	sr_base64url_encode(&text, sr_bytes_of(digest, len));
	memcpy(to, sr_buf_text(&text), text.len + 1);
}

static struct sr_result insert(struct sr_connection *connection, const char *object_id,
                               const struct sr_certificate *certificate, int64_t now_s, const char *id,
                               const char *thumbprint)
{
	uint8_t sha1[SHA1_LEN];
	char thumbprint_sha1[SR_THUMBPRINT_LEN];
	sr_certificate_thumbprint(certificate, sha1);
	encode(sha1, sizeof sha1, thumbprint_sha1);
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(SR_CERTIFICATE_DER_MAX);
	SR_TRY(sr_certificate_der(certificate, &der));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO client_certificate (certificate_id, principal, thumbprint, thumbprint_sha1, der,"
	                  " created_s, expires_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	                  &statement));
	sr_bind_text(statement, 1, id);
	sr_bind_text(statement, 2, object_id);
	sr_bind_text(statement, 3, thumbprint);
	sr_bind_text(statement, 4, thumbprint_sha1);
	sr_bind_blob(statement, 5, sr_buf_bytes(&der));
	sr_bind_int(statement, 6, now_s);
	sr_bind_int(statement, 7, sr_certificate_not_after(certificate));
	return sr_run(statement);
}

struct sr_result sr_client_certificate_add(struct sr_connection *connection, const char *object_id,
                                           struct sr_bytes certificate, int64_t now_s,
                                           char ret_id[static SR_GUID_TEXT_LEN],
                                           char ret_thumbprint[static SR_THUMBPRINT_LEN])
{
	SR_CLEANUP(sr_certificate) struct sr_certificate *parsed = NULL;
	SR_TRY(parse(certificate, &parsed));
	SR_TRY(check(parsed, now_s));
	SR_TRY(check_count(connection, object_id));
	struct sr_id id = sr_id_random();
	char id_text[SR_GUID_TEXT_LEN];
	sr_guid_text(&id, id_text);
	uint8_t sha256[SR_SHA256_LEN];
	char thumbprint[SR_THUMBPRINT_LEN];
	sr_certificate_thumbprint_sha256(parsed, sha256);
	encode(sha256, sizeof sha256, thumbprint);
	struct sr_result inserted = insert(connection, object_id, parsed, now_s, id_text, thumbprint);
	if (sr_result_code(inserted) == SR_EXISTS) {
		sr_ignore(inserted);
		return sr_fail(SR_EXISTS, "the principal has this certificate already");
	}
	SR_TRY(inserted);
	memcpy(ret_id, id_text, sizeof id_text);
	memcpy(ret_thumbprint, thumbprint, sizeof thumbprint);
	return sr_ok();
}

/* The row's id, by id or thumbprint. */
static struct sr_result find_id(struct sr_connection *connection, const char *object_id, const char *id_or_thumbprint,
                                char ret_id[static SR_GUID_TEXT_LEN])
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT certificate_id FROM client_certificate"
	                  " WHERE principal = ?1 AND (certificate_id = lower(?2) OR thumbprint = ?2)",
	                  &select));
	sr_bind_text(select, 1, object_id);
	sr_bind_text(select, 2, id_or_thumbprint);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return sr_fail(SR_NOT_FOUND, "the principal has no certificate '%.100s'", id_or_thumbprint);
	}
	struct sr_bytes id = sr_column_text(select, 0);
	if (id.len >= SR_GUID_TEXT_LEN) {
		return sr_fail(SR_CORRUPT, "read a client certificate's row: its id is too long");
	}
	memcpy(ret_id, id.data, id.len);
	ret_id[id.len] = 0;
	return sr_ok();
}

struct sr_result sr_client_certificate_remove(struct sr_connection *connection, const char *object_id,
                                              const char *id_or_thumbprint, int64_t now_s)
{
	char id[SR_GUID_TEXT_LEN];
	SR_TRY(find_id(connection, object_id, id_or_thumbprint, id));
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM client_certificate WHERE certificate_id = ?1", &remove));
	sr_bind_text(remove, 1, id);
	SR_TRY(sr_run(remove));
	return sr_revoke(connection, id, now_s);
}

static void set_time(json_t *object, const char *name, int64_t unix_s)
{
	char text[SR_ISO_TIME_LEN];
	sr_iso_time(unix_s, text);
	sr_json_set_string(object, name, text);
}

static void set_column(json_t *object, const char *name, struct sr_statement *select, int column)
{
	struct sr_bytes text = sr_column_text(select, column);
	sr_json_set(object, name, json_stringn((const char *)text.data, text.len));
}

struct sr_result sr_client_certificate_list(struct sr_connection *connection, const char *object_id, json_t **ret_array)
{
	SR_CLEANUP(sr_json) json_t *array = json_array();
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT certificate_id, thumbprint, created_s, expires_s FROM client_certificate"
	                  " WHERE principal = ?1 ORDER BY created_s, certificate_id",
	                  &select));
	sr_bind_text(select, 1, object_id);
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			break;
		}
		json_t *item = json_object();
		set_column(item, "certificateId", select, 0);
		set_column(item, "thumbprint", select, 1);
		set_time(item, "created", sr_column_int(select, 2));
		set_time(item, "expires", sr_column_int(select, 3));
		json_array_append_new(array, item);
	}
	*ret_array = SR_TAKE(array);
	return sr_ok();
}

/* Some clients pad what is written without padding (RFC 7515 2). */
static struct sr_bytes without_padding(const char *text)
{
	struct sr_bytes bytes = sr_bytes_str(text);
	while (bytes.len && bytes.data[bytes.len - 1] == '=') {
		bytes.len--;
	}
	return bytes;
}

struct sr_result sr_client_certificate_find(struct sr_connection *connection, const char *object_id,
                                            const char *x5t_s256, const char *x5t,
                                            struct sr_client_certificate *ret_certificate)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT certificate_id, expires_s, der FROM client_certificate WHERE principal = ?1"
	                  " AND CASE WHEN ?2 = '' THEN thumbprint_sha1 = ?3 ELSE thumbprint = ?2 END",
	                  &select));
	sr_bind_text(select, 1, object_id);
	sr_bind_bytes_as_text(select, 2, without_padding(x5t_s256));
	sr_bind_bytes_as_text(select, 3, without_padding(x5t));
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return sr_fail(SR_NOT_FOUND, "the principal has no such certificate");
	}
	struct sr_bytes id = sr_column_text(select, 0);
	struct sr_client_certificate certificate = {.expires_s = sr_column_int(select, 1),
	                                            .der = SR_BUF(SR_CERTIFICATE_DER_MAX)};
	if (id.len >= sizeof certificate.id) {
		return sr_fail(SR_CORRUPT, "read a client certificate's row: its id is too long");
	}
	memcpy(certificate.id, id.data, id.len);
	sr_buf_append(&certificate.der, sr_column_blob(select, 2));
	*ret_certificate = certificate;
	return sr_ok();
}
