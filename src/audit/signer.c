/* The log's key and the making of checkpoints. Reading them all is walk.c's. */
#include "audit/signer.h"

#include "base/memory.h"
#include "base/thread.h"

#include <stdio.h>
#include <string.h>

enum { SEALED_MAX = 4096 };

struct sr_audit_signer {
	struct sr_database *database;
	struct sr_aead *aead;
	char service[SR_AUDIT_SERVICE_MAX];
	struct sr_id log;
	struct sr_mutex mutex; /* guards what follows; leaf: it is never held across a call */
	struct sr_audit_key key;
};

/* The key that signs, as it lies in the database. */
struct current_key {
	uint64_t number; /* 0: there is none */
	struct sr_audit_key key;
	struct sr_keypair *keypair;
};

static void current_key_cleanup(struct current_key *current)
{
	sr_keypair_free(current->keypair);
	current->keypair = NULL;
}

/* What a sealed key is tied to. */
static struct sr_bytes seal_aad(const struct sr_audit_signer *signer, uint64_t number, char text[static 64])
{
	const int len = snprintf(text, 64, "audit-key/%s/%llu", signer->service, (unsigned long long)number);
	return sr_bytes_of(text, (size_t)len);
}

static struct sr_result find_current(const struct sr_audit_signer *signer, struct sr_connection *connection,
                                     struct current_key *ret_current)
{
	SR_CLEANUP(current_key) struct current_key current = {0};
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(
	    sr_prepare(connection, "SELECT number, public, sealed FROM audit_key ORDER BY number DESC LIMIT 1", &select));
	bool is_row;
	SR_TRY(sr_step(select, &is_row));
	if (is_row) {
		char aad[64];
		current.number = (uint64_t)sr_column_int(select, 0);
		SR_TRY(sr_audit_key_from_spki(sr_column_blob(select, 1), &current.key));
		SR_TRY(sr_keypair_open(signer->aead, seal_aad(signer, current.number, aad), sr_column_blob(select, 2),
		                       &current.keypair));
		struct sr_audit_key own;
		SR_TRY(sr_audit_key_of(current.keypair, &own));
		if (strcmp(own.id, current.key.id) != 0) {
			return sr_fail(SR_CORRUPT, "the audit log's key is not the one that is published");
		}
	}
	*ret_current = current;
	current.keypair = NULL;
	return sr_ok();
}

static struct sr_result add_key(const struct sr_audit_signer *signer, struct sr_connection *connection, uint64_t number,
                                const struct sr_keypair *keypair, int64_t now)
{
	char aad[64];
	struct sr_audit_key key;
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SEALED_MAX);
	SR_TRY(sr_audit_key_of(keypair, &key));
	SR_TRY(sr_keypair_seal(keypair, signer->aead, seal_aad(signer, number, aad), &sealed));
	SR_TRY(sr_buf_result(&sealed));
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO audit_key(number, public, sealed, created) VALUES(?1, ?2, ?3, ?4)",
	                  &insert));
	sr_bind_int(insert, 1, (int64_t)number);
	sr_bind_blob(insert, 2, sr_bytes_of(key.spki, sizeof key.spki));
	sr_bind_blob(insert, 3, sr_buf_bytes(&sealed));
	sr_bind_int(insert, 4, now);
	return sr_run(insert);
}

static struct sr_result destroy_key(struct sr_connection *connection, uint64_t number)
{
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON"));
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE audit_key SET sealed = NULL WHERE number = ?1", &update));
	sr_bind_int(update, 1, (int64_t)number);
	return sr_run(update);
}

/* One write of the signer's. */
struct signing {
	struct sr_audit_signer *signer;
	int64_t now;
	const struct sr_keypair *next; /* the key to change to; NULL: none */
	struct sr_audit_key key;       /* which signs when it is done */
};

/* The last checkpoint's number, digest and sequence; zeros where there is none. */
static struct sr_result find_last(struct sr_connection *connection, struct sr_audit_statement *statement)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT number, seq, statement FROM audit_checkpoint ORDER BY number DESC LIMIT 1",
	                  &select));
	bool is_row;
	SR_TRY(sr_step(select, &is_row));
	if (is_row) {
		statement->number = (uint64_t)sr_column_int(select, 0);
		statement->sequence = (uint64_t)sr_column_int(select, 1);
		sr_audit_statement_digest(sr_column_text(select, 2), statement->previous);
	}
	return sr_ok();
}

static struct sr_result insert_checkpoint(struct sr_connection *connection, const struct sr_audit_statement *statement,
                                          const struct sr_keypair *keypair)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_AUDIT_STATEMENT_MAX), signature = SR_BUF(SR_AUDIT_SIGNATURE_MAX);
	sr_audit_statement_write(statement, &text);
	SR_TRY(sr_buf_result(&text));
	SR_TRY(sr_audit_sign_text(keypair, sr_buf_bytes(&text), &signature));
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(
	    connection, "INSERT INTO audit_checkpoint(number, seq, time, statement, signature) VALUES(?1, ?2, ?3, ?4, ?5)",
	    &insert));
	sr_bind_int(insert, 1, (int64_t)statement->number);
	sr_bind_int(insert, 2, (int64_t)statement->sequence);
	sr_bind_int(insert, 3, statement->time);
	sr_bind_bytes_as_text(insert, 4, sr_buf_bytes(&text));
	sr_bind_blob(insert, 5, sr_buf_bytes(&signature));
	return sr_run(insert);
}

static struct sr_result sign_work(struct sr_connection *connection, void *context)
{
	struct signing *signing = context;
	const struct sr_audit_signer *signer = signing->signer;
	struct sr_audit_statement statement = {.log = signer->log, .time = signing->now, .has_next = signing->next != NULL};
	struct sr_audit_link link;
	SR_TRY(find_last(connection, &statement));
	SR_TRY(sr_audit_last(connection, &link));
	if (statement.number && !signing->next && link.seq <= statement.sequence) {
		return sr_ok(); /* all is signed for */
	}
	SR_CLEANUP(current_key) struct current_key current = {0};
	SR_TRY(find_current(signer, connection, &current));
	memcpy(statement.service, signer->service, sizeof statement.service);
	memcpy(statement.key, current.key.id, sizeof statement.key);
	memcpy(statement.hash, link.hash, SR_SHA256_LEN);
	statement.sequence = link.seq;
	statement.number++;
	if (signing->next) {
		SR_TRY(sr_audit_key_of(signing->next, &statement.next));
		signing->key = statement.next;
	}
	SR_TRY(insert_checkpoint(connection, &statement, current.keypair));
	if (!signing->next) {
		return sr_ok();
	}
	SR_TRY(add_key(signer, connection, current.number + 1, signing->next, signing->now));
	return destroy_key(connection, current.number);
}

/* At the first opening the log gets its key; later it is opened once, so that damage shows at the start. */
static struct sr_result open_work(struct sr_connection *connection, void *context)
{
	struct signing *signing = context;
	SR_CLEANUP(current_key) struct current_key current = {0};
	SR_TRY(find_current(signing->signer, connection, &current));
	if (current.number) {
		signing->key = current.key;
		return sr_ok();
	}
	SR_TRY(sr_audit_key_of(signing->next, &signing->key));
	return add_key(signing->signer, connection, 1, signing->next, signing->now);
}

static struct sr_result make_keypair(struct sr_keypair **ret_keypair)
{
	const struct sr_key_spec spec = {.type = SR_KEY_EC, .curve = SR_CURVE_P256};
	return sr_keypair_generate(&spec, ret_keypair);
}

static void set_key(struct sr_audit_signer *signer, const struct sr_audit_key *key)
{
	SR_LOCKED(&signer->mutex);
	signer->key = *key;
}

struct sr_result sr_audit_signer_open(struct sr_database *database, struct sr_aead *aead, const char *service,
                                      const struct sr_id *log, int64_t now, struct sr_audit_signer **ret_signer)
{
	SR_CLEANUP(sr_audit_signer) struct sr_audit_signer *signer = sr_alloc(sizeof *signer);
	signer->database = database;
	signer->aead = aead;
	signer->log = *log;
	snprintf(signer->service, sizeof signer->service, "%s", service);
	sr_mutex_init(&signer->mutex, SR_RANK_LEAF);
	SR_CLEANUP(sr_keypair) struct sr_keypair *first = NULL;
	SR_TRY(make_keypair(&first)); /* some 20 µs, even if it is not needed */
	struct signing signing = {.signer = signer, .now = now, .next = first};
	SR_TRY(sr_database_write(database, open_work, &signing));
	set_key(signer, &signing.key);
	*ret_signer = SR_TAKE(signer);
	return sr_ok();
}

void sr_audit_signer_close(struct sr_audit_signer *signer)
{
	if (signer) {
		sr_mutex_destroy(&signer->mutex);
		sr_free(signer);
	}
}

void sr_audit_signer_cleanup(struct sr_audit_signer **signer)
{
	sr_audit_signer_close(*signer);
	*signer = NULL;
}

struct sr_result sr_audit_sign(struct sr_audit_signer *signer, int64_t now)
{
	struct signing signing = {.signer = signer, .now = now};
	return sr_database_write(signer->database, sign_work, &signing);
}

struct sr_result sr_audit_signer_rotate(struct sr_audit_signer *signer, int64_t now)
{
	SR_CLEANUP(sr_keypair) struct sr_keypair *next = NULL;
	SR_TRY(make_keypair(&next));
	struct signing signing = {.signer = signer, .now = now, .next = next};
	SR_TRY(sr_database_write(signer->database, sign_work, &signing));
	set_key(signer, &signing.key);
	struct sr_result folded = sr_database_checkpoint(signer->database); /* the old key leaves the log too */
	if (sr_result_code(folded) == SR_CONFLICT) {
		sr_ignore(folded); /* readers keep it; a later fold does it */
		return sr_ok();
	}
	return folded;
}

struct sr_result sr_audit_next_checkpoint(struct sr_connection *connection, int64_t *ret_time)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT seq, time FROM audit_checkpoint ORDER BY number DESC LIMIT 1", &select));
	bool is_row;
	SR_TRY(sr_step(select, &is_row));
	const uint64_t covered = is_row ? (uint64_t)sr_column_int(select, 0) : 0;
	const int64_t time = is_row ? sr_column_int(select, 1) : 0;
	uint64_t count;
	SR_TRY(sr_audit_count(connection, &count));
	if (count <= covered) {
		*ret_time = INT64_MIN;
	} else {
		*ret_time = count - covered >= SR_AUDIT_EVERY_ENTRIES ? 0 : time + SR_AUDIT_EVERY_S;
	}
	return sr_ok();
}

static struct sr_result is_continued(struct sr_connection *connection, void *context)
{
	bool *ret = context;
	uint64_t number;
	uint8_t hash[SR_SHA256_LEN] = {0};
	struct sr_audit_statement statement;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_AUDIT_STATEMENT_MAX), signature = SR_BUF(SR_AUDIT_SIGNATURE_MAX);
	struct sr_result found = sr_audit_newest_checkpoint(connection, &number, &text, &signature);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		*ret = true;
		return sr_ok();
	}
	SR_TRY(found);
	SR_TRY(sr_audit_statement_read(sr_buf_bytes(&text), &statement));
	if (statement.sequence) {
		struct sr_result at = sr_audit_hash_at(connection, statement.sequence, hash);
		if (sr_result_code(at) == SR_NOT_FOUND) {
			sr_ignore(at);
			*ret = false;
			return sr_ok();
		}
		SR_TRY(at);
	}
	*ret = sr_equal_public(sr_bytes_of(hash, SR_SHA256_LEN), sr_bytes_of(statement.hash, SR_SHA256_LEN));
	return sr_ok();
}

struct sr_result sr_audit_is_continued(struct sr_database *database, bool *ret_is_continued)
{
	bool answer = false;
	SR_TRY(sr_database_read(database, is_continued, &answer));
	*ret_is_continued = answer;
	return sr_ok();
}

struct sr_audit_key sr_audit_signer_key(struct sr_audit_signer *signer)
{
	SR_LOCKED(&signer->mutex);
	return signer->key;
}

const char *sr_audit_signer_service(const struct sr_audit_signer *signer)
{
	return signer->service;
}

struct sr_id sr_audit_signer_log(const struct sr_audit_signer *signer)
{
	return signer->log;
}

struct sr_database *sr_audit_signer_database(const struct sr_audit_signer *signer)
{
	return signer->database;
}

struct sr_result sr_audit_each_key(struct sr_connection *connection,
                                   struct sr_result (*each)(const struct sr_audit_key *key, void *context),
                                   void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT public FROM audit_key ORDER BY number", &select));
	for (;;) {
		bool is_row;
		struct sr_audit_key key;
		SR_TRY(sr_step(select, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		SR_TRY(sr_audit_key_from_spki(sr_column_blob(select, 0), &key));
		SR_TRY(each(&key, context));
	}
}

struct sr_result sr_audit_newest_checkpoint(struct sr_connection *connection, uint64_t *ret_number,
                                            struct sr_buf *statement, struct sr_buf *signature)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(
	    connection, "SELECT number, statement, signature FROM audit_checkpoint ORDER BY number DESC LIMIT 1", &select));
	bool is_row;
	SR_TRY(sr_step(select, &is_row));
	if (!is_row) {
		return sr_fail(SR_NOT_FOUND, "the audit log has no checkpoint yet");
	}
	*ret_number = (uint64_t)sr_column_int(select, 0);
	sr_buf_append(statement, sr_column_text(select, 1));
	sr_buf_append(signature, sr_column_blob(select, 2));
	SR_TRY(sr_buf_result(statement));
	return sr_buf_result(signature);
}
