/* Database work of handlers that do something slow besides: the lease is entered for the work alone. */
#ifndef SR_IDENTITY_STORE_VISIT_H
#define SR_IDENTITY_STORE_VISIT_H

#include "identity/request.h"

/* Read and write as sr_database_read and sr_database_write do, within the lease; where the request's store is open
 * already, on that. */
SR_MUST struct sr_result sr_visit_read(const struct sr_identity_request *request, sr_database_work work, void *context);
SR_MUST struct sr_result sr_visit_write(const struct sr_identity_request *request, sr_database_work work,
                                        void *context);

#endif
