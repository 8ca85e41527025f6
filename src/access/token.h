/* Checking a bearer token against a snapshot of the directory: what makes it believed. Private to the room. */
#ifndef SR_ACCESS_TOKEN_H
#define SR_ACCESS_TOKEN_H

#include "access/directory.h"
#include "base/arena.h"

/*
 * Signature, algorithm, issuer (AUTHORITY/TENANT/ and AUTHORITY/TENANT/v2.0), times, tenant and principal; all but the
 * audience, which is only read. SR_UNAUTHENTICATED says what is wrong.
 */
SR_MUST struct sr_result sr_token_check(const struct sr_directory *directory, const char *authority,
                                        struct sr_arena *arena, struct sr_bytes token, int64_t now_s,
                                        struct sr_token_facts *ret_facts);
/* True if the facts' audience is one of `audiences` (ended by NULL); a trailing '/' does not matter. */
bool sr_token_is_for(const struct sr_token_facts *facts, const char *const *audiences);

#endif
