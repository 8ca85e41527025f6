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
/*
 * The second half for a shared access signature that names a stored access policy, which lies in the account's
 * database: call once the lease is entered. Nothing for other requests. SR_DENIED.
 */
SR_MUST struct sr_result sr_blob_authorize_by_policy(struct sr_blob_request *request);

#endif
