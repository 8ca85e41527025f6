/* The endpoints. Long answers are streamed, a batch of entries a read transaction. */
#include "audit/audit_api.h"

#include "audit/filter.h"
#include "audit/line.h"
#include "base/clock.h"
#include "base/thread.h"
#include "wire/json.h"

#include <string.h>

enum { BATCH = 250, OUT_MAX = 2 * BATCH * SR_AUDIT_LINE_MAX, LAST_DEFAULT = 50, BODY_MAX = 8192 };

/* An answer that streams: lines gather in `out`, which is sent between the transactions: a slow reader holds none. */
struct stream {
	struct sr_exchange *exchange;
	struct sr_buf out;
};

static void stream_cleanup(struct stream *stream)
{
	sr_buf_free(&stream->out);
}

static struct sr_result begin_stream(struct sr_exchange *exchange, struct stream *ret_stream)
{
	sr_exchange_add_header(exchange, "Content-Type", "application/x-ndjson");
	SR_TRY(sr_exchange_begin(exchange, 200, -1));
	*ret_stream = (struct stream){.exchange = exchange, .out = SR_BUF(OUT_MAX)};
	return sr_ok();
}

static struct sr_result flush(struct stream *stream)
{
	SR_TRY(sr_buf_result(&stream->out));
	if (stream->out.len) {
		SR_TRY(sr_exchange_write(stream->exchange, sr_buf_bytes(&stream->out)));
		sr_buf_reset(&stream->out);
	}
	return sr_ok();
}

static struct sr_result end_stream(struct stream *stream)
{
	SR_TRY(flush(stream));
	return sr_exchange_end(stream->exchange);
}

/* GET entries */
struct listing {
	struct stream stream;
	struct sr_audit_filter filter;
	uint64_t limit, found; /* entries that fit */
	uint64_t at;           /* visited last */
	unsigned batch;
};

static void listing_cleanup(struct listing *listing)
{
	stream_cleanup(&listing->stream);
}

static struct sr_result find_back(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context)
{
	(void)hash;
	struct listing *listing = context;
	listing->batch++;
	if (listing->found < listing->limit) {
		listing->at = seq;
		listing->found += sr_audit_filter_fits(&listing->filter, entry);
	}
	return sr_ok();
}

static struct sr_result find_back_batch(struct sr_connection *connection, void *context)
{
	struct listing *listing = context;
	listing->batch = 0;
	return sr_audit_each_back(connection, listing->at, BATCH, find_back, listing);
}

/* Goes back from the end to where the last `limit` entries that fit begin; then `at` is the one before. */
static struct sr_result go_back(struct sr_database *database, struct listing *listing)
{
	listing->at = INT64_MAX;
	do {
		SR_TRY(sr_database_read(database, find_back_batch, listing));
	} while (listing->batch == BATCH && listing->found < listing->limit);
	listing->at = listing->found < listing->limit || listing->at == INT64_MAX ? 0 : listing->at - 1;
	listing->found = 0;
	return sr_ok();
}

static struct sr_result list_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context)
{
	struct listing *listing = context;
	listing->batch++;
	listing->at = seq;
	if (listing->found < listing->limit && sr_audit_filter_fits(&listing->filter, entry)) {
		listing->found++;
		sr_audit_line_entry(seq, entry, hash, &listing->stream.out);
		return sr_buf_result(&listing->stream.out);
	}
	return sr_ok();
}

static struct sr_result list_batch(struct sr_connection *connection, void *context)
{
	struct listing *listing = context;
	listing->batch = 0;
	return sr_audit_each(connection, listing->at, BATCH, list_entry, listing);
}

static struct sr_result read_number(const struct sr_parameters *query, const char *name, uint64_t *ret_number)
{
	const char *text = sr_parameter_get(query, name);
	return text ? sr_parse_u64(sr_bytes_str(text), INT64_MAX, ret_number) : sr_ok();
}

static struct sr_result handle_entries(struct sr_exchange *exchange, struct sr_audit_signer *signer)
{
	struct sr_database *database = sr_audit_signer_database(signer);
	SR_CLEANUP(listing) struct listing listing = {.limit = LAST_DEFAULT};
	struct sr_parameters query;
	SR_TRY(sr_parameters_parse(sr_exchange_arena(exchange), sr_exchange_query(exchange), false, &query));
	SR_TRY(sr_audit_filter_read(&query, &listing.filter));
	SR_TRY(read_number(&query, "limit", &listing.limit));
	SR_TRY(read_number(&query, "after", &listing.at));
	if (!sr_parameter_get(&query, "after")) {
		SR_TRY(go_back(database, &listing));
	}
	SR_TRY(begin_stream(exchange, &listing.stream));
	do {
		SR_TRY(sr_database_read(database, list_batch, &listing));
		SR_TRY(flush(&listing.stream));
	} while (listing.batch == BATCH && listing.found < listing.limit);
	return end_stream(&listing.stream);
}

/* GET export */
struct export
{
	struct stream stream;
	uint64_t last, entries, checkpoints;
};

static void export_cleanup(struct export *export)
{
	stream_cleanup(&export->stream);
}

static struct sr_result export_key(const struct sr_audit_key *key, void *context)
{
	struct export *export = context;
	sr_audit_line_key(key, &export->stream.out);
	return sr_buf_result(&export->stream.out);
}

/* The keys, and which checkpoint is the last. */
static struct sr_result export_begin(struct sr_connection *connection, void *context)
{
	struct export *export = context;
	SR_CLEANUP(sr_buf) struct sr_buf statement = SR_BUF(SR_AUDIT_STATEMENT_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(SR_AUDIT_STATEMENT_MAX);
	SR_TRY(sr_audit_newest_checkpoint(connection, &export->last, &statement, &signature));
	return sr_audit_each_key(connection, export_key, export);
}

static struct sr_result export_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context)
{
	struct export *export = context;
	export->entries++;
	sr_audit_line_entry(seq, entry, hash, &export->stream.out);
	return sr_buf_result(&export->stream.out);
}

static struct sr_result export_checkpoint(uint64_t number, struct sr_bytes statement, struct sr_bytes signature,
                                          void *context)
{
	struct export *export = context;
	export->checkpoints++;
	sr_audit_line_checkpoint(number, statement, signature, &export->stream.out);
	return sr_buf_result(&export->stream.out);
}

static struct sr_result export_pause(void *context)
{
	struct export *export = context;
	return flush(&export->stream);
}

/* What is done to the log stands in it. */
static struct sr_result record(struct sr_exchange *exchange, struct sr_audit_signer *signer, const char *operation)
{
	const struct sr_audit_event event = {.object_id = "local",
	                                     .from = "local",
	                                     .operation = operation,
	                                     .object = "audit",
	                                     .request_id = sr_exchange_request_id(exchange),
	                                     .status = 200};
	return sr_audit_write(sr_audit_signer_database(signer), &event);
}

static struct sr_result handle_export(struct sr_exchange *exchange, struct sr_audit_signer *signer)
{
	struct sr_database *database = sr_audit_signer_database(signer);
	const struct sr_id log = sr_audit_signer_log(signer);
	SR_TRY(record(exchange, signer, "AuditExport"));
	SR_TRY(sr_audit_sign(signer, sr_unix_s()));
	SR_CLEANUP(export) struct export export = {0};
	SR_TRY(begin_stream(exchange, &export.stream));
	sr_audit_line_head(sr_audit_signer_service(signer), &log, &export.stream.out);
	SR_TRY(sr_database_read(database, export_begin, &export));
	const struct sr_audit_visitor visitor = {export_entry, export_checkpoint, export_pause, &export};
	SR_TRY(sr_audit_walk(database, export.last, &visitor));
	sr_audit_line_end(export.entries, export.checkpoints, &export.stream.out);
	return end_stream(&export.stream);
}

/* GET anchor */
static struct sr_result read_anchor(struct sr_connection *connection, void *context)
{
	SR_CLEANUP(sr_buf) struct sr_buf statement = SR_BUF(SR_AUDIT_STATEMENT_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(SR_AUDIT_STATEMENT_MAX);
	uint64_t number;
	SR_TRY(sr_audit_newest_checkpoint(connection, &number, &statement, &signature));
	sr_audit_line_checkpoint(number, sr_buf_bytes(&statement), sr_buf_bytes(&signature), context);
	return sr_ok();
}

static struct sr_result handle_anchor(struct sr_exchange *exchange, struct sr_audit_signer *signer)
{
	SR_CLEANUP(sr_buf) struct sr_buf line = SR_BUF(SR_AUDIT_LINE_MAX);
	SR_TRY(sr_audit_sign(signer, sr_unix_s()));
	SR_TRY(sr_database_read(sr_audit_signer_database(signer), read_anchor, &line));
	SR_TRY(sr_buf_result(&line));
	sr_exchange_add_header(exchange, "Content-Type", "application/json");
	return sr_exchange_send(exchange, 200, sr_buf_bytes(&line));
}

static struct sr_result send_key(struct sr_exchange *exchange, struct sr_audit_signer *signer)
{
	SR_CLEANUP(sr_buf) struct sr_buf pem = SR_BUF(BODY_MAX);
	const struct sr_audit_key key = sr_audit_signer_key(signer);
	sr_audit_key_pem(&key, &pem);
	SR_TRY(sr_buf_result(&pem));
	sr_exchange_add_header(exchange, "Content-Type", "application/x-pem-file");
	return sr_exchange_send(exchange, 200, sr_buf_bytes(&pem));
}

static struct sr_result handle_rotate(struct sr_exchange *exchange, struct sr_audit_signer *signer)
{
	SR_TRY(record(exchange, signer, "AuditKeyRotate"));
	SR_TRY(sr_audit_signer_rotate(signer, sr_unix_s()));
	return send_key(exchange, signer);
}

/* POST verify */
static struct sr_result send_verdict(struct sr_exchange *exchange, const struct sr_audit_verdict *verdict)
{
	SR_CLEANUP(sr_json) json_t *body = json_object();
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(BODY_MAX);
	sr_json_set_int(body, "entries", (int64_t)verdict->entries);
	sr_json_set_int(body, "checkpoints", (int64_t)verdict->checkpoints);
	sr_json_set_int(body, "covered", (int64_t)verdict->covered);
	sr_json_set_string(body, "result", verdict->broken_at ? "broken" : "ok");
	if (verdict->broken_at) {
		sr_json_set_int(body, "at", (int64_t)verdict->broken_at);
		sr_json_set_string(body, "why", verdict->why);
	}
	SR_TRY(sr_json_write(body, &text));
	sr_buf_append_u8(&text, '\n');
	SR_TRY(sr_buf_result(&text));
	sr_exchange_add_header(exchange, "Content-Type", "application/x-ndjson");
	return sr_exchange_send(exchange, 200, sr_buf_bytes(&text));
}

static struct sr_result handle_verify(struct sr_exchange *exchange, struct sr_audit_signer *signer)
{
	struct sr_bytes body;
	struct sr_audit_anchor anchor;
	struct sr_audit_verdict verdict;
	SR_TRY(sr_exchange_read_all(exchange, BODY_MAX, &body));
	struct sr_audit_expectation expectation = {0};
	if (body.len) {
		SR_TRY(sr_audit_anchor_read(body, &anchor));
		expectation.anchor = &anchor.statement;
		expectation.anchor_text = anchor.text;
	}
	sr_blocking_begin(); /* others answer while this one reads everything */
	struct sr_result verified = sr_audit_verify(signer, &expectation, &verdict);
	sr_blocking_end();
	SR_TRY(verified);
	return send_verdict(exchange, &verdict);
}

static const struct {
	const char *method, *what;
	struct sr_result (*handle)(struct sr_exchange *exchange, struct sr_audit_signer *signer);
} endpoints[] = {
    {"GET", "entries", handle_entries}, {"GET", "export", handle_export},  {"GET", "anchor", handle_anchor},
    {"GET", "public-key", send_key},    {"POST", "verify", handle_verify}, {"POST", "rotate-key", handle_rotate},
};

struct sr_result sr_audit_api_handle(struct sr_exchange *exchange, const char *what, struct sr_audit_signer *signer)
{
	for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
		if (strcmp(endpoints[i].method, sr_exchange_method(exchange)) == 0 && strcmp(endpoints[i].what, what) == 0) {
			return endpoints[i].handle(exchange, signer);
		}
	}
	return sr_fail_as(SR_NOT_FOUND, "NotFound", "the audit log has no such endpoint");
}
