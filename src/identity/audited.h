/* What of identity's requests is recorded in its audit log, and how. */
#ifndef SR_IDENTITY_AUDITED_H
#define SR_IDENTITY_AUDITED_H

#include "identity/route.h"

/*
 * Records a request that a handler has answered with `handled`, allowed or refused, and passes that on; durable when it
 * returns, before the answer is sent. Where it cannot be recorded, that failure is given instead: no token and no
 * change leaves unrecorded. Requests without effect (discovery, status) are passed over, and so are those refused for
 * their number: what led to it is recorded. The lease must be entered still.
 */
SR_MUST struct sr_result sr_identity_audit(const struct sr_route *route, const struct sr_identity_request *request,
                                           const struct sr_identity_answer *answer, struct sr_result handled);
/* True if such a request is recorded, as far as its route and answer say. */
bool sr_identity_is_audited(const struct sr_route *route, const struct sr_identity_answer *answer);

#endif
