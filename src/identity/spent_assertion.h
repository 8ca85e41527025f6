/*
 * Assertions that were presented: the same one (by its jti) is taken again only from the address that presented it
 * first, and only so often. Official clients keep one for its ten minutes and present it for each resource, so
 * refusing every repetition would refuse them; one that was stolen is of no use elsewhere. Durable, so that a restart
 * forgets nothing; bounded, and past the bound it refuses. Functions run on a connection, within the caller's write.
 */
#ifndef SR_IDENTITY_SPENT_ASSERTION_H
#define SR_IDENTITY_SPENT_ASSERTION_H

#include "seal/database.h"

enum {
	SR_ASSERTION_USES_MAX = 64,   /* of one assertion */
	SR_ASSERTIONS_LIVE_MAX = 4096 /* of one principal at once */
};

struct sr_presented_assertion {
	const char *object_id; /* the principal that it proves */
	const char *token_id;  /* jti */
	struct sr_bytes assertion;
	const char *address; /* of the peer */
	int64_t expires_s;   /* from then on its times refuse it */
};
/* Counts one use, after the signature was checked. SR_UNAUTHENTICATED with AADSTS700027: a replay, or too many. */
SR_MUST struct sr_result sr_assertion_spend(struct sr_connection *connection,
                                            const struct sr_presented_assertion *presented, int64_t now_s);

#endif
