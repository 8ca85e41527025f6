/* Checking every seal at rest: all pages of all databases, all chunks of all extents. */
#ifndef SR_BLOB_VERIFY_H
#define SR_BLOB_VERIFY_H

#include "blob/service.h"

/*
 * Walks everything whose key may be used now and streams what it finds as lines of JSON: progress {"done", "all",
 * "what"}, then {"result": "ok" or "damaged", "findings": [{"account", "kind", "id", "reason"}], "skipped": […]}.
 * Damage is a finding, not an error.
 */
SR_MUST struct sr_result sr_blob_verify(struct sr_exchange *exchange, struct sr_blob_service *service);

#endif
