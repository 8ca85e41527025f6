/* The directory's revision: a number that grows with every change that the directory shows. */
#ifndef SR_IDENTITY_REVISION_H
#define SR_IDENTITY_REVISION_H

#include "seal/database.h"

/* The revision in a connection's snapshot. */
SR_MUST struct sr_result sr_revision_read(struct sr_connection *connection, int64_t *ret_revision);
/* Counts a change; call within the write that makes it. */
SR_MUST struct sr_result sr_revision_grow(struct sr_connection *connection);

#endif
