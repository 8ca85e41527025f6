/* The vault's start and end: root key, master key, database, CA, grantor, access, server, in this order, since the
 * other services need the vault before anything else works: it is ready without identity. */
#include "vault/vault.h"

#include "base/clock.h"
#include "base/memory.h"
#include "seal/keypair.h"
#include "vault/api.h"
#include "vault/backup.h"
#include "vault/hardware.h"
#include "vault/lease_ttl.h"
#include "vault/root_key.h"
#include "vault/schema.h"
#include "vault/system_vault.h"

#include <unistd.h>

enum { KEY_CACHE_MAX = 64, RSA_POOL = 4, RSA_POOL_BITS = 2048, STOP_GRACE_MS = 5000, CA_MAX = 16384 };

struct sr_result sr_vault_create_root(const char *root_key_path)
{
	return sr_root_key_create(root_key_path);
}

/* Where the vault keeps its two files. A database without its master file is a loss, and no reason to begin anew. */
static struct sr_result open_master(struct sr_vault *vault, const char *database_path)
{
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	SR_TRY(sr_root_key_read(sr_host_config(vault->host)->root_key, &root));
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/master", sr_host_state_dir(vault->host));
	const bool is_first_start = access(database_path, F_OK) < 0;
	struct sr_result opened = sr_vault_master_open(path, root, is_first_start, &vault->master);
	if (sr_result_code(opened) == SR_WRONG_KEY) {
		sr_result_free(opened);
		return sr_fail(SR_WRONG_KEY,
		               "%s is not this installation's root key, or %s is damaged: put the file back from your copy",
		               sr_host_config(vault->host)->root_key, path);
	}
	return opened;
}

static struct sr_result open_database(struct sr_vault *vault)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/vault.db", sr_host_state_dir(vault->host));
	SR_TRY(open_master(vault, path));
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

static struct sr_result start_server(struct sr_vault *vault)
{
	const struct sr_config *config = sr_host_config(vault->host);
	const struct sr_server_options options = {
	    .handler = sr_vault_api_handle,
	    .on_error = sr_vault_api_error,
	    .context = vault,
	    .worker_count = (unsigned)config->workers,
	    .max_connections = (unsigned)config->max_connections,
	};
	SR_TRY(sr_server_new(&options, &vault->server));
	const char *const *addresses = sr_host_listen_addresses(vault->host);
	for (size_t i = 0; addresses[i]; i++) {
		uint16_t port;
		SR_TRY(sr_server_listen(vault->server, sr_host_public_tls(vault->host), addresses[i],
		                        (uint16_t)config->vault_port, &port));
	}
	uint16_t provider_port;
	SR_TRY(sr_server_listen(vault->server, sr_host_internal_tls(vault->host), config->internal,
	                        (uint16_t)config->vault_provider_port, &provider_port));
	SR_TRY(sr_server_listen_unix(vault->server, sr_host_socket_path(vault->host)));
	return sr_server_start(vault->server);
}

static struct sr_result start(struct sr_vault *vault)
{
	const struct sr_key_spec pooled = {.type = SR_KEY_RSA, .bits = RSA_POOL_BITS};
	vault->started_ms = sr_boottime_ms();
	SR_TRY(sr_hardware_attach(sr_host_config(vault->host)));
	SR_TRY(open_database(vault));
	SR_TRY(sr_vault_check_restored(vault));
	SR_TRY(sr_hardware_recover(&vault->state));
	SR_TRY(sr_database_write(vault->state.database, make_default_vault, NULL));
	SR_TRY(sr_database_write(vault->state.database, sr_system_vault_make, NULL));
	SR_TRY(open_authority(vault));
	SR_TRY(start_grantor(vault));
	SR_TRY(sr_tending_start(vault, &vault->tending));
	SR_TRY(start_access(vault));
	SR_TRY(start_server(vault));
	SR_TRY(sr_host_confine(vault->host));
	return sr_keypair_pool_start(&pooled, RSA_POOL);
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
	if (vault->server) {
		sr_server_stop(vault->server, STOP_GRACE_MS);
	}
	if (vault->access) {
		sr_access_stop(vault->access);
	}
	sr_tending_stop(vault->tending);
	if (vault->state.grantor) {
		sr_grantor_stop(vault->state.grantor);
		settle_ttl(vault);
	}
	sr_keypair_pool_stop();
	sr_host_leave(vault->host); /* the host signs by the authority */
	sr_certificate_free(vault->own);
	sr_authority_free(vault->authority);
	sr_key_cache_free(vault->state.cache);
	sr_hsm_detach();
	sr_database_close(vault->state.database);
	sr_vault_master_free(&vault->master);
}

struct sr_result sr_vault_serve(struct sr_host *host)
{
	struct sr_vault vault = {.own_mutex = SR_MUTEX(SR_RANK_LEAF), .host = host};
	struct sr_result result = start(&vault);
	if (sr_is_ok(result)) {
		sr_host_ready(host);
		sr_host_wait_for_stop(host);
	}
	stop(&vault);
	return result;
}
