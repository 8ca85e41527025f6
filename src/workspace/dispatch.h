/* From HTTP exchanges to calls and back, for sr_server_options; the context is the struct sr_workspace. */
#ifndef SR_WORKSPACE_DISPATCH_H
#define SR_WORKSPACE_DISPATCH_H

#include "net/server.h"

SR_MUST struct sr_result sr_workspace_dispatch(struct sr_exchange *exchange, void *context);
/* The error stays the server's. */
void sr_workspace_dispatch_error(struct sr_exchange *exchange, struct sr_result error, void *context);

#endif
