/*
 * One request as the APIs see it, taken apart, and their answer to it: no sockets, so that a test can make one. Text
 * and bytes are borrowed until the answer is sent.
 */
#ifndef SR_IDENTITY_REQUEST_H
#define SR_IDENTITY_REQUEST_H

#include "identity/service.h"
#include "wire/json.h"
#include "wire/url.h"

enum { SR_REQUEST_PARTS_MAX = 4, SR_REQUEST_BODY_MAX = 65536 };

struct sr_identity_request {
	struct sr_identity *identity;
	struct sr_identity_store *store; /* open during the handler; NULL for routes that do not ask for it */
	struct sr_arena *arena;
	const char *parts[SR_REQUEST_PARTS_MAX]; /* the path's variable segments, in order */
	struct sr_parameters query;
	struct sr_bytes body;
	const char *authorization;        /* the header, or NULL */
	const char *cookie, *sent_origin; /* Cookie and Origin, or NULL */
	const char *origin; /* "https://HOST:PORT" by which the client reached us, if it is ours; else the authority */
	const char *peer_address; /* "127.0.0.1" */
	const char *peer_service; /* of our own on the internal listener; "" or NULL: none */
	const char *caller;       /* in whose name that service asks: an object id; NULL: in its own, or no service asks */
	bool has_peer_uid;        /* a process of this machine asks in plain, and this is whose: */
	uint32_t peer_uid;
	const char *metadata, *forwarded_for, *identity_header; /* headers, or NULL */
	const char *request_id;                                 /* ours */
	const char *correlation_id;                             /* the client's, or ours */
	struct sr_bytes path;                                   /* as sent */
	bool is_local;                                          /* the administrator, on the Unix socket */
	int64_t now_s;
};

struct sr_identity_answer {
	int status;             /* 0: 200 */
	json_t *body;           /* owned by the answer; NULL: none */
	struct sr_buf page;     /* HTML, in place of the body; owned by the answer */
	const char *cookie;     /* Set-Cookie; NULL: none */
	bool is_secret;         /* must not be kept by caches */
	bool is_change;         /* the directory has changed: tell its followers */
	unsigned retry_after_s; /* 0: none; also sent with an error */
	/* What the audit entry says beyond the route's operation, its outcome and where it came from: who (if it is not the
	 * local administrator), what about, details. Borrowed until the answer is sent; nothing secret. */
	struct sr_audit_event audit;
};

/* Answers a request; an error becomes the answer of the door by which it came. */
typedef struct sr_result (*sr_identity_handler)(const struct sr_identity_request *request,
                                                struct sr_identity_answer *answer);
/* The same for answers that stream or wait: it enters the lease itself, only while it needs it. */
typedef struct sr_result (*sr_identity_streamer)(const struct sr_identity_request *request,
                                                 struct sr_exchange *exchange);

#endif
