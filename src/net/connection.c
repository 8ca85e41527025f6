/*
 * A connection's life: handshake, then request after request, parked in epoll between them, and its end. What happens
 * within a request is exchange.c's.
 */
#include "net/exchange.h"

#include "base/clock.h"
#include "base/memory.h"
#include "seal/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PIPELINED_MAX = 16, /* requests served in a row before others get their turn */
	LINGER_MS = 2000,
	LINGER_MAX = 1024 * 1024
};

/* A connection object that is not in use; NULL past the limit. */
static struct sr_connection *obtain(struct sr_server *server)
{
	SR_LOCKED(&server->mutex);
	struct sr_connection *connection = server->free_connections;
	if (connection) {
		server->free_connections = connection->next_free;
		return connection;
	}
	if (server->connection_count == server->options.max_connections) {
		return NULL;
	}
	connection = sr_alloc(sizeof *connection);
	connection->server = server;
	connection->channel.fd = -1;
	sr_mutex_init(&connection->mutex, SR_RANK_EXCHANGE);
	server->connections[server->connection_count++] = connection;
	return connection;
}

static void give_back(struct sr_connection *connection)
{
	struct sr_server *server = connection->server;
	SR_LOCKED(&server->mutex);
	connection->next_free = server->free_connections;
	server->free_connections = connection;
}

/* The caller has taken the connection. */
static void close_now(struct sr_connection *connection)
{
	if (connection->in) {
		sr_wipe(connection->in, connection->in_cap);
		sr_free(SR_TAKE(connection->in));
	}
	connection->in_len = 0;
	sr_mutex_lock(&connection->mutex);
	connection->is_open = false;
	sr_channel_close(&connection->channel);
	sr_mutex_unlock(&connection->mutex);
	atomic_fetch_sub(&connection->server->connections_now, 1);
	give_back(connection);
}

/* Leaves the connection to epoll. Nothing of it may be touched after, since another worker may have it already. */
static void park(struct sr_connection *connection, int operation, enum sr_progress wanted, uint64_t deadline_ms)
{
	uint32_t direction = wanted == SR_PROGRESS_WANT_WRITE ? EPOLLOUT : EPOLLIN;
	struct epoll_event event = {.events = direction | EPOLLONESHOT, .data.ptr = connection};
	sr_mutex_lock(&connection->mutex);
	connection->deadline_ms = deadline_ms;
	connection->is_parked = epoll_ctl(connection->server->epoll_fd, operation, connection->channel.fd, &event) == 0;
	bool is_lost = !connection->is_parked;
	sr_mutex_unlock(&connection->mutex);
	if (is_lost) {
		close_now(connection);
	}
}

/* True if the connection was parked and is the caller's now. */
static bool take(struct sr_connection *connection)
{
	SR_LOCKED(&connection->mutex);
	bool was_parked = connection->is_parked;
	connection->is_parked = false;
	return was_parked;
}

void sr_connection_start(struct sr_server *server, const struct sr_listener *listener, int fd, const char *peer_address)
{
	struct sr_connection *connection = obtain(server);
	if (!connection) {
		close(fd);
		return;
	}
	SSL *session = NULL;
	struct sr_result result = listener->tls ? sr_tls_accept_session(listener->tls, &session) : sr_ok();
	if (!sr_is_ok(result)) {
		sr_result_free(result);
		close(fd);
		give_back(connection);
		return;
	}
	connection->state = session ? SR_CONNECTION_HANDSHAKE : SR_CONNECTION_HEAD;
	connection->is_local = listener->path;
	connection->is_plain = !listener->tls && !listener->path;
	connection->scanned = 0;
	connection->peer_service[0] = '\0';
	snprintf(connection->peer_address, sizeof connection->peer_address, "%s", peer_address);
	sr_mutex_lock(&connection->mutex);
	sr_channel_open(&connection->channel, fd, session);
	connection->is_open = true;
	sr_mutex_unlock(&connection->mutex);
	atomic_fetch_add(&server->connections_now, 1);
	atomic_fetch_add(&server->connections_all, 1);
	park(connection, EPOLL_CTL_ADD, SR_PROGRESS_WANT_READ, sr_boottime_ms() + server->options.header_timeout_ms);
}

/* Parks where the next step needs more of the client; the deadline stands until the step is done. */
static void park_for(struct sr_connection *connection, enum sr_progress progress)
{
	if (progress == SR_PROGRESS_WANT_READ || progress == SR_PROGRESS_WANT_WRITE) {
		park(connection, EPOLL_CTL_MOD, progress, connection->deadline_ms);
	} else {
		close_now(connection);
	}
}

/* True when the handshake is done; else the connection is parked or closed. */
static bool work_handshake(struct sr_connection *connection)
{
	enum sr_progress progress = sr_channel_handshake(&connection->channel);
	if (progress != SR_PROGRESS_DONE) {
		park_for(connection, progress);
		return false;
	}
	sr_tls_peer_service(connection->channel.session, connection->peer_service);
	connection->state = SR_CONNECTION_HEAD;
	return true;
}

/* Idle connections hold no input buffer: the worker lends its own. */
static void lend_input(struct sr_worker *worker, struct sr_connection *connection)
{
	if (!connection->in || connection->in_cap < sr_input_len(worker->server)) {
		size_t cap = sr_input_len(worker->server);
		uint8_t *in = worker->spare_count ? worker->spare_in[--worker->spare_count] : sr_alloc(cap);
		if (connection->in) {
			memcpy(in, connection->in, connection->in_len);
			sr_wipe(connection->in, connection->in_len);
		}
		sr_free(connection->in);
		connection->in = in;
		connection->in_cap = cap;
	}
}

/* Takes the buffer back; what is in it moves to one of its own size. */
static void reclaim_input(struct sr_worker *worker, struct sr_connection *connection)
{
	uint8_t *in = SR_TAKE(connection->in);
	if (connection->in_len > 0) {
		connection->in = sr_alloc(connection->in_len);
		connection->in_cap = connection->in_len;
		memcpy(connection->in, in, connection->in_len);
		sr_wipe(in, connection->in_len);
	}
	if (worker->spare_count == SR_SPARE_INPUTS) {
		sr_free(in);
	} else {
		worker->spare_in[worker->spare_count++] = in;
	}
}

static void park_between_requests(struct sr_worker *worker, struct sr_connection *connection, enum sr_progress wanted)
{
	const struct sr_server_options *options = &worker->server->options;
	bool is_idle = connection->in_len == 0;
	reclaim_input(worker, connection);
	sr_channel_rest(&connection->channel);
	if (is_idle && atomic_load(&worker->server->is_stopping)) {
		sr_channel_finish(&connection->channel);
		close_now(connection);
		return;
	}
	park(connection, EPOLL_CTL_MOD, wanted,
	     is_idle ? sr_boottime_ms() + options->idle_timeout_ms : connection->deadline_ms);
}

/* Throws away what the client still sends, until it has seen our end, or for so long and no longer. */
static void work_linger(struct sr_connection *connection)
{
	uint8_t waste[4096];
	ssize_t got;
	while ((got = recv(connection->channel.fd, waste, sizeof waste, 0)) > 0) {
		if ((size_t)got > connection->linger_left) {
			close_now(connection);
			return;
		}
		connection->linger_left -= (size_t)got;
	}
	park_for(connection, got == 0 ? SR_PROGRESS_END : errno == EAGAIN ? SR_PROGRESS_WANT_READ : SR_PROGRESS_BROKEN);
}

/* True if the next request may follow; else the connection is parked or closed. */
static bool follow(struct sr_connection *connection, enum sr_exchange_outcome outcome)
{
	switch (outcome) {
	case SR_EXCHANGE_KEEP:
		return true;
	case SR_EXCHANGE_CLOSE:
		sr_channel_finish(&connection->channel);
		break;
	case SR_EXCHANGE_LINGER:
		sr_channel_finish(&connection->channel);
		shutdown(connection->channel.fd, SHUT_WR);
		connection->state = SR_CONNECTION_LINGER;
		connection->linger_left = LINGER_MAX;
		connection->deadline_ms = sr_boottime_ms() + LINGER_MS;
		work_linger(connection);
		return false;
	case SR_EXCHANGE_HELD:
		return false;
	case SR_EXCHANGE_CUT:
		sr_channel_cut(connection->channel.fd);
		break;
	}
	close_now(connection);
	return false;
}

/* The head's length, 0 if more must be read; an error if it cannot become a head. */
static struct sr_result find_head(struct sr_connection *connection, size_t *ret_len)
{
	size_t most = connection->server->options.max_header_len;
	SR_TRY(sr_http_find_head_end(sr_bytes_of(connection->in, connection->in_len), &connection->scanned, ret_len));
	size_t len = *ret_len ? *ret_len : connection->in_len;
	if (connection->scanned == 0 && len > SR_HTTP_TARGET_MAX + 64) {
		return sr_fail_as(SR_TOO_LARGE, SR_HTTP_TARGET_TOO_LONG, "read HTTP head: the target is too long");
	}
	if (len > most || (*ret_len == 0 && len == most)) {
		return sr_fail_as(SR_TOO_LARGE, SR_HTTP_HEADERS_TOO_LARGE, "read HTTP head: it is over %zu bytes", most);
	}
	return sr_ok();
}

/* Runs the request that has come, or refuses what is none. True if the next may follow at once. */
static bool work_request(struct sr_worker *worker, struct sr_connection *connection, struct sr_result found,
                         size_t head_len)
{
	atomic_fetch_add(&worker->server->requests, 1);
	enum sr_exchange_outcome outcome = sr_is_ok(found) ? sr_exchange_run(worker->exchange, connection, head_len)
	                                                   : sr_exchange_refuse(worker->exchange, connection, found);
	if (outcome == SR_EXCHANGE_HELD) {
		sr_exchange_let_go(
		    SR_TAKE(worker->exchange)); /* another worker may have it, and the connection, from here on */
		return false;
	}
	return follow(connection, outcome);
}

/* After a request: true if the next is to be looked for at once; else the connection is parked. */
static bool look_further(struct sr_worker *worker, struct sr_connection *connection, int served)
{
	connection->deadline_ms = sr_boottime_ms() + worker->server->options.header_timeout_ms;
	bool has_more = connection->in_len > 0 || sr_channel_has_buffered(&connection->channel);
	if (has_more && served < PIPELINED_MAX) {
		return true;
	}
	/* What is buffered already raises no event for reading: one for writing comes at once. */
	park_between_requests(worker, connection, has_more ? SR_PROGRESS_WANT_WRITE : SR_PROGRESS_WANT_READ);
	return false;
}

/* Requests, as many as are there; then the connection is parked or closed. */
static void work_requests(struct sr_worker *worker, struct sr_connection *connection)
{
	lend_input(worker, connection);
	for (int served = 0;;) {
		size_t head_len = 0;
		struct sr_result found = find_head(connection, &head_len);
		if (!sr_is_ok(found) || head_len > 0) {
			if (!work_request(worker, connection, found, head_len)) {
				return;
			}
			if (!look_further(worker, connection, ++served)) {
				return;
			}
			continue;
		}
		size_t got = 0;
		enum sr_progress progress = sr_channel_read(&connection->channel, connection->in + connection->in_len,
		                                            connection->in_cap - connection->in_len, &got);
		if (progress == SR_PROGRESS_WANT_READ || progress == SR_PROGRESS_WANT_WRITE) {
			park_between_requests(worker, connection, progress);
			return;
		}
		if (progress != SR_PROGRESS_DONE) {
			sr_channel_finish(&connection->channel);
			close_now(connection);
			return;
		}
		if (connection->in_len == 0) {
			connection->deadline_ms = sr_boottime_ms() + worker->server->options.header_timeout_ms;
		}
		connection->in_len += got;
	}
}

void sr_connection_work(struct sr_worker *worker, struct sr_connection *connection)
{
	if (!take(connection)) {
		return;
	}
	if (connection->state == SR_CONNECTION_LINGER) {
		work_linger(connection);
	} else if (connection->state == SR_CONNECTION_HEAD || work_handshake(connection)) {
		work_requests(worker, connection);
	}
}

void sr_connection_resume(struct sr_worker *worker, struct sr_exchange *exchange)
{
	struct sr_connection *connection = exchange->connection;
	enum sr_exchange_outcome outcome = sr_exchange_go_on(exchange);
	if (outcome == SR_EXCHANGE_HELD) {
		sr_exchange_let_go(exchange);
	} else {
		sr_exchange_give_back(exchange);
	}
	if (follow(connection, outcome) && look_further(worker, connection, 1)) {
		work_requests(worker, connection);
	}
	atomic_fetch_sub(&worker->server->held_count, 1);
}

static bool take_expired(struct sr_connection *connection, uint64_t now_ms)
{
	SR_LOCKED(&connection->mutex);
	bool is_expired = connection->is_parked && connection->deadline_ms < now_ms;
	connection->is_parked = connection->is_parked && !is_expired;
	return is_expired;
}

/* How many have been made; they stay, so that a walk over them needs no lock. */
static unsigned count_made(struct sr_server *server)
{
	SR_LOCKED(&server->mutex);
	return server->connection_count;
}

void sr_connections_expire(struct sr_server *server, uint64_t now_ms)
{
	unsigned count = count_made(server);
	for (unsigned i = 0; i < count; i++) {
		struct sr_connection *connection = server->connections[i];
		if (take_expired(connection, now_ms)) {
			if (connection->state == SR_CONNECTION_HEAD && connection->in_len == 0) {
				sr_channel_finish(&connection->channel);
			}
			close_now(connection);
		}
	}
}

void sr_connections_cut(struct sr_server *server)
{
	unsigned count = count_made(server);
	for (unsigned i = 0; i < count; i++) {
		struct sr_connection *connection = server->connections[i];
		SR_LOCKED(&connection->mutex);
		if (connection->is_open) {
			sr_channel_cut(connection->channel.fd);
		}
	}
}
