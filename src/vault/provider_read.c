/* What changes nothing: vaults as resources, deleted ones, lists in pages, and whether a name is free. */
#include "vault/provider.h"

#include "vault/access_store.h"
#include "vault/authorise.h"
#include "vault/key_rules.h"
#include "vault/vault_wishes.h"
#include "wire/time.h"

#include <string.h>

enum { PAGE = 100, PAGE_MAX = 1000 };

static bool is_same(const char *a, const char *b)
{
	return sr_equal_nocase(sr_bytes_str(a), sr_bytes_str(b));
}

static const char *subscription_of(const struct sr_vault_provider_call *call, const struct sr_vault_record *vault)
{
	return vault->subscription ? vault->subscription : call->installation.subscription;
}

struct sr_result sr_vault_provider_find(struct sr_connection *connection, const struct sr_vault_provider_call *call,
                                        struct sr_vault_record *ret_vault)
{
	struct sr_vault_record vault = {0};
	struct sr_result found = sr_vault_find(connection, call->arena, call->name, &vault);
	if (sr_result_code(found) != SR_OK && sr_result_code(found) != SR_NOT_FOUND) {
		return found;
	}
	const bool is_there = sr_is_ok(found) && is_same(vault.resource_group, call->group) &&
	                      is_same(subscription_of(call, &vault), call->subscription);
	sr_ignore(found);
	if (!is_there) {
		return sr_fail_as(SR_NOT_FOUND, "ResourceNotFound",
		                  "The Resource 'Microsoft.KeyVault/vaults/%.127s' under resource group '%.90s' was not found.",
		                  call->name, call->group);
	}
	*ret_vault = vault;
	return sr_ok();
}

struct sr_result sr_vault_provider_find_deleted(struct sr_connection *connection,
                                                const struct sr_vault_provider_call *call,
                                                struct sr_vault_record *ret_vault)
{
	struct sr_vault_record vault = {0};
	struct sr_result found = sr_vault_find_any(connection, call->arena, call->name, SR_VAULT_DELETED, &vault);
	if (sr_result_code(found) != SR_OK && sr_result_code(found) != SR_NOT_FOUND) {
		return found;
	}
	const bool is_there = sr_is_ok(found) && is_same(subscription_of(call, &vault), call->subscription) &&
	                      (!call->location || is_same(call->location, vault.location));
	sr_ignore(found);
	if (!is_there) {
		return sr_fail_as(SR_NOT_FOUND, "DeletedVaultNotFound", "The specified deleted vault '%.127s' does not exist.",
		                  call->name);
	}
	*ret_vault = vault;
	return sr_ok();
}

/* "https://NAME.vault.localhost:8442/": by the first name of the certificate that all vaults share. */
static const char *vault_uri(const struct sr_vault_provider_call *call, const char *name)
{
	const struct sr_host *host = call->vault->host;
	const char *const *names = host ? sr_host_dns_names(host) : NULL;
	const unsigned port = host ? (unsigned)sr_host_config(host)->vault_port : 8442;
	const char *domain = ".vault.localhost";
	for (size_t i = 0; names && names[i]; i++) {
		if (strncmp(names[i], "*.vault.", 8) == 0) {
			domain = names[i] + 1;
			break;
		}
	}
	return port == 443 ? sr_arena_printf(call->arena, "https://%s%s/", name, domain)
	                   : sr_arena_printf(call->arena, "https://%s%s:%u/", name, domain, port);
}

/* A stored JSON object, or an empty one. */
static json_t *object_of(const char *text)
{
	json_t *object = NULL;
	struct sr_result parsed = text ? sr_json_parse(sr_bytes_str(text), &object) : sr_ok();
	sr_ignore(parsed);
	return object ? object : json_object();
}

static json_t *system_data(const struct sr_vault_record *vault)
{
	char time[SR_ISO_TIME_LEN];
	json_t *data = json_object();
	sr_json_set_string(data, "createdBy", vault->created_by);
	sr_json_set_string(data, "createdByType", vault->created_by ? "Application" : NULL);
	sr_iso_time(vault->created, time);
	sr_json_set_string(data, "createdAt", time);
	sr_json_set_string(data, "lastModifiedBy", vault->updated_by ? vault->updated_by : vault->created_by);
	sr_json_set_string(data, "lastModifiedByType", vault->updated_by || vault->created_by ? "Application" : NULL);
	sr_iso_time(vault->updated ? vault->updated : vault->created, time);
	sr_json_set_string(data, "lastModifiedAt", time);
	return data;
}

static struct sr_result network_json(struct sr_connection *connection, const struct sr_vault_provider_call *call,
                                     const struct sr_vault_record *vault, json_t *extras, json_t **ret_json)
{
	const char *const *texts;
	size_t count;
	SR_TRY(sr_network_rules_list(connection, call->arena, vault->name, &texts, &count));
	json_t *acls = json_object(), *rules = json_array();
	sr_json_set_string(acls, "bypass", vault->has_no_bypass ? "None" : "AzureServices");
	sr_json_set_string(acls, "defaultAction", vault->denies ? "Deny" : "Allow");
	for (size_t i = 0; i < count; i++) {
		json_t *rule = json_object();
		sr_json_set_string(rule, "value", texts[i]);
		json_array_append_new(rules, rule);
	}
	sr_json_set(acls, "ipRules", rules);
	json_t *subnets = json_object_get(extras, "virtualNetworkRules");
	sr_json_set(acls, "virtualNetworkRules", subnets ? json_incref(subnets) : json_array());
	json_object_del(extras, "virtualNetworkRules");
	*ret_json = acls;
	return sr_ok();
}

static struct sr_result policies_json(struct sr_connection *connection, const struct sr_vault_provider_call *call,
                                      const struct sr_vault_record *vault, json_t **ret_json)
{
	struct sr_access_policy *policies;
	size_t count;
	SR_TRY(sr_access_policies_list(connection, call->arena, vault->name, &policies, &count));
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		json_array_append_new(list, sr_access_policy_json(&policies[i], call->installation.tenant));
	}
	*ret_json = list;
	return sr_ok();
}

static struct sr_result properties_json(struct sr_connection *connection, const struct sr_vault_provider_call *call,
                                        const struct sr_vault_record *vault, json_t **ret_json)
{
	SR_CLEANUP(sr_json) json_t *extras = object_of(vault->extras);
	SR_CLEANUP(sr_json) json_t *properties = json_object();
	json_t *part;
	json_t *sku = json_object();
	sr_json_set_string(sku, "family", "A");
	sr_json_set_string(sku, "name", vault->sku);
	sr_json_set(properties, "sku", sku);
	sr_json_set_string(properties, "tenantId", call->installation.tenant);
	SR_TRY(network_json(connection, call, vault, extras, &part));
	sr_json_set(properties, "networkAcls", part);
	SR_TRY(policies_json(connection, call, vault, &part));
	sr_json_set(properties, "accessPolicies", part);
	sr_json_set_bool(properties, "enabledForDeployment", false);
	sr_json_set_bool(properties, "enabledForDiskEncryption", false);
	sr_json_set_bool(properties, "enabledForTemplateDeployment", false);
	json_object_update(properties, extras);
	sr_json_set_bool(properties, "enableSoftDelete", true);
	sr_json_set_int(properties, "softDeleteRetentionInDays", vault->retention_days);
	sr_json_set_bool(properties, "enableRbacAuthorization", vault->is_by_roles);
	if (vault->is_purge_protected) { /* "does not accept false as its value", and does not show it */
		sr_json_set_bool(properties, "enablePurgeProtection", true);
	}
	sr_json_set_string(properties, "vaultUri", vault_uri(call, vault->name));
	sr_json_set_string(properties, "provisioningState", "Succeeded");
	sr_json_set_string(properties, "publicNetworkAccess", vault->is_closed ? "Disabled" : "Enabled");
	*ret_json = SR_TAKE(properties);
	return sr_ok();
}

struct sr_result sr_vault_provider_vault_json(struct sr_connection *connection,
                                              const struct sr_vault_provider_call *call,
                                              const struct sr_vault_record *vault, json_t **ret_json)
{
	json_t *properties;
	SR_TRY(properties_json(connection, call, vault, &properties));
	json_t *json = json_object();
	sr_json_set_string(json, "id", sr_vault_resource_id(call->arena, vault, call->installation.subscription));
	sr_json_set_string(json, "name", vault->name);
	sr_json_set_string(json, "type", "Microsoft.KeyVault/vaults");
	sr_json_set_string(json, "location", vault->location);
	sr_json_set(json, "tags", object_of(vault->tags));
	sr_json_set(json, "systemData", system_data(vault));
	sr_json_set(json, "properties", properties);
	*ret_json = json;
	return sr_ok();
}

static json_t *deleted_json(const struct sr_vault_provider_call *call, const struct sr_vault_record *vault)
{
	char deleted[SR_ISO_TIME_LEN], purged[SR_ISO_TIME_LEN];
	sr_iso_time(vault->deleted_at, deleted);
	sr_iso_time(vault->purge_at, purged);
	json_t *properties = json_object(), *json = json_object();
	sr_json_set_string(properties, "vaultId",
	                   sr_vault_resource_id(call->arena, vault, call->installation.subscription));
	sr_json_set_string(properties, "location", vault->location);
	sr_json_set(properties, "tags", object_of(vault->tags));
	sr_json_set_string(properties, "deletionDate", deleted);
	sr_json_set_string(properties, "scheduledPurgeDate", purged);
	sr_json_set_bool(properties, "purgeProtectionEnabled", vault->is_purge_protected);
	sr_json_set_string(json, "id",
	                   sr_arena_printf(call->arena,
	                                   "/subscriptions/%s/providers/Microsoft.KeyVault/locations/%s/deletedVaults/%s",
	                                   subscription_of(call, vault), vault->location, vault->name));
	sr_json_set_string(json, "name", vault->name);
	sr_json_set_string(json, "type", "Microsoft.KeyVault/deletedVaults");
	sr_json_set(json, "properties", properties);
	return json;
}

/* One vault or a list, read in one snapshot. */
struct reading {
	struct sr_vault_provider_call *call;
	struct sr_vault_provider_answer *answer;
};

static struct sr_result get_work(struct sr_connection *connection, void *context)
{
	const struct reading *reading = context;
	struct sr_vault_record vault = {0};
	SR_TRY(sr_vault_provider_find(connection, reading->call, &vault));
	return sr_vault_provider_vault_json(connection, reading->call, &vault, &reading->answer->body);
}

struct sr_result sr_vault_provider_get(struct sr_vault_provider_call *call, struct sr_vault_provider_answer *answer)
{
	struct reading reading = {call, answer};
	return sr_database_read(call->vault->state.database, get_work, &reading);
}

static struct sr_result get_deleted_work(struct sr_connection *connection, void *context)
{
	const struct reading *reading = context;
	struct sr_vault_record vault = {0};
	SR_TRY(sr_vault_provider_find_deleted(connection, reading->call, &vault));
	reading->answer->body = deleted_json(reading->call, &vault);
	return sr_ok();
}

struct sr_result sr_vault_provider_get_deleted(struct sr_vault_provider_call *call,
                                               struct sr_vault_provider_answer *answer)
{
	struct reading reading = {call, answer};
	return sr_database_read(call->vault->state.database, get_deleted_work, &reading);
}

struct listing {
	struct sr_vault_provider_call *call;
	struct sr_vault_filter filter;
	const char *after;
	uint64_t limit;
	json_t *values;         /* borrowed */
	const char *next_after; /* NULL: it is the last page */
};

static struct sr_result list_work(struct sr_connection *connection, void *context)
{
	struct listing *listing = context;
	struct sr_vault_provider_call *call = listing->call;
	struct sr_vault_page page;
	SR_TRY(sr_vault_list(connection, call->arena, &listing->filter, listing->after, (size_t)listing->limit, &page));
	for (size_t i = 0; i < page.count; i++) {
		json_t *item;
		if (listing->filter.presence == SR_VAULT_DELETED) {
			item = deleted_json(call, &page.items[i]);
		} else {
			SR_TRY(sr_vault_provider_vault_json(connection, call, &page.items[i], &item));
		}
		json_array_append_new(listing->values, item);
	}
	listing->next_after = page.has_more ? page.items[page.count - 1].name : NULL;
	return sr_ok();
}

/* From the root on: the front knows by which name the client reached it. */
static const char *next_link(const struct sr_vault_provider_call *call, const struct listing *listing)
{
	const char *tail = listing->filter.presence == SR_VAULT_DELETED ? "deletedVaults" : "vaults";
	const char *group = call->group ? sr_arena_printf(call->arena, "/resourceGroups/%s", call->group) : "";
	return sr_arena_printf(
	    call->arena, "/subscriptions/%s%s/providers/Microsoft.KeyVault/%s?api-version=%s&$top=%llu&$skiptoken=%s",
	    call->subscription, group, tail, call->api_version, (unsigned long long)listing->limit, listing->next_after);
}

static struct sr_result list(struct sr_vault_provider_call *call, enum sr_vault_presence presence,
                             struct sr_vault_provider_answer *answer)
{
	const char *top = sr_parameter_get(&call->query, "$top");
	const char *token = sr_parameter_get(&call->query, "$skiptoken");
	struct listing listing = {.call = call,
	                          .filter = {.subscription = call->subscription,
	                                     .default_subscription = call->installation.subscription,
	                                     .resource_group = call->group,
	                                     .presence = presence},
	                          .after = token ? token : "",
	                          .limit = PAGE};
	if (top) {
		SR_TRY(sr_parse_u64(sr_bytes_str(top), PAGE_MAX, &listing.limit));
	}
	if (listing.limit == 0) {
		return sr_fail(SR_INVALID, "$top: a number from 1 to %d is expected", PAGE_MAX);
	}
	answer->body = json_object();
	listing.values = json_array();
	sr_json_set(answer->body, "value", listing.values);
	SR_TRY(sr_database_read(call->vault->state.database, list_work, &listing));
	if (listing.next_after) {
		sr_json_set_string(answer->body, "nextLink", next_link(call, &listing));
	}
	return sr_ok();
}

struct sr_result sr_vault_provider_list(struct sr_vault_provider_call *call, struct sr_vault_provider_answer *answer)
{
	return list(call, SR_VAULT_LIVE, answer);
}

struct sr_result sr_vault_provider_list_deleted(struct sr_vault_provider_call *call,
                                                struct sr_vault_provider_answer *answer)
{
	return list(call, SR_VAULT_DELETED, answer);
}

struct sr_result sr_vault_provider_list_none(struct sr_vault_provider_call *call,
                                             struct sr_vault_provider_answer *answer)
{
	(void)call;
	answer->body = json_pack("{s:[]}", "value");
	return sr_ok();
}

struct name_search {
	struct sr_arena *arena;
	const char *name;
	bool is_taken;
};

static struct sr_result name_work(struct sr_connection *connection, void *context)
{
	struct name_search *search = context;
	struct sr_vault_record vault = {0};
	struct sr_result found = sr_vault_find_any(connection, search->arena, search->name, SR_VAULT_EITHER, &vault);
	search->is_taken = sr_is_ok(found);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	return found;
}

struct sr_result sr_vault_provider_check_name(struct sr_vault_provider_call *call,
                                              struct sr_vault_provider_answer *answer)
{
	const char *name = NULL, *type = NULL;
	SR_TRY(sr_json_get_string(call->body, "name", &name));
	SR_TRY(sr_json_get_string(call->body, "type", &type));
	if (!name || !type || !is_same(type, "Microsoft.KeyVault/vaults")) {
		return sr_fail(SR_INVALID, "name and the type \"Microsoft.KeyVault/vaults\" are expected");
	}
	call->name = name; /* for the audit entry */
	struct name_search search = {.arena = call->arena, .name = name};
	const bool is_valid = sr_is_vault_name(name);
	if (is_valid) {
		SR_TRY(sr_database_read(call->vault->state.database, name_work, &search));
	}
	answer->body = json_object();
	sr_json_set_bool(answer->body, "nameAvailable", is_valid && !search.is_taken);
	if (!is_valid) {
		sr_json_set_string(answer->body, "reason", "AccountNameInvalid");
		sr_json_set_string(
		    answer->body, "message",
		    "A vault's name has 3 to 24 letters, digits and single hyphens, from a letter to no hyphen.");
	} else if (search.is_taken) {
		sr_json_set_string(answer->body, "reason", "AlreadyExists");
		sr_json_set_string(answer->body, "message",
		                   "The vault name is already in use, by a vault or by a deleted one that can be recovered.");
	}
	return sr_ok();
}
