/* The blob service: Azure's Blob protocol over sealed storage. One function, for the host. */
#ifndef SR_BLOB_BLOB_H
#define SR_BLOB_BLOB_H

#include "host/host.h"

/* Serves until the host is told to stop. */
SR_MUST struct sr_result sr_blob_serve(struct sr_host *host);

#endif
