/*
 * A blob service on loopback with its vault's end: real TLS, real leases, a store of keys that a test can disable. No
 * identity: bearer tokens find no directory. Requests are signed as clients sign them.
 */
#ifndef SR_TESTS_BLOB_PREMISES_H
#define SR_TESTS_BLOB_PREMISES_H

#include "blob/service.h"
#include "check.h"
#include "net/client.h"
#include "vault/grantor.h"

enum { PREMISES_TTL_MS = 500, PREMISES_KEYS = 16 };

struct premises_key {
	struct sr_id resource;
	struct sr_secret *kek;
	bool is_disabled;
	uint64_t revocation_epoch;
};

struct premises {
	char folder[256];
	struct sr_certificate *ca;
	struct sr_tls *vault_tls, *service_tls, *keyring_tls, *client_tls;
	struct sr_grantor *grantor;
	struct sr_mutex mutex; /* guards the keys */
	struct premises_key keys[PREMISES_KEYS];
	struct sr_blob_service service;
	uint16_t port;
	struct sr_client *client;
};

int premises_set_up(void **state);
int premises_tear_down(void **state);
/* Stops and starts the service on the same folder, as after a crash or an upgrade. */
void premises_restart(struct premises *premises);
/* Makes an account; returns its first shared key. The caller frees it. */
struct sr_secret *premises_account(struct premises *premises, const char *name);
/* Disables the account's key, and gives it back. */
void premises_disable(struct premises *premises, const char *account);
void premises_enable(struct premises *premises, const char *account);

/* A request and its response. */
struct call {
	const char *method, *target; /* "/account/…" */
	const char *headers[16][2];  /* beyond what signing adds; ended by NULL */
	struct sr_bytes body;
	const struct sr_secret *key; /* signs by Shared Key; NULL: not signed */
	const char *sign_as;         /* the account in the Authorization header */
	bool is_lite;
	int64_t date_offset_s;
	int status;
	char error_code[128]; /* x-ms-error-code */
	char etag[64];
	struct sr_buf response; /* freed by call_end */
};
void premises_call(struct premises *premises, struct call *call);
void call_end(struct call *call);
/* The common case: signed, checked for its status; ends the call. */
void expect_status(struct premises *premises, const struct sr_secret *key, const char *method, const char *target,
                   const char *body, int status, const char *error_code);

#endif
