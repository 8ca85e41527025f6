/* The one check of logs. */
#include "audit/verifier.h"

#include "base/memory.h"

#include <string.h>

enum { KEYS_MAX = 4096 };

struct sr_audit_verifier {
	struct sr_audit_expectation expectation;
	char service[SR_AUDIT_SERVICE_MAX];
	struct sr_id log;
	struct sr_audit_link link;
	struct sr_audit_key *keys;
	size_t key_count, key_cap;
	uint8_t previous[SR_SHA256_LEN];  /* the last checkpoint's digest */
	char signer[SR_AUDIT_KEY_ID_LEN]; /* who signs the next checkpoint; "" before the first */
	bool is_key_seen, is_anchor_seen;
	struct sr_audit_verdict verdict;
};

struct sr_audit_verifier *sr_audit_verifier_new(const struct sr_audit_expectation *expectation)
{
	struct sr_audit_verifier *verifier = sr_alloc(sizeof *verifier);
	if (expectation) {
		verifier->expectation = *expectation;
	}
	return verifier;
}

void sr_audit_verifier_free(struct sr_audit_verifier *verifier)
{
	if (verifier) {
		sr_free(verifier->keys);
		sr_free(verifier);
	}
}

void sr_audit_verifier_cleanup(struct sr_audit_verifier **verifier)
{
	sr_audit_verifier_free(*verifier);
	*verifier = NULL;
}

/* The first break counts; `seq` is where it shows. */
static void break_at(struct sr_audit_verifier *verifier, uint64_t seq, const char *why)
{
	if (!verifier->verdict.broken_at) {
		verifier->verdict.broken_at = seq ? seq : 1;
		verifier->verdict.why = why;
	}
}

void sr_audit_verifier_break(struct sr_audit_verifier *verifier, const char *why)
{
	break_at(verifier, verifier->link.seq + 1, why);
}

bool sr_audit_verifier_is_broken(const struct sr_audit_verifier *verifier)
{
	return verifier->verdict.broken_at != 0;
}

struct sr_audit_link sr_audit_verifier_at(const struct sr_audit_verifier *verifier)
{
	return verifier->link;
}

void sr_audit_verifier_begin(struct sr_audit_verifier *verifier, const char *service, const struct sr_id *log)
{
	const size_t len = strnlen(service, sizeof verifier->service - 1);
	memcpy(verifier->service, service, len);
	verifier->service[len] = '\0';
	verifier->log = *log;
	const struct sr_audit_statement *anchor = verifier->expectation.anchor;
	if (anchor && (strcmp(anchor->service, verifier->service) != 0 || !sr_id_equal(&anchor->log, log))) {
		sr_audit_verifier_break(verifier, "the anchor is another log's");
	}
}

void sr_audit_verifier_add_key(struct sr_audit_verifier *verifier, const struct sr_audit_key *key)
{
	if (verifier->key_count == KEYS_MAX) {
		sr_audit_verifier_break(verifier, "there are too many keys");
		return;
	}
	if (verifier->key_count == verifier->key_cap) {
		verifier->key_cap = verifier->key_cap ? 2 * verifier->key_cap : 4;
		struct sr_audit_key *larger = sr_alloc_array(verifier->key_cap, sizeof *larger);
		if (verifier->key_count) {
			memcpy(larger, verifier->keys, verifier->key_count * sizeof *larger);
		}
		sr_free(verifier->keys);
		verifier->keys = larger;
	}
	verifier->keys[verifier->key_count++] = *key;
}

static const struct sr_audit_key *find_key(const struct sr_audit_verifier *verifier, const char *id)
{
	for (size_t i = 0; i < verifier->key_count; i++) {
		if (strcmp(verifier->keys[i].id, id) == 0) {
			return &verifier->keys[i];
		}
	}
	return NULL;
}

void sr_audit_verifier_entry(struct sr_audit_verifier *verifier, uint64_t seq, struct sr_bytes entry,
                             struct sr_bytes hash)
{
	if (sr_audit_verifier_is_broken(verifier)) {
		return;
	}
	struct sr_audit_link link = verifier->link;
	sr_audit_link_next(&link, entry);
	if (seq != link.seq || !sr_equal_public(sr_bytes_of(link.hash, SR_SHA256_LEN), hash)) {
		sr_audit_verifier_break(verifier, "the entry does not fit the chain");
		return;
	}
	verifier->link = link;
	verifier->verdict.entries = link.seq;
}

/* What a checkpoint must be by its place; NULL where it fits. */
static const char *misfit(const struct sr_audit_verifier *verifier, const struct sr_audit_statement *statement)
{
	if (strcmp(statement->service, verifier->service) != 0 || !sr_id_equal(&statement->log, &verifier->log)) {
		return "a checkpoint is another log's";
	}
	if (statement->number != verifier->verdict.checkpoints + 1 ||
	    !sr_equal_public(sr_bytes_of(statement->previous, SR_SHA256_LEN),
	                     sr_bytes_of(verifier->previous, SR_SHA256_LEN))) {
		return "a checkpoint does not follow the one before";
	}
	if (verifier->signer[0] && strcmp(verifier->signer, statement->key) != 0) {
		return "a checkpoint is not signed by the log's key";
	}
	if (statement->sequence > verifier->link.seq) {
		return "entries that a checkpoint covers are missing";
	}
	if (statement->sequence < verifier->link.seq || !sr_equal_public(sr_bytes_of(statement->hash, SR_SHA256_LEN),
	                                                                 sr_bytes_of(verifier->link.hash, SR_SHA256_LEN))) {
		return "the entries are not those that a checkpoint signs for";
	}
	return NULL;
}

static void check_expectation(struct sr_audit_verifier *verifier, const struct sr_audit_statement *statement,
                              struct sr_bytes text)
{
	const struct sr_audit_expectation *expectation = &verifier->expectation;
	if (expectation->key && strcmp(expectation->key->id, statement->key) == 0) {
		verifier->is_key_seen = true;
	}
	if (expectation->anchor && expectation->anchor->number == statement->number) {
		verifier->is_anchor_seen = true;
		if (!sr_equal_public(expectation->anchor_text, text)) {
			break_at(verifier, expectation->anchor->sequence, "the log is not the one that the anchor was taken from");
		}
	}
}

struct sr_result sr_audit_verifier_checkpoint(struct sr_audit_verifier *verifier, struct sr_bytes text,
                                              struct sr_bytes signature)
{
	if (sr_audit_verifier_is_broken(verifier)) {
		return sr_ok();
	}
	struct sr_audit_statement statement;
	const uint64_t suspect = verifier->verdict.covered + 1;
	struct sr_result read = sr_audit_statement_read(text, &statement);
	if (!sr_is_ok(read)) {
		sr_ignore(read);
		break_at(verifier, suspect, "a checkpoint does not read");
		return sr_ok();
	}
	const struct sr_audit_key *key = find_key(verifier, statement.key);
	const char *why = key ? misfit(verifier, &statement) : "a checkpoint's key is not known";
	bool holds = false;
	if (!why) {
		SR_TRY(sr_audit_signature_holds(key, text, signature, &holds));
		why = holds ? NULL : "a checkpoint's signature does not hold";
	}
	if (why) {
		break_at(verifier, statement.sequence > verifier->link.seq ? verifier->link.seq + 1 : suspect, why);
		return sr_ok();
	}
	check_expectation(verifier, &statement, text);
	sr_audit_statement_digest(text, verifier->previous);
	memcpy(verifier->signer, statement.has_next ? statement.next.id : statement.key, sizeof verifier->signer);
	if (statement.has_next && !find_key(verifier, statement.next.id)) {
		sr_audit_verifier_add_key(verifier, &statement.next); /* it came while the log was being read */
	}
	verifier->verdict.checkpoints++;
	verifier->verdict.covered = statement.sequence;
	return sr_ok();
}

struct sr_audit_verdict sr_audit_verifier_finish(struct sr_audit_verifier *verifier)
{
	const struct sr_audit_expectation *expectation = &verifier->expectation;
	if (expectation->key && !verifier->is_key_seen) {
		break_at(verifier, 1, "no checkpoint is vouched for by the public key that was given");
	}
	if (expectation->anchor && !verifier->is_anchor_seen) {
		break_at(verifier, verifier->link.seq + 1,
		         "the log was rolled back: it does not reach the checkpoint that was kept as an anchor");
	}
	return verifier->verdict;
}
