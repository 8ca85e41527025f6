/*
 * What the grantor is made of, private to grantor_*.c: leases outstanding, the holders that have them, the links
 * (streams) that holders speak on. One mutex guards it all; the store is never called with it held.
 */
#ifndef SR_VAULT_GRANTOR_STATE_H
#define SR_VAULT_GRANTOR_STATE_H

#include "base/thread.h"
#include "keyring/crew.h"
#include "keyring/outbox.h"
#include "vault/grantor.h"
#include "wire/lease_message.h"

enum {
	GRANT_BUCKETS = 4096,
	GRANT_RATE_BOUND = 100, /* the protocol's epsilon: one part in this */
	GRANT_JOBS_MAX = 4096,  /* requests of one link that wait for their turn */
	GRANT_ATTEMPTS_MAX = 8, /* how often a request is put to the store anew because a recall came in between */
	GRANT_SERVICE_MAX = 64
};

/* A holder: one life of one service's process. Goes when it has neither a link nor leases. */
struct holder {
	struct holder *next;
	char service[GRANT_SERVICE_MAX];
	struct sr_id instance;
	struct link *link;   /* the one that it speaks on now, or NULL */
	unsigned link_count; /* those that have not ended yet, the one above and older ones */
	unsigned grant_count;
	uint64_t counted_in; /* the recall that counted it last */
};

/* One stream of a holder. Its requests refer to it while they wait, so it is counted. */
struct link {
	struct sr_grantor *grantor;
	struct holder *holder; /* NULL once the stream has ended */
	char service[GRANT_SERVICE_MAX];
	struct sr_id instance;
	uint8_t public_key[SR_LEASE_PUBLIC_LEN];
	struct sr_outbox *outbox;
	unsigned references;
	unsigned job_count;
};

/* A lease outstanding. It goes when its holder lets go of it or its time is over. */
struct grant {
	struct grant *next; /* in its bucket, by resource */
	struct holder *holder;
	struct sr_id resource;
	struct sr_id lease;
	uint64_t until_ns; /* the holder may use the key until then */
	bool is_recalled;  /* is not renewed any more */
	uint64_t recall_epoch;
	enum sr_lease_reason recall_reason;
};

/* A question to the store about a resource whose answer leads to a grant that is not in the table yet. A recall marks
 * it, so that an answer from before the recall is not acted upon after it. */
struct inquiry {
	struct inquiry *next;
	const struct sr_id *resource;
	bool is_stale;
};

struct sr_grantor {
	struct sr_grantor_options options;
	struct sr_id instance;
	uint64_t started_ns;
	struct sr_stream_listener *listener;
	struct sr_crew *openers;  /* opens; apart from management, which may wait for a recall's end */
	struct sr_crew *managers; /* create, rekey, destroy, describe */

	struct sr_mutex mutex;  /* guards what follows, and the links and holders */
	struct sr_cond changed; /* grants went */
	struct grant *buckets[GRANT_BUCKETS];
	struct holder *holders;
	struct inquiry *inquiries;
	uint64_t recall_count;
	uint64_t swept_ns;
};

/* grantor_table.c; all with the grantor locked. */
uint64_t grant_until_ns(uint64_t from_ns, uint32_t ttl_ms);
struct holder *holder_find_or_make(struct sr_grantor *grantor, const char *service, const struct sr_id *instance);
/* Ends the holder's record if nothing hangs on it. */
void holder_drop_if_gone(struct sr_grantor *grantor, struct holder *holder);
struct grant *grant_find(struct sr_grantor *grantor, const struct holder *holder, const struct sr_id *resource,
                         const struct sr_id *lease);
struct grant *grant_add(struct sr_grantor *grantor, struct holder *holder, const struct sr_id *resource,
                        const struct sr_id *lease);
/* Removes those of a resource's (of all where `resource` is NULL) grants that `is_gone` says are, and wakes recalls. */
void grant_remove_if(struct sr_grantor *grantor, const struct sr_id *resource,
                     bool (*is_gone)(const struct grant *grant, const void *context), const void *context);
/* Removes what has run out, at most once a second. */
void grant_sweep(struct sr_grantor *grantor);
void grant_each(struct sr_grantor *grantor, const struct sr_id *resource,
                void (*each)(struct grant *grant, void *context), void *context);
void inquiry_begin(struct sr_grantor *grantor, struct inquiry *inquiry, const struct sr_id *resource);
void inquiry_end(struct sr_grantor *grantor, struct inquiry *inquiry);
void grant_table_free(struct sr_grantor *grantor);

/* grantor_link.c. Serves one stream: the listener's callback; `context` is the grantor. */
void grantor_serve(struct sr_stream *stream, void *context);
void link_release(struct link *link);

/* grantor_request.c. What holders may ask, each on the link's thread; an error ends the link. */
struct sr_result grantor_on_queued(struct link *link, const struct sr_lease_message *message);
struct sr_result grantor_on_renew(struct link *link, const struct sr_lease_message *message);
struct sr_result grantor_on_recalled(struct link *link, const struct sr_lease_message *message);
struct sr_result grantor_on_release(struct link *link, const struct sr_lease_message *message);

/* grantor_recall.c. Tells a holder that has come back of the recalls that it has not acknowledged. With the grantor
 * locked. */
void grantor_tell_again(struct sr_grantor *grantor, struct holder *holder);

#endif
