/* The image of all that this service keeps, for a backup. */
#ifndef SR_BLOB_FREEZE_H
#define SR_BLOB_FREEZE_H

#include "blob/service.h"

/* Makes the image (seal/image.h): the control database, and each account with its extents as they were at one moment of
 * its own. An account whose key is away is copied as it lies. *ret_accounts counts them. */
SR_MUST struct sr_result sr_blob_freeze(struct sr_blob_service *service, size_t *ret_accounts);

#endif
