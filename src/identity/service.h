/*
 * The running service: what its requests share, its start and its end. Knows TLS configurations and addresses, but not
 * where they come from: identity.c takes them from the host.
 */
#ifndef SR_IDENTITY_SERVICE_H
#define SR_IDENTITY_SERVICE_H

#include "access/access.h"
#include "base/thread.h"
#include "identity/audience.h"
#include "identity/device_flow.h"
#include "identity/page_session.h"
#include "identity/rate_limit.h"
#include "identity/store.h"
#include "keyring/state_key.h"
#include "net/server.h"

#include <stdatomic.h>

/* All borrowed for as long as the service runs. */
struct sr_identity_options {
	struct sr_tls *public_tls, *internal_tls, *client_tls;
	const char *const *listen_addresses; /* for clients; ended by NULL */
	uint16_t port;
	const char *internal_address; /* for GET /directory, mutual TLS */
	uint16_t internal_port;
	const char *vault_address;
	uint16_t vault_port;
	const char *metadata_listen; /* "ADDRESS:PORT,…" of the metadata endpoint, plain HTTP; "" or NULL: none */
	const char *socket_path;
	const char *state_dir;
	const char *authority; /* "https://127.0.0.1:8441", without a trailing slash */
	struct sr_own_origins own;
	int64_t token_lifetime_s;
	unsigned worker_count, max_connections;
};

/* Wakes those who wait for a change of the directory. */
struct sr_directory_watch {
	struct sr_mutex mutex; /* guards the rest */
	struct sr_cond cond;
	uint64_t change_count;
	bool is_stopping;
};

struct sr_identity {
	struct sr_identity_options options;
	uint16_t port, internal_port; /* those bound */
	uint64_t started_ms;
	struct sr_keyring *keyring;
	struct sr_server *server;
	struct sr_access *access; /* our own directory, followed as every service does; NULL until the state is open */
	struct sr_rate_limit *rate_limit;     /* failures of a name from an address */
	struct sr_rate_limit *address_limit;  /* failures from an address, whatever the name */
	struct sr_rate_limit *metadata_limit; /* tokens by address, and wrong headers of jobs */
	struct sr_device_flows *device_flows;
	struct sr_page_sessions *page_sessions;
	struct sr_mutex password_mutex; /* one password is hashed at a time: each takes 32 MiB */
	uint8_t nobodys_password[SR_PASSWORD_HASH_LEN];
	struct sr_state_key state_key;
	atomic_bool has_state_key; /* state_key is set, once and for all */
	struct sr_directory_watch watch;
	atomic_uint_least64_t tokens_issued, tokens_refused;
	struct sr_thread tending;
	bool is_tending;
};

/* Connects to the vault's leases and listens; answers 503 until sr_identity_prepare has been through. */
SR_MUST struct sr_result sr_identity_start(const struct sr_identity_options *options,
                                           struct sr_identity **ret_identity);
/*
 * Opens the state for the first time (and makes it at the very first), and starts what tends the signing keys.
 * SR_UNAVAILABLE or SR_REVOKED: the vault cannot be had now; try again.
 */
SR_MUST struct sr_result sr_identity_prepare(struct sr_identity *identity);
/* Ends running exchanges, closes the state, wipes. NULL is allowed. */
void sr_identity_stop(struct sr_identity *identity);

/*
 * Enters the lease of the state's key and gives the open store, opening it if need be. The caller leaves with
 * sr_lease_leave, also after a failure, and does nothing slow in between. SR_UNAVAILABLE or SR_REVOKED while there is
 * no key: the service fails closed.
 */
SR_MUST struct sr_result sr_identity_enter(struct sr_identity *identity, void (*abort)(void *context), void *context,
                                           struct sr_lease_use *ret_use, struct sr_identity_store **ret_store);
/* Tells the followers that the directory has changed; call after the change is durable. */
void sr_identity_announce(struct sr_identity *identity);

#endif
