/* The service's front: finds the operation that a request means, and sees it through. */
#ifndef SR_BLOB_API_H
#define SR_BLOB_API_H

#include "blob/request.h"

/* A sr_handler; `context` is the struct sr_blob_service. Customers' requests, and the administrator's on the Unix
 * socket. */
SR_MUST struct sr_result sr_blob_handle(struct sr_exchange *exchange, void *context);

/* The operation that method, resource, restype and comp (each NULL where absent) mean. SR_INVALID:
 * "UnsupportedHttpVerb", "InvalidQueryParameterValue". */
SR_MUST struct sr_result sr_blob_route(const char *method, enum sr_blob_resource resource, const char *restype,
                                       const char *comp, const struct sr_blob_operation **ret_operation);

#endif
