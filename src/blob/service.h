/* What the blob service's parts share: its rooms' objects, each made in blob.c and borrowed by all. */
#ifndef SR_BLOB_SERVICE_H
#define SR_BLOB_SERVICE_H

#include "access/access.h"
#include "blob/account.h"
#include "host/host.h"
#include "net/server.h"

struct sr_blob_service {
	struct sr_host *host;
	struct sr_keyring *keyring;
	struct sr_access *access;
	struct sr_blob_control *control;
	struct sr_blob_accounts *accounts;
	struct sr_server *server;
	uint64_t started_ms; /* sr_boottime_ms */
};

#endif
