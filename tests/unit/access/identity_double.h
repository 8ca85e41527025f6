/*
 * A double of identity for these tests: a CA, a server for the directory over mutual TLS with the long poll that was
 * agreed, signing keys, and tokens with whatever is wrong that a test asks for.
 */
#ifndef SR_TEST_ACCESS_IDENTITY_DOUBLE_H
#define SR_TEST_ACCESS_IDENTITY_DOUBLE_H

#include "check.h"

#include "access/access.h"
#include "access/role.h"
#include "base/thread.h"
#include "net/server.h"
#include "seal/keypair.h"
#include "wire/json.h"

#define AUTHORITY    "https://127.0.0.1:8441"
#define TENANT       "11111111-1111-4111-8111-111111111111"
#define SUBSCRIPTION "22222222-2222-4222-8222-222222222222"
#define AUDIENCE     "https://storage.azure.com"
/* Principals: one that may, one that is disabled, one that nobody knows. */
#define ALICE     "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define ALICE_APP "aaaaaaaa-0000-4000-8000-000000000001"
#define BOB       "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
#define BOB_APP   "bbbbbbbb-0000-4000-8000-000000000001"
#define NOBODY    "cccccccc-cccc-4ccc-8ccc-cccccccccccc"

/* A credential that was taken back. */
#define GONE "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"

struct identity_double {
	struct sr_certificate *ca;
	struct sr_tls *server_tls, *client_tls;
	struct sr_server *server; /* NULL while it is down */
	uint16_t port;
	struct sr_mutex mutex; /* guards document, revision, request_count, is_stopping */
	struct sr_cond cond;
	char *document;
	int64_t revision;
	unsigned request_count;
	bool is_stopping;
	struct sr_keypair *keys[2]; /* "key-0", "key-1" */
};

/* Makes keys and certificates and serves; ends the test program if it cannot. */
struct identity_double *identity_double_start(void);
void identity_double_stop(struct identity_double *identity);
/* The server alone: gone, and back at the same port. */
void identity_double_go_down(struct identity_double *identity);
void identity_double_come_back(struct identity_double *identity);

/* What a document says; zeros are Alice with the assignments below, both keys. */
struct directory_wish {
	bool alice_is_disabled;
	unsigned key_count;      /* 0: both */
	const char *assignments; /* JSON array; NULL: Storage Blob Data Reader for Alice at /subscriptions/S/a/b */
	const char *roles;       /* JSON array of custom roles; NULL: none */
	const char *raw;         /* the whole document, whatever it is */
};
/* Makes it the current document under a new revision. */
void identity_double_publish(struct identity_double *identity, const struct directory_wish *wish);

/* A right token's header and claims, to be spoilt; the caller frees them. */
json_t *right_header(void);
json_t *right_claims(void);
/* Signs header and claims by a key (NULL: no signature) and appends the token. */
void make_token(const json_t *header, const json_t *claims, const struct sr_keypair *key, struct sr_buf *token);
/* A right token for Alice, by key 0. */
void make_right_token(const struct identity_double *identity, struct sr_buf *token);

/* An access room that follows the double, with a snapshot. */
struct sr_access *follow(struct identity_double *identity);
/* Waits, for at most two seconds, until what is asked about holds. */
bool holds_soon(bool (*holds)(void *context), void *context);

#endif
