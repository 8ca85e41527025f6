/* The workspace process: its parts, made by workspace.c in order and ended in reverse. */
#ifndef SR_WORKSPACE_SERVICE_H
#define SR_WORKSPACE_SERVICE_H

#include "access/access.h"
#include "host/host.h"
#include "keyring/keyring.h"
#include "keyring/state_key.h"
#include "net/server.h"
#include "seal/database.h"
#include "workspace/store.h"
#include "workspace/upstream.h"

struct sr_resource_group_reaper;

struct sr_workspace {
	struct sr_host *host;
	struct sr_keyring *keyring;
	struct sr_access *access;
	struct sr_server *server;
	struct sr_upstream *vault;    /* its provider's listener; NULL in tests */
	struct sr_upstream *identity; /* its internal listener; NULL in tests */
	struct sr_state_key state_key;
	struct sr_resource_group_reaper *reaper; /* NULL in tests */
	uint64_t started_ms;
};

/* Enters the lease of the state's key and gives the open store, opening it if need be; `abort` (or NULL) is called when
 * the lease is recalled meanwhile. The caller leaves with sr_lease_leave, also after a failure. SR_UNAVAILABLE or
 * SR_REVOKED: there is no key now. */
SR_MUST struct sr_result sr_workspace_enter(struct sr_workspace *workspace, void (*abort)(void *context), void *context,
                                            struct sr_lease_use *ret_use, struct sr_workspace_store **ret_store);
/* Runs one read or write of the state within a use of its lease. */
SR_MUST struct sr_result sr_workspace_read(struct sr_workspace *workspace, sr_database_work work, void *context);
SR_MUST struct sr_result sr_workspace_write(struct sr_workspace *workspace, sr_database_work work, void *context);

#endif
