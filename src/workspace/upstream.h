/* Calls to another service of ours over mutual TLS, from many threads at once: a pool of connections. */
#ifndef SR_WORKSPACE_UPSTREAM_H
#define SR_WORKSPACE_UPSTREAM_H

#include "net/client.h"

struct sr_upstream;

/* Connects as needed; borrows `tls`, copies the texts. `service` is the name that the peer's certificate must bear. */
struct sr_upstream *sr_upstream_new(struct sr_tls *tls, const char *address, uint16_t port, const char *service);
/* Nobody may be calling any more. NULL is allowed. */
void sr_upstream_free(struct sr_upstream *upstream);
/* One request and its response, whatever its status; waits for it (and says so to the pool of workers).
 * SR_UNAVAILABLE: the service cannot be reached. The caller frees the response. Thread-safe. */
SR_MUST struct sr_result sr_upstream_exchange(struct sr_upstream *upstream, const struct sr_client_request *request,
                                              struct sr_client_response *ret_response);

#endif
