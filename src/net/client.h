/*
 * A small blocking HTTP/1.1 client for our own calls: the command line to a service's Unix socket, a service to
 * another over mutual TLS. Keeps its connection; one thread at a time. Responses are read whole, up to a limit, or
 * streamed.
 */
#ifndef SR_NET_CLIENT_H
#define SR_NET_CLIENT_H

#include "base/bytes.h"
#include "net/tls.h"

struct sr_client;

/* To a Unix socket. Connects at the first request. */
SR_MUST struct sr_result sr_client_new_unix(const char *path, struct sr_client **ret_client);
/* To a TLS server. `expect_service` NULL: the certificate must bear `host`; else it must bear that service name.
 * Borrows `tls`. */
SR_MUST struct sr_result sr_client_new(struct sr_tls *tls, const char *host, uint16_t port, const char *expect_service,
                                       struct sr_client **ret_client);
void sr_client_free(struct sr_client *client);
void sr_client_cleanup(struct sr_client **client);

struct sr_client_request {
	const char *method;
	const char *target;              /* "/keys/k?api-version=7.4" */
	const char *const (*headers)[2]; /* name and value pairs, ended by {NULL, NULL}; may be NULL */
	struct sr_bytes body;
	uint64_t timeout_ms;     /* for the whole exchange; 0: 30,000 */
	size_t max_response_len; /* 0: 16 MiB */
	/* Where set, body bytes of an answer with a status under 300 go here as they come and `body` of the response stays
	 * empty; an error ends the exchange. */
	struct sr_result (*on_body)(struct sr_bytes bytes, void *context);
	void *context;
};
struct sr_client_response {
	int status;
	struct sr_buf headers; /* raw header block */
	struct sr_buf body;
};
/* One request and its response, whatever its status. A connection that had gone stale is opened anew once, for a
 * request whose bytes had not left. */
SR_MUST struct sr_result sr_client_exchange(struct sr_client *client, const struct sr_client_request *request,
                                            struct sr_client_response *ret_response);
/* From any thread: an exchange that runs, and any later one, ends with SR_CLOSED. For stopping a thread that waits for
 * an answer; free the client when that thread has left it. */
void sr_client_cut(struct sr_client *client);
void sr_client_response_free(struct sr_client_response *response);
void sr_client_response_cleanup(struct sr_client_response *response);
/* A response header's value (name in any case) or an empty value; borrowed. */
struct sr_bytes sr_client_response_header(const struct sr_client_response *response, const char *name);

#endif
