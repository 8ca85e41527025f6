/*
 * A mutual-TLS byte stream between two of our services, for the lease protocol: blocking calls
 * with deadlines. One thread may read while another writes. Frames are u32 length and body.
 */
#ifndef SR_NET_STREAM_H
#define SR_NET_STREAM_H

#include "base/bytes.h"
#include "net/tls.h"

struct sr_stream;

/* Connects to `address` ("127.0.0.1", "::1", a name) within `timeout_ms`; the server must show service name
 * `expect_service` (URI SAN strongroom://service/NAME). */
SR_MUST struct sr_result sr_stream_connect(struct sr_tls *tls, const char *address, uint16_t port,
                                           const char *expect_service, uint64_t timeout_ms,
                                           struct sr_stream **ret_stream);
/* Service name in the peer's certificate, "" if none. Borrowed. */
const char *sr_stream_peer(const struct sr_stream *stream);
/* One frame; a body over `max` is SR_PROTOCOL. `timeout_ms` bounds the wait for its start and for the whole of it.
 * SR_TIMEOUT before its first byte leaves the stream usable. */
SR_MUST struct sr_result sr_stream_read_frame(struct sr_stream *stream, size_t max, uint64_t timeout_ms,
                                              struct sr_buf *frame);
SR_MUST struct sr_result sr_stream_write_frame(struct sr_stream *stream, struct sr_bytes frame, uint64_t timeout_ms);
/* Ends it for both threads at once; they get SR_CLOSED. Thread-safe; free it after both have left. */
void sr_stream_shut(struct sr_stream *stream);
void sr_stream_free(struct sr_stream *stream);

/* Accepts streams: `serve` runs on a thread of its own for each and frees nothing; the stream ends when it returns. */
struct sr_stream_listener;
SR_MUST struct sr_result sr_stream_listen(struct sr_tls *tls, const char *address, uint16_t port, unsigned max_streams,
                                          void (*serve)(struct sr_stream *stream, void *context), void *context,
                                          struct sr_stream_listener **ret_listener);
/* The port that it listens on. */
uint16_t sr_stream_listener_port(const struct sr_stream_listener *listener);
/* Stops accepting, shuts every stream, waits for their threads. */
void sr_stream_listener_stop(struct sr_stream_listener *listener);

#endif
