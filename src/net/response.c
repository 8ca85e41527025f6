/*
 * The response: its head, framing, and the way out. A head leaves together with the first bytes of its body, so that a
 * small response is one TLS record and one system call.
 */
#include "net/exchange.h"

#include "base/clock.h"
#include "seal/secret.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { RECORD_LEN = 16 * 1024, HEADER_VALUE_MAX = 8 * 1024 };

static bool is_header(struct sr_bytes name, struct sr_bytes value)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] <= ' ' || name.data[i] >= 0x7f || name.data[i] == ':') {
			return false;
		}
	}
	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] == '\r' || value.data[i] == '\n') {
			return false;
		}
	}
	return name.len > 0;
}

/* The headers that only the server writes. */
static bool is_ours(struct sr_bytes name)
{
	static const char *const ours[] = {"connection", "content-length", "date", "server", "transfer-encoding"};
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		if (sr_equal_nocase(name, sr_bytes_str(ours[i]))) {
			return true;
		}
	}
	return false;
}

void sr_exchange_add_header(struct sr_exchange *exchange, const char *name, const char *value)
{
	if (!is_header(sr_bytes_str(name), sr_bytes_str(value)) || is_ours(sr_bytes_str(name))) {
		exchange->is_header_wrong = true;
		return;
	}
	sr_buf_append_str(&exchange->added, name);
	sr_buf_append(&exchange->added, SR_LITERAL(": "));
	sr_buf_append_str(&exchange->added, value);
	sr_buf_append(&exchange->added, SR_LITERAL("\r\n"));
}

void sr_exchange_add_header_format(struct sr_exchange *exchange, const char *name, const char *format, ...)
{
	char value[HEADER_VALUE_MAX];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(value, sizeof value, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof value) {
		exchange->is_header_wrong = true;
		return;
	}
	sr_exchange_add_header(exchange, name, value);
}

void sr_exchange_drop_headers(struct sr_exchange *exchange)
{
	sr_buf_reset(&exchange->added);
	exchange->is_header_wrong = false;
}

/* RFC 9110, 5.6.7; made once a second on each thread. */
static const char *date_now(void)
{
	static _Thread_local char text[80];
	static _Thread_local int64_t made_s;
	int64_t now_s = sr_unix_s();
	if (now_s != made_s) {
		static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
		static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
		time_t when = (time_t)now_s;
		struct tm tm;
		gmtime_r(&when, &tm);
		snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday % 7], tm.tm_mday % 32,
		         months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000, tm.tm_hour % 24, tm.tm_min % 60, tm.tm_sec % 61);
		made_s = now_s;
	}
	return text;
}

/* Writes out the head, to leave with the first bytes of the body. */
static void write_head(struct sr_exchange *exchange, int status, int64_t body_len)
{
	struct sr_buf *out = &exchange->out;
	sr_buf_printf(out, "HTTP/1.1 %d %s\r\nServer: %s\r\nDate: %s\r\n", status, sr_http_reason(status),
	              exchange->server->options.name, date_now());
	bool has_length = status >= 200 && status != 204 && (status != 304 || body_len > 0);
	if (has_length && body_len >= 0) {
		sr_buf_printf(out, "Content-Length: %lld\r\n", (long long)body_len);
	} else if (has_length && exchange->is_chunked) {
		sr_buf_append(out, SR_LITERAL("Transfer-Encoding: chunked\r\n"));
	}
	if (exchange->must_close) {
		sr_buf_append(out, SR_LITERAL("Connection: close\r\n"));
	} else if (exchange->head.is_http_1_0) {
		sr_buf_append(out, SR_LITERAL("Connection: keep-alive\r\n"));
	}
	sr_buf_append(out, sr_buf_bytes(&exchange->added));
	sr_buf_append(out, SR_LITERAL("\r\n"));
}

/* Passes the point of no return, unless an abort came first: that one lets only errors be answered. */
static struct sr_result pass_begin(struct sr_exchange *exchange, int status)
{
	SR_LOCKED(&exchange->mutex);
	bool is_aborted = atomic_load(&exchange->is_aborted);
	if (is_aborted && status < 400) {
		return sr_fail(SR_REVOKED, "begin a response: the exchange was aborted");
	}
	exchange->must_close = exchange->must_close || is_aborted;
	exchange->has_begun = true;
	return sr_ok();
}

static struct sr_result begin(struct sr_exchange *exchange, int status, int64_t body_len)
{
	if (exchange->has_begun) {
		return sr_fail(SR_INTERNAL, "begin a response: it has begun already");
	}
	if (exchange->is_header_wrong || exchange->added.failed) {
		return sr_fail(SR_INVALID, "begin a response: a header's value cannot be sent");
	}
	if (exchange->refused_status) {
		status = exchange->refused_status;
	}
	SR_TRY(pass_begin(exchange, status));
	exchange->has_no_body =
	    status == 204 || status == 304 || sr_equal_public(sr_bytes_str(exchange->head.method), SR_LITERAL("HEAD"));
	exchange->is_chunked = body_len < 0 && !exchange->head.is_http_1_0;
	exchange->response_left = exchange->has_no_body ? 0 : body_len;
	exchange->must_close = exchange->must_close || exchange->head.wants_close || exchange->refused_status ||
	                       (body_len < 0 && exchange->head.is_http_1_0) || sr_request_body_is_long(exchange) ||
	                       atomic_load_explicit(&exchange->server->is_stopping, memory_order_relaxed);
	write_head(exchange, status, body_len);
	return sr_ok();
}

static struct sr_result check_writable(struct sr_exchange *exchange)
{
	if (atomic_load(&exchange->is_cut)) {
		exchange->has_failed = true;
		return sr_fail(SR_REVOKED, "write a response: the exchange was aborted");
	}
	return exchange->has_failed ? sr_fail(SR_CLOSED, "write a response: the connection broke") : sr_ok();
}

/* Waits until the socket takes more; any failure is for good. */
static struct sr_result wait_writable(struct sr_exchange *exchange, enum sr_progress progress)
{
	struct sr_result result;
	if (progress == SR_PROGRESS_WANT_READ || progress == SR_PROGRESS_WANT_WRITE) {
		result = sr_exchange_wait(exchange, progress, &exchange->credit_out);
	} else {
		result = sr_fail(SR_CLOSED, "write a response: the client closed the connection");
	}
	if (sr_is_ok(result)) {
		return check_writable(exchange);
	}
	exchange->has_failed = true;
	if (atomic_load(&exchange->is_cut)) {
		sr_result_free(result);
		return check_writable(exchange);
	}
	return result;
}

static struct sr_result push(struct sr_exchange *exchange, struct sr_bytes bytes)
{
	struct sr_channel *channel = &exchange->connection->channel;
	SR_TRY(check_writable(exchange));
	while (bytes.len > 0) {
		size_t written = 0;
		enum sr_progress progress = sr_channel_write(channel, bytes, &written);
		bytes = sr_bytes_of(bytes.data + written, bytes.len - written);
		sr_exchange_earn(exchange, written, &exchange->credit_out);
		if (progress != SR_PROGRESS_DONE) {
			SR_TRY(wait_writable(exchange, progress));
		}
	}
	return sr_ok();
}

static struct sr_result flush(struct sr_exchange *exchange)
{
	for (;;) {
		enum sr_progress progress = sr_channel_flush(&exchange->connection->channel);
		if (progress == SR_PROGRESS_DONE) {
			return sr_ok();
		}
		SR_TRY(wait_writable(exchange, progress));
	}
}

static struct sr_result push_out(struct sr_exchange *exchange)
{
	struct sr_result result = exchange->out.failed ? sr_fail(SR_TOO_LARGE, "write a response: its head is too long")
	                                               : push(exchange, sr_buf_bytes(&exchange->out));
	sr_wipe(exchange->out.data, exchange->out.len);
	sr_buf_reset(&exchange->out);
	exchange->has_failed = exchange->has_failed || !sr_is_ok(result);
	return result;
}

/*
 * What waits in `out`, then `bytes`, then `tail`, in as few records as can be: the first and the last are filled up
 * from both sides of the seam, and what lies between goes out from where it is.
 */
static struct sr_result push_joined(struct sr_exchange *exchange, struct sr_bytes bytes, struct sr_bytes tail)
{
	struct sr_buf *out = &exchange->out;
	if (out->len > 0 && out->len < RECORD_LEN) {
		size_t room = RECORD_LEN - out->len;
		size_t len = bytes.len < room ? bytes.len : room;
		sr_buf_append(out, sr_bytes_of(bytes.data, len));
		bytes = sr_bytes_of(bytes.data + len, bytes.len - len);
	}
	if (bytes.len == 0) {
		sr_buf_append(out, tail);
		SR_TRY(push_out(exchange));
		return flush(exchange);
	}
	SR_TRY(push_out(exchange));
	size_t direct = tail.len > 0 ? bytes.len - bytes.len % RECORD_LEN : bytes.len;
	SR_TRY(push(exchange, sr_bytes_of(bytes.data, direct)));
	if (tail.len > 0) {
		sr_buf_append(out, sr_bytes_of(bytes.data + direct, bytes.len - direct));
		sr_buf_append(out, tail);
		SR_TRY(push_out(exchange));
	}
	return flush(exchange);
}

struct sr_result sr_exchange_send(struct sr_exchange *exchange, int status, struct sr_bytes body)
{
	SR_TRY(begin(exchange, status, (int64_t)body.len));
	struct sr_bytes sent = {0};
	if (!exchange->has_no_body) {
		sent = body;
	}
	exchange->response_left = 0;
	SR_TRY(push_joined(exchange, sent, (struct sr_bytes){0}));
	exchange->has_ended = true;
	return sr_ok();
}

struct sr_result sr_exchange_begin(struct sr_exchange *exchange, int status, int64_t body_len)
{
	return begin(exchange, status, body_len);
}

struct sr_result sr_exchange_write(struct sr_exchange *exchange, struct sr_bytes bytes)
{
	SR_TRY(check_writable(exchange));
	if (!exchange->has_begun || exchange->has_ended) {
		return sr_fail(SR_INTERNAL, "write a response: it is not under way");
	}
	if (exchange->has_no_body || bytes.len == 0) {
		return sr_ok();
	}
	if (exchange->is_chunked) {
		sr_buf_printf(&exchange->out, "%zx\r\n", bytes.len);
		return push_joined(exchange, bytes, SR_LITERAL("\r\n"));
	}
	if (exchange->response_left >= 0) {
		if ((uint64_t)exchange->response_left < bytes.len) {
			return sr_fail(SR_INTERNAL, "write a response: more than the length that was declared");
		}
		exchange->response_left -= (int64_t)bytes.len;
	}
	return push_joined(exchange, bytes, (struct sr_bytes){0});
}

struct sr_result sr_exchange_end(struct sr_exchange *exchange)
{
	SR_TRY(check_writable(exchange));
	if (!exchange->has_begun || exchange->has_ended) {
		return sr_fail(SR_INTERNAL, "end a response: it is not under way");
	}
	if (exchange->response_left > 0) {
		return sr_fail(SR_INTERNAL, "end a response: less than the length that was declared");
	}
	if (exchange->is_chunked && !exchange->has_no_body) {
		sr_buf_append(&exchange->out, SR_LITERAL("0\r\n\r\n"));
	}
	SR_TRY(push_joined(exchange, (struct sr_bytes){0}, (struct sr_bytes){0}));
	exchange->has_ended = true;
	return sr_ok();
}

struct sr_result sr_response_write_continue(struct sr_exchange *exchange)
{
	SR_TRY(push(exchange, SR_LITERAL("HTTP/1.1 100 Continue\r\n\r\n")));
	return flush(exchange);
}

bool sr_exchange_has_begun(const struct sr_exchange *exchange)
{
	return exchange->has_begun;
}
