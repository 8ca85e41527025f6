/* account: storage accounts and their access keys. */
#include "cli/account.h"

#include <stdio.h>
#include <string.h>

static const char *account_target(struct sr_cli *cli, const char *tail)
{
	return sr_arena_printf(cli->arena, "/_strongroom/accounts/%s%s", sr_cli_escaped(cli, cli->arguments[0]), tail);
}

static void print_keys(struct sr_cli *cli, const json_t *account)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(account);
		return;
	}
	const char *name = sr_cli_text(account, "name");
	const char *endpoint =
	    sr_arena_printf(cli->arena, "https://127.0.0.1:%llu/%s", (unsigned long long)cli->config.blob_port, name);
	printf("account   %s\nendpoint  %s\nkey1      %s\nkey2      %s\nconnect   "
	       "DefaultEndpointsProtocol=https;AccountName=%s;"
	       "AccountKey=%s;BlobEndpoint=%s;\n",
	       name, endpoint, sr_cli_text(account, "key1"), sr_cli_text(account, "key2"), name,
	       sr_cli_text(account, "key1"), endpoint);
}

/* create and rekey: the same call, as the service makes what is missing and rewraps what is there. */
static struct sr_result account_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *key = sr_cli_option(cli, "key");
	const char *vault = sr_cli_option(cli, "vault");
	SR_CLEANUP(sr_json) json_t *existing = NULL;
	SR_CLEANUP(sr_result)
	struct sr_result found = sr_cli_call(cli, "blob", "GET", account_target(cli, ""), NULL, &existing);
	bool is_rekey = strcmp(cli->command->words, "account rekey") == 0;
	if (!sr_is_ok(found) && sr_result_code(found) != SR_NOT_FOUND) {
		return sr_fail(sr_result_code(found), "%s", sr_result_message(found));
	}
	if (is_rekey != sr_is_ok(found)) {
		return is_rekey ? sr_fail(SR_NOT_FOUND, "there is no account %s", cli->arguments[0])
		                : sr_fail(SR_EXISTS, "account %s exists; account rekey puts it under another key",
		                          cli->arguments[0]);
	}
	SR_CLEANUP(sr_json) json_t *body = json_object();
	if (key) {
		sr_json_set_string(body, "vault", vault ? vault : "default");
		sr_json_set_string(body, "key", key);
		sr_json_set_string(body, "version", sr_cli_option(cli, "key-version"));
	}
	SR_CLEANUP(sr_json) json_t *account = NULL;
	SR_TRY(sr_cli_call(cli, "blob", "PUT", account_target(cli, ""), body, &account));
	print_keys(cli, account);
	return sr_ok();
}

/* "service-managed" or "vault/key/version". */
static const char *key_text(struct sr_cli *cli, const json_t *key)
{
	if (json_is_true(json_object_get(key, "service_managed")) || !json_is_object(key)) {
		return "service-managed";
	}
	return sr_arena_printf(cli->arena, "%s/%s/%.8s%s", sr_cli_text(key, "vault"), sr_cli_text(key, "name"),
	                       sr_cli_text(key, "version"),
	                       json_is_true(json_object_get(key, "follows_latest")) ? " (latest)" : "");
}

static void print_accounts(struct sr_cli *cli, const json_t *accounts)
{
	const char *const headings[] = {"ACCOUNT", "STATE", "OBJECTS", "BYTES", "KEY"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 5);
	size_t at;
	json_t *account;
	json_array_foreach(accounts, at, account)
	{
		const char *reason = sr_cli_text(account, "reason");
		const json_t *objects = json_object_get(account, "objects");
		const char *const cells[] = {
		    sr_cli_text(account, "name"),
		    *reason ? sr_arena_printf(cli->arena, "%s (%s)", sr_cli_text(account, "state"), reason)
		            : sr_cli_text(account, "state"),
		    json_is_integer(objects) ? sr_arena_printf(cli->arena, "%lld", (long long)json_integer_value(objects))
		                             : "?",
		    json_is_integer(objects) ? sr_cli_size(cli, sr_cli_int(account, "bytes")) : "?",
		    key_text(cli, json_object_get(account, "key")),
		};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
}

struct sr_result sr_cli_list_accounts(struct sr_cli *cli)
{
	SR_CLEANUP(sr_json) json_t *status = NULL;
	SR_TRY(sr_cli_call(cli, "blob", "GET", "/_strongroom/status", NULL, &status));
	const json_t *accounts = json_object_get(status, "accounts");
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(accounts);
	} else {
		print_accounts(cli, accounts);
	}
	return sr_ok();
}

static struct sr_result account_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return sr_cli_list_accounts(cli);
}

static struct sr_result account_keys(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *keys = NULL;
	SR_TRY(sr_cli_call(cli, "blob", "GET", account_target(cli, "/keys"), NULL, &keys));
	print_keys(cli, keys);
	return sr_ok();
}

static struct sr_result account_regenerate(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:s}", "keyName", cli->arguments[1]);
	SR_CLEANUP(sr_json) json_t *keys = NULL;
	SR_TRY(sr_cli_call(cli, "blob", "POST", account_target(cli, "/regenerate-key"), body, &keys));
	print_keys(cli, keys);
	return sr_ok();
}

static struct sr_result account_delete(struct sr_cli *cli, int *ret_status)
{
	if (!sr_cli_option(cli, "yes") && !sr_cli_confirm("Destroy the account's key and delete its data for ever?")) {
		fprintf(stderr, "Nothing was changed. (Without a terminal, say --yes.)\n");
		*ret_status = 1;
		return sr_ok();
	}
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "blob", "DELETE", account_target(cli, ""), NULL, &answer));
	if (!sr_cli_wants_json(cli)) {
		printf("%s: its key is destroyed; no copy of its data can be read any more\n", cli->arguments[0]);
	}
	return sr_ok();
}

const struct sr_command sr_account_commands[] = {
    {
        .words = "account create",
        .synopsis = "NAME [--key KEY] [--vault VAULT] [--key-version V]",
        .summary = "make a storage account",
        .text = "Makes a storage account under a service-managed key, or under a key of yours; without\n"
                "--key-version it follows the key's newest version. Prints its endpoint and access keys.",
        .options = {SR_CLI_FORMAT,
                    {"vault", "VAULT", "the key's vault (default \"default\")"},
                    {"key", "KEY", "a customer-managed key"},
                    {"key-version", "V", "a fixed version: rotation then waits for account rekey"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = account_create,
    },
    {
        .words = "account list",
        .synopsis = "",
        .summary = "list storage accounts",
        .text = "Lists accounts with their key, state and size.",
        .options = {SR_CLI_FORMAT},
        .run = account_list,
    },
    {
        .words = "account keys",
        .synopsis = "NAME",
        .summary = "show an account's access keys",
        .text = "Shows both access keys and a connection string.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = account_keys,
    },
    {
        .words = "account regenerate-key",
        .synopsis = "NAME key1|key2",
        .summary = "replace one of an account's access keys",
        .text = "Requests signed with the old one are refused from then on.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 2,
        .most_arguments = 2,
        .run = account_regenerate,
    },
    {
        .words = "account rekey",
        .synopsis = "NAME [--key KEY] [--vault VAULT] [--key-version V]",
        .summary = "put an account under another key",
        .text = "Rewraps the account's key-encryption key under another key, or without --key under a\n"
                "service-managed one. No data moves.",
        .options = {SR_CLI_FORMAT,
                    {"vault", "VAULT", "the key's vault (default \"default\")"},
                    {"key", "KEY", "a customer-managed key; without it: service-managed"},
                    {"key-version", "V", "a fixed version"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = account_create,
    },
    {
        .words = "account delete",
        .synopsis = "NAME [--yes]",
        .summary = "delete an account and destroy its key",
        .text = "Destroys the account's key-encryption key first: from then on no copy of its data can be read.",
        .options = {SR_CLI_FORMAT, SR_CLI_YES},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = account_delete,
    },
    {0},
};
