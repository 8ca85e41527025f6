/* What an audit log records: one event, and the text that becomes its entry. No key bytes, no values, no tokens go into
 * it: what is recorded is names, outcomes and numbers that the caller chose. Pure. */
#ifndef SR_AUDIT_EVENT_H
#define SR_AUDIT_EVENT_H

#include "base/bytes.h"

/* What happened. NULL texts are left out; all are borrowed for the call. Texts over 1,024 bytes are cut, and bytes that
 * are no UTF-8 become '?'. */
struct sr_audit_event {
	const char *object_id; /* who: the principal's ids; "local" for the Unix socket */
	const char *app_id;
	const char *name;
	const char *service;   /* who: one of our own services, over the lease protocol or by itself */
	const char *from;      /* address */
	const char *operation; /* "KeyCreate" */
	const char *object;    /* "default/keys/name/version" */
	const char *outcome;   /* the error's code; NULL: it succeeded */
	const char *detail;    /* more about it: "alg=RSA-OAEP-256" */
	const char *request_id;
	int status; /* the HTTP status; 0 where there is none */
};

enum { SR_AUDIT_ENTRY_MAX = 65536 };

/* Appends the entry's text: a JSON object in one line, which begins with its time (microseconds since the epoch). */
void sr_audit_event_write(const struct sr_audit_event *event, int64_t time_us, struct sr_buf *text);

#endif
