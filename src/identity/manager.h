/* Which of our services may manage what others use: identities, headers, denials. A service that is taken over must
 * not thereby speak for everybody, so only those that make resources and run jobs may. */
#ifndef SR_IDENTITY_MANAGER_H
#define SR_IDENTITY_MANAGER_H

#include "identity/request.h"

/* Passes the machine's administrator (no service) and managing services; SR_DENIED for others. */
SR_MUST struct sr_result sr_manager_check(const struct sr_identity_request *request);
/* Passes Resource Manager's front alone, which has checked what the caller may; SR_DENIED for others. */
SR_MUST struct sr_result sr_front_check(const struct sr_identity_request *request);

#endif
