/*
 * Where connections come from: TCP and Unix sockets, and the keeper thread that accepts on them and ends connections
 * that are late.
 */
#include "net/near_address.h"
#include "net/server_core.h"
#include "net/socket.h"

#include "base/clock.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, ACCEPTS_MAX = 64, PAUSE_MS = 100, SWEEP_MS = 250 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

/* Takes `fd`, in any case. */
static struct sr_result add_listener(struct sr_server *server, int fd, struct sr_tls *tls, const char *path)
{
	unsigned count = 0;
	for (const struct sr_listener *each = server->listeners; each; each = each->next) {
		count++;
	}
	if (count == SR_LISTENERS_MAX) {
		close(fd);
		return sr_fail(SR_TOO_LARGE, "listen on more than %d sockets", (int)SR_LISTENERS_MAX);
	}
	struct sr_listener *listener = sr_alloc(sizeof *listener);
	listener->fd = fd;
	listener->tls = tls;
	listener->path = path ? sr_strdup(path) : NULL;
	listener->next = server->listeners;
	server->listeners = listener;
	return sr_ok();
}

void sr_listener_free(struct sr_listener *listener)
{
	close(listener->fd);
	if (listener->path) {
		unlink(listener->path);
		sr_free(listener->path);
	}
	sr_free(listener);
}

struct sr_result sr_server_listen(struct sr_server *server, struct sr_tls *tls, const char *address, uint16_t port,
                                  uint16_t *ret_port)
{
	int fd = -1;
	uint16_t bound = 0;
	SR_TRY(sr_socket_listen(address, port, &fd, &bound));
	SR_TRY(add_listener(server, fd, tls, NULL));
	if (ret_port) {
		*ret_port = bound;
	}
	return sr_ok();
}

struct sr_result sr_server_listen_plain(struct sr_server *server, const char *address, uint16_t port,
                                        uint16_t *ret_port)
{
	char text[SR_IP_TEXT_LEN];
	enum sr_reach reach = SR_REACH_FAR;
	SR_TRY(sr_address_read(address, text, &reach));
	if (reach == SR_REACH_FAR) {
		return sr_fail(SR_INVALID,
		               "listen on %s without TLS: only a loopback address (127.0.0.1, ::1) or a link-local one "
		               "(169.254.169.254) may be served in plain",
		               text);
	}
	if (server->owners.fds[0] < 0) {
		sr_owner_tables_open(&server->owners);
	}
	return sr_server_listen(server, NULL, address, port, ret_port);
}

/* Removes a socket that nobody listens on any more; one that answers is in use. */
static struct sr_result remove_stale(const union address *address, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return sr_fail_errno(errno, "make a socket");
	}
	int outcome = connect(fd, &address->any, len);
	int why = errno;
	close(fd);
	if (outcome == 0) {
		return sr_fail(SR_CONFLICT, "listen on %s: another process does", address->local.sun_path);
	}
	if (why == ECONNREFUSED && unlink(address->local.sun_path) != 0) {
		return sr_fail_errno(errno, "remove stale socket %s", address->local.sun_path);
	}
	return sr_ok();
}

static struct sr_result open_unix(int fd, const char *path)
{
	union address address = {.local = {.sun_family = AF_UNIX}};
	if (strlen(path) >= sizeof address.local.sun_path) {
		return sr_fail(SR_INVALID, "listen on %s: the path is longer than a socket's may be", path);
	}
	memcpy(address.local.sun_path, path, strlen(path)); /* the NUL is there */
	SR_TRY(remove_stale(&address, sizeof address.local));
	/* Linux takes a socket file's mode from its inode before bind, so it is never open to others. */
	if (fchmod(fd, 0600) != 0 || bind(fd, &address.any, sizeof address.local) != 0 || listen(fd, BACKLOG) != 0) {
		return sr_fail_errno(errno, "listen on %s", path);
	}
	if (chmod(path, 0600) != 0) {
		return sr_fail_errno(errno, "set the mode of %s", path);
	}
	return sr_ok();
}

struct sr_result sr_server_listen_unix(struct sr_server *server, const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return sr_fail_errno(errno, "make a socket");
	}
	struct sr_result result = open_unix(fd, path);
	if (!sr_is_ok(result)) {
		close(fd);
		return result;
	}
	return add_listener(server, fd, NULL, path);
}

/* Only the user that runs us, and root, may talk to us in plain. */
static bool is_same_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

/* True if a connection was there; *ret_error is why not. */
static bool accept_one(struct sr_server *server, const struct sr_listener *listener, int *ret_error)
{
	union address peer = {0};
	socklen_t len = sizeof peer;
	int fd = accept4(listener->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		*ret_error = errno;
		return errno == EINTR || errno == ECONNABORTED;
	}
	char text[SR_ADDRESS_TEXT_LEN] = "local";
	if (listener->path && !is_same_user(fd)) {
		close(fd);
		return true;
	}
	if (peer.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &peer.v4.sin_addr, text, sizeof text);
	} else if (peer.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &peer.v6.sin6_addr, text, sizeof text);
	}
	sr_connection_start(server, listener, fd, text);
	return true;
}

/* False if the process or the system is out of descriptors or memory: then accepting must rest a while. */
static bool accept_some(struct sr_server *server, const struct sr_listener *listener)
{
	int error_number = EAGAIN;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		if (!accept_one(server, listener, &error_number)) {
			return error_number != EMFILE && error_number != ENFILE && error_number != ENOBUFS &&
			       error_number != ENOMEM;
		}
	}
	return true;
}

/* How often lateness is looked for: often enough for the shortest time-out. */
static uint64_t sweep_interval_ms(const struct sr_server_options *options)
{
	uint64_t shortest_ms =
	    options->header_timeout_ms < options->idle_timeout_ms ? options->header_timeout_ms : options->idle_timeout_ms;
	uint64_t interval_ms = shortest_ms / 8 + 1;
	return interval_ms < SWEEP_MS ? interval_ms : SWEEP_MS;
}

/* One wait of the keeper's; true if accepting must rest. */
static bool wait_and_accept(struct sr_server *server, bool may_accept, uint64_t timeout_ms)
{
	struct pollfd items[SR_LISTENERS_MAX + 1] = {{.fd = server->wake_fd, .events = POLLIN}};
	const struct sr_listener *listeners[SR_LISTENERS_MAX + 1] = {0};
	nfds_t count = 1;
	for (const struct sr_listener *each = server->listeners; each && may_accept; each = each->next) {
		listeners[count] = each;
		items[count++] = (struct pollfd){.fd = each->fd, .events = POLLIN};
	}
	bool must_rest = false;
	if (poll(items, count, (int)timeout_ms) > 0) {
		for (nfds_t i = 1; i < count; i++) {
			must_rest = (items[i].revents && !accept_some(server, listeners[i])) || must_rest;
		}
	}
	return must_rest;
}

void sr_keeper_run(void *context)
{
	struct sr_server *server = context;
	uint64_t interval_ms = sweep_interval_ms(&server->options);
	uint64_t next_sweep_ms = sr_boottime_ms() + interval_ms;
	uint64_t rest_until_ms = 0;
	while (!atomic_load(&server->is_stopping)) {
		uint64_t now_ms = sr_boottime_ms();
		if (now_ms >= next_sweep_ms) {
			sr_connections_expire(server, now_ms);
			next_sweep_ms = now_ms + interval_ms;
		}
		uint64_t timeout_ms = next_sweep_ms - now_ms;
		if (rest_until_ms > now_ms && rest_until_ms - now_ms < timeout_ms) {
			timeout_ms = rest_until_ms - now_ms;
		}
		if (wait_and_accept(server, now_ms >= rest_until_ms, timeout_ms)) {
			rest_until_ms = sr_boottime_ms() + PAUSE_MS;
		}
	}
}
