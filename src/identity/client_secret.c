/* Client secrets of principals: made once, kept as hashes, compared in constant time. */
#include "identity/principal.h"

#include "identity/revoked.h"
#include "wire/json.h"
#include "wire/time.h"

#include <string.h>

enum { SECRET_ENTROPY_LEN = 32 };

static struct sr_result count_secrets(struct sr_connection *connection, const char *object_id, int64_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM client_secret WHERE principal = ?1", &select));
	sr_bind_text(select, 1, object_id);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	*ret_count = sr_column_int(select, 0);
	return sr_ok();
}

struct sr_result sr_client_secret_make(struct sr_connection *connection, const char *object_id, int64_t now_s,
                                       int64_t lifetime_s, char ret_secret_id[static SR_GUID_TEXT_LEN],
                                       struct sr_buf *ret_text)
{
	int64_t count;
	SR_TRY(count_secrets(connection, object_id, &count));
	if (count >= SR_PRINCIPAL_SECRETS_MAX) {
		return sr_fail(SR_CONFLICT, "the principal has %d secrets already: delete one first", SR_PRINCIPAL_SECRETS_MAX);
	}
	int64_t expires_s;
	if (lifetime_s < 0 || __builtin_add_overflow(now_s, lifetime_s, &expires_s)) {
		return sr_fail(SR_INVALID, "a secret's life of %lld seconds is impossible", (long long)lifetime_s);
	}
	struct sr_id id = sr_id_random();
	char secret_id[SR_GUID_TEXT_LEN];
	sr_guid_text(&id, secret_id);
	uint8_t hash[SR_SECRET_HASH_LEN];
	SR_TRY(sr_secret_text_new(SECRET_ENTROPY_LEN, ret_text));
	SR_TRY(sr_secret_hash(sr_buf_bytes(ret_text), hash));

	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO client_secret (secret_id, principal, hash, created_s, expires_s)"
	                  " VALUES (?1, ?2, ?3, ?4, ?5)",
	                  &insert));
	sr_bind_text(insert, 1, secret_id);
	sr_bind_text(insert, 2, object_id);
	sr_bind_blob(insert, 3, sr_bytes_of(hash, sizeof hash));
	sr_bind_int(insert, 4, now_s);
	if (lifetime_s) {
		sr_bind_int(insert, 5, expires_s);
	} else {
		sr_bind_null(insert, 5);
	}
	SR_TRY(sr_run(insert));
	memcpy(ret_secret_id, secret_id, sizeof secret_id);
	return sr_ok();
}

struct sr_result sr_client_secret_remove(struct sr_connection *connection, const char *object_id, const char *secret_id,
                                         int64_t now_s)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM client_secret WHERE principal = ?1 AND secret_id = lower(?2)", &remove));
	sr_bind_text(remove, 1, object_id);
	sr_bind_text(remove, 2, secret_id);
	SR_TRY(sr_run(remove));
	if (!sr_changes(connection)) {
		return sr_fail(SR_NOT_FOUND, "the principal has no secret '%s'", secret_id);
	}
	return sr_revoke(connection, secret_id, now_s);
}

static void set_time(json_t *object, const char *name, int64_t unix_s)
{
	char text[SR_ISO_TIME_LEN];
	sr_iso_time(unix_s, text);
	sr_json_set_string(object, name, text);
}

struct sr_result sr_client_secret_list(struct sr_connection *connection, const char *object_id, json_t **ret_array)
{
	SR_CLEANUP(sr_json) json_t *array = json_array();
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT secret_id, created_s, expires_s FROM client_secret WHERE principal = ?1"
	                  " ORDER BY created_s, secret_id",
	                  &select));
	sr_bind_text(select, 1, object_id);
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			break;
		}
		struct sr_bytes id = sr_column_text(select, 0);
		json_t *item = json_object();
		sr_json_set(item, "secretId", json_stringn((const char *)id.data, id.len));
		set_time(item, "created", sr_column_int(select, 1));
		if (!sr_column_is_null(select, 2)) {
			set_time(item, "expires", sr_column_int(select, 2));
		}
		json_array_append_new(array, item);
	}
	*ret_array = SR_TAKE(array);
	return sr_ok();
}

struct sr_result sr_client_secrets_read(struct sr_connection *connection, const char *object_id,
                                        struct sr_client_secrets *ret_secrets)
{
	struct sr_client_secrets secrets = {0};
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(
	    sr_prepare(connection, "SELECT hash, expires_s, secret_id FROM client_secret WHERE principal = ?1", &select));
	sr_bind_text(select, 1, object_id);
	while (secrets.count < SR_PRINCIPAL_SECRETS_MAX) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			break;
		}
		struct sr_bytes hash = sr_column_blob(select, 0);
		struct sr_bytes id = sr_column_text(select, 2);
		if (hash.len != SR_SECRET_HASH_LEN || id.len >= SR_GUID_TEXT_LEN) {
			return sr_fail(SR_CORRUPT, "read a client secret's row: its hash has %zu bytes, its id %zu", hash.len,
			               id.len);
		}
		memcpy(secrets.items[secrets.count].id, id.data, id.len);
		memcpy(secrets.items[secrets.count].hash, hash.data, hash.len);
		secrets.items[secrets.count].expires_s = sr_column_is_null(select, 1) ? INT64_MAX : sr_column_int(select, 1);
		secrets.count++;
	}
	*ret_secrets = secrets;
	return sr_ok();
}

enum sr_secret_verdict sr_client_secrets_judge(const struct sr_client_secrets *secrets, struct sr_bytes presented,
                                               int64_t now_s, size_t *ret_which)
{
	/* Places without a secret are compared too: a hash of zeros, which nothing matches by chance. */
	unsigned is_right = 0;
	unsigned is_expired = 0;
	size_t which = 0;
	for (size_t i = 0; i < SR_PRINCIPAL_SECRETS_MAX; i++) {
		unsigned matches = sr_secret_hash_matches(presented, secrets->items[i].hash);
		matches &= i < secrets->count;
		unsigned is_live = secrets->items[i].expires_s > now_s;
		is_right |= matches & is_live;
		which |= i & (0 - (size_t)(matches & is_live));
		is_expired |= matches & !is_live;
	}
	*ret_which = which;
	return is_right ? SR_SECRET_RIGHT : is_expired ? SR_SECRET_EXPIRED : SR_SECRET_WRONG;
}
