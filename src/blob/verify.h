/* Checking every seal at rest: all pages of all databases, all chunks of all extents. */
#ifndef SR_BLOB_VERIFY_H
#define SR_BLOB_VERIFY_H

#include "blob/service.h"

/*
 * Walks everything whose key may be used now and answers with the report of host/verification.h; accounts whose key
 * may not be used are in its list of what was skipped.
 */
SR_MUST struct sr_result sr_blob_verify(struct sr_exchange *exchange, struct sr_blob_service *service);

#endif
