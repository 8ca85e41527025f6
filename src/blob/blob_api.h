/* Handlers of operations on one blob; the table of routes (api.c) names them. Each borrows the request, and answers it
 * or returns the error to answer with. */
#ifndef SR_BLOB_BLOB_API_H
#define SR_BLOB_BLOB_API_H

#include "blob/lease.h"
#include "blob/request.h"

/* get_api.c */
SR_MUST struct sr_result sr_blob_get(struct sr_blob_request *request);
SR_MUST struct sr_result sr_blob_get_properties(struct sr_blob_request *request);
/* x-ms-lease-status, -state and -duration. */
void sr_blob_add_lease_headers(struct sr_exchange *exchange, const struct sr_blob_lease *stored);

/* put_api.c */
SR_MUST struct sr_result sr_blob_put_whole(struct sr_blob_request *request);
SR_MUST struct sr_result sr_blob_delete_one(struct sr_blob_request *request);

/* property_api.c */
SR_MUST struct sr_result sr_blob_set_properties(struct sr_blob_request *request);
SR_MUST struct sr_result sr_blob_set_metadata(struct sr_blob_request *request);
SR_MUST struct sr_result sr_blob_get_metadata(struct sr_blob_request *request);
SR_MUST struct sr_result sr_blob_set_tier(struct sr_blob_request *request);
SR_MUST struct sr_result sr_blob_lease_operation(struct sr_blob_request *request);

/* block_api.c */
SR_MUST struct sr_result sr_blob_put_block(struct sr_blob_request *request);
SR_MUST struct sr_result sr_blob_put_block_list(struct sr_blob_request *request);
SR_MUST struct sr_result sr_blob_get_block_list(struct sr_blob_request *request);

#endif
