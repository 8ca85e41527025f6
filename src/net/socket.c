/* Opening sockets that listen on TCP. */
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static struct sr_result parse_address(const char *text, uint16_t port, union address *ret_address, socklen_t *ret_len)
{
	memset(ret_address, 0, sizeof *ret_address);
	if (inet_pton(AF_INET, text, &ret_address->v4.sin_addr) == 1) {
		ret_address->v4.sin_family = AF_INET;
		ret_address->v4.sin_port = htons(port);
		*ret_len = sizeof ret_address->v4;
		return sr_ok();
	}
	if (inet_pton(AF_INET6, text, &ret_address->v6.sin6_addr) == 1) {
		ret_address->v6.sin6_family = AF_INET6;
		ret_address->v6.sin6_port = htons(port);
		*ret_len = sizeof ret_address->v6;
		return sr_ok();
	}
	return sr_fail(SR_INVALID, "listen on %s: that is no IP address", text);
}

/* Binds, listens, and tells the port; the caller closes `fd` on failure. */
static struct sr_result open_tcp(int fd, const char *text, uint16_t port, uint16_t *ret_port)
{
	union address address;
	socklen_t len = 0;
	SR_TRY(parse_address(text, port, &address, &len));
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (address.any.sa_family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	}
	/* Inherited by every connection that is accepted. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bind(fd, &address.any, len) != 0 || listen(fd, BACKLOG) != 0 || getsockname(fd, &address.any, &len) != 0) {
		return sr_fail_errno(errno, "listen on %s port %u", text, (unsigned)port);
	}
	*ret_port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
	return sr_ok();
}

struct sr_result sr_socket_listen(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port)
{
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return sr_fail_errno(errno, "make a socket");
	}
	struct sr_result result = open_tcp(fd, address, port, ret_port);
	if (!sr_is_ok(result)) {
		close(fd);
		return result;
	}
	*ret_fd = fd;
	return sr_ok();
}
