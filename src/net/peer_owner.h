/*
 * Which user of this machine has the other end of a connection over loopback, from the kernel's tables (proc(5),
 * /proc/net/tcp and tcp6). They are opened once, before confinement takes the file system away. Private to the room.
 */
#ifndef SR_NET_PEER_OWNER_H
#define SR_NET_PEER_OWNER_H

#include "base/result.h"

#include <stdbool.h>
#include <stdint.h>

enum { SR_OWNER_TABLES = 2 };

struct sr_owner_tables {
	int fds[SR_OWNER_TABLES]; /* tcp, tcp6; -1: not there */
};

void sr_owner_tables_open(struct sr_owner_tables *tables);
void sr_owner_tables_close(struct sr_owner_tables *tables);
/*
 * The user of the peer of the connected socket `fd`. False where the kernel does not say: the peer is on another
 * machine or in another network namespace, or its end is no longer connected (then the tables name root, which is why
 * such rows do not count).
 */
bool sr_owner_of_peer(const struct sr_owner_tables *tables, int fd, uint32_t *ret_uid);

#endif
