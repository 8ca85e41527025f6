/*
 * The HTTP/1.1 server (RFC 9110, 9112). Handlers are plain sequential code on worker threads; an idle
 * connection is parked in epoll and holds no thread. Framing is strict: Transfer-Encoding with Content-Length,
 * repeated lengths, bare CR or NUL in headers, or an unknown coding is 400 and ends the connection.
 *
 * Worker threads: as many run as there are cores; while one waits (sr_blocking_begin: a commit, a slow
 * socket) another takes its place, up to `max_threads`, so a slow client holds up nobody. An exchange that has moved
 * over 1 MiB counts as waiting until it ends, so a fast one holds up nobody either.
 */
#ifndef SR_NET_SERVER_H
#define SR_NET_SERVER_H

#include "base/arena.h"
#include "base/bytes.h"
#include "net/tls.h"

struct sr_server;
struct sr_exchange; /* one request and its response; belongs to the worker that runs its handler */

/*
 * Answers one exchange. An error that it returns, before a response has begun, is answered by the server's
 * `on_error`; after that the connection is cut.
 */
typedef struct sr_result (*sr_handler)(struct sr_exchange *exchange, void *context);
/* Writes the protocol's error response for `error`, which stays the server's; must send something. A request too broken
 * for the handler gets the status that HTTP prescribes (400, 414, 431), whatever is sent. */
typedef void (*sr_error_handler)(struct sr_exchange *exchange, struct sr_result error, void *context);

struct sr_server_options {
	const char *name; /* value of the Server header, "Strongroom" if NULL */
	sr_handler handler;
	sr_error_handler on_error; /* also for requests too broken to reach the handler (their method and path are empty) */
	void *context;
	unsigned worker_count;    /* running at once; 0: one per core */
	unsigned max_threads;     /* 0: 256 */
	unsigned max_connections; /* 0: 8192; past it new connections are closed at once */
	size_t max_header_len;    /* 0: 32 KiB: request line and headers together; past it 431 (target past 16 KiB: 414) */
	uint64_t header_timeout_ms; /* 0: 15,000: from the first byte of a request to the end of its headers */
	uint64_t idle_timeout_ms;   /* 0: 120,000: a parked connection without a request */
	uint64_t min_rate;      /* 0: 1,024 bytes a second: the least average rate of bodies, both ways, after the grace;
	                           slower is cut */
	uint64_t rate_grace_ms; /* 0: 15,000 */
};

SR_MUST struct sr_result sr_server_new(const struct sr_server_options *options, struct sr_server **ret_server);
/* TCP with TLS; `address` is an IP literal, port 0 picks one (sr_server_port tells). May be called several times. */
SR_MUST struct sr_result sr_server_listen(struct sr_server *server, struct sr_tls *tls, const char *address,
                                          uint16_t port, uint16_t *ret_port);
/*
 * Plain HTTP, for what is never more than a link away: instance metadata, whose clients know no TLS. `address` must be
 * a loopback or link-local one (SR_INVALID otherwise), so that nothing that a customer reaches is served in plain.
 */
SR_MUST struct sr_result sr_server_listen_plain(struct sr_server *server, const char *address, uint16_t port,
                                                uint16_t *ret_port);
/* A Unix socket of mode 0600 that replaces a stale one; plain HTTP, only for the same user (and root), by SO_PEERCRED.
 */
SR_MUST struct sr_result sr_server_listen_unix(struct sr_server *server, const char *path);
/* Starts the threads and returns. */
SR_MUST struct sr_result sr_server_start(struct sr_server *server);
/* Stops accepting, lets running exchanges end for at most `grace_ms`, then cuts them; frees everything. */
void sr_server_stop(struct sr_server *server, uint64_t grace_ms);

/* The request. All are borrowed and live as long as the exchange. */
const char *sr_exchange_method(const struct sr_exchange *exchange);     /* "GET" */
struct sr_bytes sr_exchange_target(const struct sr_exchange *exchange); /* as sent: path?query */
struct sr_bytes sr_exchange_path(const struct sr_exchange *exchange);  /* as sent, percent-encoded, without the query */
struct sr_bytes sr_exchange_query(const struct sr_exchange *exchange); /* as sent, without '?' */
/* The value of a header (name in any case), NULL if absent; a repeated header's values are joined by ", ".
 * NUL-terminated. */
const char *sr_exchange_header(const struct sr_exchange *exchange, const char *name);
/* Headers by position, in order of arrival, names in lowercase; NULL past the end. */
const char *sr_exchange_header_at(const struct sr_exchange *exchange, size_t index, const char **ret_value);
/* Host header without port, lowercase ("" if absent), and the port that the client named (or 0). */
const char *sr_exchange_host(const struct sr_exchange *exchange);
/* The Host header as sent, with port. */
const char *sr_exchange_authority(const struct sr_exchange *exchange);
/* The declared length of the body; -1 where it is chunked; 0 where there is none. */
int64_t sr_exchange_body_len(const struct sr_exchange *exchange);
/* The peer's address as text ("127.0.0.1"); "local" on a Unix socket. */
const char *sr_exchange_peer_address(const struct sr_exchange *exchange);
/* The service name in the peer's client certificate; "" if it showed none. */
const char *sr_exchange_peer_service(const struct sr_exchange *exchange);
/* True if the request came over the Unix socket, from the user that runs Strongroom or root. */
bool sr_exchange_is_local(const struct sr_exchange *exchange);
/* True if the request came in plain, by sr_server_listen_plain. */
bool sr_exchange_is_plain(const struct sr_exchange *exchange);
/* The user of this machine whose process sent a request in plain. False where the kernel does not say: the peer is on
 * another machine or in another network namespace, or has gone. */
bool sr_exchange_peer_uid(const struct sr_exchange *exchange, uint32_t *ret_uid);
/* Memory that ends with the exchange. */
struct sr_arena *sr_exchange_arena(struct sr_exchange *exchange);
/* A fresh request id, the same for the whole exchange. GUID text. */
const char *sr_exchange_request_id(struct sr_exchange *exchange);

/* Reads up to `len` bytes of the body; *ret_len 0 is its end. Sends 100 Continue first where it is expected. SR_CLOSED,
 * SR_TIMEOUT, SR_PROTOCOL. */
SR_MUST struct sr_result sr_exchange_read(struct sr_exchange *exchange, uint8_t *to, size_t len, size_t *ret_len);
/* The whole body into the arena; SR_TOO_LARGE over `max`. */
SR_MUST struct sr_result sr_exchange_read_all(struct sr_exchange *exchange, size_t max, struct sr_bytes *ret_body);

/* Adds a response header before the response begins; copies both. Values with CR, LF or NUL are refused (SR_INVALID is
 * what the response then becomes). */
void sr_exchange_add_header(struct sr_exchange *exchange, const char *name, const char *value);
void sr_exchange_add_header_format(struct sr_exchange *exchange, const char *name, const char *format, ...)
    SR_PRINTF(3, 4);
/* Removes response headers that were added; for error handlers. */
void sr_exchange_drop_headers(struct sr_exchange *exchange);
/* The whole response; Date, Server, Content-Length and Connection are the server's own. The body of a HEAD is not sent,
 * its length is. */
SR_MUST struct sr_result sr_exchange_send(struct sr_exchange *exchange, int status, struct sr_bytes body);
/*
 * A streamed response: begin, any number of writes, end. `body_len` -1: chunked. Fails with SR_REVOKED if the exchange
 * was aborted before it began: then send an error instead.
 */
SR_MUST struct sr_result sr_exchange_begin(struct sr_exchange *exchange, int status, int64_t body_len);
SR_MUST struct sr_result sr_exchange_write(struct sr_exchange *exchange, struct sr_bytes bytes);
SR_MUST struct sr_result sr_exchange_end(struct sr_exchange *exchange);
/* True once a response's first byte may have left. */
bool sr_exchange_has_begun(const struct sr_exchange *exchange);

/*
 * From any thread, while the handler runs: no byte of a response that streams leaves after this returns (the socket is
 * shut down); if the response has not begun, reading the body ends (SR_REVOKED) and sr_exchange_begin and
 * sr_exchange_send with a status under 400 fail with SR_REVOKED, so that the handler can still answer why.
 */
void sr_exchange_abort(struct sr_exchange *exchange);

/*
 * Instead of answering, a handler may let the exchange wait for what another thread will bring (a commit) without
 * keeping a thread itself: after true it must return sr_ok() and touch the exchange no more; once sr_exchange_resume
 * was called, exactly once, from any thread and maybe already before the handler has returned, `go_on` runs on a worker
 * as the handler would have. False: this exchange must be answered by its handler.
 */
SR_MUST bool sr_exchange_hold(struct sr_exchange *exchange, sr_handler go_on, void *context);
/* Does not block. */
void sr_exchange_resume(struct sr_exchange *exchange);

/* Counters since the start, for status and tests. */
struct sr_server_counts {
	uint64_t connections_now, connections_all, requests, threads_now;
};
struct sr_server_counts sr_server_counts_now(struct sr_server *server);

#endif
