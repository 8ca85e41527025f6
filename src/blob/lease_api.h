/* The headers of Lease Blob and Lease Container, which differ in nothing but what they lease. */
#ifndef SR_BLOB_LEASE_API_H
#define SR_BLOB_LEASE_API_H

#include "blob/lease.h"
#include "blob/request.h"

/* What the request asks. SR_INVALID: "MissingRequiredHeader", "InvalidHeaderValue". */
SR_MUST struct sr_result sr_blob_lease_request_read(const struct sr_blob_request *request,
                                                    struct sr_blob_lease_request *ret_wish);
/* Answers with the action's status, the lease's id or the time that a break still takes. */
SR_MUST struct sr_result sr_blob_lease_respond(struct sr_blob_request *request,
                                               const struct sr_blob_lease_request *wish,
                                               const struct sr_blob_lease *lease, int32_t left_s);

#endif
