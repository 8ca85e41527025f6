/* Outgoing connections of clients and streams: names, addresses, deadlines. */
#ifndef SR_NET_DIAL_H
#define SR_NET_DIAL_H

#include "net/channel.h"
#include "net/tls.h"

/*
 * Connects to `host` (a name or an IP literal) by TLS and shakes hands until `deadline_ms` (sr_boottime_ms). The peer's
 * certificate must bear `expect_service`, or, if that is NULL, `host`. SR_UNAVAILABLE, SR_TIMEOUT, SR_UNAUTHENTICATED.
 */
SR_MUST struct sr_result sr_dial_tls(struct sr_tls *tls, const char *host, uint16_t port, const char *expect_service,
                                     uint64_t deadline_ms, struct sr_channel *ret_channel);
SR_MUST struct sr_result sr_dial_unix(const char *path, struct sr_channel *ret_channel);

#endif
