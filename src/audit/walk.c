/* Going through a whole log in its database, and the verification that is made of it. */
#include "audit/signer.h"

enum { BATCH = 250 };

struct walk {
	const struct sr_audit_visitor *visitor;
	uint64_t last_checkpoint; /* 0: to the end */
	uint64_t seq, number;     /* visited last */
	unsigned batch;
	bool has_ended;
	struct sr_statement *checkpoints; /* of the running batch */
	bool has_checkpoint;              /* it stands on a row that is not visited yet */
};

/* Visits the checkpoints that cover nothing behind entry `until`. */
static struct sr_result visit_checkpoints(struct walk *walk, uint64_t until)
{
	while (!walk->has_ended && walk->has_checkpoint && (uint64_t)sr_column_int(walk->checkpoints, 1) <= until) {
		walk->number = (uint64_t)sr_column_int(walk->checkpoints, 0);
		SR_TRY(walk->visitor->checkpoint(walk->number, sr_column_text(walk->checkpoints, 2),
		                                 sr_column_blob(walk->checkpoints, 3), walk->visitor->context));
		walk->has_ended = walk->number == walk->last_checkpoint;
		SR_TRY(sr_step(walk->checkpoints, &walk->has_checkpoint));
	}
	return sr_ok();
}

static struct sr_result visit_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context)
{
	struct walk *walk = context;
	walk->batch++;
	SR_TRY(visit_checkpoints(walk, seq - 1));
	if (walk->has_ended) {
		return sr_ok();
	}
	walk->seq = seq;
	return walk->visitor->entry(seq, entry, hash, walk->visitor->context);
}

static struct sr_result walk_batch(struct sr_connection *connection, void *context)
{
	struct walk *walk = context;
	SR_CLEANUP(sr_statement) struct sr_statement *checkpoints = NULL;
	SR_TRY(sr_prepare(
	    connection, "SELECT number, seq, statement, signature FROM audit_checkpoint WHERE number > ?1 ORDER BY number",
	    &checkpoints));
	sr_bind_int(checkpoints, 1, (int64_t)walk->number);
	walk->checkpoints = checkpoints;
	SR_TRY(sr_step(checkpoints, &walk->has_checkpoint));
	walk->batch = 0;
	SR_TRY(sr_audit_each(connection, walk->seq, BATCH, visit_entry, walk));
	return walk->batch < BATCH ? visit_checkpoints(walk, UINT64_MAX) : sr_ok();
}

struct sr_result sr_audit_walk(struct sr_database *database, uint64_t last_checkpoint,
                               const struct sr_audit_visitor *visitor)
{
	struct walk walk = {.visitor = visitor, .last_checkpoint = last_checkpoint};
	do {
		SR_TRY(sr_database_read(database, walk_batch, &walk));
		SR_TRY(visitor->pause ? visitor->pause(visitor->context) : sr_ok());
	} while (walk.batch == BATCH && !walk.has_ended);
	return sr_ok();
}

static struct sr_result verify_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context)
{
	sr_audit_verifier_entry(context, seq, entry, hash);
	return sr_ok();
}

static struct sr_result verify_checkpoint(uint64_t number, struct sr_bytes statement, struct sr_bytes signature,
                                          void *context)
{
	(void)number;
	return sr_audit_verifier_checkpoint(context, statement, signature);
}

static struct sr_result add_key(const struct sr_audit_key *key, void *context)
{
	sr_audit_verifier_add_key(context, key);
	return sr_ok();
}

static struct sr_result add_keys(struct sr_connection *connection, void *context)
{
	return sr_audit_each_key(connection, add_key, context);
}

struct sr_result sr_audit_verify(struct sr_audit_signer *signer, const struct sr_audit_expectation *expectation,
                                 struct sr_audit_verdict *ret_verdict)
{
	struct sr_database *database = sr_audit_signer_database(signer);
	const struct sr_id log = sr_audit_signer_log(signer);
	SR_CLEANUP(sr_audit_verifier) struct sr_audit_verifier *verifier = sr_audit_verifier_new(expectation);
	sr_audit_verifier_begin(verifier, sr_audit_signer_service(signer), &log);
	SR_TRY(sr_database_read(database, add_keys, verifier));
	const struct sr_audit_visitor visitor = {verify_entry, verify_checkpoint, NULL, verifier};
	SR_TRY(sr_audit_walk(database, 0, &visitor));
	*ret_verdict = sr_audit_verifier_finish(verifier);
	return sr_ok();
}
