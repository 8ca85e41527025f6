/* From the server's exchange to a handler and back: routing, the lease, headers, and errors in the door's shape. */
#ifndef SR_IDENTITY_DISPATCH_H
#define SR_IDENTITY_DISPATCH_H

#include "net/server.h"

/* The server's handler; `context` is the struct sr_identity. */
SR_MUST struct sr_result sr_identity_dispatch(struct sr_exchange *exchange, void *context);
/* The server's error handler: Entra's JSON for clients, {"error":{"code","message"}} for our own. */
void sr_identity_dispatch_error(struct sr_exchange *exchange, struct sr_result error, void *context);

#endif
