/*
 * Shared access signatures: a URL's own permission, signed with an account's shared key; for one blob or
 * container (service SAS) or for kinds of resources (account SAS). Pure functions; the HMAC is authorize.c's.
 * Signatures by user delegation keys are not known here.
 */
#ifndef SR_BLOB_SAS_H
#define SR_BLOB_SAS_H

#include "blob/name.h"
#include "blob/policy.h"
#include "wire/url.h"

#include <stdint.h>

/* A signature's fields as they were sent, decoded; "" where absent. */
struct sr_sas {
	bool is_account;  /* else for a blob or container */
	unsigned version; /* sv as a number: 20211202 */
	const char *sv, *sp, *st, *se, *si, *sip, *spr, *sr, *ses, *ss, *srt;
	const char *rscc, *rscd, *rsce, *rscl, *rsct;
	const char *sig;
};

/* True if the query carries a signature. */
bool sr_sas_is_there(const struct sr_parameters *query);
/* SR_DENIED "AuthenticationFailed" for a signature that lacks something or is of a kind or version that is not known.
 */
SR_MUST struct sr_result sr_sas_read(const struct sr_parameters *query, struct sr_sas *ret_sas);
/* Appends what was signed if the signature is for `target`. */
void sr_sas_string(const struct sr_sas *sas, const struct sr_blob_target *target, struct sr_buf *string_to_sign);

/* What a request with a valid signature is held against. */
struct sr_sas_use {
	int64_t now_us;           /* Unix time */
	const char *peer_address; /* text */
	enum sr_blob_resource resource;
	const char *allowed_by; /* any one of these letters allows the operation; "" or NULL: none does */
};
/*
 * Whether the signature allows the use; `policy` (may be NULL) is the stored access policy that it names and fills what
 * it leaves open. *ret_permissions borrows the letters that hold. SR_DENIED: "AuthenticationFailed",
 * "AuthorizationPermissionMismatch", "AuthorizationProtocolMismatch", "AuthorizationServiceMismatch",
 * "AuthorizationResourceTypeMismatch", "AuthorizationSourceIPMismatch".
 */
SR_MUST struct sr_result sr_sas_check(const struct sr_sas *sas, const struct sr_sas_use *use,
                                      const struct sr_blob_policy *policy, struct sr_bytes *ret_permissions);

#endif
