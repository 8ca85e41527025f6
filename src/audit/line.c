/* Writing exports, and reading them: what is read is written again and must come out the same, so that no byte of a
 * line is without meaning. */
#include "audit/line.h"

#include "wire/json.h"

#include <string.h>

void sr_audit_line_head(const char *service, const struct sr_id *log, struct sr_buf *line)
{
	char id[SR_ID_TEXT_LEN];
	sr_id_text(log, id);
	sr_buf_printf(line, "{\"type\":\"strongroom-audit-export\",\"version\":1,\"service\":\"%s\",\"log\":\"%s\"}\n",
	              service, id);
}

void sr_audit_line_key(const struct sr_audit_key *key, struct sr_buf *line)
{
	sr_buf_printf(line, "{\"key\":\"%s\",\"public\":\"", key->id);
	sr_base64_encode(line, sr_bytes_of(key->spki, SR_AUDIT_SPKI_LEN));
	sr_buf_append_str(line, "\"}\n");
}

void sr_audit_line_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, struct sr_buf *line)
{
	char hex[2 * SR_SHA256_LEN + 1] = "";
	if (hash.len == SR_SHA256_LEN) {
		sr_hex_encode(hash, hex);
	}
	sr_buf_printf(line, "{\"seq\":%llu,\"hash\":\"%s\",\"entry\":", (unsigned long long)seq, hex);
	sr_buf_append(line, entry);
	sr_buf_append_str(line, "}\n");
}

void sr_audit_line_checkpoint(uint64_t number, struct sr_bytes statement, struct sr_bytes signature,
                              struct sr_buf *line)
{
	sr_buf_printf(line, "{\"checkpoint\":%llu,\"signature\":\"", (unsigned long long)number);
	sr_base64_encode(line, signature);
	sr_buf_append_str(line, "\",\"statement\":");
	sr_buf_append(line, statement);
	sr_buf_append_str(line, "}\n");
}

void sr_audit_line_end(uint64_t entries, uint64_t checkpoints, struct sr_buf *line)
{
	sr_buf_printf(line, "{\"end\":true,\"entries\":%llu,\"checkpoints\":%llu}\n", (unsigned long long)entries,
	              (unsigned long long)checkpoints);
}

/* True if the line is what was written into `again`, but for the line end. */
static bool is_same(struct sr_bytes line, const struct sr_buf *again)
{
	return !again->failed && again->len && sr_equal_public(line, sr_bytes_of(again->data, again->len - 1));
}

/* What stands in the line behind the first `mark`, without the last brace; empty where there is none. */
static struct sr_bytes behind(struct sr_bytes line, const char *mark)
{
	const uint8_t *found = line.len ? memmem(line.data, line.len, mark, strlen(mark)) : NULL;
	if (!found) {
		return (struct sr_bytes){0};
	}
	const uint8_t *from = found + strlen(mark);
	const uint8_t *end = line.data + line.len - 1;
	return from < end ? sr_bytes_of(from, (size_t)(end - from)) : (struct sr_bytes){0};
}

/* The text between two marks. */
static struct sr_bytes between(struct sr_bytes line, const char *before, const char *after)
{
	const struct sr_bytes rest = behind(line, before);
	const uint8_t *end = rest.len ? memmem(rest.data, rest.len, after, strlen(after)) : NULL;
	return end ? sr_bytes_of(rest.data, (size_t)(end - rest.data)) : (struct sr_bytes){0};
}

/* Takes a checkpoint's line (without its end) apart; the statement is borrowed from it, the signature is appended.
 * SR_INVALID for anything that the functions above do not write. */
static struct sr_result parse_checkpoint(struct sr_bytes line, struct sr_bytes *ret_statement, struct sr_buf *signature)
{
	uint64_t number;
	SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(SR_AUDIT_LINE_MAX), bytes = SR_BUF(SR_AUDIT_LINE_MAX);
	SR_TRY(sr_parse_u64(between(line, "{\"checkpoint\":", ","), INT64_MAX, &number));
	SR_TRY(sr_base64_decode(between(line, "\"signature\":\"", "\""), &bytes));
	const struct sr_bytes statement = behind(line, "\"statement\":");
	sr_audit_line_checkpoint(number, statement, sr_buf_bytes(&bytes), &again);
	if (!is_same(line, &again)) {
		return sr_fail(SR_INVALID, "this is no checkpoint of an audit log");
	}
	sr_buf_append(signature, sr_buf_bytes(&bytes));
	*ret_statement = statement;
	return sr_buf_result(signature);
}

struct sr_result sr_audit_anchor_read(struct sr_bytes file, struct sr_audit_anchor *ret_anchor)
{
	struct sr_audit_anchor anchor;
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(SR_AUDIT_LINE_MAX);
	while (file.len && (file.data[file.len - 1] == '\n' || file.data[file.len - 1] == '\r')) {
		file.len--;
	}
	SR_TRY(parse_checkpoint(file, &anchor.text, &signature));
	SR_TRY(sr_audit_statement_read(anchor.text, &anchor.statement));
	*ret_anchor = anchor;
	return sr_ok();
}

static struct sr_result read_head(struct sr_audit_reader *reader, struct sr_bytes line)
{
	SR_CLEANUP(sr_json) json_t *head = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(SR_AUDIT_LINE_MAX);
	const char *service = NULL, *log_text = NULL;
	struct sr_id log;
	SR_TRY(sr_json_parse(line, &head));
	SR_TRY(sr_json_get_string(head, "service", &service));
	SR_TRY(sr_json_get_string(head, "log", &log_text));
	if (!service || !log_text) {
		return sr_fail(SR_INVALID, "the first line is not that of an audit log's export");
	}
	SR_TRY(sr_id_parse(sr_bytes_str(log_text), &log));
	sr_audit_line_head(service, &log, &again);
	if (!is_same(line, &again)) {
		return sr_fail(SR_INVALID, "the first line is not that of an audit log's export");
	}
	sr_audit_verifier_begin(reader->verifier, service, &log);
	reader->place = SR_AUDIT_AT_KEYS;
	return sr_ok();
}

static struct sr_result read_key(struct sr_audit_reader *reader, struct sr_bytes line)
{
	SR_CLEANUP(sr_buf) struct sr_buf spki = SR_BUF(SR_AUDIT_LINE_MAX), again = SR_BUF(SR_AUDIT_LINE_MAX);
	struct sr_audit_key key;
	SR_TRY(sr_base64_decode(between(line, "\"public\":\"", "\""), &spki));
	SR_TRY(sr_audit_key_from_spki(sr_buf_bytes(&spki), &key));
	sr_audit_line_key(&key, &again);
	if (!is_same(line, &again)) {
		return sr_fail(SR_INVALID, "a key's line does not read");
	}
	sr_audit_verifier_add_key(reader->verifier, &key);
	return sr_ok();
}

/* The number and the hash are not taken from the line: they are what must be there. */
static struct sr_result read_entry(struct sr_audit_reader *reader, struct sr_bytes line)
{
	SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(SR_AUDIT_LINE_MAX);
	const struct sr_bytes entry = behind(line, "\"entry\":");
	struct sr_audit_link link = sr_audit_verifier_at(reader->verifier);
	sr_audit_link_next(&link, entry);
	const struct sr_bytes hash = sr_bytes_of(link.hash, SR_SHA256_LEN);
	sr_audit_line_entry(link.seq, entry, hash, &again);
	if (!is_same(line, &again)) {
		return sr_fail(SR_INVALID, "an entry does not fit the chain");
	}
	sr_audit_verifier_entry(reader->verifier, link.seq, entry, hash);
	return sr_ok();
}

static struct sr_result read_checkpoint(struct sr_audit_reader *reader, struct sr_bytes line)
{
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(SR_AUDIT_LINE_MAX), again = SR_BUF(SR_AUDIT_LINE_MAX);
	struct sr_bytes statement;
	SR_TRY(parse_checkpoint(line, &statement, &signature));
	sr_audit_line_checkpoint(++reader->checkpoints, statement, sr_buf_bytes(&signature), &again);
	if (!is_same(line, &again)) {
		return sr_fail(SR_INVALID, "a checkpoint is missing");
	}
	return sr_audit_verifier_checkpoint(reader->verifier, statement, sr_buf_bytes(&signature));
}

static struct sr_result read_end(struct sr_audit_reader *reader, struct sr_bytes line)
{
	SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(SR_AUDIT_LINE_MAX);
	sr_audit_line_end(sr_audit_verifier_at(reader->verifier).seq, reader->checkpoints, &again);
	if (!is_same(line, &again)) {
		return sr_fail(SR_INVALID, "the last line is not right");
	}
	reader->place = SR_AUDIT_AT_END;
	return sr_ok();
}

static struct sr_result read_line(struct sr_audit_reader *reader, struct sr_bytes line)
{
	if (reader->place == SR_AUDIT_AT_HEAD) {
		return read_head(reader, line);
	}
	if (reader->place == SR_AUDIT_AT_KEYS && sr_bytes_start_with(line, SR_LITERAL("{\"key\":"))) {
		return read_key(reader, line);
	}
	if (reader->place == SR_AUDIT_AT_END) {
		return sr_fail(SR_INVALID, "something follows the end");
	}
	reader->place = SR_AUDIT_AT_ENTRIES;
	if (sr_bytes_start_with(line, SR_LITERAL("{\"checkpoint\":"))) {
		return read_checkpoint(reader, line);
	}
	if (sr_bytes_start_with(line, SR_LITERAL("{\"end\":"))) {
		return read_end(reader, line);
	}
	return read_entry(reader, line);
}

/* What a line that does not read means for the verdict. */
static const char *break_text(const struct sr_audit_reader *reader, struct sr_bytes line)
{
	if (reader->place == SR_AUDIT_AT_HEAD) {
		return "the first line is not that of an audit log's export";
	}
	if (reader->place == SR_AUDIT_AT_KEYS) {
		return "a key's line does not read";
	}
	if (reader->place == SR_AUDIT_AT_END) {
		return "something follows the export's end";
	}
	return sr_bytes_start_with(line, SR_LITERAL("{\"seq\":")) ? "the entry does not fit the chain"
	                                                          : "a line does not read";
}

struct sr_result sr_audit_reader_line(struct sr_audit_reader *reader, struct sr_bytes line)
{
	if (sr_audit_verifier_is_broken(reader->verifier)) {
		return sr_ok();
	}
	struct sr_result read = read_line(reader, line);
	const enum sr_code code = sr_result_code(read);
	if (code != SR_INVALID && code != SR_TOO_LARGE) {
		return read;
	}
	sr_ignore(read);
	sr_audit_verifier_break(reader->verifier, break_text(reader, line));
	return sr_ok();
}

struct sr_result sr_audit_reader_finish(struct sr_audit_reader *reader, bool has_tail,
                                        struct sr_audit_verdict *ret_verdict)
{
	const struct sr_audit_verdict so_far = sr_audit_verifier_finish(reader->verifier);
	if (reader->place != SR_AUDIT_AT_END || has_tail) {
		sr_audit_verifier_break(reader->verifier, "the export has no end");
	} else if (so_far.covered != so_far.entries) {
		sr_audit_verifier_break(reader->verifier, "the last entries are not covered by a checkpoint");
	}
	*ret_verdict = sr_audit_verifier_finish(reader->verifier);
	return sr_ok();
}
