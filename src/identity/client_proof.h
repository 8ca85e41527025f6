/*
 * Who an application is: by client secret, by an assertion that it signed with its certificate's key, or by a token of
 * an outside issuer that was registered for it.
 */
#ifndef SR_IDENTITY_CLIENT_PROOF_H
#define SR_IDENTITY_CLIENT_PROOF_H

#include "identity/principal.h"
#include "identity/request.h"
#include "identity/token_request.h"

struct sr_client_proof {
	struct sr_application application;
	char credential_id[SR_GUID_TEXT_LEN]; /* by which it proved itself */
	bool by_assertion;
};

/* Failures bear their AADSTS number; those of authentication count against the client's rate. */
SR_MUST struct sr_result sr_client_prove(const struct sr_identity_request *request,
                                         const struct sr_token_request *asked, struct sr_identity_answer *answer,
                                         struct sr_client_proof *ret_proof);
/* Refuses (AADSTS90055) who has failed too often: for this name from this address, or this address for all names. */
SR_MUST struct sr_result sr_rate_check(const struct sr_identity_request *request, const char *name,
                                       struct sr_identity_answer *answer);
/* Counts one failure against both. */
void sr_rate_charge(const struct sr_identity_request *request, const char *name);

#endif
