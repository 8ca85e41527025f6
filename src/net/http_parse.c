/*
 * Heads of HTTP/1.1 messages. http_parser splits them; this file adds what it leaves open: bare CR and LF, obsolete
 * folding, control characters, repeated lengths, codings other than chunked, versions, the Host header. Bodies:
 * chunked.c.
 */
#include "net/http_parse.h"

#include "base/text.h"

#include <http_parser.h>
#include <string.h>

const char SR_HTTP_TARGET_TOO_LONG[] = "UriTooLong";
const char SR_HTTP_HEADERS_TOO_LARGE[] = "RequestHeaderFieldsTooLarge";

struct sr_result sr_http_find_head_end(struct sr_bytes arrived, size_t *scanned, size_t *ret_len)
{
	*ret_len = 0;
	while (*scanned < arrived.len) {
		const uint8_t *line = arrived.data + *scanned;
		size_t left = arrived.len - *scanned;
		const uint8_t *newline = memchr(line, '\n', left);
		size_t line_len = newline ? (size_t)(newline - line) : left;
		if (memchr(line, 0, line_len)) {
			return sr_fail(SR_PROTOCOL, "read HTTP head: NUL byte");
		}
		const uint8_t *cr = memchr(line, '\r', line_len);
		if (!newline) {
			if (cr && (size_t)(cr - line) + 1 < left) {
				return sr_fail(SR_PROTOCOL, "read HTTP head: CR without LF");
			}
			return sr_ok();
		}
		if (!cr || cr + 1 != newline) {
			return sr_fail(SR_PROTOCOL, "read HTTP head: CR or LF alone");
		}
		if (*scanned > 0 && (*line == ' ' || *line == '\t')) {
			return sr_fail(SR_PROTOCOL, "read HTTP head: folded line");
		}
		*scanned += line_len + 1;
		if (line_len == 1 && *scanned > 2) {
			*ret_len = *scanned;
			return sr_ok();
		}
	}
	return sr_ok();
}

struct parse {
	struct sr_http_head *head;
	const char *why; /* the reason for which a callback stopped */
	bool in_value;
	bool is_complete;
};

static int on_url(http_parser *parser, const char *at, size_t len)
{
	struct parse *parse = parser->data;
	struct sr_bytes *target = &parse->head->target;
	*target = target->data ? sr_bytes_of(target->data, target->len + len) : sr_bytes_of(at, len);
	return 0;
}

/* The parser only lends const views of the caller's own buffer, which may be changed. */
static char *own(struct parse *parse, const char *at)
{
	(void)parse;
	return (char *)(uintptr_t)at;
}

static int on_header_field(http_parser *parser, const char *at, size_t len)
{
	struct parse *parse = parser->data;
	struct sr_http_head *head = parse->head;
	if (head->header_count > 0 && !parse->in_value) {
		head->headers[head->header_count - 1].name_len += (uint32_t)len;
		return 0;
	}
	if (head->header_count == SR_HTTP_HEADERS_MAX) {
		parse->why = SR_HTTP_HEADERS_TOO_LARGE;
		return 1;
	}
	head->headers[head->header_count++] = (struct sr_http_header){.name = own(parse, at), .name_len = (uint32_t)len};
	parse->in_value = false;
	return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
	struct parse *parse = parser->data;
	struct sr_http_header *header = &parse->head->headers[parse->head->header_count - 1];
	if (!parse->in_value) {
		header->value = own(parse, at);
		parse->in_value = true;
	}
	header->value_len += (uint32_t)len;
	return 0;
}

static int on_headers_complete(http_parser *parser)
{
	struct parse *parse = parser->data;
	parse->is_complete = true;
	return 2; /* no body for http_parser: it returns right behind the head */
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
};

static bool is_token(const char *text, size_t len)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_alnum && !(c && strchr(others, c))) {
			return false;
		}
	}
	return len > 0;
}

static bool is_field_value(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

/* Lowercases names, trims values, ends both with NUL over the ':' and CR that follow them. */
static struct sr_result tidy_headers(struct sr_http_head *head)
{
	for (size_t i = 0; i < head->header_count; i++) {
		struct sr_http_header *header = &head->headers[i];
		if (header->value_len == 0) {
			/* The parser gives empty values the place of what follows: let it be that of the name's NUL. */
			header->value = header->name + header->name_len;
		}
		while (header->value_len > 0 &&
		       (header->value[header->value_len - 1] == ' ' || header->value[header->value_len - 1] == '\t')) {
			header->value_len--;
		}
		if (!is_token(header->name, header->name_len) || !is_field_value(header->value, header->value_len)) {
			return sr_fail(SR_PROTOCOL, "read HTTP head: header %zu is malformed", i + 1);
		}
		for (uint32_t k = 0; k < header->name_len; k++) {
			char c = header->name[k];
			header->name[k] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
		}
		header->name[header->name_len] = '\0';
		header->value[header->value_len] = '\0';
	}
	return sr_ok();
}

/* The first header of that lowercase name at or after *index, which is moved past it; NULL if there is none. */
static const struct sr_http_header *next_header(const struct sr_http_head *head, const char *name, size_t *index)
{
	size_t len = strlen(name);
	while (*index < head->header_count) {
		const struct sr_http_header *header = &head->headers[(*index)++];
		if (header->name_len == len && sr_equal_public(sr_bytes_of(header->name, len), sr_bytes_of(name, len))) {
			return header;
		}
	}
	return NULL;
}

/* True if a comma-separated list has this word, in any case. */
static bool list_has(const struct sr_http_header *header, const char *word)
{
	const char *next = header->value;
	while (*next) {
		next += strspn(next, " \t,");
		size_t len = strcspn(next, ",");
		struct sr_bytes item = sr_bytes_of(next, len);
		while (item.len > 0 && (item.data[item.len - 1] == ' ' || item.data[item.len - 1] == '\t')) {
			item.len--;
		}
		if (sr_equal_nocase(item, sr_bytes_str(word))) {
			return true;
		}
		next += len;
	}
	return false;
}

/* How the body is framed (RFC 9112, 6.3), strictly: whatever two readers could see differently is refused. */
static struct sr_result find_framing(struct sr_http_head *head)
{
	size_t at = 0;
	const struct sr_http_header *length = next_header(head, "content-length", &at);
	if (length && next_header(head, "content-length", &at)) {
		return sr_fail(SR_PROTOCOL, "read HTTP head: repeated Content-Length");
	}
	at = 0;
	const struct sr_http_header *coding = next_header(head, "transfer-encoding", &at);
	if (coding) {
		bool is_chunked = sr_equal_nocase(sr_bytes_str(coding->value), SR_LITERAL("chunked"));
		if (length || head->is_http_1_0 || !is_chunked || next_header(head, "transfer-encoding", &at)) {
			return sr_fail(SR_PROTOCOL, "read HTTP head: Transfer-Encoding other than one \"chunked\" alone");
		}
		head->body_len = -1;
		return sr_ok();
	}
	if (length) {
		uint64_t value = 0;
		SR_TRY(sr_parse_u64(sr_bytes_of(length->value, length->value_len), INT64_MAX, &value));
		head->body_len = (int64_t)value;
		head->has_body_len = true;
	}
	return sr_ok();
}

static void find_persistence(struct sr_http_head *head)
{
	bool says_close = false;
	bool says_keep = false;
	size_t at = 0;
	for (const struct sr_http_header *header; (header = next_header(head, "connection", &at));) {
		says_close = says_close || list_has(header, "close");
		says_keep = says_keep || list_has(header, "keep-alive");
	}
	head->wants_close = says_close || (head->is_http_1_0 && !says_keep);
}

static struct sr_result parse_head(enum http_parser_type type, uint8_t *data, size_t len, struct sr_http_head *head,
                                   http_parser *parser)
{
	/* the table of headers is filled as far as header_count says; clearing it all would cost more than the parsing */
	memset(head, 0, offsetof(struct sr_http_head, headers));
	struct parse parse = {.head = head};
	http_parser_init(parser, type);
	parser->data = &parse; /* cppcheck-suppress autoVariables; the parser is not used past this function */
	size_t parsed = http_parser_execute(parser, &settings, (const char *)data, len);
	if (parse.why) {
		return sr_fail_as(SR_TOO_LARGE, parse.why, "read HTTP head: over %d headers", (int)SR_HTTP_HEADERS_MAX);
	}
	enum http_errno error = HTTP_PARSER_ERRNO(parser);
	if (error != HPE_OK || !parse.is_complete || parsed != len) {
		return sr_fail(SR_PROTOCOL, "read HTTP head: %s", http_errno_description(error));
	}
	if (parser->http_major != 1 || parser->http_minor > 1) {
		return sr_fail(SR_PROTOCOL, "read HTTP head: version %d.%d", (int)parser->http_major, (int)parser->http_minor);
	}
	head->is_http_1_0 = parser->http_minor == 0;
	SR_TRY(tidy_headers(head));
	SR_TRY(find_framing(head));
	find_persistence(head);
	return sr_ok();
}

static struct sr_result check_target(struct sr_bytes target)
{
	if (target.len > SR_HTTP_TARGET_MAX) {
		return sr_fail_as(SR_TOO_LARGE, SR_HTTP_TARGET_TOO_LONG, "read HTTP head: target of %zu bytes", target.len);
	}
	for (size_t i = 0; i < target.len; i++) {
		if (target.data[i] <= 0x20 || target.data[i] >= 0x7f) {
			return sr_fail(SR_PROTOCOL, "read HTTP head: target has a byte that must be percent-encoded");
		}
	}
	return sr_ok();
}

/* One space each between method, target and version, which http_parser does not insist on. */
static bool is_strict_line(const uint8_t *line, const struct sr_http_head *head)
{
	size_t method_len = strlen(head->method);
	const uint8_t *rest = head->target.data + head->target.len;
	return head->target.data == line + method_len + 1 &&
	       sr_equal_public(sr_bytes_of(rest, 8), SR_LITERAL(" HTTP/1.")) && rest[9] == '\r';
}

struct sr_result sr_http_parse_request(uint8_t *data, size_t len, struct sr_http_head *ret_head)
{
	/* RFC 9112, 2.2: empty lines before the request line are passed over. */
	while (len >= 2 && data[0] == '\r' && data[1] == '\n') {
		data += 2;
		len -= 2;
	}
	http_parser parser;
	SR_TRY(parse_head(HTTP_REQUEST, data, len, ret_head, &parser));
	SR_TRY(check_target(ret_head->target));
	ret_head->method = http_method_str((enum http_method)parser.method);
	if (parser.method == HTTP_CONNECT || !is_strict_line(data, ret_head)) {
		return sr_fail(SR_PROTOCOL, "read HTTP head: malformed request line, or CONNECT to a server that is no proxy");
	}
	size_t at = 0;
	bool has_host = next_header(ret_head, "host", &at);
	if ((!has_host && !ret_head->is_http_1_0) || next_header(ret_head, "host", &at)) {
		return sr_fail(SR_PROTOCOL, "read HTTP head: not exactly one Host header");
	}
	at = 0;
	const struct sr_http_header *expect = next_header(ret_head, "expect", &at);
	ret_head->expects_continue = expect && !ret_head->is_http_1_0 && list_has(expect, "100-continue");
	return sr_ok();
}

const char *sr_http_reason(int status)
{
	return http_status_str((enum http_status)status);
}

struct sr_result sr_http_parse_response(uint8_t *data, size_t len, struct sr_http_head *ret_head)
{
	http_parser parser;
	SR_TRY(parse_head(HTTP_RESPONSE, data, len, ret_head, &parser));
	ret_head->status = (int)parser.status_code;
	return sr_ok();
}
