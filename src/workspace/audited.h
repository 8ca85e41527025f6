/* Entries of the workspace's audit log: who changed what through Resource Manager, and what was refused. */
#ifndef SR_WORKSPACE_AUDITED_H
#define SR_WORKSPACE_AUDITED_H

#include "workspace/call.h"

/*
 * Records the call and its outcome, and passes the outcome on; one that cannot be recorded fails. Recorded are changes
 * by whoever has a token, and reads that were refused to somebody; not what came without a token.
 */
SR_MUST struct sr_result sr_workspace_audit(struct sr_arm_call *call, const struct sr_arm_answer *answer,
                                            struct sr_result outcome);

#endif
