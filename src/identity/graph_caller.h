/* Who asks Microsoft Graph's face, and what of the directory they may see and change. */
#ifndef SR_IDENTITY_GRAPH_CALLER_H
#define SR_IDENTITY_GRAPH_CALLER_H

#include "access/access.h"
#include "identity/request.h"

/* Reading the directory: a role at the subscription that allows this. About oneself everybody may read. */
#define SR_GRAPH_READ "Microsoft.Directory/directoryObjects/read"

/* Checks the token, whose audience is this address or https://graph.microsoft.com, and fills the audit entry's who.
 * SR_UNAUTHENTICATED "InvalidAuthenticationToken". */
SR_MUST struct sr_result sr_graph_authenticate(const struct sr_identity_request *request,
                                               struct sr_identity_answer *answer, struct sr_principal *ret_who);
/* May they read the whole directory? Errors but a refusal come as such. */
SR_MUST struct sr_result sr_graph_may_read(const struct sr_identity_request *request, const struct sr_principal *who,
                                           bool *ret_may);
/*
 * SR_DENIED "Authorization_RequestDenied" unless they may change principals: who can add a secret to a principal can
 * act as it, so that takes the right to give every role everywhere (roleAssignments/write at "/").
 */
SR_MUST struct sr_result sr_graph_check_write(const struct sr_identity_request *request,
                                              const struct sr_principal *who);
SR_MUST struct sr_result sr_graph_denied(void);

#endif
