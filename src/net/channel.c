/*
 * Reads and writes on one socket. OpenSSL is given a BIO of ours, since its own makes a system call of each 16 KiB
 * record and would raise SIGPIPE: ours gathers the records of a large write and sends them together.
 */
#include "net/channel.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RECORD_LEN = 16 * 1024,
	RECORD_MAX = RECORD_LEN + 256, /* with header, tag and padding of any of our suites */
	GATHER_LEN = 4 * RECORD_MAX
};

/* Sends what is gathered; false with errno when the socket takes no more or has failed. */
static bool send_gathered(struct sr_channel *channel)
{
	while (channel->gather_sent < channel->gather_len) {
		ssize_t sent = send(channel->fd, channel->gather + channel->gather_sent,
		                    channel->gather_len - channel->gather_sent, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR) {
			continue;
		}
		if (sent < 0) {
			return false;
		}
		channel->gather_sent += (size_t)sent;
	}
	channel->gather_len = 0;
	channel->gather_sent = 0;
	return true;
}

static bool is_again(int error_number)
{
	return error_number == EAGAIN || error_number == EWOULDBLOCK;
}

/* Marks the BIO as to be tried again, or keeps the reason why not. */
static int bio_failed(BIO *bio, struct sr_channel *channel, int retry_flag)
{
	if (is_again(errno)) {
		BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
	} else if (retry_flag == BIO_FLAGS_WRITE) {
		channel->write_error = errno;
	}
	return -1;
}

static int bio_write(BIO *bio, const char *data, int len)
{
	struct sr_channel *channel = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (channel->gather && len <= RECORD_MAX) {
		if (GATHER_LEN - channel->gather_len < (size_t)len && !send_gathered(channel)) {
			return bio_failed(bio, channel, BIO_FLAGS_WRITE);
		}
		memcpy(channel->gather + channel->gather_len, data, (size_t)len);
		channel->gather_len += (size_t)len;
		return len;
	}
	if (!send_gathered(channel)) {
		return bio_failed(bio, channel, BIO_FLAGS_WRITE);
	}
	ssize_t sent;
	do {
		sent = send(channel->fd, data, (size_t)len, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? bio_failed(bio, channel, BIO_FLAGS_WRITE) : (int)sent;
}

static int bio_read(BIO *bio, char *to, int len)
{
	struct sr_channel *channel = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	ssize_t got;
	do {
		got = recv(channel->fd, to, (size_t)len, 0);
	} while (got < 0 && errno == EINTR);
	if (got == 0) {
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	}
	return got < 0 ? bio_failed(bio, channel, BIO_FLAGS_READ) : (int)got;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DUP:
		return 1;
	case BIO_CTRL_EOF:
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	default:
		return 0;
	}
}

static BIO_METHOD *method;

static void make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "strongroom channel");
	if (!method || !BIO_meth_set_write(method, bio_write) || !BIO_meth_set_read(method, bio_read) ||
	    !BIO_meth_set_ctrl(method, bio_control)) {
		abort();
	}
}

void sr_channel_open(struct sr_channel *channel, int fd, SSL *session)
{
	*channel = (struct sr_channel){.fd = fd, .session = session};
	if (session) {
		static pthread_once_t once = PTHREAD_ONCE_INIT;
		pthread_once(&once, make_method);
		BIO *bio = BIO_new(method);
		if (!bio) {
			abort(); /* as sr_alloc: memory of a fixed size is gone */
		}
		BIO_set_data(bio, channel);
		BIO_set_init(bio, 1);
		SSL_set_bio(session, bio, bio);
	}
}

void sr_channel_finish(struct sr_channel *channel)
{
	if (channel->session && SSL_is_init_finished(channel->session)) {
		ERR_clear_error();
		SSL_shutdown(channel->session);
	}
	(void)sr_channel_flush(channel);
}

void sr_channel_rest(struct sr_channel *channel)
{
	if (channel->gather && sr_channel_flush(channel) == SR_PROGRESS_DONE) {
		sr_free(SR_TAKE(channel->gather));
	}
}

void sr_channel_close(struct sr_channel *channel)
{
	SSL_free(channel->session);
	channel->session = NULL;
	sr_free(channel->gather);
	channel->gather = NULL;
	if (channel->fd >= 0) {
		close(channel->fd);
		channel->fd = -1;
	}
}

static enum sr_progress progress_of(struct sr_channel *channel, int outcome)
{
	switch (SSL_get_error(channel->session, outcome)) {
	case SSL_ERROR_NONE:
		return SR_PROGRESS_DONE;
	case SSL_ERROR_WANT_READ:
		return SR_PROGRESS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return SR_PROGRESS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return SR_PROGRESS_END;
	default:
		/* OpenSSL may not be used again after this, not even for a goodbye. */
		ERR_clear_error();
		SSL_set_quiet_shutdown(channel->session, 1);
		return SR_PROGRESS_BROKEN;
	}
}

enum sr_progress sr_channel_handshake(struct sr_channel *channel)
{
	if (!channel->session) {
		return SR_PROGRESS_DONE;
	}
	ERR_clear_error();
	return progress_of(channel, SSL_do_handshake(channel->session));
}

enum sr_progress sr_channel_read(struct sr_channel *channel, uint8_t *to, size_t len, size_t *ret_len)
{
	*ret_len = 0;
	if (channel->session) {
		ERR_clear_error();
		return progress_of(channel, SSL_read_ex(channel->session, to, len, ret_len));
	}
	ssize_t got;
	do {
		got = recv(channel->fd, to, len, 0);
	} while (got < 0 && errno == EINTR);
	if (got > 0) {
		*ret_len = (size_t)got;
		return SR_PROGRESS_DONE;
	}
	if (got == 0) {
		return SR_PROGRESS_END;
	}
	return is_again(errno) ? SR_PROGRESS_WANT_READ : SR_PROGRESS_BROKEN;
}

bool sr_channel_has_buffered(const struct sr_channel *channel)
{
	return channel->session && SSL_has_pending(channel->session);
}

/* Without TLS there is nothing to gather. */
static enum sr_progress write_plain(struct sr_channel *channel, struct sr_bytes bytes, size_t *ret_len)
{
	ssize_t sent;
	do {
		sent = send(channel->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0) {
		*ret_len = (size_t)sent;
		return SR_PROGRESS_DONE;
	}
	if (is_again(errno)) {
		return SR_PROGRESS_WANT_WRITE;
	}
	channel->write_error = errno;
	return SR_PROGRESS_BROKEN;
}

enum sr_progress sr_channel_write(struct sr_channel *channel, struct sr_bytes bytes, size_t *ret_len)
{
	*ret_len = 0;
	if (!channel->session) {
		return write_plain(channel, bytes, ret_len);
	}
	if (bytes.len > RECORD_LEN && !channel->gather) {
		channel->gather = sr_try_alloc(GATHER_LEN); /* without it, records go one by one */
	}
	ERR_clear_error();
	while (*ret_len < bytes.len) {
		size_t written = 0;
		size_t left = bytes.len - *ret_len;
		size_t len = left < RECORD_LEN ? left : RECORD_LEN;
		int outcome = SSL_write_ex(channel->session, bytes.data + *ret_len, len, &written);
		if (outcome != 1) {
			enum sr_progress progress = progress_of(channel, outcome);
			return *ret_len > 0 && progress != SR_PROGRESS_BROKEN ? SR_PROGRESS_DONE : progress;
		}
		*ret_len += written;
	}
	return SR_PROGRESS_DONE;
}

enum sr_progress sr_channel_flush(struct sr_channel *channel)
{
	if (!channel->gather) {
		return SR_PROGRESS_DONE;
	}
	if (!send_gathered(channel)) {
		channel->write_error = errno;
		return is_again(errno) ? SR_PROGRESS_WANT_WRITE : SR_PROGRESS_BROKEN;
	}
	return SR_PROGRESS_DONE;
}

bool sr_channel_wait(const struct sr_channel *channel, enum sr_progress wanted, uint64_t timeout_ms, int wake_fd)
{
	struct pollfd items[] = {{.fd = channel->fd, .events = wanted == SR_PROGRESS_WANT_WRITE ? POLLOUT : POLLIN},
	                         {.fd = wake_fd, .events = POLLIN}};
	uint64_t deadline_ms = sr_boottime_ms() + timeout_ms;
	sr_blocking_begin();
	int ready = 0;
	for (uint64_t now_ms; ready <= 0 && (now_ms = sr_boottime_ms()) < deadline_ms;) {
		uint64_t left_ms = deadline_ms - now_ms;
		ready = poll(items, 2, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
	}
	sr_blocking_end();
	return ready > 0;
}

void sr_channel_cut(int fd)
{
	/* For TCP, connecting to nothing resets the connection and drops its queues, while the descriptor stays ours. */
	struct sockaddr nothing = {.sa_family = AF_UNSPEC};
	if (connect(fd, &nothing, sizeof nothing) != 0) {
		shutdown(fd, SHUT_RDWR);
	}
}

static struct sr_result fail_progress(enum sr_progress progress, const char *doing)
{
	return progress == SR_PROGRESS_END ? sr_fail(SR_CLOSED, "%s: the peer closed the connection", doing)
	                                   : sr_fail(SR_CLOSED, "%s: the connection broke", doing);
}

/* Waits for what a call needs; an error if it never comes. */
static struct sr_result wait_by(const struct sr_channel *channel, enum sr_progress progress, uint64_t deadline_ms,
                                const char *doing)
{
	if (progress != SR_PROGRESS_WANT_READ && progress != SR_PROGRESS_WANT_WRITE) {
		return fail_progress(progress, doing);
	}
	uint64_t now_ms = sr_boottime_ms();
	if (now_ms >= deadline_ms || !sr_channel_wait(channel, progress, deadline_ms - now_ms, -1)) {
		return sr_fail(SR_TIMEOUT, "%s: timed out", doing);
	}
	return sr_ok();
}

struct sr_result sr_channel_handshake_by(struct sr_channel *channel, uint64_t deadline_ms)
{
	for (;;) {
		enum sr_progress progress = sr_channel_handshake(channel);
		if (progress == SR_PROGRESS_DONE) {
			return sr_ok();
		}
		if (progress == SR_PROGRESS_BROKEN && SSL_get_verify_result(channel->session) != X509_V_OK) {
			return sr_fail(SR_UNAUTHENTICATED, "verify the TLS peer: %s",
			               X509_verify_cert_error_string(SSL_get_verify_result(channel->session)));
		}
		SR_TRY(wait_by(channel, progress, deadline_ms, "shake hands over TLS"));
	}
}

struct sr_result sr_channel_read_by(struct sr_channel *channel, uint8_t *to, size_t len, uint64_t deadline_ms,
                                    size_t *ret_len)
{
	for (;;) {
		enum sr_progress progress = sr_channel_read(channel, to, len, ret_len);
		if (progress == SR_PROGRESS_DONE || progress == SR_PROGRESS_END) {
			return sr_ok();
		}
		SR_TRY(wait_by(channel, progress, deadline_ms, "read from the connection"));
	}
}

struct sr_result sr_channel_write_by(struct sr_channel *channel, struct sr_bytes bytes, uint64_t deadline_ms)
{
	while (bytes.len > 0) {
		size_t written = 0;
		enum sr_progress progress = sr_channel_write(channel, bytes, &written);
		bytes = sr_bytes_of(bytes.data + written, bytes.len - written);
		if (progress != SR_PROGRESS_DONE) {
			SR_TRY(wait_by(channel, progress, deadline_ms, "write to the connection"));
		}
	}
	for (;;) {
		enum sr_progress progress = sr_channel_flush(channel);
		if (progress == SR_PROGRESS_DONE) {
			return sr_ok();
		}
		SR_TRY(wait_by(channel, progress, deadline_ms, "write to the connection"));
	}
}
