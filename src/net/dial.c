/* Connecting, in the order that the resolver gives, and proving who answered. */
#include "net/dial.h"

#include "net/tls_session.h"

#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sr_result resolve(const char *host, uint16_t port, struct addrinfo **ret_list)
{
	char service[8];
	snprintf(service, sizeof service, "%u", (unsigned)port);
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	sr_blocking_begin();
	int outcome = getaddrinfo(host, service, &hints, ret_list);
	sr_blocking_end();
	return outcome == 0 ? sr_ok() : sr_fail(SR_UNAVAILABLE, "resolve %s: %s", host, gai_strerror(outcome));
}

/* Waits for a connection that was begun. */
static struct sr_result finish_connect(int fd, const char *host, uint64_t deadline_ms)
{
	struct sr_channel waiting = {.fd = fd};
	uint64_t now_ms = sr_boottime_ms();
	if (now_ms >= deadline_ms || !sr_channel_wait(&waiting, SR_PROGRESS_WANT_WRITE, deadline_ms - now_ms, -1)) {
		return sr_fail(SR_TIMEOUT, "connect to %s: timed out", host);
	}
	int error_number = 0;
	socklen_t len = sizeof error_number;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error_number, &len);
	return error_number == 0 ? sr_ok() : sr_fail_errno(error_number, "connect to %s", host);
}

static struct sr_result connect_one(const struct addrinfo *each, const char *host, uint64_t deadline_ms, int *ret_fd)
{
	int fd = socket(each->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return sr_fail_errno(errno, "make a socket");
	}
	struct sr_result result = sr_ok();
	if (connect(fd, each->ai_addr, each->ai_addrlen) != 0) {
		result =
		    errno == EINPROGRESS ? finish_connect(fd, host, deadline_ms) : sr_fail_errno(errno, "connect to %s", host);
	}
	if (!sr_is_ok(result)) {
		close(fd);
		return result;
	}
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	*ret_fd = fd;
	return sr_ok();
}

static struct sr_result connect_any(const char *host, uint16_t port, uint64_t deadline_ms, int *ret_fd)
{
	struct addrinfo *list = NULL;
	SR_TRY(resolve(host, port, &list));
	struct sr_result result = sr_fail(SR_UNAVAILABLE, "connect to %s: it has no address", host);
	for (const struct addrinfo *each = list; each && !sr_is_ok(result); each = each->ai_next) {
		sr_result_free(result);
		result = connect_one(each, host, deadline_ms, ret_fd);
	}
	freeaddrinfo(list);
	return result;
}

static struct sr_result shake_hands(struct sr_channel *channel, const char *expect_service, uint64_t deadline_ms)
{
	SR_TRY(sr_channel_handshake_by(channel, deadline_ms));
	char service[SR_SERVICE_NAME_MAX + 1];
	sr_tls_peer_service(channel->session, service);
	if (expect_service && strcmp(service, expect_service) != 0) {
		return sr_fail(SR_UNAUTHENTICATED, "verify the TLS peer: it is not service %s", expect_service);
	}
	return sr_ok();
}

struct sr_result sr_dial_tls(struct sr_tls *tls, const char *host, uint16_t port, const char *expect_service,
                             uint64_t deadline_ms, struct sr_channel *ret_channel)
{
	SSL *session = NULL;
	SR_TRY(sr_tls_connect_session(tls, expect_service ? NULL : host, &session));
	int fd = -1;
	struct sr_result result = connect_any(host, port, deadline_ms, &fd);
	if (!sr_is_ok(result)) {
		SSL_free(session);
		return result;
	}
	sr_channel_open(ret_channel, fd, session);
	result = shake_hands(ret_channel, expect_service, deadline_ms);
	if (!sr_is_ok(result)) {
		sr_channel_close(ret_channel);
	}
	return result;
}

struct sr_result sr_dial_unix(const char *path, struct sr_channel *ret_channel)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path) {
		return sr_fail(SR_INVALID, "connect to %s: the path is longer than a socket's may be", path);
	}
	memcpy(address.sun_path, path, strlen(path)); /* the NUL is there */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return sr_fail_errno(errno, "make a socket");
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		struct sr_result result = sr_fail_errno(errno, "connect to %s", path);
		close(fd);
		return result;
	}
	sr_channel_open(ret_channel, fd, NULL);
	return sr_ok();
}
