/* The vault process: its parts, made by vault.c in order and ended in reverse. Immutable while it serves. */
#ifndef SR_VAULT_SERVICE_H
#define SR_VAULT_SERVICE_H

#include "access/access.h"
#include "audit/signer.h"
#include "base/thread.h"
#include "host/host.h"
#include "net/server.h"
#include "vault/authority.h"
#include "vault/gate.h"
#include "vault/root_api.h"
#include "vault/state.h"
#include "vault/tending.h"

struct sr_vault {
	struct sr_host *host;
	struct sr_root_settings root_settings;
	char master_path[SR_MASTER_PATH_LEN];
	struct sr_gate *gate;      /* NULL in tests: the vault is open */
	struct sr_root_desk *desk; /* changes of the root key under way */
	struct sr_vault_master master;
	struct sr_vault_state state;
	struct sr_authority *authority;
	struct sr_certificate *sealed; /* what it shows while it is sealed; NULL: it was never */
	struct sr_mutex own_mutex;     /* guards own, once the vault serves */
	struct sr_certificate *own;    /* the vault's certificate */
	char shown_version[33];        /* of the public certificate; the tending thread's */
	struct sr_tending *tending;    /* NULL in tests */
	struct sr_audit_signer *audit; /* NULL before the database is open */
	struct sr_access *access;
	struct sr_server *server;
	struct sr_server *service_server; /* for services, of a vault that started sealed; NULL: `server` is */
	uint64_t started_ms;
	uint32_t longest_ttl_ms; /* of leases that may be out, earlier starts' included */
};

#endif
