/* identity as a service process: what it takes from its host, in which order it starts, and how it ends. */
#include "identity/identity.h"

#include "base/clock.h"
#include "base/log.h"
#include "identity/service.h"

enum { FIRST_RETRY_MS = 50, LAST_RETRY_MS = 2000 };

static struct sr_identity_options options_of(struct sr_host *host)
{
	const struct sr_config *config = sr_host_config(host);
	return (struct sr_identity_options){
	    .public_tls = sr_host_public_tls(host),
	    .internal_tls = sr_host_internal_tls(host),
	    .client_tls = sr_host_client_tls(host),
	    .listen_addresses = sr_host_listen_addresses(host),
	    .port = (uint16_t)config->identity_port,
	    .internal_address = config->internal,
	    .internal_port = (uint16_t)config->identity_internal_port,
	    .vault_address = config->internal,
	    .vault_port = (uint16_t)config->vault_internal_port,
	    .metadata_listen = config->imds_listen,
	    .socket_path = sr_host_socket_path(host),
	    .state_dir = sr_host_state_dir(host),
	    .authority = config->authority,
	    .own = {.dns_names = sr_host_dns_names(host),
	            .addresses = sr_host_addresses(host),
	            .ports = {(uint16_t)config->identity_port, (uint16_t)config->vault_port, (uint16_t)config->blob_port,
	                      (uint16_t)config->workspace_port}},
	    .token_lifetime_s = (int64_t)config->token_lifetime_s,
	    .worker_count = (unsigned)config->workers,
	    .max_connections = (unsigned)config->max_connections,
	};
}

/* Damage does not heal by waiting; everything else may. */
static bool may_pass(enum sr_code code)
{
	return code != SR_CORRUPT && code != SR_WRONG_KEY;
}

/* Opens the state, again and again with back-off while the vault cannot be had. */
static struct sr_result prepare(struct sr_host *host, struct sr_identity *identity)
{
	uint64_t retry_ms = FIRST_RETRY_MS;
	bool was_said = false;
	while (!sr_host_is_stopping(host)) {
		struct sr_result prepared = sr_identity_prepare(identity);
		if (sr_is_ok(prepared) || !may_pass(sr_result_code(prepared))) {
			return prepared;
		}
		if (!was_said) {
			sr_log(SR_LOG_NOTICE, "cannot open its state yet: %s", sr_result_message(prepared));
			was_said = true;
		}
		sr_ignore(prepared);
		sr_sleep_ms(retry_ms);
		retry_ms = 2 * retry_ms < LAST_RETRY_MS ? 2 * retry_ms : LAST_RETRY_MS;
	}
	return sr_ok();
}

static struct sr_result run(struct sr_host *host, struct sr_identity *identity)
{
	SR_TRY(sr_host_confine(host));
	SR_TRY(prepare(host, identity));
	if (!sr_host_is_stopping(host)) {
		sr_host_ready(host);
	}
	sr_host_wait_for_stop(host);
	return sr_ok();
}

struct sr_result sr_identity_serve(struct sr_host *host)
{
	SR_TRY(sr_host_enrol(host));
	struct sr_identity_options options = options_of(host);
	struct sr_identity *identity;
	SR_TRY(sr_identity_start(&options, &identity));
	struct sr_result ran = run(host, identity);
	sr_identity_stop(identity);
	return ran;
}
