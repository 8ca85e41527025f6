/* Starting the workspace's parts in order, and ending them in the opposite one; and its state under its lease. */
#include "workspace/workspace.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "workspace/arm_error.h"
#include "workspace/dispatch.h"
#include "workspace/resource_group_reaper.h"
#include "workspace/service.h"

enum { RETRY_MS = 200, GRACE_MS = 5000 };

static uint64_t database_anchor(void *thing)
{
	const struct sr_workspace_store *store = thing;
	return sr_database_anchor_now(store->database).counter;
}

static struct sr_result open_store(struct sr_lease_use *use, void *context, void **ret_thing)
{
	struct sr_workspace *workspace = context;
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_TRY(sr_state_key_open(use, &workspace->state_key, &dek));
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/workspace.db", sr_host_state_dir(workspace->host));
	struct sr_workspace_store *store;
	SR_TRY(sr_workspace_store_open(path, &workspace->state_key.database, dek, sr_lease_least_anchor(use), &store));
	sr_lease_tell_anchors(use, database_anchor);
	*ret_thing = store;
	return sr_ok();
}

static void close_store(void *thing)
{
	sr_workspace_store_close(thing);
}

struct sr_result sr_workspace_enter(struct sr_workspace *workspace, void (*abort)(void *context), void *context,
                                    struct sr_lease_use *ret_use, struct sr_workspace_store **ret_store)
{
	struct sr_result entered =
	    sr_lease_enter(workspace->keyring, &workspace->state_key.resource, abort, context, ret_use);
	if (sr_result_code(entered) == SR_NOT_FOUND) {
		sr_ignore(entered); /* not to be taken for something that the client named */
		return sr_fail(SR_REVOKED, "open the workspace's state: the vault does not have its key");
	}
	SR_TRY(entered);
	void *store = sr_lease_attached(ret_use);
	if (!store) {
		SR_TRY(sr_lease_attach_once(ret_use, open_store, close_store, workspace, &store));
	}
	*ret_store = store;
	return sr_ok();
}

struct sr_result sr_workspace_read(struct sr_workspace *workspace, sr_database_work work, void *context)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_workspace_store *store;
	SR_TRY(sr_workspace_enter(workspace, NULL, NULL, &use, &store));
	return sr_database_read(store->database, work, context);
}

struct sr_result sr_workspace_write(struct sr_workspace *workspace, sr_database_work work, void *context)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_workspace_store *store;
	SR_TRY(sr_workspace_enter(workspace, NULL, NULL, &use, &store));
	return sr_database_write(store->database, work, context);
}

static struct sr_result start_keyring(struct sr_workspace *workspace)
{
	const struct sr_config *config = sr_host_config(workspace->host);
	const struct sr_keyring_options options = {
	    .tls = sr_host_client_tls(workspace->host),
	    .vault_address = config->internal,
	    .vault_port = (uint16_t)config->vault_internal_port,
	    .service = "workspace",
	};
	return sr_keyring_start(&options, &workspace->keyring);
}

static struct sr_result start_access(struct sr_workspace *workspace)
{
	const struct sr_config *config = sr_host_config(workspace->host);
	const struct sr_access_options options = {
	    .tls = sr_host_client_tls(workspace->host),
	    .identity_address = config->internal,
	    .identity_port = (uint16_t)config->identity_internal_port,
	    .authority = config->authority,
	};
	return sr_access_start(&options, &workspace->access);
}

/* The key of the state, from the vault: tried until it answers. */
static struct sr_result load_state_key(struct sr_workspace *workspace)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/resource", sr_host_state_dir(workspace->host));
	for (;;) {
		struct sr_result loaded = sr_state_key_load(workspace->keyring, path, "workspace", &workspace->state_key);
		const enum sr_code code = sr_result_code(loaded);
		const bool is_passing = code == SR_UNAVAILABLE || code == SR_REVOKED || code == SR_TIMEOUT || code == SR_CLOSED;
		if (!is_passing || sr_host_is_stopping(workspace->host)) {
			return loaded;
		}
		sr_log(SR_LOG_NOTICE, "waiting for the vault: %s", sr_result_message(loaded));
		sr_result_free(loaded);
		sr_sleep_ms(RETRY_MS);
	}
}

static struct sr_result listen_all(struct sr_workspace *workspace)
{
	const struct sr_config *config = sr_host_config(workspace->host);
	const struct sr_server_options options = {
	    .handler = sr_workspace_dispatch,
	    .on_error = sr_workspace_dispatch_error,
	    .context = workspace,
	    .worker_count = (unsigned)config->workers,
	    .max_connections = (unsigned)config->max_connections,
	};
	SR_TRY(sr_server_new(&options, &workspace->server));
	const char *const *addresses = sr_host_listen_addresses(workspace->host);
	for (size_t i = 0; addresses[i]; i++) {
		uint16_t port;
		SR_TRY(sr_server_listen(workspace->server, sr_host_public_tls(workspace->host), addresses[i],
		                        (uint16_t)config->workspace_port, &port));
	}
	SR_TRY(sr_server_listen_unix(workspace->server, sr_host_socket_path(workspace->host)));
	return sr_server_start(workspace->server);
}

static struct sr_result start(struct sr_workspace *workspace)
{
	const struct sr_config *config = sr_host_config(workspace->host);
	SR_TRY(sr_host_enrol(workspace->host));
	SR_TRY(start_keyring(workspace));
	SR_TRY(start_access(workspace));
	SR_TRY(load_state_key(workspace));
	workspace->vault = sr_upstream_new(sr_host_client_tls(workspace->host), config->internal,
	                                   (uint16_t)config->vault_provider_port, "vault");
	workspace->identity = sr_upstream_new(sr_host_client_tls(workspace->host), config->internal,
	                                      (uint16_t)config->identity_internal_port, "identity");
	SR_TRY(sr_resource_group_reaper_start(workspace, &workspace->reaper));
	SR_TRY(listen_all(workspace));
	return sr_host_confine(workspace->host);
}

/* Requests first, then who works by itself, then the keys: the keyring closes what is attached to its leases. */
static void stop(struct sr_workspace *workspace)
{
	if (workspace->server) {
		sr_server_stop(workspace->server, GRACE_MS);
	}
	sr_resource_group_reaper_stop(workspace->reaper);
	sr_upstream_free(workspace->vault);
	sr_upstream_free(workspace->identity);
	if (workspace->access) {
		sr_access_stop(workspace->access);
	}
	if (workspace->keyring) {
		sr_keyring_stop(workspace->keyring);
	}
}

struct sr_result sr_workspace_serve(struct sr_host *host)
{
	struct sr_workspace workspace = {.host = host, .started_ms = sr_boottime_ms()};
	struct sr_result result = start(&workspace);
	if (sr_is_ok(result)) {
		sr_host_ready(host);
		sr_host_wait_for_stop(host);
	}
	stop(&workspace);
	return result;
}
