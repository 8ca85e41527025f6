/* The vault's start and end: root key, master key, database, CA, grantor, access, server, in this order, since the
 * other services need the vault before anything else works: it is ready without identity. Where a person must give
 * something for the root key the server comes first, and serves health. */
#include "vault/vault.h"

#include "base/clock.h"
#include "base/memory.h"
#include "seal/keypair.h"
#include "vault/api.h"
#include "vault/audit.h"
#include "vault/backup.h"
#include "vault/checkpoint.h"
#include "vault/hardware.h"
#include "vault/lease_ttl.h"
#include "vault/public_certificate.h"
#include "vault/root_key.h"
#include "vault/schema.h"
#include "vault/system_vault.h"

#include <stdio.h>
#include <unistd.h>

enum {
	KEY_CACHE_MAX = 64,
	RSA_POOL = 4,
	RSA_POOL_BITS = 2048,
	STOP_GRACE_MS = 5000,
	CA_MAX = 16384,
	SEALED_LOOK_MS = 200,
	SEALED_CERTIFICATE_DAYS = 3650
};

struct sr_result sr_vault_create_root(const char *root_key_path)
{
	return sr_root_key_create(root_key_path);
}

struct sr_result sr_vault_begin(const struct sr_root_settings *settings, const struct sr_root_provider *provider,
                                const struct sr_root_input *input, struct sr_buf *handout)
{
	char path[SR_MASTER_PATH_LEN];
	sr_root_master_path(settings->config, path);
	return sr_root_begin(path, settings, provider, input, handout);
}

/* At the first start of an installation under a root key file there is no master file yet. A database without its
 * master file is a loss, and no reason to begin anew. */
static struct sr_result begin_with_file(struct sr_vault *vault)
{
	SR_CLEANUP(sr_string) char *database_path = sr_strdupf("%s/vault.db", sr_host_state_dir(vault->host));
	if (access(database_path, F_OK) == 0 || access(vault->master_path, F_OK) == 0) {
		return sr_ok();
	}
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
	SR_TRY(sr_root_key_read(sr_host_config(vault->host)->root_key, &root));
	return sr_vault_master_open(vault->master_path, root, true, &master);
}

static struct sr_result make_gate(struct sr_vault *vault)
{
	vault->root_settings = (struct sr_root_settings){.config = sr_host_config(vault->host)};
	sr_root_master_path(vault->root_settings.config, vault->master_path);
	SR_TRY(sr_hardware_attach(vault->root_settings.config)); /* the root key may hang from the token */
	SR_TRY(begin_with_file(vault));
	vault->desk = sr_root_desk_new();
	return sr_gate_new(&vault->root_settings, vault->master_path, &vault->gate);
}

static struct sr_result open_alone(struct sr_vault *vault)
{
	struct sr_result opened = sr_gate_open_alone(vault->gate, &vault->master);
	if (sr_result_code(opened) == SR_WRONG_KEY) {
		SR_CLEANUP(sr_result) struct sr_result inner = opened;
		return sr_fail(
		    SR_WRONG_KEY,
		    "%s; the root key (%s) is not this installation's, or %s is damaged: put the file back from your "
		    "copy",
		    sr_result_message(inner), sr_host_config(vault->host)->root_key, vault->master_path);
	}
	return opened;
}

static struct sr_result open_database(struct sr_vault *vault)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/vault.db", sr_host_state_dir(vault->host));
	const struct sr_database_options options = {
	    .path = path, .id = vault->master.database_id, .schema = sr_vault_schema, .upgrades = sr_vault_upgrades};
	SR_TRY(sr_database_open(&options, vault->master.database_key, &vault->state.database));
	vault->state.records = vault->master.records;
	vault->state.cache = sr_key_cache_new(vault->master.records, KEY_CACHE_MAX);
	return sr_ok();
}

/* The vault that is there from the first start on. */
static struct sr_result make_default_vault(struct sr_connection *connection, void *context)
{
	(void)context;
	const struct sr_vault_record record = {.name = SR_DEFAULT_VAULT,
	                                       .resource_group = SR_DEFAULT_GROUP,
	                                       .created = sr_unix_s(),
	                                       .retention_days = SR_RETENTION_DAYS,
	                                       .is_by_roles = true};
	struct sr_result result = sr_vault_insert(connection, &record);
	if (sr_result_code(result) == SR_EXISTS) {
		sr_ignore(result);
		return sr_ok();
	}
	return result;
}

static struct sr_result open_authority(struct sr_vault *vault)
{
	SR_TRY(sr_authority_open(&vault->state, sr_host_dns_names(vault->host), sr_host_addresses(vault->host),
	                         &vault->authority));
	SR_CLEANUP(sr_buf) struct sr_buf ca_der = SR_BUF(CA_MAX);
	SR_TRY(sr_certificate_der(sr_authority_certificate(vault->authority), &ca_der));
	SR_TRY(sr_system_certificate_show_ca(&vault->state, sr_buf_bytes(&ca_der)));
	SR_TRY(sr_authority_issue(vault->authority, "vault", &vault->own));
	sr_host_set_gift(vault->host, sr_public_certificate_give, vault);
	return sr_host_enrol_as_authority(vault->host, vault->own, sr_authority_certificate(vault->authority),
	                                  sr_authority_sign, vault->authority);
}

static struct sr_result start_grantor(struct sr_vault *vault)
{
	const struct sr_config *config = sr_host_config(vault->host);
	SR_TRY(sr_lease_ttl_begin(&vault->state, (uint32_t)config->lease_ttl_ms, &vault->longest_ttl_ms));
	const struct sr_grantor_options options = {
	    .tls = sr_host_internal_tls(vault->host),
	    .address = config->internal,
	    .port = (uint16_t)config->vault_internal_port,
	    .ttl_ms = (uint32_t)config->lease_ttl_ms,
	    .longest_ttl_ms = vault->longest_ttl_ms,
	    .store = sr_kek_grantor_store(&vault->state),
	};
	struct sr_grantor *grantor;
	SR_TRY(sr_grantor_start(&options, &grantor));
	vault->state.grantor = grantor;
	return sr_ok();
}

static struct sr_result start_access(struct sr_vault *vault)
{
	const struct sr_config *config = sr_host_config(vault->host);
	const struct sr_access_options options = {
	    .tls = sr_host_client_tls(vault->host),
	    .identity_address = config->internal,
	    .identity_port = (uint16_t)config->identity_internal_port,
	    .authority = config->authority,
	};
	return sr_access_start(&options, &vault->access);
}

static struct sr_result new_server(struct sr_vault *vault, struct sr_server **ret_server)
{
	const struct sr_config *config = sr_host_config(vault->host);
	const struct sr_server_options options = {
	    .handler = sr_vault_api_handle,
	    .on_error = sr_vault_api_error,
	    .context = vault,
	    .worker_count = (unsigned)config->workers,
	    .max_connections = (unsigned)config->max_connections,
	};
	return sr_server_new(&options, ret_server);
}

static struct sr_result listen_for_services(struct sr_vault *vault, struct sr_server *server)
{
	const struct sr_config *config = sr_host_config(vault->host);
	uint16_t port;
	return sr_server_listen(server, sr_host_internal_tls(vault->host), config->internal,
	                        (uint16_t)config->vault_provider_port, &port);
}

/* While it is sealed there is no CA yet that services could show a certificate of. */
static struct sr_result start_server(struct sr_vault *vault, bool is_sealed)
{
	const struct sr_config *config = sr_host_config(vault->host);
	SR_TRY(new_server(vault, &vault->server));
	const char *const *addresses = sr_host_listen_addresses(vault->host);
	for (size_t i = 0; addresses[i]; i++) {
		uint16_t port;
		SR_TRY(sr_server_listen(vault->server, sr_host_public_tls(vault->host), addresses[i],
		                        (uint16_t)config->vault_port, &port));
	}
	if (!is_sealed) {
		SR_TRY(listen_for_services(vault, vault->server));
	}
	SR_TRY(sr_server_listen_unix(vault->server, sr_host_socket_path(vault->host)));
	return sr_server_start(vault->server);
}

/* The certificate of a vault whose CA is still sealed: nobody trusts it, and it lives as long as this process. */
static struct sr_result make_sealed_certificate(struct sr_vault *vault)
{
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_CLEANUP(sr_certificate_request) struct sr_certificate_request *request = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(16384);
	SR_CLEANUP(sr_buf) struct sr_buf ca_der = SR_BUF(16384);
	const struct sr_certificate_profile profile = {.common_name = "Strongroom vault, sealed",
	                                               .dns_names = sr_host_dns_names(vault->host),
	                                               .addresses = sr_host_addresses(vault->host),
	                                               .days = SEALED_CERTIFICATE_DAYS};
	SR_TRY(sr_certificate_new_ca("Strongroom vault, sealed", SEALED_CERTIFICATE_DAYS, &ca));
	SR_TRY(sr_certificate_request_new(profile.common_name, &request));
	SR_TRY(sr_certificate_sign(ca, sr_certificate_request_der(request), &profile, &der));
	SR_TRY(sr_certificate_der(ca, &ca_der));
	return sr_certificate_join(request, sr_buf_bytes(&der), sr_buf_bytes(&ca_der), &vault->sealed);
}

/* Serves health alone until somebody gives what opens the root key, or the supervisor says stop. */
static struct sr_result wait_sealed(struct sr_vault *vault, bool *ret_is_unsealed)
{
	SR_TRY(make_sealed_certificate(vault));
	SR_TRY(sr_host_serve_sealed(vault->host, vault->sealed));
	SR_TRY(start_server(vault, true));
	sr_host_sealed(vault->host);
	*ret_is_unsealed = false;
	while (!*ret_is_unsealed && !sr_host_is_stopping(vault->host)) {
		*ret_is_unsealed = sr_gate_wait(vault->gate, SEALED_LOOK_MS, &vault->master);
	}
	return sr_ok();
}

/* A server that runs takes no more listeners: that of the services is one of its own then. */
static struct sr_result start_service_server(struct sr_vault *vault)
{
	SR_TRY(new_server(vault, &vault->service_server));
	SR_TRY(listen_for_services(vault, vault->service_server));
	return sr_server_start(vault->service_server);
}

/* What could not be recorded while the log was sealed with all else. */
static struct sr_result record_unsealing(struct sr_vault *vault)
{
	char detail[64];
	snprintf(detail, sizeof detail, "wrong attempts before: %u", sr_gate_wrong_attempts(vault->gate));
	const struct sr_audit_event event = {.object_id = "local",
	                                     .from = "local",
	                                     .operation = "VaultUnseal",
	                                     .object = "root",
	                                     .detail = detail,
	                                     .status = 200};
	return sr_audit_write(vault->state.database, &event);
}

/* All that hangs from the master key. */
static struct sr_result start_open(struct sr_vault *vault, bool was_sealed)
{
	const struct sr_key_spec pooled = {.type = SR_KEY_RSA, .bits = RSA_POOL_BITS};
	SR_TRY(open_database(vault));
	SR_TRY(sr_vault_check_restored(vault));
	SR_TRY(sr_hardware_recover(&vault->state));
	SR_TRY(sr_database_write(vault->state.database, make_default_vault, NULL));
	SR_TRY(sr_database_write(vault->state.database, sr_system_vault_make, NULL));
	SR_TRY(was_sealed ? record_unsealing(vault) : sr_ok());
	SR_TRY(open_authority(vault));
	SR_TRY(start_grantor(vault));
	SR_TRY(sr_vault_checkpoints_open(vault, sr_unix_s()));
	SR_TRY(sr_tending_start(vault, &vault->tending));
	SR_TRY(start_access(vault));
	SR_TRY(was_sealed ? start_service_server(vault) : start_server(vault, false));
	SR_TRY(sr_host_confine(vault->host));
	SR_TRY(sr_keypair_pool_start(&pooled, RSA_POOL));
	sr_gate_opened(vault->gate);
	return sr_ok();
}

static struct sr_result start(struct sr_vault *vault, bool *ret_is_open)
{
	vault->started_ms = sr_boottime_ms();
	SR_TRY(make_gate(vault));
	const bool is_shut = sr_gate_is_shut(vault->gate);
	*ret_is_open = !is_shut;
	SR_TRY(is_shut ? wait_sealed(vault, ret_is_open) : open_alone(vault));
	if (!*ret_is_open) {
		return sr_ok();
	}
	struct sr_result started = start_open(vault, is_shut);
	if (!sr_is_ok(started)) {
		sr_gate_failed(vault->gate, started);
	}
	return started;
}

/* At a stop: longer leases of earlier starts are over if this one has lasted twice as long as the longest. */
static void settle_ttl(struct sr_vault *vault)
{
	const uint32_t ttl_ms = (uint32_t)sr_host_config(vault->host)->lease_ttl_ms;
	if (vault->longest_ttl_ms > ttl_ms && sr_boottime_ms() - vault->started_ms > 2 * (uint64_t)vault->longest_ttl_ms) {
		sr_ignore(sr_lease_ttl_settle(&vault->state, ttl_ms)); /* the longer one only costs time */
	}
}

/* In reverse; what was never started is passed over. */
static void stop(struct sr_vault *vault)
{
	sr_server_stop(vault->service_server, STOP_GRACE_MS);
	sr_server_stop(vault->server, STOP_GRACE_MS);
	if (vault->access) {
		sr_access_stop(vault->access);
	}
	sr_tending_stop(vault->tending);
	if (vault->state.grantor) {
		sr_grantor_stop(vault->state.grantor);
		settle_ttl(vault);
	}
	sr_keypair_pool_stop();
	sr_vault_checkpoints_close(vault, sr_unix_s());
	sr_host_leave(vault->host); /* the host signs by the authority */
	sr_certificate_free(vault->own);
	sr_authority_free(vault->authority);
	sr_key_cache_free(vault->state.cache);
	sr_hsm_detach();
	sr_database_close(vault->state.database);
	sr_vault_master_free(&vault->master);
	sr_certificate_free(vault->sealed);
	sr_root_desk_free(vault->desk);
	sr_gate_free(vault->gate);
}

struct sr_result sr_vault_serve(struct sr_host *host)
{
	struct sr_vault vault = {.own_mutex = SR_MUTEX(SR_RANK_LEAF), .host = host};
	bool is_open = false;
	struct sr_result result = start(&vault, &is_open);
	if (sr_is_ok(result) && is_open) {
		sr_host_ready(host);
		sr_host_wait_for_stop(host);
	}
	stop(&vault);
	return result;
}
