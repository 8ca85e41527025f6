/* Start, end and lease of the running service. Requests are taken apart in dispatch.c. */
#include "identity/service.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "identity/dispatch.h"
#include "identity/metadata_listen.h"

enum {
	FAILURE_BURST = 10,         /* wrong secrets of a client from an address at once, */
	FAILURE_INTERVAL_MS = 6000, /* and one more each so often */
	METADATA_BURST = 200,       /* tokens from the metadata endpoint for an address at once, */
	METADATA_INTERVAL_MS = 50,  /* and one more each so often */
	ADDRESS_BURST = 100,        /* the same of an address, for all names together */
	ADDRESS_INTERVAL_MS = 1000,
	TEND_INTERVAL_MS = 10000, /* how often signing keys are looked after, and the audit log signed */
	GRACE_MS = 5000           /* for exchanges that run when the service stops */
};

static uint64_t store_anchor(void *thing)
{
	const struct sr_identity_store *store = thing;
	return sr_database_anchor_now(store->database).counter;
}

static struct sr_result open_store(struct sr_lease_use *use, void *context, void **ret_thing)
{
	struct sr_identity *identity = context;
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_TRY(sr_state_key_open(use, &identity->state_key, &dek));
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/identity.db", identity->options.state_dir);
	struct sr_identity_store *store;
	SR_TRY(sr_identity_store_open(path, &identity->state_key.database, dek, identity->options.token_lifetime_s,
	                              sr_lease_least_anchor(use), sr_unix_s(), &store));
	sr_lease_tell_anchors(use, store_anchor);
	*ret_thing = store;
	return sr_ok();
}

static void close_store(void *thing)
{
	sr_identity_store_close(thing);
}

struct sr_result sr_identity_enter(struct sr_identity *identity, void (*abort)(void *context), void *context,
                                   struct sr_lease_use *ret_use, struct sr_identity_store **ret_store)
{
	if (!atomic_load(&identity->has_state_key)) {
		return sr_fail(SR_UNAVAILABLE, "open identity's state: waiting for the vault");
	}
	struct sr_result entered =
	    sr_lease_enter(identity->keyring, &identity->state_key.resource, abort, context, ret_use);
	if (sr_result_code(entered) == SR_NOT_FOUND) {
		sr_ignore(entered); /* not to be taken for something that the client named */
		return sr_fail_as(SR_REVOKED, "KeyNotFound", "open identity's state: the vault does not have its key");
	}
	SR_TRY(entered);
	void *store = sr_lease_attached(ret_use);
	if (!store) {
		SR_TRY(sr_lease_attach_once(ret_use, open_store, close_store, identity, &store));
	}
	*ret_store = store;
	return sr_ok();
}

void sr_identity_announce(struct sr_identity *identity)
{
	SR_LOCKED(&identity->watch.mutex);
	identity->watch.change_count++;
	sr_cond_broadcast(&identity->watch.cond);
}

static struct sr_result tend_once(struct sr_identity *identity)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_identity_store *store;
	SR_TRY(sr_identity_enter(identity, NULL, NULL, &use, &store));
	bool is_changed;
	SR_TRY(sr_audit_sign(store->audit, sr_unix_s()));
	SR_TRY(sr_signing_keys_tend(store->signing_keys, sr_unix_s(), &is_changed));
	if (is_changed) {
		sr_log(SR_LOG_NOTICE, "signing keys have changed by their schedule");
		sr_identity_announce(identity);
	}
	return sr_ok();
}

/* Sleeps until the next round; false when the service stops. */
static bool wait_for_round(struct sr_identity *identity)
{
	uint64_t deadline_ns = sr_boottime_ns() + TEND_INTERVAL_MS * UINT64_C(1000000);
	SR_LOCKED(&identity->watch.mutex);
	while (!identity->watch.is_stopping &&
	       sr_cond_wait_until(&identity->watch.cond, &identity->watch.mutex, deadline_ns)) {
	}
	return !identity->watch.is_stopping;
}

static void tend(void *context)
{
	struct sr_identity *identity = context;
	while (wait_for_round(identity)) {
		SR_CLEANUP(sr_result) struct sr_result tended = tend_once(identity);
		if (!sr_is_ok(tended)) {
			sr_log(SR_LOG_WARNING, "signing keys could not be looked after: %s", sr_result_message(tended));
		}
	}
}

/* So that tokens for our own API are checked as everywhere. */
static struct sr_result follow_directory(struct sr_identity *identity)
{
	const struct sr_access_options options = {
	    .tls = identity->options.client_tls,
	    .identity_address = identity->options.internal_address,
	    .identity_port = identity->internal_port,
	    .authority = identity->options.authority,
	};
	return identity->access ? sr_ok() : sr_access_start(&options, &identity->access);
}

struct sr_result sr_identity_prepare(struct sr_identity *identity)
{
	if (!atomic_load(&identity->has_state_key)) {
		SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/resource", identity->options.state_dir);
		SR_TRY(sr_state_key_load(identity->keyring, path, "identity", &identity->state_key));
		atomic_store(&identity->has_state_key, true);
	}
	SR_TRY(tend_once(identity));
	SR_TRY(follow_directory(identity));
	if (!identity->is_tending) {
		SR_TRY(sr_thread_start("tend-keys", 0, tend, identity, &identity->tending));
		identity->is_tending = true;
	}
	return sr_ok();
}

static struct sr_result listen_everywhere(struct sr_identity *identity)
{
	const struct sr_identity_options *options = &identity->options;
	struct sr_server *server = identity->server;
	identity->port = options->port;
	for (const char *const *address = options->listen_addresses; *address; address++) {
		SR_TRY(sr_server_listen(server, options->public_tls, *address, identity->port, &identity->port));
	}
	SR_TRY(sr_metadata_listen(server, options->metadata_listen));
	SR_TRY(sr_server_listen(server, options->internal_tls, options->internal_address, options->internal_port,
	                        &identity->internal_port));
	return sr_server_listen_unix(server, options->socket_path);
}

static void identity_cleanup(struct sr_identity **identity)
{
	sr_identity_stop(*identity);
	*identity = NULL;
}

struct sr_result sr_identity_start(const struct sr_identity_options *options, struct sr_identity **ret_identity)
{
	SR_CLEANUP(identity) struct sr_identity *identity = sr_alloc(sizeof *identity);
	identity->options = *options;
	identity->started_ms = sr_boottime_ms();
	sr_mutex_init(&identity->watch.mutex, SR_RANK_SERVICE);
	sr_cond_init(&identity->watch.cond);
	identity->rate_limit = sr_rate_limit_new(FAILURE_BURST, FAILURE_INTERVAL_MS);
	identity->metadata_limit = sr_rate_limit_new(METADATA_BURST, METADATA_INTERVAL_MS);
	identity->address_limit = sr_rate_limit_new(ADDRESS_BURST, ADDRESS_INTERVAL_MS);
	identity->device_flows = sr_device_flows_new();
	sr_mutex_init(&identity->password_mutex, SR_RANK_SERVICE);
	sr_password_unmatchable(identity->nobodys_password);
	SR_TRY(sr_page_sessions_new(&identity->page_sessions));
	struct sr_keyring_options keyring = {.tls = options->client_tls,
	                                     .vault_address = options->vault_address,
	                                     .vault_port = options->vault_port,
	                                     .service = "identity"};
	SR_TRY(sr_keyring_start(&keyring, &identity->keyring));
	struct sr_server_options server = {.handler = sr_identity_dispatch,
	                                   .on_error = sr_identity_dispatch_error,
	                                   .context = identity,
	                                   .worker_count = options->worker_count,
	                                   .max_connections = options->max_connections};
	SR_TRY(sr_server_new(&server, &identity->server));
	SR_TRY(listen_everywhere(identity));
	SR_TRY(sr_server_start(identity->server));
	*ret_identity = SR_TAKE(identity);
	return sr_ok();
}

static void say_stop(struct sr_directory_watch *watch)
{
	SR_LOCKED(&watch->mutex);
	watch->is_stopping = true;
	sr_cond_broadcast(&watch->cond);
}

void sr_identity_stop(struct sr_identity *identity)
{
	if (!identity) {
		return;
	}
	say_stop(&identity->watch);
	if (identity->is_tending) {
		sr_thread_join(identity->tending);
	}
	if (identity->server) {
		sr_server_stop(identity->server, GRACE_MS);
	}
	sr_access_stop(identity->access);
	if (identity->keyring) {
		sr_keyring_stop(identity->keyring);
	}
	sr_rate_limit_free(identity->rate_limit);
	sr_rate_limit_free(identity->metadata_limit);
	sr_rate_limit_free(identity->address_limit);
	sr_device_flows_free(identity->device_flows);
	sr_page_sessions_free(identity->page_sessions);
	sr_mutex_destroy(&identity->password_mutex);
	sr_cond_destroy(&identity->watch.cond);
	sr_mutex_destroy(&identity->watch.mutex);
	sr_free(identity);
}
