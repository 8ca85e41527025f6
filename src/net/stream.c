/*
 * A stream's two directions over one TLS session: OpenSSL lets one thread at a time in, so calls that never block go
 * under a lock, and threads wait outside it.
 */
#include "net/stream.h"

#include "net/dial.h"
#include "net/stream_parts.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seal/secret.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

struct sr_stream {
	struct sr_channel channel; /* channel.session only with the mutex held */
	struct sr_mutex mutex;
	atomic_bool is_shut;
	char peer[SR_SERVICE_NAME_MAX + 1];
};

static struct sr_stream *stream_new(void)
{
	struct sr_stream *stream = sr_alloc(sizeof *stream);
	stream->channel.fd = -1;
	sr_mutex_init(&stream->mutex, SR_RANK_LEAF);
	return stream;
}

void sr_stream_free(struct sr_stream *stream)
{
	if (stream) {
		if (!atomic_load(&stream->is_shut) && stream->channel.fd >= 0) {
			sr_channel_finish(&stream->channel);
		}
		sr_channel_close(&stream->channel);
		sr_mutex_destroy(&stream->mutex);
		sr_free(stream);
	}
}

struct sr_result sr_stream_connect(struct sr_tls *tls, const char *address, uint16_t port, const char *expect_service,
                                   uint64_t timeout_ms, struct sr_stream **ret_stream)
{
	struct sr_stream *stream = stream_new();
	struct sr_result result =
	    sr_dial_tls(tls, address, port, expect_service, sr_boottime_ms() + timeout_ms, &stream->channel);
	if (!sr_is_ok(result)) {
		stream->channel.fd = -1;
		stream->channel.session = NULL;
		sr_stream_free(stream);
		return result;
	}
	sr_tls_peer_service(stream->channel.session, stream->peer);
	*ret_stream = stream;
	return sr_ok();
}

struct sr_result sr_stream_accept(struct sr_tls *tls, int fd, struct sr_stream **ret_stream)
{
	SSL *session = NULL;
	struct sr_result result = sr_tls_accept_session(tls, &session);
	struct sr_stream *stream = stream_new();
	sr_channel_open(&stream->channel, fd, session);
	if (!sr_is_ok(result)) {
		sr_stream_free(stream);
		return result;
	}
	*ret_stream = stream;
	return sr_ok();
}

struct sr_result sr_stream_handshake(struct sr_stream *stream, uint64_t timeout_ms)
{
	SR_TRY(sr_channel_handshake_by(&stream->channel, sr_boottime_ms() + timeout_ms));
	sr_tls_peer_service(stream->channel.session, stream->peer);
	return sr_ok();
}

const char *sr_stream_peer(const struct sr_stream *stream)
{
	return stream->peer;
}

void sr_stream_shut(struct sr_stream *stream)
{
	atomic_store(&stream->is_shut, true);
	shutdown(stream->channel.fd, SHUT_RDWR);
}

static struct sr_result fail_closed(const char *doing)
{
	return sr_fail(SR_CLOSED, "%s: the stream is closed", doing);
}

/* Waits until the socket is ready or the deadline passes; SR_CLOSED once the stream is shut or broken. */
static struct sr_result wait_for(struct sr_stream *stream, enum sr_progress progress, uint64_t deadline_ms,
                                 const char *doing)
{
	if (atomic_load(&stream->is_shut) || progress == SR_PROGRESS_END || progress == SR_PROGRESS_BROKEN) {
		return fail_closed(doing);
	}
	uint64_t now_ms = sr_boottime_ms();
	if (now_ms >= deadline_ms || !sr_channel_wait(&stream->channel, progress, deadline_ms - now_ms, -1)) {
		return sr_fail(SR_TIMEOUT, "%s: timed out", doing);
	}
	return atomic_load(&stream->is_shut) ? fail_closed(doing) : sr_ok();
}

static enum sr_progress read_some(struct sr_stream *stream, uint8_t *to, size_t len, size_t *ret_len)
{
	SR_LOCKED(&stream->mutex);
	return sr_channel_read(&stream->channel, to, len, ret_len);
}

/* Exactly `len` bytes; *filled tells how far it came, on failure too. */
static struct sr_result read_exactly(struct sr_stream *stream, uint8_t *to, size_t len, uint64_t deadline_ms,
                                     size_t *filled)
{
	while (*filled < len) {
		size_t got = 0;
		enum sr_progress progress = read_some(stream, to + *filled, len - *filled, &got);
		*filled += got;
		if (progress != SR_PROGRESS_DONE) {
			SR_TRY(wait_for(stream, progress, deadline_ms, "read a frame"));
		}
	}
	return sr_ok();
}

static struct sr_result read_body(struct sr_stream *stream, const uint8_t length[static 4], size_t max,
                                  uint64_t deadline_ms, struct sr_buf *frame)
{
	size_t len = sr_load_u32(length);
	if (len > max) {
		return sr_fail(SR_PROTOCOL, "read a frame: %zu bytes, over %zu", len, max);
	}
	sr_buf_reset(frame);
	uint8_t *body = sr_buf_extend(frame, len);
	SR_TRY(sr_buf_result(frame));
	size_t filled = 0;
	return read_exactly(stream, body, len, deadline_ms, &filled);
}

struct sr_result sr_stream_read_frame(struct sr_stream *stream, size_t max, uint64_t timeout_ms, struct sr_buf *frame)
{
	uint8_t length[4];
	size_t filled = 0;
	struct sr_result result = read_exactly(stream, length, 1, sr_boottime_ms() + timeout_ms, &filled);
	if (filled == 0) {
		return result;
	}
	/* The frame has started: it comes whole within the time, or the stream has lost its place. */
	uint64_t deadline_ms = sr_boottime_ms() + timeout_ms;
	if (sr_is_ok(result)) {
		result = read_exactly(stream, length, sizeof length, deadline_ms, &filled);
	}
	if (sr_is_ok(result)) {
		result = read_body(stream, length, max, deadline_ms, frame);
	}
	if (!sr_is_ok(result)) {
		sr_stream_shut(stream);
	}
	return result;
}

static enum sr_progress write_some(struct sr_stream *stream, struct sr_bytes *bytes)
{
	SR_LOCKED(&stream->mutex);
	size_t written = 0;
	enum sr_progress progress = sr_channel_write(&stream->channel, *bytes, &written);
	*bytes = sr_bytes_of(bytes->data + written, bytes->len - written);
	return progress == SR_PROGRESS_DONE ? sr_channel_flush(&stream->channel) : progress;
}

static struct sr_result write_whole(struct sr_stream *stream, struct sr_bytes bytes, uint64_t deadline_ms)
{
	for (;;) {
		enum sr_progress progress = write_some(stream, &bytes);
		if (progress == SR_PROGRESS_DONE && bytes.len == 0) {
			return sr_ok();
		}
		if (progress != SR_PROGRESS_DONE) {
			SR_TRY(wait_for(stream, progress, deadline_ms, "write a frame"));
		}
	}
}

struct sr_result sr_stream_write_frame(struct sr_stream *stream, struct sr_bytes frame, uint64_t timeout_ms)
{
	if (frame.len > UINT32_MAX - 4) {
		return sr_fail(SR_INVALID, "write a frame: %zu bytes do not fit", frame.len);
	}
	if (atomic_load(&stream->is_shut)) {
		return fail_closed("write a frame");
	}
	SR_CLEANUP(sr_buf) struct sr_buf whole = SR_BUF(frame.len + 4);
	sr_buf_append_block(&whole, frame);
	SR_TRY(sr_buf_result(&whole));
	struct sr_result result = write_whole(stream, sr_buf_bytes(&whole), sr_boottime_ms() + timeout_ms);
	sr_wipe(whole.data, whole.len);
	if (!sr_is_ok(result)) {
		sr_stream_shut(stream); /* part of the frame may have left */
	}
	return result;
}
