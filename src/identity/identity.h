/*
 * The identity service: OAuth 2.0 and OIDC discovery as Entra ID speaks them, the directory that the other
 * services follow, and its administration on the Unix socket. Its state is one sealed database.
 */
#ifndef SR_IDENTITY_IDENTITY_H
#define SR_IDENTITY_IDENTITY_H

#include "host/host.h"

/* The service's whole life: enrols, opens its state, serves, and returns when the host says stop or on a fatal error.
 */
SR_MUST struct sr_result sr_identity_serve(struct sr_host *host);

#endif
