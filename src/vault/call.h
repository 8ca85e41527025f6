/*
 * One call of the vault's API, taken apart by api.c: who asks for what. Handlers see this and not HTTP, give an answer
 * or an error, and are audited whichever it is.
 */
#ifndef SR_VAULT_CALL_H
#define SR_VAULT_CALL_H

#include "vault/kek_store.h"
#include "vault/key_store.h"
#include "vault/service.h"
#include "vault/vault_store.h"
#include "wire/json.h"
#include "wire/url.h"

struct sr_vault_route;

struct sr_vault_call {
	struct sr_vault *vault;
	struct sr_arena *arena;
	const struct sr_vault_route *route;
	struct sr_principal who;
	struct sr_vault_record record; /* the vault that is asked */
	const char *name, *version;    /* from the path; NULL where it has none */
	struct sr_parameters query;
	const char *api_version;
	json_t *body;         /* an object; owned by api.c */
	const char *base_url; /* "https://HOST:PORT": what ids begin with */
	const char *from, *request_id;
	const char *service; /* who, where the vault does it by itself ("vault"); else NULL */
	const char *detail;  /* for the audit entry; may be NULL */
	bool is_audited;     /* a write of the call's own has held its entry */
	bool is_announced; /* a write to come was announced (sr_database_announce); whoever writes the entry retracts it */
	/* Runs within the write of the entry, which api.c writes once the handler is through, and may refuse the call at
	 * that last moment. Its context lasts as long as the call; NULL: there is nothing to check. */
	sr_database_work check;
	void *check_context;
};

struct sr_vault_answer {
	int status;          /* 0 counts as 200 */
	json_t *body;        /* owned; NULL: none */
	char revocation[80]; /* x-strongroom-revocation, "" where nothing was revoked */
};

typedef struct sr_result (*sr_vault_handler)(struct sr_vault_call *call, struct sr_vault_answer *answer);

/* The name of the key version that a call is about. */
static inline struct sr_key_name sr_call_key(const struct sr_vault_call *call)
{
	return (struct sr_key_name){call->record.name, call->name, call->version};
}

/* Appends the call's audit entry within a write; `outcome` NULL is success, `version` (may be NULL) the version that it
 * came to. */
SR_MUST struct sr_result sr_call_audit(struct sr_connection *connection, const struct sr_vault_call *call,
                                       const char *version, int status, const char *outcome);

/* Runs `work` in a write together with the call's audit entry and marks the call as audited. The vault is read again in
 * that write: SR_NOT_FOUND where it was deleted meanwhile. `version` points to where
 * the work leaves the version that it came to, or is NULL. */
SR_MUST struct sr_result sr_call_write(struct sr_vault_call *call, sr_database_work work, void *context,
                                       const char *const *version);

/* The record of the call's key: the version that the path names, or the current one. */
SR_MUST struct sr_result sr_call_find_key(struct sr_vault_call *call, enum sr_key_presence presence,
                                          struct sr_key_record *ret_key);

/* Takes back the leases on KEKs after a durable change, and notes in the answer how long it took. */
void sr_call_recall(struct sr_vault_call *call, const struct sr_kek_set *set, const char *reason,
                    struct sr_vault_answer *answer);

#endif
