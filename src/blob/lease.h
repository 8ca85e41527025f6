/*
 * Leases of the Blob service on blobs and containers (x-ms-lease-*): a state machine on a small record that lies
 * packed in the leased thing's row. Pure. Not to be confused with the keyring's leases on keys.
 */
#ifndef SR_BLOB_LEASE_H
#define SR_BLOB_LEASE_H

#include "base/arena.h"
#include "base/text.h"

#include <stdint.h>

enum sr_blob_lease_state {
	SR_BLOB_LEASE_AVAILABLE,
	SR_BLOB_LEASE_LEASED,
	SR_BLOB_LEASE_EXPIRED,
	SR_BLOB_LEASE_BREAKING,
	SR_BLOB_LEASE_BROKEN
};

enum { SR_BLOB_LEASE_INFINITE = -1 };

struct sr_blob_lease {
	enum sr_blob_lease_state state; /* as stored; sr_blob_lease_at tells what time has made of it */
	int32_t duration_s;             /* SR_BLOB_LEASE_INFINITE, or 15 to 60 */
	int64_t until_ms;               /* Unix time at which it expires or is broken */
	char id[SR_GUID_TEXT_LEN];      /* "" where there is none */
};

/* The lease as of now: a leased one may have expired, a breaking one be broken. */
struct sr_blob_lease sr_blob_lease_at(const struct sr_blob_lease *lease, int64_t now_ms);
/* For a row: empty where it is available. */
struct sr_bytes sr_blob_lease_pack(struct sr_arena *arena, const struct sr_blob_lease *lease);
SR_MUST struct sr_result sr_blob_lease_unpack(struct sr_bytes packed, struct sr_blob_lease *ret_lease);

enum sr_blob_lease_action {
	SR_BLOB_LEASE_ACQUIRE,
	SR_BLOB_LEASE_RENEW,
	SR_BLOB_LEASE_CHANGE,
	SR_BLOB_LEASE_RELEASE,
	SR_BLOB_LEASE_BREAK
};
/* What a client asks of a lease. */
struct sr_blob_lease_request {
	enum sr_blob_lease_action action;
	const char *id;          /* x-ms-lease-id; NULL where absent */
	const char *proposed_id; /* x-ms-proposed-lease-id; acquire makes one up where absent */
	int32_t duration_s;      /* acquire */
	int32_t break_period_s;  /* break; -1 where absent */
};
/*
 * Carries out the action on a lease as of now. SR_CONFLICT with the service's symbol. *ret_left_s is the seconds that a
 * break still takes.
 */
SR_MUST struct sr_result sr_blob_lease_apply(const struct sr_blob_lease *lease, int64_t now_ms,
                                             const struct sr_blob_lease_request *request,
                                             struct sr_blob_lease *ret_lease, int32_t *ret_left_s);

/* May a write or deletion with this lease id (NULL: none) happen? SR_PRECONDITION. `is_container` picks the symbols. */
SR_MUST struct sr_result sr_blob_lease_allows_write(const struct sr_blob_lease *lease, int64_t now_ms, const char *id,
                                                    bool is_container);
/* A read needs no id, but a wrong one is refused. */
SR_MUST struct sr_result sr_blob_lease_allows_read(const struct sr_blob_lease *lease, int64_t now_ms, const char *id,
                                                   bool is_container);

/* "available", "leased", …; "locked" or "unlocked"; "infinite", "fixed" or NULL. */
const char *sr_blob_lease_state_text(const struct sr_blob_lease *lease);
const char *sr_blob_lease_status_text(const struct sr_blob_lease *lease);
const char *sr_blob_lease_duration_text(const struct sr_blob_lease *lease);

#endif
