/* vault: vaults as resources, made, changed, deleted and brought back, by the resource manager's own operations. */
#include "cli/vault.h"

#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#define API "?api-version=2026-02-01"

/* What the vault service knows of its vaults; the caller owns it. */
static struct sr_result all_vaults(struct sr_cli *cli, json_t **ret_answer)
{
	return sr_cli_call(cli, "vault", "GET", "/_strongroom/vaults", NULL, ret_answer);
}

static bool is_deleted(const json_t *vault)
{
	return json_object_get(vault, "deleted") != NULL;
}

/* The vault of the line's first word, live or deleted as wanted; `answer` owns it. */
static struct sr_result find(struct sr_cli *cli, bool wants_deleted, json_t **answer, const json_t **ret_vault)
{
	SR_TRY(all_vaults(cli, answer));
	size_t at;
	const json_t *vault;
	json_array_foreach(json_object_get(*answer, "value"), at, vault)
	{
		if (sr_equal_nocase(sr_bytes_str(sr_cli_text(vault, "name")), sr_bytes_str(cli->arguments[0])) &&
		    is_deleted(vault) == wants_deleted) {
			*ret_vault = vault;
			return sr_ok();
		}
	}
	return sr_fail(SR_NOT_FOUND, "there is no %svault %s; strongroom vault list%s shows which there are",
	               wants_deleted ? "deleted " : "", cli->arguments[0], wants_deleted ? " --deleted" : "");
}

struct sr_result sr_cli_vault_target(struct sr_cli *cli, const char *tail, const char **ret_target)
{
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	const json_t *vault;
	SR_TRY(find(cli, false, &answer, &vault));
	*ret_target = sr_arena_printf(cli->arena, "%s%s" API, sr_cli_text(vault, "id"), tail);
	return sr_ok();
}

struct sr_result sr_cli_vault_get(struct sr_cli *cli, json_t **ret_vault)
{
	const char *target;
	SR_TRY(sr_cli_vault_target(cli, "", &target));
	return sr_cli_call(cli, "vault", "GET", target, NULL, ret_vault);
}

struct sr_result sr_cli_vault_patch(struct sr_cli *cli, const json_t *properties)
{
	const char *target;
	SR_TRY(sr_cli_vault_target(cli, "", &target));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	SR_CLEANUP(sr_json) json_t *vault = NULL;
	sr_json_set(body, "properties", json_deep_copy(properties));
	SR_TRY(sr_cli_call(cli, "vault", "PATCH", target, body, &vault));
	sr_cli_vault_print(cli, vault);
	return sr_ok();
}

static void print_policy(const json_t *policy)
{
	const char *application = sr_cli_text(policy, "applicationId");
	printf("policy            %s%s%s\n", sr_cli_text(policy, "objectId"), *application ? " by way of " : "",
	       application);
	static const char *const collections[] = {"keys", "secrets", "certificates", "storage"};
	for (size_t i = 0; i < sizeof collections / sizeof *collections; i++) {
		const json_t *names = json_object_get(json_object_get(policy, "permissions"), collections[i]);
		size_t at;
		const json_t *name;
		json_array_foreach(names, at, name)
		{
			printf(at ? ",%s" : "  %-16s%s", at ? json_string_value(name) : collections[i], json_string_value(name));
		}
		if (json_array_size(names)) {
			putchar('\n');
		}
	}
}

static void print_network(const json_t *properties)
{
	const json_t *acls = json_object_get(properties, "networkAcls");
	if (strcmp(sr_cli_text(properties, "publicNetworkAccess"), "Disabled") == 0) {
		puts("network           closed: nobody comes in by network");
	} else if (strcmp(sr_cli_text(acls, "defaultAction"), "Deny") != 0) {
		puts("network           open to every address");
	} else {
		puts("network           these addresses alone:");
		size_t at;
		const json_t *rule;
		json_array_foreach(json_object_get(acls, "ipRules"), at, rule)
		{
			printf("  %s\n", sr_cli_text(rule, "value"));
		}
		if (!at) {
			puts("  none");
		}
	}
}

void sr_cli_vault_print(struct sr_cli *cli, const json_t *vault)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(vault);
		return;
	}
	const json_t *properties = json_object_get(vault, "properties");
	const bool is_by_roles = json_is_true(json_object_get(properties, "enableRbacAuthorization"));
	printf("vault             %s\nid                %s\nuri               %s\naccess            %s\n",
	       sr_cli_text(vault, "name"), sr_cli_text(vault, "id"), sr_cli_text(properties, "vaultUri"),
	       is_by_roles ? "roles" : "policies");
	printf("deleted is kept   %lld days\npurge protection  %s\n",
	       (long long)sr_cli_int(properties, "softDeleteRetentionInDays"),
	       json_is_true(json_object_get(properties, "enablePurgeProtection")) ? "yes" : "no");
	print_network(properties);
	const json_t *policies = json_object_get(properties, "accessPolicies");
	if (is_by_roles && json_array_size(policies)) {
		puts("These policies do nothing while the vault goes by roles (vault update --access policies):");
	}
	size_t at;
	const json_t *policy;
	json_array_foreach(policies, at, policy)
	{
		print_policy(policy);
	}
}

/* Sets what --access says, if it says something. */
static void set_access(const struct sr_cli *cli, json_t *properties)
{
	const char *access = sr_cli_option(cli, "access");
	if (access) {
		sr_json_set_bool(properties, "enableRbacAuthorization", strcmp(access, "roles") == 0);
	}
	if (sr_cli_option(cli, "purge-protection")) {
		sr_json_set_bool(properties, "enablePurgeProtection", true);
	}
}

/* A PUT on a vault that need not be there. */
static struct sr_result put(struct sr_cli *cli, const char *target, const char *location, json_t *properties)
{
	SR_CLEANUP(sr_json) json_t *body = json_object();
	SR_CLEANUP(sr_json) json_t *vault = NULL;
	sr_json_set_string(body, "location", location);
	sr_json_set(body, "properties", properties);
	SR_TRY(sr_cli_call(cli, "vault", "PUT", target, body, &vault));
	sr_cli_vault_print(cli, vault);
	return sr_ok();
}

static struct sr_result vault_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *known = NULL;
	const char *group = sr_cli_option(cli, "group");
	const char *location = sr_cli_option(cli, "location");
	const char *sku = sr_cli_option(cli, "sku");
	uint64_t retention;
	SR_TRY(sr_cli_number(cli, "retention-days", 90, &retention));
	SR_TRY(all_vaults(cli, &known));
	size_t at;
	const json_t *vault;
	json_array_foreach(json_object_get(known, "value"), at, vault)
	{
		if (sr_equal_nocase(sr_bytes_str(sr_cli_text(vault, "name")), sr_bytes_str(cli->arguments[0])) &&
		    !is_deleted(vault)) {
			return sr_fail(SR_EXISTS, "vault %s exists; vault update changes it", cli->arguments[0]);
		}
	}
	json_t *properties = json_pack("{s:s, s:{s:s, s:s}, s:I, s:b, s:[]}", "tenantId", sr_cli_text(known, "tenant"),
	                               "sku", "family", "A", "name", sku ? sku : "standard", "softDeleteRetentionInDays",
	                               (json_int_t)retention, "enableRbacAuthorization", 1, "accessPolicies");
	set_access(cli, properties);
	const char *target =
	    sr_arena_printf(cli->arena, "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.KeyVault/vaults/%s" API,
	                    sr_cli_text(known, "subscription"), group ? sr_cli_escaped(cli, group) : "default",
	                    sr_cli_escaped(cli, cli->arguments[0]));
	return put(cli, target, location ? location : "local", properties);
}

static struct sr_result vault_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *vault = NULL;
	SR_TRY(sr_cli_vault_get(cli, &vault));
	sr_cli_vault_print(cli, vault);
	return sr_ok();
}

static struct sr_result vault_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_CLEANUP(sr_json) json_t *shown = json_array();
	const bool wants_deleted = sr_cli_option(cli, "deleted");
	const char *const headings[] = {"VAULT", "ACCESS", "PROTECTED", "CREATED", wants_deleted ? "PURGED" : "ID"};
	SR_TRY(all_vaults(cli, &answer));
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 5);
	size_t at;
	json_t *vault;
	json_array_foreach(json_object_get(answer, "value"), at, vault)
	{
		if (is_deleted(vault) != wants_deleted) {
			continue;
		}
		json_array_append(shown, vault);
		const char *const cells[] = {
		    sr_cli_text(vault, "name"),
		    sr_cli_text(vault, "access"),
		    json_is_true(json_object_get(vault, "purge_protection")) ? "yes" : "no",
		    sr_cli_time(cli, sr_cli_int(vault, "created")),
		    wants_deleted ? sr_cli_time(cli, sr_cli_int(vault, "purge")) : sr_cli_text(vault, "id"),
		};
		sr_cli_table_row(table, cells);
	}
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(shown);
	} else {
		sr_cli_table_print(table);
	}
	return sr_ok();
}

static struct sr_result vault_update(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *properties = json_object();
	set_access(cli, properties);
	if (!json_object_size(properties)) {
		return sr_fail(SR_INVALID, "nothing to change: say --access or --purge-protection");
	}
	return sr_cli_vault_patch(cli, properties);
}

/* True if it was confirmed; otherwise says so and fails the command. */
static bool is_confirmed(const struct sr_cli *cli, const char *question, int *ret_status)
{
	if (sr_cli_option(cli, "yes") || sr_cli_confirm(question)) {
		return true;
	}
	fprintf(stderr, "Nothing was changed. (Without a terminal, say --yes.)\n");
	*ret_status = 1;
	return false;
}

static struct sr_result vault_delete(struct sr_cli *cli, int *ret_status)
{
	const char *target;
	SR_TRY(sr_cli_vault_target(cli, "", &target));
	if (!is_confirmed(cli, "Delete the vault? Everything under its keys stops at once.", ret_status)) {
		return sr_ok();
	}
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "DELETE", target, NULL, &answer));
	if (!sr_cli_wants_json(cli)) {
		printf("%s: deleted; no service can use its keys any more. vault recover brings it back\n", cli->arguments[0]);
	}
	return sr_ok();
}

static struct sr_result vault_recover(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	const json_t *vault;
	SR_TRY(find(cli, true, &answer, &vault));
	const char *target = sr_arena_printf(cli->arena, "%s" API, sr_cli_text(vault, "id"));
	json_t *properties = json_pack("{s:s}", "createMode", "recover");
	return put(cli, target, sr_cli_text(vault, "location"), properties);
}

static struct sr_result vault_purge(struct sr_cli *cli, int *ret_status)
{
	SR_CLEANUP(sr_json) json_t *known = NULL;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	const json_t *vault;
	SR_TRY(find(cli, true, &known, &vault));
	if (!is_confirmed(cli, "Destroy the vault and all data under its keys for ever?", ret_status)) {
		return sr_ok();
	}
	const char *id = sr_cli_text(vault, "id");
	const char *group = strstr(id, "/resourceGroups/");
	const char *target =
	    sr_arena_printf(cli->arena, "%.*s/providers/Microsoft.KeyVault/locations/%s/deletedVaults/%s/purge" API,
	                    group ? (int)(group - id) : 0, id, sr_cli_escaped(cli, sr_cli_text(vault, "location")),
	                    sr_cli_text(vault, "name"));
	SR_TRY(sr_cli_call(cli, "vault", "POST", target, NULL, &answer));
	if (!sr_cli_wants_json(cli)) {
		printf("%s: destroyed; no copy of what lay under its keys can be read any more\n", cli->arguments[0]);
	}
	return sr_ok();
}

static struct sr_result vault_operations(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "GET", "/_strongroom/operations", NULL, &answer));
	const json_t *operations = json_object_get(answer, "value");
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(operations);
		return sr_ok();
	}
	const char *const headings[] = {"METHOD", "PATH", "PERMISSION", "DATA ACTION"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 4);
	size_t at;
	const json_t *operation;
	json_array_foreach(operations, at, operation)
	{
		const char *const cells[] = {sr_cli_text(operation, "method"), sr_cli_text(operation, "path"),
		                             sr_cli_text(operation, "permission"), sr_cli_text(operation, "dataAction")};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
	return sr_ok();
}

const struct sr_command sr_vault_commands[] = {
    {
        .words = "vault create",
        .synopsis = "NAME [--group G] [--location L] [--access roles|policies] [--purge-protection]",
        .summary = "make a vault",
        .text = "Makes a vault of its own name, keys and rules. Clients reach it as\n"
                "https://NAME.vault.localhost:8442. It goes by role assignments unless --access says policies.",
        .options =
            {SR_CLI_FORMAT,
             {"group", "G", "its resource group (default \"default\")"},
             {"location", "L", "its location, any word (default \"local\")"},
             {"access", "roles|policies", "what allows operations on keys, secrets and certificates (default roles)"},
             {"sku", "standard|premium", "premium has hardware keys, where there is a module (default standard)"},
             {"retention-days", "N", "how long what is deleted can be recovered, 7 to 90; never changes (default 90)"},
             {"purge-protection", NULL, "let nothing be purged before that time; cannot be undone"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = vault_create,
    },
    {
        .words = "vault show",
        .synopsis = "NAME",
        .summary = "show a vault, its access policies and network rules",
        .text = "Shows how a vault is set up.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = vault_show,
    },
    {
        .words = "vault list",
        .synopsis = "[--deleted]",
        .summary = "list vaults",
        .text = "Lists vaults, or with --deleted those that can be recovered.",
        .options = {SR_CLI_FORMAT, {"deleted", NULL, "the deleted ones"}},
        .run = vault_list,
    },
    {
        .words = "vault update",
        .synopsis = "NAME [--access roles|policies] [--purge-protection]",
        .summary = "change how a vault decides, or protect it",
        .text = "Changes hold from the next request on.",
        .options = {SR_CLI_FORMAT,
                    {"access", "roles|policies", "what allows operations on keys, secrets and certificates"},
                    {"purge-protection", NULL, "let nothing be purged before its time; cannot be undone"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = vault_update,
    },
    {
        .words = "vault delete",
        .synopsis = "NAME [--yes]",
        .summary = "delete a vault; it can be recovered",
        .text = "Returns when no service can use a key of the vault any more. Its name stays taken until it is\n"
                "purged.",
        .options = {SR_CLI_FORMAT, SR_CLI_YES},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = vault_delete,
    },
    {
        .words = "vault recover",
        .synopsis = "NAME",
        .summary = "bring a deleted vault back",
        .text = "With everything in it, and its access policies and network rules.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = vault_recover,
    },
    {
        .words = "vault purge",
        .synopsis = "NAME [--yes]",
        .summary = "destroy a deleted vault for good",
        .text = "Destroys its keys, secrets and certificates, and with its keys all data that lies under them.\n"
                "Refused before its time where the vault is protected.",
        .options = {SR_CLI_FORMAT, SR_CLI_YES},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = vault_purge,
    },
    {
        .words = "vault operations",
        .synopsis = "",
        .summary = "list what clients can ask of a vault, and what it takes",
        .text = "For each operation: its path, the permission that an access policy must grant, the data action\n"
                "that a role must.",
        .options = {SR_CLI_FORMAT},
        .run = vault_operations,
    },
    {0},
};
