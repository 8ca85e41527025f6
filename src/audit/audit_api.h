/*
 * The endpoints of a service's audit log on its Unix socket, the same for each service:
 *
 *   GET  entries        lines as in an export: ?after=SEQ&limit=N, the first N behind SEQ; ?limit=N alone, the last N;
 *                       with since, until, who, operation, object, outcome
 *   GET  export         the whole log as audit/line.h has it, up to a checkpoint that is made for it
 *   GET  anchor         the newest checkpoint's line, made for it where there are entries since the last one
 *   GET  public-key     the key that signs now, as PEM
 *   POST verify         a line {"entries","checkpoints","covered","result"[,"at","why"]}; the body may be an anchor's
 * line POST rotate-key     changes the key that signs
 */
#ifndef SR_AUDIT_AUDIT_API_H
#define SR_AUDIT_AUDIT_API_H

#include "audit/signer.h"
#include "net/server.h"

/* Answers the endpoint `what` ("entries"). SR_NOT_FOUND "NotFound" where there is none. */
SR_MUST struct sr_result sr_audit_api_handle(struct sr_exchange *exchange, const char *what,
                                             struct sr_audit_signer *signer);

#endif
