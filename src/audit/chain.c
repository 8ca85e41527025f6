/* Writing and reading the chain. Who decides what is audited is each service. */
#include "audit/chain.h"

#include "base/clock.h"

#include <string.h>

enum { PREFIX_LEN = SR_SHA256_LEN + 8 };

/* hash = SHA-256(previous ‖ seq ‖ entry), with the entry in place behind room for the rest. */
static void chain(struct sr_audit_link *link, uint8_t *message, size_t len)
{
	uint8_t hash[SR_DIGEST_MAX];
	link->seq++;
	memcpy(message, link->hash, SR_SHA256_LEN);
	sr_store_u64(message + SR_SHA256_LEN, link->seq);
	sr_digest_of(SR_DIGEST_SHA256, sr_bytes_of(message, len), hash);
	memcpy(link->hash, hash, SR_SHA256_LEN);
}

void sr_audit_link_next(struct sr_audit_link *link, struct sr_bytes entry)
{
	SR_CLEANUP(sr_buf) struct sr_buf message = SR_BUF(SIZE_MAX);
	uint8_t *to = sr_buf_extend(&message, PREFIX_LEN + entry.len);
	if (!to) { /* out of memory: a link that fits nothing */
		link->seq++;
		memset(link->hash, 0, sizeof link->hash);
		return;
	}
	if (entry.len) {
		memcpy(to + PREFIX_LEN, entry.data, entry.len);
	}
	chain(link, to, message.len);
}

struct sr_result sr_audit_last(struct sr_connection *connection, struct sr_audit_link *ret_link)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", &statement));
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_link = (struct sr_audit_link){0};
	if (!is_row) {
		return sr_ok();
	}
	struct sr_bytes hash = sr_column_blob(statement, 1);
	if (hash.len != SR_SHA256_LEN) {
		return sr_fail(SR_CORRUPT, "the audit log's last entry has no hash");
	}
	memcpy(ret_link->hash, hash.data, SR_SHA256_LEN);
	ret_link->seq = (uint64_t)sr_column_int(statement, 0);
	return sr_ok();
}

struct sr_result sr_audit_append(struct sr_connection *connection, const struct sr_audit_event *event)
{
	SR_CLEANUP(sr_buf) struct sr_buf message = SR_BUF(SR_AUDIT_ENTRY_MAX + PREFIX_LEN);
	struct sr_audit_link link;
	SR_TRY(sr_audit_last(connection, &link));
	if (!sr_buf_extend(&message, PREFIX_LEN)) {
		return sr_buf_result(&message);
	}
	sr_audit_event_write(event, sr_unix_us(), &message);
	SR_TRY(sr_buf_result(&message));
	chain(&link, message.data, message.len);

	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO audit(seq, entry, hash) VALUES(?1, ?2, ?3)", &statement));
	sr_bind_int(statement, 1, (int64_t)link.seq);
	sr_bind_bytes_as_text(statement, 2, sr_bytes_of(message.data + PREFIX_LEN, message.len - PREFIX_LEN));
	sr_bind_blob(statement, 3, sr_bytes_of(link.hash, SR_SHA256_LEN));
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

struct sr_result sr_audit_count(struct sr_connection *connection, uint64_t *ret_count)
{
	struct sr_audit_link link;
	SR_TRY(sr_audit_last(connection, &link));
	*ret_count = link.seq;
	return sr_ok();
}

struct sr_result sr_audit_hash_at(struct sr_connection *connection, uint64_t seq,
                                  uint8_t ret_hash[static SR_SHA256_LEN])
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT hash FROM audit WHERE seq = ?1", &statement));
	sr_bind_int(statement, 1, (int64_t)seq);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	const struct sr_bytes hash = is_row ? sr_column_blob(statement, 0) : (struct sr_bytes){0};
	if (hash.len != SR_SHA256_LEN) {
		return sr_fail(SR_NOT_FOUND, "the audit log has no entry %llu", (unsigned long long)seq);
	}
	memcpy(ret_hash, hash.data, SR_SHA256_LEN);
	return sr_ok();
}

static struct sr_result each_row(struct sr_statement *statement, sr_audit_each_entry each, void *context)
{
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

struct sr_result sr_audit_each(struct sr_connection *connection, uint64_t after, unsigned limit,
                               sr_audit_each_entry each, void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(
	    sr_prepare(connection, "SELECT seq, entry, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2", &statement));
	sr_bind_int(statement, 1, (int64_t)after);
	sr_bind_int(statement, 2, limit);
	return each_row(statement, each, context);
}

struct sr_result sr_audit_each_back(struct sr_connection *connection, uint64_t before, unsigned limit,
                                    sr_audit_each_entry each, void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT seq, entry, hash FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
	                  &statement));
	sr_bind_int(statement, 1, (int64_t)before);
	sr_bind_int(statement, 2, limit);
	return each_row(statement, each, context);
}
