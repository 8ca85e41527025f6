/* The command line: finds the subcommand and runs it. Services run behind the hidden command "service". */
#include "cli/command.h"
#include "cli/commands.h"

#include "base/result.h"

#include <stdio.h>
#include <string.h>

#define FORMAT_OPTION                                         \
	{                                                         \
		"format", "json|text", "what to print (default text)" \
	}

const struct sr_command sr_commands[] = {
    {"init",
     "[--admin NAME] [--format text|json|env]",
     "make a new installation",
     "Makes the state directory, the root key, the internal certificate authority, a tenant and a first\n"
     "administrator, and prints what a client needs. The administrator's secret is shown once.\n"
     "Keep a copy of the root key in a safe place: without it the data cannot be read by anyone.",
     {{"format", "text|json|env", "what to print (default text)"},
      {"admin", "NAME", "the administrator's name (default admin)"}},
     0,
     0,
     false,
     sr_cli_init},
    {"serve",
     "",
     "run the services until told to stop",
     "Starts vault, identity and blob as confined processes, restarts one that dies, and stops all in order on\n"
     "SIGINT or SIGTERM. Tells systemd when all serve (Type=notify) and feeds its watchdog.",
     {{0}},
     0,
     0,
     false,
     sr_cli_serve},
    {"status",
     "[--format json|text]",
     "show services, keys, leases and accounts",
     "Shows what runs, which keys the services hold under lease now, and the state of every account.\n"
     "Exits 1 if a service is down.",
     {FORMAT_OPTION},
     0,
     0,
     false,
     sr_cli_status},
    {"verify",
     "[--format json|text]",
     "read everything at rest and check every seal",
     "Reads each page of each database, each chunk of each extent, each sealed key and the audit chain, and reports\n"
     "what does not open. Changes nothing. Exits 1 if something is damaged; accounts whose key is disabled are\n"
     "listed as passed over.",
     {FORMAT_OPTION},
     0,
     0,
     false,
     sr_cli_verify},
    {"census",
     "KEY [--vault VAULT] [--format json|text]",
     "count what lies under each version of a key",
     "Lists, for each version of a key, the accounts whose data it protects, with their objects and bytes.",
     {FORMAT_OPTION, {"vault", "VAULT", "the key's vault (default \"default\")"}},
     1,
     1,
     false,
     sr_cli_census},
    {"key create",
     "KEY [--type RSA|EC|oct] [--size BITS] [--curve NAME] [--vault VAULT]",
     "make a key, or a new version of one",
     "Makes a key in the vault: RSA 2048 (the default), 3072 or 4096; EC P-256, P-384, P-521, P-256K; oct 128, 192, "
     "256.",
     {FORMAT_OPTION,
      {"vault", "VAULT", "the vault (default \"default\")"},
      {"type", "TYPE", "RSA, EC or oct (default RSA)"},
      {"size", "BITS", "for RSA and oct (default 2048 and 256)"},
      {"curve", "NAME", "for EC (default P-256)"}},
     1,
     1,
     false,
     sr_cli_key_create},
    {"key list",
     "[--vault VAULT]",
     "list keys",
     "Lists the keys of a vault with their newest version and state.",
     {FORMAT_OPTION, {"vault", "VAULT", "the vault (default \"default\")"}},
     0,
     0,
     false,
     sr_cli_key_list},
    {"key show",
     "KEY [--vault VAULT]",
     "show a key's versions",
     "Shows each version of a key, its state and its dates.",
     {FORMAT_OPTION, {"vault", "VAULT", "the vault (default \"default\")"}},
     1,
     1,
     false,
     sr_cli_key_show},
    {"key rotate",
     "KEY [--vault VAULT]",
     "make a new version and rewrap what follows it",
     "Makes a new version. Accounts that follow the newest version are rewrapped in the same step; no data moves and\n"
     "no request fails meanwhile.",
     {FORMAT_OPTION, {"vault", "VAULT", "the vault (default \"default\")"}},
     1,
     1,
     false,
     sr_cli_key_rotate},
    {"key disable",
     "KEY [--version V] [--vault VAULT] [--yes]",
     "take a key away, after showing what will stop",
     "Shows the accounts, objects and holders that depend on the key, asks, and disables every version (or the one\n"
     "given). Returns when no service can use it any more, and says how long that took.",
     {FORMAT_OPTION,
      {"vault", "VAULT", "the vault (default \"default\")"},
      {"version", "V", "only this version"},
      {"yes", NULL, "do not ask"},
      {"dry-run", NULL, "only show what would stop"}},
     1,
     1,
     false,
     sr_cli_key_disable},
    {"key enable",
     "KEY [--version V] [--vault VAULT]",
     "give a key back",
     "Enables every version of a key, or the one given.",
     {FORMAT_OPTION, {"vault", "VAULT", "the vault (default \"default\")"}, {"version", "V", "only this version"}},
     1,
     1,
     false,
     sr_cli_key_enable},
    {"vault create",
     "NAME [--group G] [--location L] [--access roles|policies] [--purge-protection]",
     "make a vault",
     "Makes a vault of its own name, keys and rules. Clients reach it as https://NAME.vault.localhost:8442. It goes "
     "by\n"
     "role assignments unless --access says policies.",
     {FORMAT_OPTION,
      {"group", "G", "its resource group (default \"default\")"},
      {"location", "L", "its location, any word (default \"local\")"},
      {"access", "roles|policies", "what allows operations on keys, secrets and certificates (default roles)"},
      {"sku", "standard|premium", "premium has hardware keys, where there is a module (default standard)"},
      {"retention-days", "N", "how long what is deleted can be recovered, 7 to 90; never changes (default 90)"},
      {"purge-protection", NULL, "let nothing be purged before that time; cannot be undone"}},
     1,
     1,
     false,
     sr_cli_vault_create},
    {"vault show",
     "NAME",
     "show a vault, its access policies and network rules",
     "Shows how a vault is set up.",
     {FORMAT_OPTION},
     1,
     1,
     false,
     sr_cli_vault_show},
    {"vault list",
     "[--deleted]",
     "list vaults",
     "Lists vaults, or with --deleted those that can be recovered.",
     {FORMAT_OPTION, {"deleted", NULL, "the deleted ones"}},
     0,
     0,
     false,
     sr_cli_vault_list},
    {"vault update",
     "NAME [--access roles|policies] [--purge-protection]",
     "change how a vault decides, or protect it",
     "Changes hold from the next request on.",
     {FORMAT_OPTION,
      {"access", "roles|policies", "what allows operations on keys, secrets and certificates"},
      {"purge-protection", NULL, "let nothing be purged before its time; cannot be undone"}},
     1,
     1,
     false,
     sr_cli_vault_update},
    {"vault delete",
     "NAME [--yes]",
     "delete a vault; it can be recovered",
     "Returns when no service can use a key of the vault any more. Its name stays taken until it is purged.",
     {FORMAT_OPTION, {"yes", NULL, "do not ask"}},
     1,
     1,
     false,
     sr_cli_vault_delete},
    {"vault recover",
     "NAME",
     "bring a deleted vault back",
     "With everything in it, and its access policies and network rules.",
     {FORMAT_OPTION},
     1,
     1,
     false,
     sr_cli_vault_recover},
    {"vault purge",
     "NAME [--yes]",
     "destroy a deleted vault for good",
     "Destroys its keys, secrets and certificates, and with its keys all data that lies under them. Refused before "
     "its\n"
     "time where the vault is protected.",
     {FORMAT_OPTION, {"yes", NULL, "do not ask"}},
     1,
     1,
     false,
     sr_cli_vault_purge},
    {"vault policy set",
     "NAME --object-id ID [--keys LIST] [--secrets LIST] [--certificates LIST]",
     "say what a principal or group may do in a vault",
     "Lists are Azure's names of permissions, separated by commas: get,list or all (which is all but purge). Kinds "
     "that\n"
     "are not named stay as they were.",
     {FORMAT_OPTION,
      {"object-id", "ID", "the principal or group"},
      {"application-id", "ID", "only by way of this client"},
      {"keys", "LIST", "such as get,wrapKey,unwrapKey"},
      {"secrets", "LIST", "such as get,list"},
      {"certificates", "LIST", "such as get,list"},
      {"storage", "LIST", "kept for clients that send it"}},
     1,
     1,
     false,
     sr_cli_vault_policy_set},
    {"vault policy remove",
     "NAME --object-id ID [--application-id ID]",
     "take a principal's or group's permissions away",
     "Holds from the next request on.",
     {FORMAT_OPTION,
      {"object-id", "ID", "the principal or group"},
      {"application-id", "ID", "the policy for this client"}},
     1,
     1,
     false,
     sr_cli_vault_policy_remove},
    {"vault network set",
     "NAME [--default-action Allow|Deny] [--public-access Enabled|Disabled]",
     "open a vault to every address, to its rules, or to none",
     "With Deny only addresses of the vault's rules come in; with public access Disabled nobody does but this "
     "machine's\n"
     "administrator, by the command line.",
     {FORMAT_OPTION,
      {"default-action", "Allow|Deny", "for addresses that no rule names"},
      {"public-access", "Enabled|Disabled", "whether the vault is reached by network at all"},
      {"bypass", "AzureServices|None", "kept for clients that read it"}},
     1,
     1,
     false,
     sr_cli_vault_network_set},
    {"vault network add",
     "NAME RANGE",
     "let an address or a range in",
     "RANGE is an address or CIDR: 10.1.2.3, 10.1.0.0/16, fd00::/8.",
     {FORMAT_OPTION},
     2,
     2,
     false,
     sr_cli_vault_network_add},
    {"vault network remove",
     "NAME RANGE",
     "take an address or a range out",
     "RANGE as vault show writes it.",
     {FORMAT_OPTION},
     2,
     2,
     false,
     sr_cli_vault_network_remove},
    {"vault operations",
     "",
     "list what clients can ask of a vault, and what it takes",
     "For each operation: its path, the permission that an access policy must grant, the data action that a role must.",
     {FORMAT_OPTION},
     0,
     0,
     false,
     sr_cli_vault_operations},
    {"secret set",
     "NAME [--file FILE] [--content-type TYPE] [--vault VAULT]",
     "keep a secret, or a new version of one",
     "Reads the value from standard input, or exactly from a file, and keeps it as the newest version. One line end "
     "is\n"
     "taken off what comes through a pipe; a terminal does not show what is typed. At most 25 KiB of UTF-8 text.",
     {FORMAT_OPTION,
      {"vault", "VAULT", "the vault (default \"default\")"},
      {"file", "FILE", "what to keep, instead of standard input"},
      {"content-type", "TYPE", "what it is, for who reads it: text/plain"}},
     1,
     1,
     false,
     sr_cli_secret_set},
    {"secret get",
     "NAME [--version V] [--vault VAULT]",
     "print a secret",
     "Prints the value of the newest version, or of the one given, and nothing else. Its reading is audited.",
     {FORMAT_OPTION, {"vault", "VAULT", "the vault (default \"default\")"}, {"version", "V", "only this version"}},
     1,
     1,
     false,
     sr_cli_secret_get},
    {"secret list",
     "[--deleted] [--vault VAULT]",
     "list secrets",
     "Lists the secrets of a vault, without their values.",
     {FORMAT_OPTION,
      {"vault", "VAULT", "the vault (default \"default\")"},
      {"deleted", NULL, "those that are deleted and can be recovered"}},
     0,
     0,
     false,
     sr_cli_secret_list},
    {"secret delete",
     "NAME [--purge] [--vault VAULT]",
     "delete a secret with all its versions",
     "Deletes a secret. It can be recovered for as long as the vault keeps what is deleted, unless it is purged.",
     {FORMAT_OPTION,
      {"vault", "VAULT", "the vault (default \"default\")"},
      {"purge", NULL, "for good, at once; refused under purge protection"}},
     1,
     1,
     false,
     sr_cli_secret_delete},
    {"secret recover",
     "NAME [--vault VAULT]",
     "recover a deleted secret",
     "Brings a deleted secret back with all its versions.",
     {FORMAT_OPTION, {"vault", "VAULT", "the vault (default \"default\")"}},
     1,
     1,
     false,
     sr_cli_secret_recover},
    {"account create",
     "NAME [--key KEY] [--vault VAULT] [--key-version V]",
     "make a storage account",
     "Makes a storage account under a service-managed key, or under a key of yours; without --key-version it follows\n"
     "the key's newest version. Prints its endpoint and access keys.",
     {FORMAT_OPTION,
      {"vault", "VAULT", "the key's vault (default \"default\")"},
      {"key", "KEY", "a customer-managed key"},
      {"key-version", "V", "a fixed version: rotation then waits for account rekey"}},
     1,
     1,
     false,
     sr_cli_account_create},
    {"account list",
     "",
     "list storage accounts",
     "Lists accounts with their key, state and size.",
     {FORMAT_OPTION},
     0,
     0,
     false,
     sr_cli_account_list},
    {"account keys",
     "NAME",
     "show an account's access keys",
     "Shows both access keys and a connection string.",
     {FORMAT_OPTION},
     1,
     1,
     false,
     sr_cli_account_keys},
    {"account regenerate-key",
     "NAME key1|key2",
     "replace one of an account's access keys",
     "Requests signed with the old one are refused from then on.",
     {FORMAT_OPTION},
     2,
     2,
     false,
     sr_cli_account_regenerate},
    {"account rekey",
     "NAME [--key KEY] [--vault VAULT] [--key-version V]",
     "put an account under another key",
     "Rewraps the account's key-encryption key under another key, or without --key under a service-managed one. No "
     "data moves.",
     {FORMAT_OPTION,
      {"vault", "VAULT", "the key's vault (default \"default\")"},
      {"key", "KEY", "a customer-managed key; without it: service-managed"},
      {"key-version", "V", "a fixed version"}},
     1,
     1,
     false,
     sr_cli_account_create},
    {"account delete",
     "NAME [--yes]",
     "delete an account and destroy its key",
     "Destroys the account's key-encryption key first: from then on no copy of its data can be read.",
     {FORMAT_OPTION, {"yes", NULL, "do not ask"}},
     1,
     1,
     false,
     sr_cli_account_delete},
    {"principal create",
     "NAME [--role ROLE] [--scope SCOPE]",
     "make a client with an id and a secret",
     "Makes a service principal. The secret is shown once.",
     {FORMAT_OPTION,
      {"role", "ROLE", "a role's name or id, such as \"Storage Blob Data Reader\""},
      {"scope", "SCOPE", "where the role holds (default /)"}},
     1,
     1,
     false,
     sr_cli_principal_create},
    {"principal list",
     "",
     "list clients",
     "Lists service principals.",
     {FORMAT_OPTION},
     0,
     0,
     false,
     sr_cli_principal_list},
    {"principal disable",
     "OBJECT-ID",
     "refuse a client from now on",
     "Its tokens are refused within a second.",
     {FORMAT_OPTION},
     1,
     1,
     false,
     sr_cli_principal_disable},
    {"principal enable",
     "OBJECT-ID",
     "let a client in again",
     "Undoes principal disable.",
     {FORMAT_OPTION},
     1,
     1,
     false,
     sr_cli_principal_enable},
    {"identity principal credentials",
     "PRINCIPAL",
     "list what proves a client",
     "Lists a principal's secrets, certificates and federated credentials, with their ids and times.",
     {FORMAT_OPTION},
     1,
     1,
     false,
     sr_cli_identity_credentials},
    {"identity principal add-secret",
     "PRINCIPAL [--days DAYS]",
     "give a client one more secret",
     "The secret is shown once. So that a secret can be exchanged: add one, change the client, remove the old one.",
     {FORMAT_OPTION, {"days", "DAYS", "how long it is good for (default: without end)"}},
     1,
     1,
     false,
     sr_cli_identity_add_secret},
    {"identity principal remove-secret",
     "PRINCIPAL SECRET-ID",
     "take a secret back",
     "Tokens that were got by it are refused within a second.",
     {{0}},
     2,
     2,
     false,
     sr_cli_identity_remove_secret},
    {"identity principal add-certificate",
     "PRINCIPAL FILE",
     "let a client prove itself by a certificate",
     "Registers the first certificate of a PEM file (RSA of 2048 to 4096 bits, or EC P-256). The client signs its\n"
     "assertions with the private key, which stays with it.",
     {FORMAT_OPTION},
     2,
     2,
     false,
     sr_cli_identity_add_certificate},
    {"identity principal remove-certificate",
     "PRINCIPAL CERTIFICATE",
     "take a certificate back",
     "By its id or thumbprint. Tokens that were got by it are refused within a second.",
     {{0}},
     2,
     2,
     false,
     sr_cli_identity_remove_certificate},
    {"identity principal add-federated",
     "PRINCIPAL --issuer URL --subject SUBJECT [--audience AUDIENCE]",
     "let a client prove itself by another issuer's token",
     "Takes tokens (of Kubernetes, say) whose issuer, subject and audience are exactly these. The issuer's keys are\n"
     "registered by identity federation set.",
     {FORMAT_OPTION,
      {"issuer", "URL", "the token's iss"},
      {"subject", "SUBJECT", "the token's sub, such as system:serviceaccount:NAMESPACE:NAME"},
      {"audience", "AUDIENCE", "the token's aud (default api://AzureADTokenExchange)"}},
     1,
     1,
     false,
     sr_cli_identity_add_federated},
    {"identity principal remove-federated",
     "PRINCIPAL CREDENTIAL-ID",
     "take a federated credential back",
     "Tokens that were got by it are refused within a second.",
     {{0}},
     2,
     2,
     false,
     sr_cli_identity_remove_federated},
    {"identity federation set",
     "ISSUER --jwks FILE",
     "register an outside issuer's keys",
     "FILE is the issuer's JWKS: what it publishes as its jwks_uri (for Kubernetes: kubectl get --raw "
     "/openid/v1/jwks).\n"
     "Set it again when the issuer changes its keys.",
     {{"jwks", "FILE", "the keys"}},
     1,
     1,
     false,
     sr_cli_identity_federation_set},
    {"identity federation list",
     "",
     "list outside issuers",
     "Lists issuers with the number of their keys.",
     {FORMAT_OPTION},
     0,
     0,
     false,
     sr_cli_identity_federation_list},
    {"identity federation remove",
     "ISSUER",
     "forget an outside issuer's keys",
     "Its tokens are refused from then on.",
     {{0}},
     1,
     1,
     false,
     sr_cli_identity_federation_remove},
    {"audit show",
     "[--after SEQ] [--limit N]",
     "show the vault's audit log",
     "Shows entries, oldest first.",
     {FORMAT_OPTION,
      {"after", "SEQ", "entries after this number (default 0)"},
      {"limit", "N", "at most so many (default 50)"}},
     0,
     0,
     false,
     sr_cli_audit_show},
    {"audit verify",
     "",
     "check the audit log's chain",
     "Exits 1 if an entry was changed, removed or put in.",
     {FORMAT_OPTION},
     0,
     0,
     false,
     sr_cli_audit_verify},
    {"config",
     "",
     "print the commented default configuration",
     "Write it to STATE/strongroom.conf and change what you need.",
     {{0}},
     0,
     0,
     false,
     sr_cli_config},
    {"completion",
     "",
     "print a completion script for bash",
     "Use: source <(strongroom completion)",
     {{0}},
     0,
     0,
     true,
     sr_cli_print_completion},
    {"manual", "", "print the manual page", "In troff, for man(1).", {{0}}, 0, 0, true, sr_cli_print_manual},
    {"service", "NAME", "run one service (started by serve)", "Not for people.", {{0}}, 1, 1, true, sr_cli_service},
    {NULL, NULL, NULL, NULL, {{0}}, 0, 0, false, NULL},
};

const struct sr_command *sr_command_at(size_t index)
{
	static const struct sr_command *const tables[] = {sr_commands, sr_identity_commands};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		for (const struct sr_command *command = tables[i]; command->words; command++) {
			if (index-- == 0) {
				return command;
			}
		}
	}
	return NULL;
}

/* The command whose words begin the line; the longest wins. */
static const struct sr_command *find(int count, char **words, int *ret_used)
{
	const struct sr_command *best = NULL;
	int used = 0;
	const struct sr_command *command;
	for (size_t index = 0; (command = sr_command_at(index)); index++) {
		char text[64];
		snprintf(text, sizeof text, "%s", command->words);
		int word = 0;
		char *rest = NULL;
		bool fits = true;
		for (char *part = strtok_r(text, " ", &rest); part; part = strtok_r(NULL, " ", &rest)) {
			fits = fits && word < count && strcmp(words[word], part) == 0;
			word++;
		}
		if (fits && word > used) {
			best = command;
			used = word;
		}
	}
	*ret_used = used;
	return best;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static int run(const struct sr_command *command, int count, char **words)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_cli *cli = sr_arena_alloc(arena, sizeof *cli);
	cli->arena = arena;
	int status = 0;
	struct sr_result outcome = sr_cli_parse(cli, command, count, words);
	if (!sr_is_ok(outcome)) {
		fprintf(stderr, "strongroom %s: %s\nTry: strongroom %s --help\n", command->words, sr_result_message(outcome),
		        command->words);
		sr_result_free(outcome);
		return 2;
	}
	outcome = command->run(cli, &status);
	if (!sr_is_ok(outcome)) {
		fprintf(stderr, "strongroom %s: %s\n", command->words, sr_result_message(outcome));
		status = 1;
	}
	sr_result_free(outcome);
	return status;
}

int main(int count, char **words)
{
	if (count < 2 || (count == 2 && is_help(words[1]))) {
		sr_cli_help(NULL);
		return count < 2 ? 2 : 0;
	}
	if (strcmp(words[1], "--version") == 0 || strcmp(words[1], "version") == 0) {
		puts("strongroom " SR_VERSION);
		return 0;
	}
	int first = strcmp(words[1], "help") == 0 ? 2 : 1;
	int used;
	const struct sr_command *command = find(count - first, words + first, &used);
	if (!command && count - first > 1 && strcmp(words[first], "identity") == 0) {
		first++; /* what is about identities may be said with the word or without: "identity principal list" */
		command = find(count - first, words + first, &used);
	}
	if (!command) {
		fprintf(stderr, "strongroom: there is no command '%s'; strongroom --help lists them\n", words[first]);
		return 2;
	}
	if (strcmp(words[1], "help") == 0) {
		sr_cli_help(command);
		return 0;
	}
	for (int i = first + used; i < count && strcmp(words[i], "--") != 0; i++) {
		if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
			sr_cli_help(command);
			return 0;
		}
	}
	return run(command, count - first - used, words + first + used);
}
