/*
 * A house for the lease tests: a CA, two services' certificates, a store of KEKs that a test can disable and slow
 * down, a grantor over it, and a wire between the two ends that can be frozen or cut. Real TLS on loopback.
 */
#ifndef SR_TEST_KEYRING_HOUSE_H
#define SR_TEST_KEYRING_HOUSE_H

#include "check.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "keyring/keyring.h"
#include "vault/grantor.h"

#include <stdatomic.h>

/* Bounds on speed are wide under a sanitizer. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HOUSE_IS_SLOW 1
#else
#define HOUSE_IS_SLOW 0
#endif

enum { HOUSE_TTL_MS = 500, HOUSE_RESOURCES = 128 };

struct house_resource {
	struct sr_id id;
	struct sr_secret *kek;
	uint64_t revocation_epoch;
	bool is_disabled, is_destroyed;
	uint64_t anchor; /* noted */
	struct sr_key_reference key;
};

struct house {
	struct sr_certificate *ca;
	struct sr_tls *vault_tls, *blob_tls, *cosmos_tls;
	struct sr_grantor *grantor;
	uint16_t port;

	struct sr_mutex mutex; /* guards the resources */
	struct house_resource resources[HOUSE_RESOURCES];
	atomic_uint opens, renewals;
	atomic_bool refuses_notes;
	atomic_uint open_delay_ms; /* between the store's reading and its answer */
};

/* Makes all but the vault, and no thread. */
void house_open(struct house *house);
void house_close(struct house *house);
void house_start_vault(struct house *house);
void house_stop_vault(struct house *house);
struct sr_keyring *house_keyring(struct house *house, uint16_t port);
const struct sr_id *house_id(struct house *house, unsigned resource);
void house_disable_only(struct house *house, unsigned resource);
struct sr_recall_outcome house_recall(struct house *house, unsigned resource);
/* Disables, durably so to speak, and recalls. */
struct sr_recall_outcome house_disable(struct house *house, unsigned resource);
void house_restore(struct house *house, unsigned resource);

/* A wire: forwards TCP from a port of its own to the vault's. */
struct wire;
struct wire *wire_new(uint16_t to_port, uint16_t *ret_port);
/* Frozen: bytes stay in the sockets, connections stay open, as in a network that swallows packets. */
void wire_freeze(struct wire *wire, bool is_frozen);
/* Closes every connection; new ones may come. */
void wire_cut(struct wire *wire);
void wire_free(struct wire *wire);

#endif
