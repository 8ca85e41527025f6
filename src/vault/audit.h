/*
 * The audit log: one entry an operation, allowed or refused, chained by SHA-256 so that an entry cannot be changed,
 * taken out or moved without the chain telling. No key bytes, no values, no tokens go into it.
 */
#ifndef SR_VAULT_AUDIT_H
#define SR_VAULT_AUDIT_H

#include "base/arena.h"
#include "seal/database.h"

/* What happened. NULL texts are left out; all are borrowed for the call. */
struct sr_audit_event {
	const char *object_id; /* who: the principal's ids; "local" for the Unix socket */
	const char *app_id;
	const char *name;
	const char *service;   /* who: one of our own services, over the lease protocol */
	const char *from;      /* address */
	const char *operation; /* "KeyCreate" */
	const char *object;    /* "default/keys/name/version" */
	const char *outcome;   /* the error's code; NULL: it succeeded */
	const char *detail;    /* more about it: "alg=RSA-OAEP-256" */
	const char *request_id;
	int status; /* the HTTP status; 0 where there is none */
};

/* Appends the entry, within a write: it becomes durable with the operation that it tells of. */
SR_MUST struct sr_result sr_audit_append(struct sr_connection *connection, const struct sr_audit_event *event);
/* The same in a write of its own. */
SR_MUST struct sr_result sr_audit_write(struct sr_database *database, const struct sr_audit_event *event);

/* Entries after `after`, at most `limit`, oldest first, within a read: `each` gets the entry's JSON text and its hash.
 */
SR_MUST struct sr_result sr_audit_each(struct sr_connection *connection, uint64_t after, unsigned limit,
                                       struct sr_result (*each)(uint64_t seq, struct sr_bytes entry,
                                                                struct sr_bytes hash, void *context),
                                       void *context);
/* How many there are. */
SR_MUST struct sr_result sr_audit_count(struct sr_connection *connection, uint64_t *ret_count);

/* Recomputes the chain. `broken_at` is 0 where it holds, else the first sequence number that does not fit. */
struct sr_audit_verdict {
	uint64_t entries;
	uint64_t broken_at;
};
SR_MUST struct sr_result sr_audit_verify(struct sr_database *database, struct sr_audit_verdict *ret_verdict);

#endif
