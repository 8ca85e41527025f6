/*
 * What a keyring is made of, private to the room: the table of leases, the stream to the vault, and one
 * lease with its users, its key and its cached keys. Each member says which lock guards it.
 */
#ifndef SR_KEYRING_STATE_H
#define SR_KEYRING_STATE_H

#include "base/thread.h"
#include "keyring/crew.h"
#include "keyring/keyring.h"
#include "keyring/outbox.h"
#include "wire/lease_message.h"

#include <stdatomic.h>

enum {
	LEASE_BUCKETS = 4096,
	LEASE_ASK_MS = 1000,   /* the longest that sr_lease_enter waits for the vault */
	LEASE_RATE_BOUND = 100 /* clocks' rates differ by at most one part in this: the protocol's epsilon */
};

/* absent -> opening -> held -> ending -> absent; opening -> absent where the vault refuses. */
enum lease_state {
	LEASE_ABSENT,  /* no key here */
	LEASE_OPENING, /* the vault has been asked */
	LEASE_HELD,    /* until the deadline */
	LEASE_ENDING   /* over; users are leaving, then the crew closes and wipes */
};

/* An error that several callers will get, each a result of its own. */
struct kept_error {
	enum sr_code code;
	const char *reason; /* static, or NULL */
	char text[160];
};
void kept_error_set(struct kept_error *kept, struct sr_result from); /* borrows `from` */
SR_MUST struct sr_result kept_error_result(const struct kept_error *kept);

struct cached_key; /* extent_cache.c */
struct extent_cache {
	struct cached_key **by_extent, **by_key;
	struct cached_key *newest, *oldest;
	unsigned count;
};

struct sr_lease {
	struct sr_keyring *keyring;
	struct sr_id resource;
	struct sr_lease *next; /* in its bucket; set once */

	_Atomic uint64_t deadline_ns; /* checks fail from then on; 0 unless held. Written with the mutex locked. */
	_Atomic int end_reason;       /* enum sr_lease_reason of the last end */

	struct sr_mutex mutex; /* guards what follows */
	struct sr_cond changed;
	enum lease_state state;
	uint64_t generation; /* counts grants */
	struct sr_lease_use *uses;

	struct sr_id id; /* the vault's name for the grant that is held */
	struct sr_secret *kek;
	uint32_t kek_epoch;
	struct extent_cache cache;

	uint64_t least_revocation_epoch; /* grants of an older one are stale */
	bool owes_recall;                /* a recall is to be acknowledged once the lease has ended */

	uint64_t open_request; /* 0: not asked yet, since there is no stream */
	uint64_t open_sent_ns;
	struct sr_crew_job finish; /* ends the lease once nobody uses it */

	struct kept_error denial; /* answers requests that came before the vault was asked for it */
	uint64_t denial_asked_ns;

	uint64_t least_anchor;               /* of the grant that is held */
	uint64_t anchor_told;                /* the vault has kept it */
	uint64_t note_request, note_anchor;  /* on their way; 0: none */
	uint64_t (*anchor_now)(void *thing); /* of what is attached; NULL: it has none */

	bool is_attaching;
	void *attached;
	void (*close_attached)(void *thing);
	uint64_t attach_attempts; /* counts failures; waiters share that of the attempt that they waited for */
	struct kept_error attach_error;
};

/* A request of management that waits for its answer, on its caller's stack. */
struct keyring_call {
	struct keyring_call *next;
	uint64_t request;
	bool is_answered;
	struct sr_result result;
	struct sr_key_reference key;
};

enum { KEYRING_RENEWALS_KEPT = 16 };
struct renewal {
	uint64_t request;
	uint64_t sent_ns;
};

struct sr_keyring {
	struct sr_tls *tls; /* borrowed */
	char *vault_address;
	uint16_t vault_port;
	struct sr_id instance; /* this process's life */
	struct sr_handover *handover;
	struct sr_crew *crew; /* ends leases */
	struct sr_thread link, timer;

	struct sr_mutex mutex; /* guards what follows */
	struct sr_cond changed;
	struct sr_lease *buckets[LEASE_BUCKETS];
	bool is_stopping;         /* no lease is opened any more */
	bool is_cut;              /* the stream is not to be made again */
	struct sr_stream *stream; /* NULL: not connected */
	struct sr_outbox *outbox; /* of that stream, after the vault's welcome */
	uint64_t down_since_ns;   /* when the last stream broke (or the keyring started); 0 while connected */
	uint32_t ttl_ms;          /* as the vault said last */
	uint64_t last_request;
	uint64_t renew_at_ns;
	struct renewal renewals[KEYRING_RENEWALS_KEPT]; /* those sent last, by request modulo their number */
	struct keyring_call *calls;
	uint64_t recalls, renewals_done;
};

/* keyring.c. Finds a resource's lease or makes it; it stays while the keyring does. */
struct sr_lease *keyring_lease(struct sr_keyring *keyring, const struct sr_id *resource);
/* Calls `each` for every lease with the keyring locked. */
void keyring_each(struct sr_keyring *keyring, void (*each)(struct sr_lease *lease, void *context), void *context);
/* Posts on the stream, if there is one. Takes the keyring's lock. */
void keyring_post(struct sr_keyring *keyring, const struct sr_lease_message *message);

/* link.c. The thread that keeps the stream to the vault and reads from it; its context is the keyring. */
void keyring_link_main(void *context);

/* renewal.c. The thread that renews and ends what has run out; its context is the keyring. */
void keyring_timer_main(void *context);
/* Sends a renewal of all leases held, now, with the keyring locked. */
void keyring_renew_all(struct sr_keyring *keyring);
/* The vault's answer. */
void keyring_renewed(struct sr_keyring *keyring, const struct sr_lease_message *message);
/* The deadline that a grant or renewal gives, from when it was asked for. */
uint64_t lease_deadline_ns(uint64_t sent_ns, uint32_t ttl_ms);

/* lease.c. The vault's words on one lease, each called from the link's thread. */
void lease_granted(struct sr_lease *lease, const struct sr_lease_message *grant);
/* True if the answer was for this lease's note. */
bool lease_noted(struct sr_lease *lease, const struct sr_lease_message *answer);
/* True if the answer was for this lease's opening. */
bool lease_denied(struct sr_lease *lease, const struct sr_lease_message *answer);
void lease_recalled(struct sr_lease *lease, uint64_t revocation_epoch, enum sr_lease_reason reason);
/* Asks for the key if a request waits for it; with the keyring locked, a new stream being there. */
void lease_ask_again(struct sr_lease *lease);
/* Begins to end a held lease: marks its users and calls their aborts; the crew does the rest once they have left. With
 * the lease locked. */
void lease_end(struct sr_lease *lease, enum sr_lease_reason reason);

/* extent_cache.c. Frees every key; nobody uses one. With the lease locked. */
void extent_cache_wipe(struct extent_cache *cache);

/* manage.c. The answer to a call, from the link's thread; all calls fail when the stream breaks. */
void keyring_answered(struct sr_keyring *keyring, const struct sr_lease_message *answer);
void keyring_fail_calls(struct sr_keyring *keyring);

#endif
