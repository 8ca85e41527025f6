/*
 * The vault's end of the lease protocol: holders' streams, leases given out, recalls (ARCHITECTURE.md, "Leases").
 * Knows no SQL and no keys' states: the store behind `struct sr_grantor_store` does. Thread-safe.
 */
#ifndef SR_VAULT_GRANTOR_H
#define SR_VAULT_GRANTOR_H

#include "base/text.h"
#include "keyring/keyring.h"
#include "net/stream.h"

struct sr_grantor;

/* What the grantor asks of the vault's store; each call is thread-safe and durable when it returns. */
struct sr_grantor_store {
	void *context;
	/*
	 * Unwraps a resource's KEK for `service`, auditing it. `ret_revocation_epoch` is the resource's count of
	 * revocations, which grows durably with each recall. Errors are SR_NOT_FOUND, or SR_REVOKED with a reason of
	 * keyring.h's list.
	 */
	struct sr_result (*open_kek)(void *context, const char *service, const struct sr_id *resource,
	                             struct sr_secret **ret_kek, uint32_t *ret_kek_epoch, uint64_t *ret_revocation_epoch);
	/* The same check without opening: may the lease go on? */
	struct sr_result (*may_renew)(void *context, const char *service, const struct sr_id *resource);
	/* The newest anchor of the resource's database that was noted (0: none), and noting one; both may be NULL. */
	struct sr_result (*least_anchor)(void *context, const char *service, const struct sr_id *resource,
	                                 uint64_t *ret_anchor);
	struct sr_result (*note_anchor)(void *context, const char *service, const struct sr_id *resource, uint64_t anchor);
	struct sr_result (*create)(void *context, const char *service, const struct sr_id *resource, const char *kind,
	                           const char *label, const struct sr_key_reference *key);
	struct sr_result (*rekey)(void *context, const char *service, const struct sr_id *resource,
	                          const struct sr_key_reference *key);
	struct sr_result (*destroy)(void *context, const char *service, const struct sr_id *resource);
	struct sr_result (*describe)(void *context, const char *service, const struct sr_id *resource,
	                             struct sr_key_reference *ret_key);
};

struct sr_grantor_options {
	struct sr_tls *tls; /* server configuration, SR_TLS_MUST_SHOW; borrowed */
	const char *address;
	uint16_t port;           /* 0 picks one */
	uint32_t ttl_ms;         /* the lease's length */
	uint32_t longest_ttl_ms; /* the longest that an earlier start of this vault may have granted; 0: ttl_ms */
	struct sr_grantor_store store;
};
SR_MUST struct sr_result sr_grantor_start(const struct sr_grantor_options *options, struct sr_grantor **ret_grantor);
uint16_t sr_grantor_port(const struct sr_grantor *grantor);
void sr_grantor_stop(struct sr_grantor *grantor);

/*
 * Takes back every lease on these resources. Call after the new key state is durable, so that renewals are refused
 * already. Returns when all holders have acknowledged, or every lease that may be outstanding has run out (ttl +
 * margin; a grantor younger than one ttl counts as having granted to everyone just before it started). Tells how long
 * it took and how many holders did not acknowledge.
 */
struct sr_recall_outcome {
	uint64_t took_us;
	unsigned holders_told, holders_silent;
};
struct sr_recall_outcome sr_grantor_recall(struct sr_grantor *grantor, const struct sr_id *resources,
                                           size_t resource_count, uint64_t revocation_epoch, const char *reason);

/* For status: calls `each` for every lease outstanding. */
struct sr_lease_state {
	const char *service;
	struct sr_id resource;
	struct sr_id lease;
	uint64_t left_ms;
};
void sr_grantor_each_lease(struct sr_grantor *grantor, void (*each)(const struct sr_lease_state *lease, void *context),
                           void *context);

#endif
