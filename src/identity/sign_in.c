/* Rows of sign-ins and refresh tokens. */
#include "identity/sign_in.h"

#include "identity/revoked.h"
#include "seal/crypto.h"

#include <string.h>

enum { TOKEN_ENTROPY_LEN = 48, TOKEN_MAX = 256, PURGE_MAX = 100 };

/* The token has more entropy than the digest: no salt is needed, and the digest is looked up. */
static void hash_of(struct sr_bytes text, uint8_t ret_hash[static SR_DIGEST_MAX])
{
	sr_digest_of(SR_DIGEST_SHA256, text, ret_hash);
}

static struct sr_result run_at(struct sr_connection *connection, const char *sql, int64_t now_s)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	sr_bind_int(statement, 1, now_s);
	sr_bind_int(statement, 2, PURGE_MAX);
	return sr_run(statement);
}

/* What has ended by itself, a bounded number at a time. */
static struct sr_result purge(struct sr_connection *connection, int64_t now_s)
{
	SR_TRY(run_at(connection,
	              "DELETE FROM refresh_token WHERE hash IN"
	              " (SELECT hash FROM refresh_token WHERE expires_s <= ?1 LIMIT ?2)",
	              now_s));
	return run_at(connection,
	              "DELETE FROM sign_in WHERE sign_in_id IN"
	              " (SELECT sign_in_id FROM sign_in WHERE expires_s <= ?1 LIMIT ?2)",
	              now_s);
}

struct sr_result sr_sign_in_make(struct sr_connection *connection, const char *person, const char *client_id,
                                 const char *resources, int64_t now_s, struct sr_sign_in *ret_sign_in)
{
	SR_TRY(purge(connection, now_s));
	struct sr_sign_in sign_in = {.created_s = now_s, .expires_s = now_s + SR_SIGN_IN_LIFE_S};
	struct sr_id id = sr_id_random();
	sr_guid_text(&id, sign_in.id);
	if (strlen(person) >= sizeof sign_in.person || strlen(client_id) >= sizeof sign_in.client_id ||
	    strlen(resources) >= sizeof sign_in.resources) {
		return sr_fail(SR_INTERNAL, "make a sign-in: an id is too long");
	}
	memcpy(sign_in.person, person, strlen(person));
	memcpy(sign_in.client_id, client_id, strlen(client_id));
	memcpy(sign_in.resources, resources, strlen(resources));
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO sign_in (sign_in_id, person, client_id, resources, created_s, expires_s)"
	                  " VALUES (?1, ?2, lower(?3), ?4, ?5, ?6)",
	                  &insert));
	sr_bind_text(insert, 1, sign_in.id);
	sr_bind_text(insert, 2, person);
	sr_bind_text(insert, 3, client_id);
	sr_bind_text(insert, 4, resources);
	sr_bind_int(insert, 5, now_s);
	sr_bind_int(insert, 6, sign_in.expires_s);
	SR_TRY(sr_run(insert));
	*ret_sign_in = sign_in;
	return sr_ok();
}

struct sr_result sr_refresh_token_make(struct sr_connection *connection, const struct sr_sign_in *sign_in,
                                       int64_t now_s, struct sr_buf *ret_text)
{
	int64_t idle_end_s = now_s + SR_REFRESH_IDLE_LIFE_S;
	uint8_t hash[SR_DIGEST_MAX];
	SR_TRY(sr_secret_text_new(TOKEN_ENTROPY_LEN, ret_text));
	hash_of(sr_buf_bytes(ret_text), hash);
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO refresh_token (hash, sign_in, created_s, expires_s, spent_s)"
	                  " VALUES (?1, ?2, ?3, ?4, NULL)",
	                  &insert));
	sr_bind_blob(insert, 1, sr_bytes_of(hash, SR_SHA256_LEN));
	sr_bind_text(insert, 2, sign_in->id);
	sr_bind_int(insert, 3, now_s);
	sr_bind_int(insert, 4, idle_end_s < sign_in->expires_s ? idle_end_s : sign_in->expires_s);
	return sr_run(insert);
}

static struct sr_result copy_text(struct sr_statement *statement, int column, char *to, size_t room)
{
	struct sr_bytes text = sr_column_text(statement, column);
	if (text.len >= room) {
		return sr_fail(SR_CORRUPT, "read a sign-in's row: a column is too long");
	}
	memcpy(to, text.data, text.len);
	to[text.len] = 0;
	return sr_ok();
}

/* From the columns sign_in_id, person, client_id, resources, created_s, expires_s. */
static struct sr_result read_row(struct sr_statement *statement, struct sr_sign_in *ret_sign_in)
{
	SR_TRY(copy_text(statement, 0, ret_sign_in->id, sizeof ret_sign_in->id));
	SR_TRY(copy_text(statement, 1, ret_sign_in->person, sizeof ret_sign_in->person));
	SR_TRY(copy_text(statement, 2, ret_sign_in->client_id, sizeof ret_sign_in->client_id));
	SR_TRY(copy_text(statement, 3, ret_sign_in->resources, sizeof ret_sign_in->resources));
	ret_sign_in->created_s = sr_column_int(statement, 4);
	ret_sign_in->expires_s = sr_column_int(statement, 5);
	return sr_ok();
}

static struct sr_result spend(struct sr_connection *connection, struct sr_bytes hash, int64_t now_s)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(
	    sr_prepare(connection, "UPDATE refresh_token SET spent_s = ?2 WHERE hash = ?1 AND spent_s IS NULL", &update));
	sr_bind_blob(update, 1, hash);
	sr_bind_int(update, 2, now_s);
	return sr_run(update);
}

static struct sr_result run_for(struct sr_connection *connection, const char *sql, const char *id, int64_t until_s)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	sr_bind_text(statement, 1, id);
	if (until_s) {
		sr_bind_int(statement, 2, until_s);
	}
	return sr_run(statement);
}

/* Whose sign-ins end: the rest of three statements is the same for each. */
struct ending {
	const char *revoke, *tokens, *sign_ins;
};
#define ENDING(where)                                                                                         \
	{                                                                                                         \
		"INSERT INTO revoked_credential (credential_id, until_s)"                                             \
		" SELECT sign_in_id, ?2 FROM sign_in WHERE " where " = ?1"                                            \
		" ON CONFLICT (credential_id) DO UPDATE SET until_s = max(until_s, excluded.until_s)",                \
		    "DELETE FROM refresh_token WHERE sign_in IN (SELECT sign_in_id FROM sign_in WHERE " where "=?1)", \
		    "DELETE FROM sign_in WHERE " where " = ?1"                                                        \
	}
static const struct ending one = ENDING("sign_in_id");
static const struct ending of_person = ENDING("person");
static const struct ending of_client = ENDING("client_id");

static struct sr_result end(struct sr_connection *connection, const struct ending *ending, const char *id,
                            int64_t now_s)
{
	SR_TRY(sr_revoked_purge(connection, now_s));
	SR_TRY(run_for(connection, ending->revoke, id, now_s + SR_TOKEN_LIFETIME_MAX_S));
	SR_TRY(run_for(connection, ending->tokens, id, 0));
	return run_for(connection, ending->sign_ins, id, 0);
}

struct sr_result sr_refresh_token_use(struct sr_connection *connection, const char *text, const char *client_id,
                                      int64_t now_s, struct sr_sign_in *ret_sign_in,
                                      enum sr_refresh_verdict *ret_verdict)
{
	uint8_t hash[SR_DIGEST_MAX];
	hash_of(sr_bytes_str(text), hash);
	struct sr_bytes hash_bytes = sr_bytes_of(hash, SR_SHA256_LEN);
	*ret_verdict = SR_REFRESH_UNKNOWN;
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT s.sign_in_id, s.person, s.client_id, s.resources, s.created_s, s.expires_s, t.expires_s,"
	                  " t.spent_s FROM refresh_token AS t JOIN sign_in AS s ON s.sign_in_id = t.sign_in"
	                  " WHERE t.hash = ?1",
	                  &select));
	sr_bind_blob(select, 1, hash_bytes);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return sr_ok();
	}
	SR_TRY(read_row(select, ret_sign_in));
	if (!sr_equal_nocase(sr_bytes_str(ret_sign_in->client_id), sr_bytes_str(client_id))) {
		return sr_ok();
	}
	if (sr_column_int(select, 6) <= now_s) {
		*ret_verdict = SR_REFRESH_EXPIRED;
		return sr_ok();
	}
	if (!sr_column_is_null(select, 7) && sr_column_int(select, 7) + SR_REFRESH_LEEWAY_S <= now_s) {
		*ret_verdict = SR_REFRESH_REUSED;
		return end(connection, &one, ret_sign_in->id, now_s);
	}
	*ret_verdict = SR_REFRESH_GOOD;
	return spend(connection, hash_bytes, now_s);
}

struct sr_result sr_sign_in_end_of_person(struct sr_connection *connection, const char *person, int64_t now_s)
{
	return end(connection, &of_person, person, now_s);
}

struct sr_result sr_sign_in_end_of_client(struct sr_connection *connection, const char *client_id, int64_t now_s)
{
	return end(connection, &of_client, client_id, now_s);
}

struct sr_result sr_sign_in_count(struct sr_connection *connection, const char *person, int64_t now_s,
                                  int64_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM sign_in WHERE person = ?1 AND expires_s > ?2", &select));
	sr_bind_text(select, 1, person);
	sr_bind_int(select, 2, now_s);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	*ret_count = sr_column_int(select, 0);
	return sr_ok();
}
