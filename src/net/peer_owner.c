/* Looking for the row of a connection's other end. */
#include "net/peer_owner.h"

#include "base/bytes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_LEN = 16384, ROW_ENDS_LEN = 96, TABLE_MAX = 256 << 20 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

void sr_owner_tables_open(struct sr_owner_tables *tables)
{
	tables->fds[0] = open("/proc/self/net/tcp", O_RDONLY | O_CLOEXEC);
	tables->fds[1] = open("/proc/self/net/tcp6", O_RDONLY | O_CLOEXEC);
}

void sr_owner_tables_close(struct sr_owner_tables *tables)
{
	for (size_t i = 0; i < SR_OWNER_TABLES; i++) {
		if (tables->fds[i] >= 0) {
			close(tables->fds[i]);
			tables->fds[i] = -1;
		}
	}
}

/* An end as the tables write it: each 32-bit part of the address in the machine's order, in hex, and the port. As an
 * IPv6 socket has it where `as_v6`, an IPv4 address then being mapped. */
static void write_end(const union address *end, bool as_v6, char *to, size_t room)
{
	uint32_t parts[4] = {0, 0, htonl(0xffff), 0};
	if (end->any.sa_family == AF_INET6) {
		memcpy(parts, &end->v6.sin6_addr, sizeof parts);
	} else {
		parts[3] = end->v4.sin_addr.s_addr;
	}
	unsigned port = ntohs(end->any.sa_family == AF_INET6 ? end->v6.sin6_port : end->v4.sin_port);
	if (as_v6) {
		snprintf(to, room, "%08X%08X%08X%08X:%04X", parts[0], parts[1], parts[2], parts[3], port);
	} else {
		snprintf(to, room, "%08X:%04X", parts[3], port);
	}
}

/* The user in a row that starts behind the connection's ends: " 01 TX:RX TR:WHEN RETRANSMITTED UID …", if it is
 * connected (01). */
static bool read_uid(const char *behind_ends, uint32_t *ret_uid)
{
	if (strncmp(behind_ends, " 01 ", 4) != 0) {
		return false;
	}
	const char *at = behind_ends;
	for (int field = 0; field < 4; field++) { /* state, queues, timer, retransmissions */
		at += strspn(at, " ");
		at += strcspn(at, " \n");
	}
	at += strspn(at, " ");
	size_t len = strspn(at, "0123456789");
	char *end;
	unsigned long long number = len ? strtoull(at, &end, 10) : 0;
	if (!len || len > 10 || at[len] != ' ' || number > UINT32_MAX) {
		return false;
	}
	*ret_uid = (uint32_t)number;
	return true;
}

/* Reads the table line by line, through a buffer that keeps the line that is not yet whole. */
static bool search(int fd, const char *ends, uint32_t *ret_uid)
{
	char text[READ_LEN + 1];
	size_t kept = 0;
	off_t offset = 0;
	while (offset < TABLE_MAX) {
		ssize_t got = pread(fd, text + kept, READ_LEN - kept, offset);
		if (got <= 0) {
			return false;
		}
		offset += got;
		size_t len = kept + (size_t)got;
		text[len] = 0;
		char *line = text;
		for (char *line_end; (line_end = strchr(line, '\n')); line = line_end + 1) {
			*line_end = 0;
			const char *found = strstr(line, ends);
			if (found && read_uid(found + strlen(ends), ret_uid)) {
				return true;
			}
		}
		kept = len - (size_t)(line - text);
		if (kept == READ_LEN) {
			return false; /* no line is that long */
		}
		memmove(text, line, kept);
	}
	return false;
}

bool sr_owner_of_peer(const struct sr_owner_tables *tables, int fd, uint32_t *ret_uid)
{
	union address peer = {0};
	union address own = {0};
	socklen_t peer_len = sizeof peer;
	socklen_t own_len = sizeof own;
	if (getpeername(fd, &peer.any, &peer_len) != 0 || getsockname(fd, &own.any, &own_len) != 0) {
		return false;
	}
	for (size_t table = peer.any.sa_family == AF_INET6 ? 1 : 0; table < SR_OWNER_TABLES; table++) {
		char peer_end[ROW_ENDS_LEN / 2];
		char own_end[ROW_ENDS_LEN / 2];
		char ends[ROW_ENDS_LEN + 4];
		write_end(&peer, table == 1, peer_end, sizeof peer_end);
		write_end(&own, table == 1, own_end, sizeof own_end);
		snprintf(ends, sizeof ends, ": %s %s", peer_end, own_end);
		if (tables->fds[table] >= 0 && search(tables->fds[table], ends, ret_uid)) {
			return true;
		}
	}
	return false;
}
