/*
 * A connected socket, with TLS or without, that never blocks: each call does what it can and says what it waits for.
 * Waiting is a call of its own (sr_channel_wait), so that servers may wait in epoll instead. One thread at a time.
 */
#ifndef SR_NET_CHANNEL_H
#define SR_NET_CHANNEL_H

#include "base/bytes.h"

#include <openssl/ssl.h>

struct sr_channel {
	int fd;          /* non-blocking; -1 when closed */
	SSL *session;    /* NULL without TLS */
	uint8_t *gather; /* records on their way, while a large write runs */
	size_t gather_len;
	size_t gather_sent;
	int write_error; /* errno of the last write that failed for good */
};

enum sr_progress {
	SR_PROGRESS_DONE,
	SR_PROGRESS_WANT_READ,
	SR_PROGRESS_WANT_WRITE,
	SR_PROGRESS_END,   /* the peer has closed its side */
	SR_PROGRESS_BROKEN /* the connection is of no more use */
};

/* Takes `fd`; and `session` (may be NULL), which it ties to it. */
void sr_channel_open(struct sr_channel *channel, int fd, SSL *session);
/* Says goodbye if TLS is up (close_notify), without waiting. Nothing may be written after. */
void sr_channel_finish(struct sr_channel *channel);
/* Gives back what only large writes need, before a connection idles. */
void sr_channel_rest(struct sr_channel *channel);
void sr_channel_close(struct sr_channel *channel);
enum sr_progress sr_channel_handshake(struct sr_channel *channel);
enum sr_progress sr_channel_read(struct sr_channel *channel, uint8_t *to, size_t len, size_t *ret_len);
/* Bytes have been taken from the socket that no read has yielded: epoll will not tell of them. */
bool sr_channel_has_buffered(const struct sr_channel *channel);
/*
 * Writes some of `bytes`; *ret_len is how many. Large ones go out as several TLS records a system call. Bytes that were
 * counted may still be held here: a response is over when sr_channel_flush is done.
 */
enum sr_progress sr_channel_write(struct sr_channel *channel, struct sr_bytes bytes, size_t *ret_len);
enum sr_progress sr_channel_flush(struct sr_channel *channel);
/* Waits, as blocking (sr_blocking_begin), until the socket is ready for `wanted` or until `timeout_ms`; false then.
 * `wake_fd` ends the wait as well when it becomes readable (-1: none). */
bool sr_channel_wait(const struct sr_channel *channel, enum sr_progress wanted, uint64_t timeout_ms, int wake_fd);
/* Stops both directions at once, from any thread: nothing that the kernel still holds leaves (TCP: by a reset). */
void sr_channel_cut(int fd);

/* The same as calls with a deadline (sr_boottime_ms); SR_TIMEOUT, SR_CLOSED, SR_PROTOCOL for TLS that is refused. */
SR_MUST struct sr_result sr_channel_handshake_by(struct sr_channel *channel, uint64_t deadline_ms);
/* At least one byte; *ret_len 0 is the end. */
SR_MUST struct sr_result sr_channel_read_by(struct sr_channel *channel, uint8_t *to, size_t len, uint64_t deadline_ms,
                                            size_t *ret_len);
SR_MUST struct sr_result sr_channel_write_by(struct sr_channel *channel, struct sr_bytes bytes, uint64_t deadline_ms);

#endif
