/*
 * The keyring: the only thing in a data service that holds a key. It leases key-encryption keys (KEKs)
 * from the vault over one mutual-TLS stream and lets go of them in time: at the lease's end, on recall, on
 * exit (ARCHITECTURE.md, "Leases"). Thread-safe.
 *
 * A resource (an account, a service's own state) is named by a random id; the vault keeps its wrapped KEK.
 */
#ifndef SR_KEYRING_KEYRING_H
#define SR_KEYRING_KEYRING_H

#include "base/text.h"
#include "net/tls.h"
#include "seal/crypto.h"
#include "seal/extent.h"

struct sr_keyring;

struct sr_keyring_options {
	struct sr_tls *tls;        /* client configuration with this service's certificate; borrowed */
	const char *vault_address; /* of the vault's internal listener */
	uint16_t vault_port;
	const char *service; /* "blob": the holder's name, as in its certificate */
};
/* Starts the thread that keeps the stream to the vault, renews each ttl/3 and serves recalls. Returns before the vault
 * is reached. */
SR_MUST struct sr_result sr_keyring_start(const struct sr_keyring_options *options, struct sr_keyring **ret_keyring);
/* Ends all leases (draining users) and wipes. */
void sr_keyring_stop(struct sr_keyring *keyring);

/* Which key a resource's KEK is under. */
struct sr_key_reference {
	bool is_service_managed;
	char vault[128];
	char name[128];
	char version[33];    /* the version that wraps it now */
	bool follows_latest; /* no version was named: rotation rewraps by itself */
};

/*
 * Management of a resource's KEK, carried out by the vault; each waits for the vault's answer (SR_UNAVAILABLE if it
 * cannot be had). `label` (the account's name) is what people see in status and census. `key` NULL or
 * is_service_managed: a service-managed key; else vault and name, and a version or follows_latest. SR_NOT_FOUND: no
 * such key; SR_REVOKED: it may not be used now.
 */
SR_MUST struct sr_result sr_keyring_create(struct sr_keyring *keyring, const struct sr_id *resource, const char *kind,
                                           const char *label, const struct sr_key_reference *key);
/* Puts the same KEK under another key (customer-managed to service-managed, or another version); no data moves. */
SR_MUST struct sr_result sr_keyring_rekey(struct sr_keyring *keyring, const struct sr_id *resource,
                                          const struct sr_key_reference *key);
/* Destroys the wrapped KEK: crypto-shreds the resource. Recalls its leases first. Idempotent. */
SR_MUST struct sr_result sr_keyring_destroy(struct sr_keyring *keyring, const struct sr_id *resource);
SR_MUST struct sr_result sr_keyring_describe(struct sr_keyring *keyring, const struct sr_id *resource,
                                             struct sr_key_reference *ret_key);

/* A resource's KEK under lease. The object stays while the keyring does; its key comes and goes. */
struct sr_lease;
/*
 * One use of a lease, from a request's admission to its end. A recall marks every use, calls its `abort` (so that a
 * stream stops), and waits for all to leave before the vault is told that the key is gone.
 */
struct sr_lease_use {
	struct sr_lease *lease;
	void (*abort)(void *context); /* called at most once, from the keyring's thread, with the lease locked: quick, takes
	                                 no lock below SR_RANK_LEASE */
	void *context;
	struct sr_lease_use *next, *previous; /* the lease's own */
	bool is_over;                         /* the lease's own */
	uint64_t generation;                  /* the lease's own */
};
/*
 * Enters: opens the KEK if it is not held (asks the vault, at most 1 s; says sr_blocking_begin), and registers the use.
 * SR_REVOKED with a reason: "KeyDisabled", "KeyExpired", "KeyNotYetValid", "KeyNotFound" (deleted or purged),
 * "KeyForbidden" (access taken away), "VaultUnreachable" (the lease ran out and the vault does not answer).
 * SR_NOT_FOUND: no such resource. `abort` may be NULL.
 */
SR_MUST struct sr_result sr_lease_enter(struct sr_keyring *keyring, const struct sr_id *resource,
                                        void (*abort)(void *context), void *context, struct sr_lease_use *ret_use);
/* Checks that the lease still holds, by CLOCK_BOOTTIME; call right before each chunk of plaintext is released.
 * SR_REVOKED. About 20 ns. */
SR_MUST struct sr_result sr_lease_check(const struct sr_lease_use *use);
/* Ends the use; harmless if it was never entered. */
void sr_lease_leave(struct sr_lease_use *use);
void sr_lease_use_cleanup(struct sr_lease_use *use);

/* The KEK's number, kept in rows beside what it wraps. */
uint32_t sr_lease_kek_epoch(const struct sr_lease_use *use);
/* Wraps a fresh DEK. */
SR_MUST struct sr_result sr_lease_wrap(struct sr_lease_use *use, const struct sr_secret *dek,
                                       uint8_t ret_wrapped[static SR_WRAPPED_KEY_LEN]);
SR_MUST struct sr_result sr_lease_unwrap(struct sr_lease_use *use, uint32_t kek_epoch, struct sr_bytes wrapped,
                                         struct sr_secret **ret_dek);
/*
 * The reading key of an extent, from the lease's cache (bounded, least recently used goes first) or unwrapped now.
 * Borrowed while the use lasts; give it back with sr_lease_extent_key_done. Wiped when the lease ends.
 */
SR_MUST struct sr_result sr_lease_extent_key(struct sr_lease_use *use, const struct sr_id *extent, uint32_t kek_epoch,
                                             struct sr_bytes wrapped, struct sr_extent_key **ret_key);
void sr_lease_extent_key_done(struct sr_lease_use *use, struct sr_extent_key *key);

/*
 * What must be closed with the lease (the account's open database). Set within a use, before or after others; `close`
 * runs once, when the lease ends and all users have left, before the vault is told. NULL attached: nothing is.
 */
void *sr_lease_attached(const struct sr_lease_use *use);
/* Serialises those who find nothing attached and are about to attach: `open` runs once, others wait. Its result comes
 * back to all. */
SR_MUST struct sr_result sr_lease_attach_once(struct sr_lease_use *use,
                                              struct sr_result (*open)(struct sr_lease_use *use, void *context,
                                                                       void **ret_thing),
                                              void (*close)(void *thing), void *context, void **ret_thing);

/*
 * Freshness of what the KEK opens (seal/database.h's anchor): the vault keeps the newest that it was told of, and gives
 * it back with the next lease, so that files from before that are not taken for the present ones. 0: it knows of none.
 */
uint64_t sr_lease_least_anchor(const struct sr_lease_use *use);
/* Within the opening of what is attached: `anchor_now` is asked with each renewal, while the thing is attached, and
 * what is new is told to the vault. Called with the lease locked: quick, takes no lock below SR_RANK_LEASE. */
void sr_lease_tell_anchors(struct sr_lease_use *use, uint64_t (*anchor_now)(void *thing));

/* For status: leases held now. */
struct sr_keyring_counts {
	unsigned leases_held;
	bool is_connected;
	uint64_t recalls, renewals;
};
struct sr_keyring_counts sr_keyring_counts_now(struct sr_keyring *keyring);

#endif
