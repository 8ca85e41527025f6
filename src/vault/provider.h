/*
 * The vault as a resource provider (Microsoft.KeyVault of Azure Resource Manager): the resource manager's front passes
 * requests on over mutual TLS with the caller's identity in headers, and has authorised them; the command line comes by
 * the Unix socket. Here they are carried out and audited.
 */
#ifndef SR_VAULT_PROVIDER_H
#define SR_VAULT_PROVIDER_H

#include "vault/kek_store.h"
#include "vault/service.h"
#include "vault/vault_store.h"
#include "wire/json.h"
#include "wire/url.h"

/* Who asks the front, as it tells; a request of the front without them is refused. */
#define SR_CALLER_OBJECT_ID  "x-strongroom-caller-object-id"
#define SR_CALLER_APP_ID     "x-strongroom-caller-app-id"
#define SR_CALLER_REQUEST_ID "x-strongroom-request-id"

struct sr_vault_provider_route;

struct sr_vault_provider_call {
	struct sr_vault *vault;
	struct sr_arena *arena;
	const struct sr_vault_provider_route *route;
	const char *object_id, *app_id, *from, *request_id; /* of the caller */
	const char *service;                                /* by which the call came; NULL: the Unix socket */
	struct sr_installation installation;
	const char *subscription, *group, *name, *location, *kind; /* from the path; NULL where it has none */
	struct sr_parameters query;
	const char *api_version;
	struct sr_bytes text; /* the request's content */
	json_t *body;         /* the same as an object, or NULL; owned by the call's maker */
	bool is_audited;
};

struct sr_vault_provider_answer {
	int status;          /* 0 counts as 200 */
	json_t *body;        /* owned; NULL: none */
	char revocation[80]; /* "" where nothing was revoked */
};

typedef struct sr_result (*sr_vault_provider_handler)(struct sr_vault_provider_call *call,
                                                      struct sr_vault_provider_answer *answer);

/* One operation. Patterns are segments; "{…}" stands for one of any content. */
struct sr_vault_provider_route {
	const char *method, *pattern;
	const char *operation; /* as the audit log names it */
	sr_vault_provider_handler handler;
};
/* SR_NOT_FOUND "InvalidResourceType"; SR_INVALID "MethodNotAllowed". The call's parts of the path are set. */
SR_MUST struct sr_result sr_vault_provider_route_find(const char *method, const struct sr_segments *path,
                                                      struct sr_vault_provider_call *call);

/* Runs `work` in a write together with the call's audit entry of `answer->status`, and marks the call as audited. */
SR_MUST struct sr_result sr_vault_provider_write(struct sr_vault_provider_call *call, sr_database_work work,
                                                 void *context, const struct sr_vault_provider_answer *answer);
/* Takes back the leases after a durable change, and notes in the answer how long it took. */
void sr_vault_provider_recall(struct sr_vault_provider_call *call, const struct sr_kek_set *set,
                              struct sr_vault_provider_answer *answer);

/* All but the transport: routes, checks, runs the handler, audits. `method`, `path` and `query` as in HTTP; the call
 * has its vault, arena, caller and text. */
SR_MUST struct sr_result sr_vault_provider_perform(struct sr_vault_provider_call *call, const char *method,
                                                   struct sr_bytes path, struct sr_bytes query,
                                                   struct sr_vault_provider_answer *answer);

/* True for what comes by the provider's door, and for resource ids on the Unix socket. */
bool sr_vault_provider_is_for(const struct sr_exchange *exchange);
SR_MUST struct sr_result sr_vault_provider_handle(struct sr_exchange *exchange, struct sr_vault *vault);
/* The error in the resource manager's shape; it stays the caller's. */
void sr_vault_provider_error(struct sr_exchange *exchange, struct sr_result error);

/* The handlers. */
SR_MUST struct sr_result sr_vault_provider_get(struct sr_vault_provider_call *call,
                                               struct sr_vault_provider_answer *answer);
SR_MUST struct sr_result sr_vault_provider_list(struct sr_vault_provider_call *call,
                                                struct sr_vault_provider_answer *answer);
SR_MUST struct sr_result sr_vault_provider_check_name(struct sr_vault_provider_call *call,
                                                      struct sr_vault_provider_answer *answer);
SR_MUST struct sr_result sr_vault_provider_get_deleted(struct sr_vault_provider_call *call,
                                                       struct sr_vault_provider_answer *answer);
SR_MUST struct sr_result sr_vault_provider_list_deleted(struct sr_vault_provider_call *call,
                                                        struct sr_vault_provider_answer *answer);
SR_MUST struct sr_result sr_vault_provider_list_none(struct sr_vault_provider_call *call,
                                                     struct sr_vault_provider_answer *answer);
SR_MUST struct sr_result sr_vault_provider_put(struct sr_vault_provider_call *call,
                                               struct sr_vault_provider_answer *answer);
SR_MUST struct sr_result sr_vault_provider_patch(struct sr_vault_provider_call *call,
                                                 struct sr_vault_provider_answer *answer);
SR_MUST struct sr_result sr_vault_provider_policies(struct sr_vault_provider_call *call,
                                                    struct sr_vault_provider_answer *answer);
SR_MUST struct sr_result sr_vault_provider_delete(struct sr_vault_provider_call *call,
                                                  struct sr_vault_provider_answer *answer);
SR_MUST struct sr_result sr_vault_provider_purge(struct sr_vault_provider_call *call,
                                                 struct sr_vault_provider_answer *answer);

/* Within a read or write: the live vault that the call's path names. SR_NOT_FOUND "ResourceNotFound". */
SR_MUST struct sr_result sr_vault_provider_find(struct sr_connection *connection,
                                                const struct sr_vault_provider_call *call,
                                                struct sr_vault_record *ret_vault);
/* The deleted one; its location must be the path's. SR_NOT_FOUND "DeletedVaultNotFound". */
SR_MUST struct sr_result sr_vault_provider_find_deleted(struct sr_connection *connection,
                                                        const struct sr_vault_provider_call *call,
                                                        struct sr_vault_record *ret_vault);
/* The vault as a resource, with its policies and rules: within a read or write. The caller owns the JSON. */
SR_MUST struct sr_result sr_vault_provider_vault_json(struct sr_connection *connection,
                                                      const struct sr_vault_provider_call *call,
                                                      const struct sr_vault_record *vault, json_t **ret_json);

#endif
