/* What every write to a blob is held against, in one place. */
#ifndef SR_BLOB_WRITE_RULES_H
#define SR_BLOB_WRITE_RULES_H

#include "blob/blob_store.h"
#include "blob/request.h"

/* Conditions, then lease. `old` NULL: there is no blob. `creates` as in condition.h. */
SR_MUST struct sr_result sr_blob_check_write(const struct sr_blob_row *old, const struct sr_blob_conditions *conditions,
                                             const char *lease_id, bool creates);
/* Whether the request may put content where `exists` says that there is some: a signature that grants creation alone
 * does not. SR_DENIED "UnauthorizedBlobOverwrite". */
SR_MUST struct sr_result sr_blob_check_overwrite(const struct sr_blob_request *request, bool exists);
/* x-ms-access-tier of a request that puts content: Hot where it names none. SR_INVALID "InvalidHeaderValue". */
SR_MUST struct sr_result sr_blob_tier_read(const struct sr_blob_request *request, struct sr_blob_row *row);

#endif
