/* The table of providers, and SQL on what is registered. */
#include "workspace/provider.h"

#include <strings.h>

static const struct sr_provider_type resource_types[] = {
    {"subscriptions", "2022-12-01"}, {"resourceGroups", "2022-09-01"}, {"tenants", "2022-12-01"},
    {"providers", "2022-09-01"},     {"resources", "2022-09-01"},      {0}};
static const struct sr_provider_type vault_types[] = {{"vaults", "2023-07-01"},
                                                      {"vaults/accessPolicies", "2023-07-01"},
                                                      {"deletedVaults", "2023-07-01"},
                                                      {"locations/deletedVaults", "2023-07-01"},
                                                      {"checkNameAvailability", "2023-07-01"},
                                                      {0}};

static const struct sr_provider_type identity_types[] = {
    {"userAssignedIdentities", "2023-01-31"}, {"operations", "2023-01-31"}, {0}};
static const struct sr_provider_type authorization_types[] = {{"roleAssignments", "2022-04-01"},
                                                              {"roleDefinitions", "2022-04-01"},
                                                              {"denyAssignments", "2022-04-01"},
                                                              {"permissions", "2022-04-01"},
                                                              {0}};

static const struct sr_provider providers[] = {
    {"Microsoft.Authorization", true, NULL, authorization_types},
    {"Microsoft.KeyVault", false, "vault", vault_types},
    {"Microsoft.ManagedIdentity", false, "identity", identity_types},
    {"Microsoft.Resources", true, NULL, resource_types},
};
enum { PROVIDER_COUNT = sizeof providers / sizeof *providers };

const struct sr_provider *sr_provider_at(size_t index)
{
	return index < PROVIDER_COUNT ? &providers[index] : NULL;
}

struct sr_result sr_provider_find(const char *namespace, const struct sr_provider **ret_provider)
{
	for (size_t i = 0; i < PROVIDER_COUNT; i++) {
		if (strcasecmp(providers[i].namespace, namespace) == 0) {
			*ret_provider = &providers[i];
			return sr_ok();
		}
	}
	return sr_fail_as(SR_NOT_FOUND, "InvalidResourceNamespace", "The resource namespace '%.64s' is invalid.",
	                  namespace);
}

struct sr_result sr_provider_is_registered(struct sr_connection *connection, const struct sr_provider *provider,
                                           bool *ret_is_registered)
{
	if (provider->is_always_registered) {
		*ret_is_registered = true;
		return sr_ok();
	}
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT is_registered FROM provider WHERE namespace = ?1", &statement));
	sr_bind_text(statement, 1, provider->namespace);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_is_registered = is_row && sr_column_int(statement, 0) != 0;
	return sr_ok();
}

struct sr_result sr_provider_set_registered(struct sr_connection *connection, const struct sr_provider *provider,
                                            bool is_registered)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO provider(namespace, is_registered) VALUES(?1, ?2) "
	                  "ON CONFLICT(namespace) DO UPDATE SET is_registered = excluded.is_registered",
	                  &statement));
	sr_bind_text(statement, 1, provider->namespace);
	sr_bind_int(statement, 2, is_registered);
	return sr_run(statement);
}
