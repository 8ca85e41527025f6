/* vault policy and vault network: who may do what in a vault, and from where. */
#include "cli/command.h"
#include "cli/vault.h"

#include <stdio.h>
#include <string.h>

static const char *const collections[] = {"keys", "secrets", "certificates", "storage"};
enum { COLLECTION_COUNT = sizeof collections / sizeof *collections };

/* "get,list" as a JSON array. */
static json_t *split(struct sr_cli *cli, const char *list)
{
	json_t *names = json_array();
	char *rest = NULL;
	char *text = sr_arena_strdup(cli->arena, list);
	for (char *name = strtok_r(text, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest)) {
		json_array_append_new(names, json_string(name));
	}
	return names;
}

static bool is_same(const char *a, const char *b)
{
	return sr_equal_nocase(sr_bytes_str(a), sr_bytes_str(b));
}

/* The permissions that the options' identity has in the vault, borrowed; NULL if it has no policy. */
static const json_t *permissions_now(const struct sr_cli *cli, const json_t *vault)
{
	const char *application = sr_cli_option(cli, "application-id");
	const json_t *policies = json_object_get(json_object_get(vault, "properties"), "accessPolicies");
	size_t at;
	const json_t *policy;
	json_array_foreach(policies, at, policy)
	{
		if (is_same(sr_cli_text(policy, "objectId"), sr_cli_option(cli, "object-id")) &&
		    is_same(sr_cli_text(policy, "applicationId"), application ? application : "")) {
			return json_object_get(policy, "permissions");
		}
	}
	return NULL;
}

/* Sends one identity's policy; takes `permissions`. */
static struct sr_result send_policy(struct sr_cli *cli, const json_t *vault, const char *kind, json_t *permissions)
{
	const json_t *properties = json_object_get(vault, "properties");
	json_t *entry = json_object();
	sr_json_set_string(entry, "tenantId", sr_cli_text(properties, "tenantId"));
	sr_json_set_string(entry, "objectId", sr_cli_option(cli, "object-id"));
	sr_json_set_string(entry, "applicationId", sr_cli_option(cli, "application-id"));
	sr_json_set(entry, "permissions", permissions);
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:{s:[o]}}", "properties", "accessPolicies", entry);
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_CLEANUP(sr_json) json_t *now = NULL;
	const char *target;
	SR_TRY(sr_cli_vault_target(cli, sr_arena_printf(cli->arena, "/accessPolicies/%s", kind), &target));
	SR_TRY(sr_cli_call(cli, "vault", "PUT", target, body, &answer));
	SR_TRY(sr_cli_vault_get(cli, &now));
	sr_cli_vault_print(cli, now);
	return sr_ok();
}

static struct sr_result need_object(const struct sr_cli *cli)
{
	return sr_cli_option(cli, "object-id") ? sr_ok() : sr_fail(SR_INVALID, "--object-id says whose policy it is");
}

static struct sr_result vault_policy_set(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_TRY(need_object(cli));
	SR_CLEANUP(sr_json) json_t *vault = NULL;
	SR_TRY(sr_cli_vault_get(cli, &vault));
	const json_t *before = permissions_now(cli, vault);
	json_t *permissions = before ? json_deep_copy(before) : json_object();
	bool is_named = false;
	for (size_t i = 0; i < COLLECTION_COUNT; i++) {
		const char *list = sr_cli_option(cli, collections[i]);
		if (list) {
			sr_json_set(permissions, collections[i], split(cli, list));
			is_named = true;
		}
	}
	if (!is_named) {
		json_decref(permissions);
		return sr_fail(SR_INVALID, "say which permissions: --keys get,list --secrets get …");
	}
	return send_policy(cli, vault, "replace", permissions);
}

static struct sr_result vault_policy_remove(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_TRY(need_object(cli));
	SR_CLEANUP(sr_json) json_t *vault = NULL;
	SR_TRY(sr_cli_vault_get(cli, &vault));
	if (!permissions_now(cli, vault)) {
		return sr_fail(SR_NOT_FOUND, "%s has no policy in vault %s", sr_cli_option(cli, "object-id"),
		               cli->arguments[0]);
	}
	return send_policy(cli, vault, "remove", json_object());
}

static struct sr_result vault_network_set(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *action = sr_cli_option(cli, "default-action");
	const char *bypass = sr_cli_option(cli, "bypass");
	const char *is_public = sr_cli_option(cli, "public-access");
	SR_CLEANUP(sr_json) json_t *vault = NULL;
	SR_TRY(sr_cli_vault_get(cli, &vault));
	SR_CLEANUP(sr_json) json_t *properties = json_object();
	if (action || bypass) {
		json_t *acls = json_deep_copy(json_object_get(json_object_get(vault, "properties"), "networkAcls"));
		sr_json_set_string(acls, "defaultAction", action);
		sr_json_set_string(acls, "bypass", bypass);
		sr_json_set(properties, "networkAcls", acls);
	}
	sr_json_set_string(properties, "publicNetworkAccess", is_public);
	if (!json_object_size(properties)) {
		return sr_fail(SR_INVALID, "nothing to change: say --default-action, --bypass or --public-access");
	}
	return sr_cli_vault_patch(cli, properties);
}

/* The rules without the one that is written like `range`; a single address is kept with its prefix. */
static bool take_out(json_t *rules, const char *range)
{
	size_t at;
	const json_t *rule;
	json_array_foreach(rules, at, rule)
	{
		const char *text = sr_cli_text(rule, "value");
		const size_t len = strlen(range);
		const bool is_single = strcmp(text + strcspn(text, "/"), "/32") == 0 || strstr(text, "/128");
		if (is_same(text, range) || (is_single && strncmp(text, range, len) == 0 && text[len] == '/')) {
			json_array_remove(rules, at);
			return true;
		}
	}
	return false;
}

static struct sr_result change_rules(struct sr_cli *cli, bool is_addition)
{
	SR_CLEANUP(sr_json) json_t *vault = NULL;
	SR_CLEANUP(sr_json) json_t *properties = json_object();
	SR_TRY(sr_cli_vault_get(cli, &vault));
	json_t *acls = json_deep_copy(json_object_get(json_object_get(vault, "properties"), "networkAcls"));
	json_t *rules = json_object_get(acls, "ipRules");
	sr_json_set(properties, "networkAcls", acls);
	const bool was_there = take_out(rules, cli->arguments[1]);
	if (!is_addition && !was_there) {
		return sr_fail(SR_NOT_FOUND, "vault %s has no rule %s", cli->arguments[0], cli->arguments[1]);
	}
	if (is_addition) {
		json_array_append_new(rules, json_pack("{s:s}", "value", cli->arguments[1]));
	}
	return sr_cli_vault_patch(cli, properties);
}

static struct sr_result vault_network_add(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return change_rules(cli, true);
}

static struct sr_result vault_network_remove(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return change_rules(cli, false);
}

const struct sr_command sr_vault_access_commands[] = {
    {
        .words = "vault policy set",
        .synopsis = "NAME --object-id ID [--keys LIST] [--secrets LIST] [--certificates LIST]",
        .summary = "say what a principal or group may do in a vault",
        .text = "Lists are Azure's names of permissions, separated by commas: get,list or all (which is all but\n"
                "purge). Kinds that are not named stay as they were.",
        .options = {SR_CLI_FORMAT,
                    {"object-id", "ID", "the principal or group"},
                    {"application-id", "ID", "only by way of this client"},
                    {"keys", "LIST", "such as get,wrapKey,unwrapKey"},
                    {"secrets", "LIST", "such as get,list"},
                    {"certificates", "LIST", "such as get,list"},
                    {"storage", "LIST", "kept for clients that send it"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = vault_policy_set,
    },
    {
        .words = "vault policy remove",
        .synopsis = "NAME --object-id ID [--application-id ID]",
        .summary = "take a principal's or group's permissions away",
        .text = "Holds from the next request on.",
        .options = {SR_CLI_FORMAT,
                    {"object-id", "ID", "the principal or group"},
                    {"application-id", "ID", "the policy for this client"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = vault_policy_remove,
    },
    {
        .words = "vault network set",
        .synopsis = "NAME [--default-action Allow|Deny] [--public-access Enabled|Disabled]",
        .summary = "open a vault to every address, to its rules, or to none",
        .text = "With Deny only addresses of the vault's rules come in; with public access Disabled nobody does but\n"
                "this machine's administrator, by the command line.",
        .options = {SR_CLI_FORMAT,
                    {"default-action", "Allow|Deny", "for addresses that no rule names"},
                    {"public-access", "Enabled|Disabled", "whether the vault is reached by network at all"},
                    {"bypass", "AzureServices|None", "kept for clients that read it"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = vault_network_set,
    },
    {
        .words = "vault network add",
        .synopsis = "NAME RANGE",
        .summary = "let an address or a range in",
        .text = "RANGE is an address or CIDR: 10.1.2.3, 10.1.0.0/16, fd00::/8.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 2,
        .most_arguments = 2,
        .run = vault_network_add,
    },
    {
        .words = "vault network remove",
        .synopsis = "NAME RANGE",
        .summary = "take an address or a range out",
        .text = "RANGE as vault show writes it.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 2,
        .most_arguments = 2,
        .run = vault_network_remove,
    },
    {0},
};
