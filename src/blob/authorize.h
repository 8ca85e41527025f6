/* Who may do what: Shared Key and Shared Key Lite, bearer tokens with roles, shared access signatures. */
#ifndef SR_BLOB_AUTHORIZE_H
#define SR_BLOB_AUTHORIZE_H

#include "blob/request.h"

/*
 * Decides whether the request, whose route and account are known, may go on. SR_UNAUTHENTICATED
 * ("NoAuthenticationInformation", "InvalidAuthenticationInfo"; sets the request's challenge), SR_DENIED
 * ("AuthenticationFailed", "AuthorizationPermissionMismatch", "AuthorizationFailure").
 */
SR_MUST struct sr_result sr_blob_authorize(struct sr_blob_request *request);

#endif
