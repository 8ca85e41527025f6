/* Listening TCP sockets, for servers and streams. */
#ifndef SR_NET_SOCKET_H
#define SR_NET_SOCKET_H

#include "base/result.h"

#include <stdint.h>

/* Listens on an IP literal ("::" is IPv6 alone), without delay for small writes; port 0 picks one. The caller closes.
 */
SR_MUST struct sr_result sr_socket_listen(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port);

#endif
