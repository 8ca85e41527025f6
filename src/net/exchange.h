/*
 * One request and its response while a worker runs its handler. Shared by exchange.c (the request and the order of
 * things), request_body.c, response.c and abort; connection.c only runs it.
 */
#ifndef SR_NET_EXCHANGE_H
#define SR_NET_EXCHANGE_H

#include "base/text.h"
#include "net/chunked.h"
#include "net/http_parse.h"
#include "net/server_core.h"

struct sr_exchange {
	struct sr_server *server;
	struct sr_connection *connection;
	struct sr_arena *arena;
	struct sr_http_head head;
	struct sr_bytes path;
	struct sr_bytes query;
	const char *authority;
	const char *host;
	int refused_status; /* what HTTP prescribes for a request too broken for the handler; 0 otherwise */
	char request_id[SR_GUID_TEXT_LEN];

	size_t head_len;   /* of connection->in */
	size_t body_start; /* in connection->in: where unread bytes of the body begin */
	uint64_t body_left;
	struct sr_chunked chunked;
	bool is_body_done;
	bool owes_continue; /* the client waits for 100 Continue */
	int64_t credit_in;  /* thousandths of bytes that the client may be late, see request_body.c */
	int64_t credit_out;
	uint64_t moved; /* bytes of bodies, both ways */
	bool is_long;   /* its thread counts as waiting until the exchange ends */

	struct sr_buf added;  /* response headers as they will be sent */
	bool is_header_wrong; /* one that was added cannot be sent */
	struct sr_buf out;    /* the start of the response, or a chunk's frame, until it leaves with what follows */
	int64_t response_left;
	bool is_chunked;  /* the response */
	bool has_no_body; /* HEAD, 204, 304 */
	bool has_ended;   /* the response left whole */
	bool has_failed;  /* the connection did not take all of the response */
	bool must_close;

	struct sr_mutex mutex; /* orders an abort and the response's begin: both change what follows with it held */
	bool has_begun;        /* only the worker changes it */
	atomic_bool is_aborted;
	atomic_bool is_cut; /* aborted after it had begun */
	/* held.c */
	struct sr_exchange *next; /* among the resumed, or the spares */
	sr_handler go_on;         /* NULL: not held */
	void *go_on_context;
	atomic_uint arrivals;

	int wake_fd; /* an eventfd that wakes a worker that waits for the client, at an abort */
};

enum sr_exchange_outcome {
	SR_EXCHANGE_KEEP,   /* the next request may follow */
	SR_EXCHANGE_CLOSE,  /* all is said, and nothing unread is known of */
	SR_EXCHANGE_LINGER, /* the answer is out, but the client may still be sending */
	SR_EXCHANGE_CUT,    /* the client must not take what it got for the whole */
	SR_EXCHANGE_HELD    /* nothing is said yet; the exchange and its connection are nobody's until it is resumed */
};

SR_MUST struct sr_result sr_exchange_new(struct sr_server *server, struct sr_exchange **ret_exchange);
void sr_exchange_free(struct sr_exchange *exchange);
/* Runs the request whose head is the first `head_len` bytes of the connection's input. Leaves what follows it there. */
enum sr_exchange_outcome sr_exchange_run(struct sr_exchange *exchange, struct sr_connection *connection,
                                         size_t head_len);
/* Goes on with an exchange that was held and is resumed. */
enum sr_exchange_outcome sr_exchange_go_on(struct sr_exchange *exchange);
/* Answers bytes that are no request. Takes `error`. */
enum sr_exchange_outcome sr_exchange_refuse(struct sr_exchange *exchange, struct sr_connection *connection,
                                            struct sr_result error);

/* held.c */
/* The worker of an exchange whose outcome was SR_EXCHANGE_HELD has done with it. */
void sr_exchange_let_go(struct sr_exchange *exchange);
/* The next exchange to go on with, NULL where there is none. */
struct sr_exchange *sr_resumed_take(struct sr_server *server);
/* A spare exchange or a new one, and back. */
SR_MUST struct sr_result sr_exchange_obtain(struct sr_server *server, struct sr_exchange **ret_exchange);
void sr_exchange_give_back(struct sr_exchange *exchange);

/* request_body.c */
void sr_request_body_start(struct sr_exchange *exchange);
/* Reads what is left of a body nobody wanted, if that is little; false if the connection must end instead. */
bool sr_request_body_drain(struct sr_exchange *exchange);
/* True if what is left is too much to drain, as far as is known. */
bool sr_request_body_is_long(const struct sr_exchange *exchange);
/* Waits for the socket while there is credit; SR_TIMEOUT when it has run out. */
SR_MUST struct sr_result sr_exchange_wait(struct sr_exchange *exchange, enum sr_progress wanted, int64_t *credit);
/* Counts bytes that moved; an exchange that moves many stops counting as a running one. */
void sr_exchange_earn(struct sr_exchange *exchange, size_t len, int64_t *credit);
int64_t sr_exchange_first_credit(const struct sr_exchange *exchange);

/* response.c */
SR_MUST struct sr_result sr_response_write_continue(struct sr_exchange *exchange);

#endif
