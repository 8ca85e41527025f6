/* Rows of headers that are given to jobs: "ID.SECRET", the secret kept as a hash. */
#include "identity/identity_holder.h"

#include "identity/object.h"
#include "identity/revoked.h"
#include "seal/crypto.h"

#include <string.h>

enum { SECRET_ENTROPY_LEN = 32 };

static struct sr_result sweep(struct sr_connection *connection, int64_t now_s)
{
	SR_CLEANUP(sr_statement) struct sr_statement *forget = NULL;
	SR_TRY(sr_prepare(connection,
	                  "DELETE FROM held_identity WHERE holder IN"
	                  " (SELECT header_id FROM identity_header WHERE expires_s <= ?1)",
	                  &forget));
	sr_bind_int(forget, 1, now_s);
	SR_TRY(sr_run(forget));
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM identity_header WHERE expires_s <= ?1", &remove));
	sr_bind_int(remove, 1, now_s);
	return sr_run(remove);
}

static struct sr_result insert_row(struct sr_connection *connection, const char *id, const uint8_t *hash,
                                   const char *label, int64_t now_s, int64_t expires_s)
{
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO identity_header (header_id, hash, label, created_s, expires_s)"
	                  " VALUES (?1, ?2, ?3, ?4, ?5)",
	                  &insert));
	sr_bind_text(insert, 1, id);
	sr_bind_blob(insert, 2, sr_bytes_of(hash, SR_SECRET_HASH_LEN));
	sr_bind_text(insert, 3, label);
	sr_bind_int(insert, 4, now_s);
	sr_bind_int(insert, 5, expires_s);
	return sr_run(insert);
}

struct sr_result sr_identity_header_make(struct sr_connection *connection, const char *label, int64_t lifetime_s,
                                         int64_t now_s, char ret_id[static SR_GUID_TEXT_LEN], struct sr_buf *text)
{
	SR_TRY(sr_object_check_name("a header's label", label, SR_HEADER_LABEL_MAX));
	if (lifetime_s < 1 || lifetime_s > SR_HEADER_LIFETIME_MAX_S) {
		return sr_fail(SR_INVALID, "a header lives for 1 to %d seconds", SR_HEADER_LIFETIME_MAX_S);
	}
	SR_TRY(sweep(connection, now_s));
	struct sr_id id = sr_id_random();
	char id_text[SR_GUID_TEXT_LEN];
	sr_guid_text(&id, id_text);
	sr_buf_printf(text, "%s.", id_text);
	size_t start = text->len;
	SR_TRY(sr_secret_text_new(SECRET_ENTROPY_LEN, text));
	SR_TRY(sr_buf_result(text));
	uint8_t hash[SR_SECRET_HASH_LEN];
	SR_TRY(sr_secret_hash(sr_bytes_of(text->data + start, text->len - start), hash));
	SR_TRY(insert_row(connection, id_text, hash, label, now_s, now_s + lifetime_s));
	memcpy(ret_id, id_text, sizeof id_text);
	return sr_ok();
}

static struct sr_result run_for(struct sr_connection *connection, const char *sql, const char *id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	sr_bind_text(statement, 1, id);
	return sr_run(statement);
}

struct sr_result sr_identity_header_revoke(struct sr_connection *connection, const char *id, int64_t now_s)
{
	SR_TRY(run_for(connection, "DELETE FROM held_identity WHERE holder = ?1", id));
	SR_TRY(run_for(connection, "DELETE FROM identity_header WHERE header_id = ?1", id));
	return sr_changes(connection) ? sr_revoke(connection, id, now_s)
	                              : sr_fail(SR_NOT_FOUND, "there is no identity header '%.64s'", id);
}

static struct sr_result refuse(void)
{
	return sr_fail(SR_UNAUTHENTICATED, "the X-IDENTITY-HEADER is missing, wrong, revoked or at its end");
}

struct sr_result sr_identity_header_check(struct sr_connection *connection, const char *presented, int64_t now_s,
                                          char ret_id[static SR_GUID_TEXT_LEN])
{
	size_t id_len = SR_GUID_TEXT_LEN - 1;
	if (strlen(presented) <= id_len + 1 || presented[id_len] != '.') {
		return refuse();
	}
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT hash, expires_s FROM identity_header WHERE header_id = ?1", &select));
	sr_bind_bytes_as_text(select, 1, sr_bytes_of(presented, id_len));
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	struct sr_bytes hash = has_row ? sr_column_blob(select, 0) : (struct sr_bytes){0};
	if (hash.len != SR_SECRET_HASH_LEN || !sr_secret_hash_matches(sr_bytes_str(presented + id_len + 1), hash.data) ||
	    sr_column_int(select, 1) <= now_s) {
		return refuse();
	}
	memcpy(ret_id, presented, id_len);
	ret_id[id_len] = 0;
	return sr_ok();
}
