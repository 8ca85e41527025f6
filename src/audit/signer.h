/*
 * Signed checkpoints: every so often, and at each start and stop, the log's length and last hash are signed, and the
 * statement is kept beside the entries, each referring to the one before. So a log that lost its tail, or that somebody
 * wrote anew, does not fit what was signed. The key lies in the database, sealed; when it changes, the old one signs
 * for the new one and is destroyed. Thread-safe.
 */
#ifndef SR_AUDIT_SIGNER_H
#define SR_AUDIT_SIGNER_H

#include "audit/verifier.h"

/* The tables, for a step of a service's schema. */
#define SR_AUDIT_CHECKPOINT_SQL                                                                            \
	"CREATE TABLE audit_checkpoint("                                                                       \
	" number INTEGER PRIMARY KEY,"                                                                         \
	" seq INTEGER NOT NULL,"                                                                               \
	" time INTEGER NOT NULL,"                                                                              \
	" statement TEXT NOT NULL,"                                                                            \
	" signature BLOB NOT NULL"                                                                             \
	");"                                                                                                   \
	"CREATE TABLE audit_key("                                                                              \
	" number INTEGER PRIMARY KEY,"                                                                         \
	" public BLOB NOT NULL," /* SubjectPublicKeyInfo */                                                    \
	" sealed BLOB,"          /* sr_keypair_seal under the service's key; NULL once another has followed */ \
	" created INTEGER NOT NULL"                                                                            \
	");"

enum {
	SR_AUDIT_EVERY_S = 10,        /* a checkpoint is due so long after the last one, if there are entries since */
	SR_AUDIT_EVERY_ENTRIES = 1000 /* or at once, if there are so many */
};

struct sr_audit_signer;

/* Opens the log's key, or makes it. Borrows the database and `aead`, which seals the key. */
SR_MUST struct sr_result sr_audit_signer_open(struct sr_database *database, struct sr_aead *aead, const char *service,
                                              const struct sr_id *log, int64_t now,
                                              struct sr_audit_signer **ret_signer);
/* Wipes; NULL is allowed. Signs nothing: sr_audit_sign is for that. */
void sr_audit_signer_close(struct sr_audit_signer *signer);
void sr_audit_signer_cleanup(struct sr_audit_signer **signer);

/* Signs a checkpoint if there are entries since the last one (or none yet). */
SR_MUST struct sr_result sr_audit_sign(struct sr_audit_signer *signer, int64_t now);
/* Makes a new key, signed for by the old one in a checkpoint, and destroys the old one. */
SR_MUST struct sr_result sr_audit_signer_rotate(struct sr_audit_signer *signer, int64_t now);
/* When the next checkpoint is due, INT64_MIN where nothing is to be signed. Within a read. */
SR_MUST struct sr_result sr_audit_next_checkpoint(struct sr_connection *connection, int64_t *ret_time);
/* True if the log still ends, or goes on from, where the last checkpoint says: a quick look, for a start. */
SR_MUST struct sr_result sr_audit_is_continued(struct sr_database *database, bool *ret_is_continued);

/* The key that signs now. */
struct sr_audit_key sr_audit_signer_key(struct sr_audit_signer *signer);
const char *sr_audit_signer_service(const struct sr_audit_signer *signer);
struct sr_id sr_audit_signer_log(const struct sr_audit_signer *signer);
struct sr_database *sr_audit_signer_database(const struct sr_audit_signer *signer);

/* All keys that the log ever had, oldest first, within a read. */
SR_MUST struct sr_result sr_audit_each_key(struct sr_connection *connection,
                                           struct sr_result (*each)(const struct sr_audit_key *key, void *context),
                                           void *context);
/* The newest checkpoint, within a read; SR_NOT_FOUND where there is none. Appends. */
SR_MUST struct sr_result sr_audit_newest_checkpoint(struct sr_connection *connection, uint64_t *ret_number,
                                                    struct sr_buf *statement, struct sr_buf *signature);

/*
 * Goes through entries and checkpoints in the order in which a verifier takes them, a batch a read transaction, so that
 * a long log holds no snapshot for long. Ends behind the checkpoint `last_checkpoint` (0: at the log's end).
 */
struct sr_audit_visitor {
	struct sr_result (*entry)(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context);
	struct sr_result (*checkpoint)(uint64_t number, struct sr_bytes statement, struct sr_bytes signature,
	                               void *context);
	struct sr_result (*pause)(void *context); /* between the transactions, where it may wait; may be NULL */
	void *context;
};
SR_MUST struct sr_result sr_audit_walk(struct sr_database *database, uint64_t last_checkpoint,
                                       const struct sr_audit_visitor *visitor);

/* Checks chain, checkpoints and signatures of a log in its database; `expectation` may be NULL. */
SR_MUST struct sr_result sr_audit_verify(struct sr_audit_signer *signer, const struct sr_audit_expectation *expectation,
                                         struct sr_audit_verdict *ret_verdict);

#endif
