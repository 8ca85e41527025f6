/* Handlers of operations on the service and on containers; the table of routes (api.c) names them. */
#ifndef SR_BLOB_CONTAINER_API_H
#define SR_BLOB_CONTAINER_API_H

#include "blob/request.h"

/* container_api.c */
SR_MUST struct sr_result sr_container_create(struct sr_blob_request *request);
SR_MUST struct sr_result sr_container_get_properties(struct sr_blob_request *request);
SR_MUST struct sr_result sr_container_set_metadata(struct sr_blob_request *request);
SR_MUST struct sr_result sr_container_remove(struct sr_blob_request *request);
SR_MUST struct sr_result sr_container_get_acl(struct sr_blob_request *request);
SR_MUST struct sr_result sr_container_set_acl(struct sr_blob_request *request);
SR_MUST struct sr_result sr_container_lease_operation(struct sr_blob_request *request);

/* list_api.c */
SR_MUST struct sr_result sr_list_containers(struct sr_blob_request *request);
SR_MUST struct sr_result sr_list_blobs(struct sr_blob_request *request);

/* service_api.c */
SR_MUST struct sr_result sr_service_get_properties(struct sr_blob_request *request);
SR_MUST struct sr_result sr_service_set_properties(struct sr_blob_request *request);
SR_MUST struct sr_result sr_service_get_stats(struct sr_blob_request *request);
SR_MUST struct sr_result sr_service_get_account(struct sr_blob_request *request);

#endif
