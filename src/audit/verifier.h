/*
 * Checks an audit log that is fed to it in order: each entry, and each checkpoint behind the entry that it covers. The
 * same for a log in a database and for an exported one; memory does not grow with the log. One thread at a time.
 */
#ifndef SR_AUDIT_VERIFIER_H
#define SR_AUDIT_VERIFIER_H

#include "audit/chain.h"
#include "audit/statement.h"

/* What came out. `broken_at` is 0 where all holds, else the sequence number of the first entry that does not fit, is
 * missing, or is covered by a checkpoint that does not hold; `why` then says what it is (static text). */
struct sr_audit_verdict {
	uint64_t entries;     /* that hold */
	uint64_t checkpoints; /* that hold */
	uint64_t covered;     /* the last entry that a checkpoint signs for */
	uint64_t broken_at;
	const char *why;
};

struct sr_audit_verifier;

/* What the log must be, beyond being whole; each may be NULL. Borrowed until the verifier is freed. */
struct sr_audit_expectation {
	/* A public key that was the log's at some time: what the log says must be vouched for by it, or by one that it
	 * handed over to. */
	const struct sr_audit_key *key;
	/* A checkpoint that was kept elsewhere, statement and signature: the log must contain it, or it was rolled back. */
	const struct sr_audit_statement *anchor;
	struct sr_bytes anchor_text;
};
struct sr_audit_verifier *sr_audit_verifier_new(const struct sr_audit_expectation *expectation);
void sr_audit_verifier_free(struct sr_audit_verifier *verifier);
void sr_audit_verifier_cleanup(struct sr_audit_verifier **verifier);

/* Whose log it is, as its owner or the export's first line says. */
void sr_audit_verifier_begin(struct sr_audit_verifier *verifier, const char *service, const struct sr_id *log);
/* A key that checkpoints may name. Before the first checkpoint that does. */
void sr_audit_verifier_add_key(struct sr_audit_verifier *verifier, const struct sr_audit_key *key);
/* The next entry with the hash that is stored with it. Fails for want of memory only. */
void sr_audit_verifier_entry(struct sr_audit_verifier *verifier, uint64_t seq, struct sr_bytes entry,
                             struct sr_bytes hash);
SR_MUST struct sr_result sr_audit_verifier_checkpoint(struct sr_audit_verifier *verifier, struct sr_bytes text,
                                                      struct sr_bytes signature);
/* Says that something else does not fit (a line that is none); the first that is said counts. */
void sr_audit_verifier_break(struct sr_audit_verifier *verifier, const char *why);
bool sr_audit_verifier_is_broken(const struct sr_audit_verifier *verifier);
/* The last entry that held. */
struct sr_audit_link sr_audit_verifier_at(const struct sr_audit_verifier *verifier);
/* All was fed. */
struct sr_audit_verdict sr_audit_verifier_finish(struct sr_audit_verifier *verifier);

#endif
