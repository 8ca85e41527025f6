/*
 * The report of a verification, as every service gives it on its Unix socket: lines of JSON. Progress is {"what",
 * "done", "all"}; last comes {"result": "ok" or "damaged", "findings": [{"account", "kind", "id", "reason"}],
 * "skipped": […]}. Damage is a finding, not an error. What is verified, and how, each service knows by itself.
 */
#ifndef SR_HOST_VERIFICATION_H
#define SR_HOST_VERIFICATION_H

#include "net/server.h"
#include "wire/json.h"

struct sr_verification {
	struct sr_exchange *exchange;
	json_t *findings, *skipped;
	uint64_t progress_at_ms; /* no progress before */
	struct sr_result sent;   /* the first failure to send; nothing is sent after it */
};

/* Begins the answer; `exchange` is borrowed. For one thread. */
SR_MUST struct sr_result sr_verification_begin(struct sr_exchange *exchange, struct sr_verification *ret_verification);
/* Frees what it holds; harmless on a zeroed one. */
void sr_verification_cleanup(struct sr_verification *verification);

/* Some of it is sent: a few lines a second, and each that says that all is done. */
void sr_verification_progress(struct sr_verification *verification, const char *what, uint64_t done, uint64_t all);
/* The same for sr_database_verify; the context is the verification. */
void sr_verification_pages(uint64_t done, uint64_t all, void *context);
/* Whether somebody still listens; a walk may end where nobody does. */
bool sr_verification_is_heard(const struct sr_verification *verification);

/* What a finding is about: the account, or the service itself; its kind; its name or id ("": there is only one). */
struct sr_verified {
	const char *account, *kind, *id;
};
/* Damage: `why` is a failure, which it ends. */
void sr_verification_find(struct sr_verification *verification, struct sr_verified what, struct sr_result why);
/* Not verified, because it could not be now; `why` as above. */
void sr_verification_skip(struct sr_verification *verification, struct sr_verified what, struct sr_result why);

/* Sends the result and ends the answer; a failure to send, now or before. */
SR_MUST struct sr_result sr_verification_finish(struct sr_verification *verification);

#endif
