/* Starting the blob service's parts in order, and ending them in the opposite one. */
#include "blob/blob.h"

#include "base/clock.h"
#include "base/log.h"
#include "blob/api.h"
#include "blob/error.h"
#include "blob/sweep.h"

enum { RETRY_MS = 200, GRACE_MS = 5000 };

static struct sr_result start_keyring(struct sr_blob_service *service)
{
	const struct sr_config *config = sr_host_config(service->host);
	const struct sr_keyring_options options = {
	    .tls = sr_host_client_tls(service->host),
	    .vault_address = config->internal,
	    .vault_port = (uint16_t)config->vault_internal_port,
	    .service = "blob",
	};
	return sr_keyring_start(&options, &service->keyring);
}

static struct sr_result start_access(struct sr_blob_service *service)
{
	const struct sr_config *config = sr_host_config(service->host);
	const struct sr_access_options options = {
	    .tls = sr_host_client_tls(service->host),
	    .identity_address = config->internal,
	    .identity_port = (uint16_t)config->identity_internal_port,
	    .authority = config->authority,
	};
	return sr_access_start(&options, &service->access);
}

/* Without the vault nothing can be opened: keeps trying until it answers. */
static struct sr_result open_control(struct sr_blob_service *service)
{
	for (;;) {
		struct sr_result opened =
		    sr_blob_control_open(service->keyring, sr_host_state_dir(service->host), &service->control);
		enum sr_code code = sr_result_code(opened);
		bool is_passing = code == SR_UNAVAILABLE || code == SR_REVOKED || code == SR_TIMEOUT || code == SR_CLOSED;
		if (!is_passing || sr_host_is_stopping(service->host)) {
			return opened;
		}
		sr_log(SR_LOG_NOTICE, "waiting for the vault: %s", sr_result_message(opened));
		sr_result_free(opened);
		sr_sleep_ms(RETRY_MS);
	}
}

static struct sr_result listen_all(struct sr_blob_service *service)
{
	const struct sr_config *config = sr_host_config(service->host);
	const struct sr_server_options options = {
	    .name = "Strongroom-Blob/1.0",
	    .handler = sr_blob_handle,
	    .on_error = sr_blob_error_on_server,
	    .context = service,
	    .worker_count = (unsigned)config->workers,
	    .max_connections = (unsigned)config->max_connections,
	};
	SR_TRY(sr_server_new(&options, &service->server));
	const char *const *addresses = sr_host_listen_addresses(service->host);
	for (size_t i = 0; addresses[i]; i++) {
		uint16_t port;
		SR_TRY(sr_server_listen(service->server, sr_host_public_tls(service->host), addresses[i],
		                        (uint16_t)config->blob_port, &port));
	}
	SR_TRY(sr_server_listen_unix(service->server, sr_host_socket_path(service->host)));
	return sr_server_start(service->server);
}

static struct sr_result start(struct sr_blob_service *service, struct sr_sweeper **ret_sweeper)
{
	SR_TRY(sr_host_enrol(service->host));
	SR_TRY(start_keyring(service));
	SR_TRY(start_access(service));
	SR_TRY(open_control(service));
	SR_TRY(sr_blob_accounts_open(service->keyring, service->control, sr_host_state_dir(service->host),
	                             &service->accounts));
	SR_TRY(sr_sweeper_start(service, ret_sweeper));
	SR_TRY(listen_all(service));
	return sr_host_confine(service->host);
}

/* Requests first, then who works by itself, then the keys: the keyring closes what is attached to its leases. */
static void stop(struct sr_blob_service *service, struct sr_sweeper *sweeper)
{
	if (service->server) {
		sr_server_stop(service->server, GRACE_MS);
	}
	sr_sweeper_stop(sweeper);
	if (service->access) {
		sr_access_stop(service->access);
	}
	if (service->keyring) {
		sr_keyring_stop(service->keyring);
	}
	if (service->accounts) {
		sr_blob_accounts_free(service->accounts);
	}
	if (service->control) {
		sr_blob_control_free(service->control);
	}
}

struct sr_result sr_blob_serve(struct sr_host *host)
{
	struct sr_blob_service service = {.host = host, .started_ms = sr_boottime_ms()};
	struct sr_sweeper *sweeper = NULL;
	struct sr_result result = start(&service, &sweeper);
	if (sr_is_ok(result)) {
		sr_host_ready(host);
		sr_host_wait_for_stop(host);
	}
	stop(&service, sweeper);
	return result;
}
