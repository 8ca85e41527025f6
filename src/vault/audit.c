/* Writing and checking the audit chain. Who decides what is audited is api.c and kek_store.c. */
#include "vault/audit.h"

#include "base/clock.h"
#include "seal/crypto.h"
#include "wire/json.h"
#include "wire/time.h"

#include <string.h>

enum { ENTRY_MAX = 8192, VERIFY_BATCH = 1000 };

/* hash = SHA-256(previous ‖ seq ‖ entry) */
static struct sr_result chain(const uint8_t previous[static SR_SHA256_LEN], uint64_t seq, struct sr_bytes entry,
                              uint8_t ret_hash[static SR_DIGEST_MAX])
{
	SR_CLEANUP(sr_digest) struct sr_digest *digest = NULL;
	SR_TRY(sr_digest_new(SR_DIGEST_SHA256, &digest));
	uint8_t number[8];
	sr_store_u64(number, seq);
	sr_digest_update(digest, sr_bytes_of(previous, SR_SHA256_LEN));
	sr_digest_update(digest, sr_bytes_of(number, sizeof number));
	sr_digest_update(digest, entry);
	sr_digest_finish(digest, ret_hash);
	return sr_ok();
}

static struct sr_result write_entry(const struct sr_audit_event *event, struct sr_buf *text)
{
	char time[SR_ISO_TIME_LEN];
	sr_iso_time_us(sr_unix_us(), time);
	SR_CLEANUP(sr_json) json_t *entry = json_object();
	json_t *who = json_object();
	sr_json_set_string(entry, "time", time);
	sr_json_set_string(who, "oid", event->object_id);
	sr_json_set_string(who, "appid", event->app_id);
	sr_json_set_string(who, "name", event->name);
	sr_json_set_string(who, "service", event->service);
	sr_json_set(entry, "who", who);
	sr_json_set_string(entry, "from", event->from);
	sr_json_set_string(entry, "operation", event->operation);
	sr_json_set_string(entry, "object", event->object);
	if (event->status) {
		sr_json_set_int(entry, "status", event->status);
	}
	sr_json_set_string(entry, "outcome", event->outcome ? event->outcome : "ok");
	sr_json_set_string(entry, "detail", event->detail);
	sr_json_set_string(entry, "request", event->request_id);
	return sr_json_write(entry, text);
}

/* The chain's end: seq 0 and zeros where it is empty. */
static struct sr_result last(struct sr_connection *connection, uint64_t *ret_seq,
                             uint8_t ret_hash[static SR_SHA256_LEN])
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", &statement));
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	memset(ret_hash, 0, SR_SHA256_LEN);
	*ret_seq = 0;
	if (!is_row) {
		return sr_ok();
	}
	struct sr_bytes hash = sr_column_blob(statement, 1);
	if (hash.len != SR_SHA256_LEN) {
		return sr_fail(SR_CORRUPT, "the audit log's last entry has no hash");
	}
	memcpy(ret_hash, hash.data, SR_SHA256_LEN);
	*ret_seq = (uint64_t)sr_column_int(statement, 0);
	return sr_ok();
}

struct sr_result sr_audit_append(struct sr_connection *connection, const struct sr_audit_event *event)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(ENTRY_MAX);
	SR_TRY(write_entry(event, &text));
	uint64_t seq;
	uint8_t previous[SR_SHA256_LEN], hash[SR_DIGEST_MAX];
	SR_TRY(last(connection, &seq, previous));
	SR_TRY(chain(previous, seq + 1, sr_buf_bytes(&text), hash));

	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO audit(seq, entry, hash) VALUES(?1, ?2, ?3)", &statement));
	sr_bind_int(statement, 1, (int64_t)(seq + 1));
	sr_bind_bytes_as_text(statement, 2, sr_buf_bytes(&text));
	sr_bind_blob(statement, 3, sr_bytes_of(hash, SR_SHA256_LEN));
	return sr_run(statement);
}

struct write_context {
	const struct sr_audit_event *event;
};

static struct sr_result write_work(struct sr_connection *connection, void *context)
{
	const struct write_context *write = context;
	return sr_audit_append(connection, write->event);
}

struct sr_result sr_audit_write(struct sr_database *database, const struct sr_audit_event *event)
{
	struct write_context write = {event};
	return sr_database_write(database, write_work, &write);
}

struct sr_result sr_audit_each(struct sr_connection *connection, uint64_t after, unsigned limit,
                               struct sr_result (*each)(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash,
                                                        void *context),
                               void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(
	    sr_prepare(connection, "SELECT seq, entry, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2", &statement));
	sr_bind_int(statement, 1, (int64_t)after);
	sr_bind_int(statement, 2, limit);
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		SR_TRY(each((uint64_t)sr_column_int(statement, 0), sr_column_text(statement, 1), sr_column_blob(statement, 2),
		            context));
	}
}

struct sr_result sr_audit_count(struct sr_connection *connection, uint64_t *ret_count)
{
	uint8_t hash[SR_SHA256_LEN];
	return last(connection, ret_count, hash);
}

struct verify_context {
	uint64_t seq; /* of the last entry that fits */
	uint8_t hash[SR_SHA256_LEN];
	uint64_t broken_at;
	unsigned batch;
};

static struct sr_result verify_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes stored, void *context)
{
	struct verify_context *verify = context;
	verify->batch++;
	if (verify->broken_at) {
		return sr_ok();
	}
	uint8_t hash[SR_DIGEST_MAX];
	SR_TRY(chain(verify->hash, verify->seq + 1, entry, hash));
	if (seq != verify->seq + 1 || !sr_equal_public(sr_bytes_of(hash, SR_SHA256_LEN), stored)) {
		verify->broken_at = verify->seq + 1;
		return sr_ok();
	}
	verify->seq = seq;
	memcpy(verify->hash, hash, SR_SHA256_LEN);
	return sr_ok();
}

static struct sr_result verify_work(struct sr_connection *connection, void *context)
{
	struct verify_context *verify = context;
	verify->batch = 0;
	return sr_audit_each(connection, verify->seq, VERIFY_BATCH, verify_entry, verify);
}

struct sr_result sr_audit_verify(struct sr_database *database, struct sr_audit_verdict *ret_verdict)
{
	/* In batches, so that a long log holds no snapshot (and with it the write-ahead log) for long. */
	struct verify_context verify = {0};
	do {
		SR_TRY(sr_database_read(database, verify_work, &verify));
	} while (verify.batch == VERIFY_BATCH && !verify.broken_at);
	*ret_verdict = (struct sr_audit_verdict){.entries = verify.seq, .broken_at = verify.broken_at};
	return sr_ok();
}
