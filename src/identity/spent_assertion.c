/* Rows of presented assertions. */
#include "identity/spent_assertion.h"

#include "identity/oauth_error.h"
#include "seal/crypto.h"

#include <string.h>

/* A digest of texts, each with its length. */
static void digest_of(struct sr_bytes a, struct sr_bytes b, uint8_t ret_digest[static SR_DIGEST_MAX])
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
	sr_buf_append_block(&text, a);
	sr_buf_append_block(&text, b);
	sr_digest_of(SR_DIGEST_SHA256, sr_buf_bytes(&text), ret_digest);
}

static struct sr_result purge(struct sr_connection *connection, int64_t now_s)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM spent_assertion WHERE expires_s <= ?1", &remove));
	sr_bind_int(remove, 1, now_s);
	return sr_run(remove);
}

static struct sr_result check_room(struct sr_connection *connection, const char *object_id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *count = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM spent_assertion WHERE principal = ?1", &count));
	sr_bind_text(count, 1, object_id);
	bool has_row;
	SR_TRY(sr_step(count, &has_row));
	if (sr_column_int(count, 0) >= SR_ASSERTIONS_LIVE_MAX) {
		return sr_fail_as(
		    SR_UNAUTHENTICATED, SR_AADSTS_BAD_ASSERTION,
		    "The application has presented %d different assertions that are still valid: wait, and use an "
		    "assertion or a token again while it lives.",
		    SR_ASSERTIONS_LIVE_MAX);
	}
	return sr_ok();
}

static struct sr_result insert(struct sr_connection *connection, const struct sr_presented_assertion *presented,
                               struct sr_bytes digest, struct sr_bytes bearer)
{
	SR_TRY(check_room(connection, presented->object_id));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO spent_assertion (digest, principal, bearer, use_count, expires_s)"
	                  " VALUES (?1, ?2, ?3, 1, ?4)",
	                  &statement));
	sr_bind_blob(statement, 1, digest);
	sr_bind_text(statement, 2, presented->object_id);
	sr_bind_blob(statement, 3, bearer);
	sr_bind_int(statement, 4, presented->expires_s);
	return sr_run(statement);
}

static struct sr_result count_use(struct sr_connection *connection, struct sr_bytes digest)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE spent_assertion SET use_count = use_count + 1 WHERE digest = ?1", &update));
	sr_bind_blob(update, 1, digest);
	return sr_run(update);
}

struct sr_result sr_assertion_spend(struct sr_connection *connection, const struct sr_presented_assertion *presented,
                                    int64_t now_s)
{
	uint8_t digest[SR_DIGEST_MAX];
	uint8_t bearer[SR_DIGEST_MAX];
	digest_of(sr_bytes_str(presented->object_id), sr_bytes_str(presented->token_id), digest);
	digest_of(presented->assertion, sr_bytes_str(presented->address), bearer);
	struct sr_bytes digest_bytes = sr_bytes_of(digest, SR_SHA256_LEN);
	struct sr_bytes bearer_bytes = sr_bytes_of(bearer, SR_SHA256_LEN);
	SR_TRY(purge(connection, now_s));
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT bearer, use_count FROM spent_assertion WHERE digest = ?1", &select));
	sr_bind_blob(select, 1, digest_bytes);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return insert(connection, presented, digest_bytes, bearer_bytes);
	}
	if (!sr_equal_public(sr_column_blob(select, 0), bearer_bytes) ||
	    sr_column_int(select, 1) >= SR_ASSERTION_USES_MAX) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_BAD_ASSERTION,
		                  "Client assertion was presented before (its 'jti' was used). Sign a new one.");
	}
	return count_use(connection, digest_bytes);
}
