/*
 * What the files of the server share: the server, its listeners, its connections. Who may touch a connection: the
 * worker or keeper that took it (sr_connection_take) and nobody while it is parked, when epoll alone waits for it.
 */
#ifndef SR_NET_SERVER_CORE_H
#define SR_NET_SERVER_CORE_H

#include "net/channel.h"
#include "net/peer_owner.h"
#include "net/pool.h"
#include "net/server.h"
#include "net/tls_session.h"

#include "base/thread.h"

#include <stdatomic.h>

enum { SR_ADDRESS_TEXT_LEN = 48, SR_LISTENERS_MAX = 32, SR_SPARE_INPUTS = 64 };

struct sr_listener {
	struct sr_listener *next;
	int fd;
	struct sr_tls *tls; /* borrowed; NULL on a Unix socket, and in plain */
	char *path;         /* of a Unix socket, unlinked at the end */
};

enum sr_connection_state {
	SR_CONNECTION_HANDSHAKE,
	SR_CONNECTION_HEAD,  /* idle, or part of a request's head is there */
	SR_CONNECTION_LINGER /* answered for the last time; what still comes is thrown away, lest a reset eat the answer */
};

/* Never freed before the server is, so that a late epoll event finds nothing worse than a connection that is not
 * parked, or another one in its place, which then waits on. */
struct sr_connection {
	struct sr_server *server;
	struct sr_connection *next_free;
	struct sr_mutex mutex; /* guards the next two, and closing channel.fd */
	bool is_parked;
	bool is_open;
	enum sr_connection_state state;
	bool is_local;
	bool is_plain;        /* TCP without TLS */
	uint64_t deadline_ms; /* when a parked connection is closed */
	struct sr_channel channel;
	uint8_t *in; /* what was read and not yet used, from the start of a head; NULL while there is none */
	size_t in_len;
	size_t in_cap;
	size_t scanned; /* of `in`, by sr_http_find_head_end */
	size_t linger_left;
	char peer_address[SR_ADDRESS_TEXT_LEN];
	char peer_service[SR_SERVICE_NAME_MAX + 1];
};

struct sr_server {
	struct sr_server_options options; /* defaults filled in */
	struct sr_pool *pool;
	struct sr_listener *listeners; /* fixed once started */
	struct sr_owner_tables owners; /* open where somebody listens in plain */
	int epoll_fd;
	int wake_fd; /* an eventfd: readable from the stop on */
	bool has_keeper;
	struct sr_thread keeper;
	atomic_bool is_stopping;
	int resumed_fd; /* an eventfd: readable while exchanges wait to go on */
	atomic_bool has_resumed;
	atomic_uint held_count;
	struct sr_mutex resumed_mutex; /* guards the next four */
	struct sr_exchange *resumed, **resumed_last;
	struct sr_exchange *spare_exchanges;
	unsigned spare_count;
	atomic_uint_fast64_t connections_all;
	atomic_uint_fast64_t requests;
	atomic_uint connections_now;
	struct sr_mutex mutex; /* guards what follows */
	struct sr_connection **connections;
	unsigned connection_count; /* made so far */
	struct sr_connection *free_connections;
};

/* What one worker thread has: memory that serves request after request. */
struct sr_worker {
	struct sr_server *server;
	uint8_t *spare_in[SR_SPARE_INPUTS]; /* input buffers that no connection holds */
	unsigned spare_count;
	struct sr_exchange *exchange; /* NULL while the last one is held */
};

/* listener.c: accepts connections and closes those that are late, until the stop. The keeper thread's work; its context
 * is the server. */
void sr_keeper_run(void *context);
void sr_listener_free(struct sr_listener *listener);

/* connection.c */
/* Takes `fd`. Called by the keeper. */
void sr_connection_start(struct sr_server *server, const struct sr_listener *listener, int fd,
                         const char *peer_address);
/* Works on a connection that epoll reported, until it is parked again or closed. */
void sr_connection_work(struct sr_worker *worker, struct sr_connection *connection);
/* Goes on with an exchange that sr_resumed_take gave, and then with its connection. */
void sr_connection_resume(struct sr_worker *worker, struct sr_exchange *exchange);
/* Closes each parked connection whose deadline is before `now_ms` (UINT64_MAX: all that are parked). */
void sr_connections_expire(struct sr_server *server, uint64_t now_ms);
/* Cuts every open connection, whoever works on it. */
void sr_connections_cut(struct sr_server *server);
/* The length of an input buffer: a head of the greatest length, and some body behind it. */
static inline size_t sr_input_len(const struct sr_server *server)
{
	return server->options.max_header_len + 4096;
}

#endif
