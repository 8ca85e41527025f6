/*
 * A client assertion (RFC 7523): a JWT by which an application proves itself, signed with its certificate's key or by
 * an outside issuer. Reading it and checking its times and signature; whose it is, client_proof.c finds out. Pure.
 */
#ifndef SR_IDENTITY_ASSERTION_H
#define SR_IDENTITY_ASSERTION_H

#include "seal/keypair.h"
#include "wire/jwt.h"

enum {
	SR_ASSERTION_LIFE_MAX_S = 3600, /* of one that a client signs: from nbf (or iat, or now) to exp */
	SR_ASSERTION_SKEW_S = 300,
	SR_ASSERTION_AUDIENCES_MAX = 8,
	SR_ASSERTION_TEXT_MAX = 1024 /* of issuer, subject, an audience, jti */
};

struct sr_assertion {
	struct sr_jwt jwt; /* owned */
	enum sr_alg alg;   /* RS256, PS256 or ES256 */
	/* Borrowed from the JWT; "" where a member is absent. */
	const char *kid, *x5t, *x5t_s256, *issuer, *subject, *token_id;
	const char *audiences[SR_ASSERTION_AUDIENCES_MAX];
	size_t audience_count;
	int64_t not_before_s, expires_s; /* not_before_s: INT64_MIN where it is absent */
};
void sr_assertion_cleanup(struct sr_assertion *assertion);

/*
 * Takes an assertion apart; nothing of it is to be believed yet. SR_UNAUTHENTICATED with AADSTS50027: not a JWT of the
 * form and the algorithms that are taken (RFC 8725: none, HS256 and critical extensions are not).
 */
SR_MUST struct sr_result sr_assertion_read(struct sr_arena *arena, const char *text,
                                           struct sr_assertion *ret_assertion);
/* SR_UNAUTHENTICATED: AADSTS700024 if `now_s` is outside its life (5 minutes of skew at both ends), or its life is
 * longer than `life_max_s`. */
SR_MUST struct sr_result sr_assertion_check_times(const struct sr_assertion *assertion, int64_t now_s,
                                                  int64_t life_max_s);
/* True if one of its audiences is exactly this one. */
bool sr_assertion_is_for(const struct sr_assertion *assertion, const char *audience);
/* True if the signature is the key's, by the algorithm that the header names and the key has. */
SR_MUST struct sr_result sr_assertion_verify(const struct sr_assertion *assertion, const struct sr_keypair *key,
                                             bool *ret_valid);

#endif
