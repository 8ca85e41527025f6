/*
 * The head of an HTTP/1.1 message (RFC 9112): where it ends, what it says, how its body is framed. http_parser reads
 * the grammar; what it lets pass and we do not (see http_parse.c) is refused here. No I/O; the only user of
 * http_parser.
 */
#ifndef SR_NET_HTTP_PARSE_H
#define SR_NET_HTTP_PARSE_H

#include "base/bytes.h"

enum { SR_HTTP_HEADERS_MAX = 128, SR_HTTP_TARGET_MAX = 16 * 1024 };

/* NUL-terminated in the caller's buffer; the name in lowercase, the value without surrounding white space. */
struct sr_http_header {
	char *name;
	char *value;
	uint32_t name_len;
	uint32_t value_len;
};

struct sr_http_head {
	const char *method;     /* of a request; static */
	struct sr_bytes target; /* of a request, as sent */
	int status;             /* of a response */
	bool is_http_1_0;
	bool wants_close;      /* by version and Connection header */
	bool expects_continue; /* of a request */
	bool has_body_len;     /* a Content-Length was there */
	int64_t body_len;      /* Content-Length; -1 chunked; 0 neither */
	size_t header_count;
	struct sr_http_header headers[SR_HTTP_HEADERS_MAX];
};

/*
 * Looks for the end of a head in what has arrived so far; *ret_len is its length with the empty line, or 0 while it is
 * incomplete. `scanned` remembers the lines already seen between calls (start with 0). SR_PROTOCOL for NUL, bare CR or
 * LF, and folded lines, as soon as they are seen.
 */
SR_MUST struct sr_result sr_http_find_head_end(struct sr_bytes arrived, size_t *scanned, size_t *ret_len);

/*
 * Parses a whole request head in place: `data` is changed, and the result points into it. SR_PROTOCOL if it breaks the
 * grammar or its framing is ambiguous; SR_TOO_LARGE with reason SR_HTTP_TARGET_TOO_LONG or SR_HTTP_HEADERS_TOO_LARGE.
 */
SR_MUST struct sr_result sr_http_parse_request(uint8_t *data, size_t len, struct sr_http_head *ret_head);
/* The same for a response. */
SR_MUST struct sr_result sr_http_parse_response(uint8_t *data, size_t len, struct sr_http_head *ret_head);

extern const char SR_HTTP_TARGET_TOO_LONG[];
extern const char SR_HTTP_HEADERS_TOO_LARGE[];

/* The reason phrase of a status; static. */
const char *sr_http_reason(int status);

#endif
