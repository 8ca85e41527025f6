/*
 * When signing keys come and go: a new key is published a day before it signs, and an old one stays published
 * until the last token that it signed has ended. Pure functions on times.
 */
#ifndef SR_IDENTITY_SIGNING_PLAN_H
#define SR_IDENTITY_SIGNING_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SR_SIGNING_ROTATE_S = 30 * 24 * 3600, /* how long a key signs */
	SR_SIGNING_AHEAD_S = 24 * 3600,       /* how long before that it is published */
	SR_SIGNING_SKEW_S = 300               /* how far a verifier's clock may be behind */
};

/* One key's times: since when it signs, and the longest life of a token that it signed or will sign. */
struct sr_signing_times {
	int64_t active_from_s;
	int64_t longest_token_s;
};

/* What is to be done. */
struct sr_signing_plan {
	bool needs_key;        /* make one more, */
	int64_t active_from_s; /* which signs from then on */
	size_t ended_count;    /* this many of the oldest verify no token any more */
};
/* `times` are sorted by active_from_s, oldest first. Without any key one is needed at once. */
struct sr_signing_plan sr_signing_plan(const struct sr_signing_times *times, size_t count, int64_t now_s);

/* The position of the key that signs at `now_s`, the newest that is active; -1 if none is. */
int sr_signing_current(const struct sr_signing_times *times, size_t count, int64_t now_s);

#endif
