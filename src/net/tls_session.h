/*
 * One connection's TLS state, for this room only: sessions made from a configuration, and who the peer proved to be.
 */
#ifndef SR_NET_TLS_SESSION_H
#define SR_NET_TLS_SESSION_H

#include "net/tls.h"

#include <openssl/ssl.h>

enum { SR_SERVICE_NAME_MAX = 63 };

/* A server's session for a connection that was accepted. The caller frees it with SSL_free. */
SR_MUST struct sr_result sr_tls_accept_session(struct sr_tls *tls, SSL **ret_session);
/* A client's; the certificate must bear `host` (a name or an IP literal), unless that is NULL: then the caller checks
 * sr_tls_peer_service after the handshake. */
SR_MUST struct sr_result sr_tls_connect_session(struct sr_tls *tls, const char *host, SSL **ret_session);
/* The service name in the peer's verified certificate; "" if there is none, or more than one. */
void sr_tls_peer_service(const SSL *session, char ret_name[static SR_SERVICE_NAME_MAX + 1]);

#endif
