/*
 * TLS 1.3, and 1.2 for old clients, with AEAD suites and forward secrecy only. A configuration may be
 * given new certificates while connections run. Thread-safe.
 */
#ifndef SR_NET_TLS_H
#define SR_NET_TLS_H

#include "seal/certificate.h"

enum sr_tls_peer {
	SR_TLS_ANYONE,   /* no client certificate is asked for */
	SR_TLS_MUST_SHOW /* mutual: the peer must show a certificate of our CA */
};

struct sr_tls;
/* A server's configuration. Shares `own`; `ca` (needed for SR_TLS_MUST_SHOW) may be NULL otherwise. */
SR_MUST struct sr_result sr_tls_server_new(struct sr_certificate *own, struct sr_certificate *ca, enum sr_tls_peer peer,
                                           struct sr_tls **ret_tls);
/* A client's: trusts `ca` alone; `own` may be NULL where no client certificate is shown. */
SR_MUST struct sr_result sr_tls_client_new(struct sr_certificate *own, struct sr_certificate *ca,
                                           struct sr_tls **ret_tls);
/* New connections use the new certificate; those that run go on. */
SR_MUST struct sr_result sr_tls_replace(struct sr_tls *tls, struct sr_certificate *own);
void sr_tls_free(struct sr_tls *tls);

#endif
