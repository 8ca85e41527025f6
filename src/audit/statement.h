/*
 * What a checkpoint says and how its signature is checked: text and keys, no database. A statement is one line of JSON
 * with a fixed order of members; its signature is ECDSA with P-256 and SHA-256 (FIPS 186-5), in DER, as `openssl dgst
 * -sha256 -verify` takes it. A public key is a SubjectPublicKeyInfo (RFC 5280, RFC 5480). Pure; thread-safe.
 */
#ifndef SR_AUDIT_STATEMENT_H
#define SR_AUDIT_STATEMENT_H

#include "base/text.h"
#include "seal/keypair.h"

enum {
	SR_AUDIT_SPKI_LEN = 91,
	SR_AUDIT_SIGNATURE_MAX = 72,
	SR_AUDIT_KEY_ID_LEN = 33,
	SR_AUDIT_SERVICE_MAX = 32,
	SR_AUDIT_STATEMENT_MAX = 2048
};

struct sr_audit_key {
	uint8_t spki[SR_AUDIT_SPKI_LEN];
	char id[SR_AUDIT_KEY_ID_LEN]; /* the first 16 bytes of the SPKI's SHA-256, in hex */
};
/* SR_INVALID for a key that is not on P-256. */
SR_MUST struct sr_result sr_audit_key_of(const struct sr_keypair *keypair, struct sr_audit_key *ret_key);
SR_MUST struct sr_result sr_audit_key_from_spki(struct sr_bytes spki, struct sr_audit_key *ret_key);
/* A PEM file's text ("BEGIN PUBLIC KEY"), and back. SR_INVALID. */
void sr_audit_key_pem(const struct sr_audit_key *key, struct sr_buf *pem);
SR_MUST struct sr_result sr_audit_key_from_pem(struct sr_bytes pem, struct sr_audit_key *ret_key);

/* One checkpoint: the log was so long and ended in this hash. */
struct sr_audit_statement {
	char service[SR_AUDIT_SERVICE_MAX]; /* whose log: "vault" */
	struct sr_id log;                   /* which: the id of the database that holds it */
	uint64_t number;                    /* of the checkpoint, from 1 */
	int64_t time;                       /* Unix seconds */
	uint64_t sequence;                  /* of the log's last entry */
	uint8_t hash[SR_SHA256_LEN];        /* of that entry */
	uint8_t previous[SR_SHA256_LEN];    /* SHA-256 of the checkpoint before, as it was written; zeros for the first */
	char key[SR_AUDIT_KEY_ID_LEN];      /* who signs */
	bool has_next;                      /* the key changes: all later checkpoints are signed by `next` */
	struct sr_audit_key next;
};
void sr_audit_statement_write(const struct sr_audit_statement *statement, struct sr_buf *text);
/* SR_INVALID unless the text is exactly what writing gives. */
SR_MUST struct sr_result sr_audit_statement_read(struct sr_bytes text, struct sr_audit_statement *ret_statement);
/* The digest by which the next checkpoint refers to this one. */
void sr_audit_statement_digest(struct sr_bytes text, uint8_t ret_digest[static SR_SHA256_LEN]);

/* Appends the signature in DER. */
SR_MUST struct sr_result sr_audit_sign_text(const struct sr_keypair *keypair, struct sr_bytes text,
                                            struct sr_buf *signature);
/* False for a signature that does not hold, or is no DER in its one shortest form. */
SR_MUST struct sr_result sr_audit_signature_holds(const struct sr_audit_key *key, struct sr_bytes text,
                                                  struct sr_bytes signature, bool *ret_holds);

#endif
