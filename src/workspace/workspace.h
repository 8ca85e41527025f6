/*
 * The workspace service: Azure Resource Manager's protocol in front of the other services. What it keeps itself are
 * resource groups and the registration of providers; resources belong to their services, which it asks over mutual TLS.
 */
#ifndef SR_WORKSPACE_WORKSPACE_H
#define SR_WORKSPACE_WORKSPACE_H

#include "host/host.h"

/* The service's whole life: enrols, opens its state, serves, and returns when the host says stop or on a fatal error.
 */
SR_MUST struct sr_result sr_workspace_serve(struct sr_host *host);

#endif
