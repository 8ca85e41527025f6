/*
 * The request's body, as it comes: framing, 100 Continue, the least rate. Its length and coding were judged in
 * http_parse.c.
 */
#include "net/exchange.h"

#include "base/clock.h"
#include "base/thread.h"
#include "seal/secret.h"

#include <string.h>

enum {
	DRAIN_MAX = 64 * 1024, /* an unread body up to this is read away so that the connection can go on */
	DRAIN_WAIT_MS = 1000,
	SHORT_MAX = 1024 * 1024, /* bytes both ways, past which an exchange gives up its place among the running */
	CREDIT_TIMES = 8         /* a peer that was fast may then stand still this many times the grace */
};

/*
 * Slowness is counted as credit: each byte moved earns a byte, each millisecond waited costs what the least rate would
 * have moved. So a time-out cannot be put off by a drip, and a handler's own time costs the client nothing.
 */
int64_t sr_exchange_first_credit(const struct sr_exchange *exchange)
{
	const struct sr_server_options *options = &exchange->server->options;
	return (int64_t)(options->rate_grace_ms * options->min_rate);
}

void sr_exchange_earn(struct sr_exchange *exchange, size_t len, int64_t *credit)
{
	int64_t most = sr_exchange_first_credit(exchange) * CREDIT_TIMES;
	*credit += (int64_t)len * 1000;
	*credit = *credit < most ? *credit : most;
	exchange->moved += len;
	if (exchange->moved > SHORT_MAX && !exchange->is_long) {
		/* Until it ends, others run beside it: a fast transfer never waits, and would keep its place for minutes. */
		exchange->is_long = true;
		sr_blocking_begin();
	}
}

struct sr_result sr_exchange_wait(struct sr_exchange *exchange, enum sr_progress wanted, int64_t *credit)
{
	int64_t rate = (int64_t)exchange->server->options.min_rate;
	uint64_t start_ms = sr_boottime_ms();
	int64_t allowed_ms = *credit / rate;
	bool is_ready = allowed_ms > 0 &&
	                sr_channel_wait(&exchange->connection->channel, wanted, (uint64_t)allowed_ms, exchange->wake_fd);
	*credit -= (int64_t)(sr_boottime_ms() - start_ms) * rate;
	return is_ready
	           ? sr_ok()
	           : sr_fail(SR_TIMEOUT, "wait for the client: it is slower than %lld bytes a second", (long long)rate);
}

void sr_request_body_start(struct sr_exchange *exchange)
{
	exchange->body_start = exchange->head_len;
	exchange->body_left = exchange->head.body_len > 0 ? (uint64_t)exchange->head.body_len : 0;
	exchange->is_body_done = exchange->head.body_len == 0;
	sr_chunked_init(&exchange->chunked);
	exchange->owes_continue = exchange->head.expects_continue && !exchange->is_body_done;
	exchange->credit_in = sr_exchange_first_credit(exchange);
}

/* At least one byte from the connection. */
static struct sr_result receive(struct sr_exchange *exchange, uint8_t *to, size_t len, size_t *ret_len)
{
	for (;;) {
		if (atomic_load(&exchange->is_aborted)) {
			return sr_fail(SR_REVOKED, "read the request's body: the exchange was aborted");
		}
		enum sr_progress progress = sr_channel_read(&exchange->connection->channel, to, len, ret_len);
		if (progress == SR_PROGRESS_DONE) {
			sr_exchange_earn(exchange, *ret_len, &exchange->credit_in);
			return sr_ok();
		}
		if (progress == SR_PROGRESS_END || progress == SR_PROGRESS_BROKEN) {
			exchange->must_close = true;
			return sr_fail(SR_CLOSED, "read the request's body: the client closed the connection");
		}
		struct sr_result waited = sr_exchange_wait(exchange, progress, &exchange->credit_in);
		exchange->must_close = exchange->must_close || !sr_is_ok(waited);
		SR_TRY(waited);
	}
}

static size_t buffered(const struct sr_exchange *exchange)
{
	return exchange->connection->in_len - exchange->body_start;
}

static struct sr_result read_counted(struct sr_exchange *exchange, uint8_t *to, size_t len, size_t *ret_len)
{
	size_t wanted = exchange->body_left < len ? (size_t)exchange->body_left : len;
	size_t got = buffered(exchange) < wanted ? buffered(exchange) : wanted;
	if (got > 0) {
		memcpy(to, exchange->connection->in + exchange->body_start, got);
		exchange->body_start += got;
	} else {
		SR_TRY(receive(exchange, to, wanted, &got));
	}
	exchange->body_left -= got;
	exchange->is_body_done = exchange->body_left == 0;
	*ret_len = got;
	return sr_ok();
}

/* Fills the input behind the head anew, for framing that must be looked at. */
static struct sr_result refill(struct sr_exchange *exchange)
{
	struct sr_connection *connection = exchange->connection;
	sr_wipe(connection->in + exchange->head_len, connection->in_len - exchange->head_len);
	connection->in_len = exchange->head_len;
	exchange->body_start = exchange->head_len;
	size_t got = 0;
	SR_TRY(receive(exchange, connection->in + connection->in_len, connection->in_cap - connection->in_len, &got));
	connection->in_len += got;
	return sr_ok();
}

static struct sr_result read_chunked(struct sr_exchange *exchange, uint8_t *to, size_t len, size_t *ret_len)
{
	struct sr_bytes data = {0};
	while (data.len == 0 && !exchange->is_body_done) {
		uint64_t run = sr_chunked_run(&exchange->chunked);
		if (buffered(exchange) == 0 && run > 0) {
			SR_TRY(receive(exchange, to, run < len ? (size_t)run : len, ret_len));
			sr_chunked_skip(&exchange->chunked, *ret_len);
			return sr_ok();
		}
		if (buffered(exchange) == 0) {
			SR_TRY(refill(exchange));
		}
		size_t window = buffered(exchange) < len ? buffered(exchange) : len;
		size_t used = 0;
		struct sr_result read = sr_chunked_next(
		    &exchange->chunked, sr_bytes_of(exchange->connection->in + exchange->body_start, window), &used, &data);
		exchange->must_close = exchange->must_close || !sr_is_ok(read);
		SR_TRY(read);
		exchange->body_start += used;
		exchange->is_body_done = sr_chunked_is_done(&exchange->chunked);
	}
	if (data.len > 0) {
		memcpy(to, data.data, data.len);
	}
	*ret_len = data.len;
	return sr_ok();
}

struct sr_result sr_exchange_read(struct sr_exchange *exchange, uint8_t *to, size_t len, size_t *ret_len)
{
	if (atomic_load(&exchange->is_aborted)) {
		return sr_fail(SR_REVOKED, "read the request's body: the exchange was aborted");
	}
	if (exchange->is_body_done || len == 0) {
		*ret_len = 0;
		return sr_ok();
	}
	if (exchange->owes_continue && buffered(exchange) == 0 && !exchange->has_begun) {
		SR_TRY(sr_response_write_continue(exchange));
	}
	exchange->owes_continue = false;
	size_t got = 0;
	SR_TRY(exchange->head.body_len < 0 ? read_chunked(exchange, to, len, &got) : read_counted(exchange, to, len, &got));
	*ret_len = got;
	return sr_ok();
}

static struct sr_result fail_too_large(size_t max)
{
	return sr_fail(SR_TOO_LARGE, "read the request's body: it is longer than %zu bytes", max);
}

/* Grows within the arena: what was outgrown is wiped with it. */
static struct sr_result read_all_chunked(struct sr_exchange *exchange, size_t max, struct sr_bytes *ret_body)
{
	size_t room = 8192;
	size_t filled = 0;
	uint8_t *body = sr_arena_alloc(exchange->arena, room);
	for (;;) {
		size_t got = 0;
		SR_TRY(sr_exchange_read(exchange, body + filled, room - 1 - filled, &got));
		if (got == 0) {
			body[filled] = '\0'; /* not counted, as in arena copies */
			*ret_body = sr_bytes_of(body, filled);
			return sr_ok();
		}
		filled += got;
		if (filled > max) {
			return fail_too_large(max);
		}
		if (filled == room - 1) {
			uint8_t *larger = sr_arena_alloc(exchange->arena, room * 2);
			memcpy(larger, body, filled);
			body = larger;
			room *= 2;
		}
	}
}

struct sr_result sr_exchange_read_all(struct sr_exchange *exchange, size_t max, struct sr_bytes *ret_body)
{
	if (exchange->head.body_len < 0) {
		return read_all_chunked(exchange, max, ret_body);
	}
	if (exchange->body_left > max) {
		return fail_too_large(max);
	}
	size_t len = (size_t)exchange->body_left;
	uint8_t *body = sr_arena_alloc(exchange->arena, len + 1); /* with a NUL behind it, as arena copies have */
	for (size_t filled = 0; filled < len;) {
		size_t got = 0;
		SR_TRY(sr_exchange_read(exchange, body + filled, len - filled, &got));
		filled += got;
	}
	*ret_body = sr_bytes_of(body, len);
	return sr_ok();
}

bool sr_request_body_is_long(const struct sr_exchange *exchange)
{
	return !exchange->is_body_done && (exchange->owes_continue || exchange->body_left > DRAIN_MAX);
}

bool sr_request_body_drain(struct sr_exchange *exchange)
{
	if (sr_request_body_is_long(exchange)) {
		return false;
	}
	int64_t most = DRAIN_WAIT_MS * (int64_t)exchange->server->options.min_rate;
	exchange->credit_in = exchange->credit_in < most ? exchange->credit_in : most;
	for (size_t drained = 0; !exchange->is_body_done && drained <= DRAIN_MAX;) {
		uint8_t piece[4096];
		size_t got = 0;
		struct sr_result result = sr_exchange_read(exchange, piece, sizeof piece, &got);
		if (!sr_is_ok(result)) {
			sr_result_free(result);
			return false;
		}
		drained += got;
	}
	return exchange->is_body_done;
}
