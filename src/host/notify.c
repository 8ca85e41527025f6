/* Datagrams to systemd. */
#include "host/notify.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void sr_notify(const char *assignment)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof address.sun_path) {
		return;
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return;
	}
	size_t len = strlen(path);
	memcpy(address.sun_path, path, len);
	if (*path == '@') {
		address.sun_path[0] = 0; /* the abstract namespace */
	}
	sendto(fd, assignment, strlen(assignment), MSG_NOSIGNAL, (struct sockaddr *)&address,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void sr_notify_status(const char *format, ...)
{
	char text[256] = "STATUS=";
	size_t len = strlen(text);
	va_list args;
	va_start(args, format);
	vsnprintf(text + len, sizeof text - len, format, args);
	va_end(args);
	sr_notify(text);
}

void sr_notify_alive(void)
{
	static uint64_t last_us;
	const char *interval = getenv("WATCHDOG_USEC");
	uint64_t now_us = sr_boottime_ns() / 1000;
	if (interval && now_us - last_us >= strtoull(interval, NULL, 10) / 3) {
		last_us = now_us;
		sr_notify("WATCHDOG=1");
	}
}
