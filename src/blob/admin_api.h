/* The administrator's interface on the Unix socket: JSON under /_strongroom. */
#ifndef SR_BLOB_ADMIN_API_H
#define SR_BLOB_ADMIN_API_H

#include "blob/service.h"

/* Answers one exchange of the Unix socket, errors included. */
SR_MUST struct sr_result sr_blob_admin_handle(struct sr_exchange *exchange, struct sr_blob_service *service);

#endif
