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
    {"identity user create",
     "USER [--display NAME] [--role ROLE] [--scope SCOPE]",
     "make an account for a person",
     "Prints a first password, once; the person chooses their own at the first sign-in.",
     {FORMAT_OPTION,
      {"display", "NAME", "the name that is shown (default: the user name)"},
      {"role", "ROLE", "a role's name or id"},
      {"scope", "SCOPE", "where the role holds (default /)"}},
     1,
     1,
     false,
     sr_cli_identity_user_create},
    {"identity user list",
     "",
     "list people",
     "Lists people with their wrong passwords since the last right one, and who is locked until when.",
     {FORMAT_OPTION},
     0,
     0,
     false,
     sr_cli_identity_user_list},
    {"identity user show",
     "USER",
     "show a person",
     "By user name or object id; with the number of sign-ins that last.",
     {FORMAT_OPTION},
     1,
     1,
     false,
     sr_cli_identity_user_show},
    {"identity user reset-password",
     "USER",
     "give a person a new first password",
     "Ends all of their sign-ins and lifts a lock. The password is shown once.",
     {FORMAT_OPTION},
     1,
     1,
     false,
     sr_cli_identity_user_reset_password},
    {"identity user unlock",
     "USER",
     "lift the lock after wrong passwords",
     "Forgets the wrong passwords of a person.",
     {{0}},
     1,
     1,
     false,
     sr_cli_identity_user_unlock},
    {"identity user sign-out",
     "USER",
     "end all sign-ins of a person",
     "Their tokens are refused within a second; they can sign in again.",
     {{0}},
     1,
     1,
     false,
     sr_cli_identity_user_sign_out},
    {"identity user disable",
     "USER",
     "refuse a person from now on",
     "Ends all of their sign-ins; their tokens are refused within a second.",
     {{0}},
     1,
     1,
     false,
     sr_cli_identity_user_disable},
    {"identity user enable",
     "USER",
     "let a person in again",
     "They sign in anew: what they had before stays ended.",
     {{0}},
     1,
     1,
     false,
     sr_cli_identity_user_enable},
    {"identity user delete",
     "USER [--yes]",
     "delete a person",
     "With all of their role assignments and sign-ins.",
     {{"yes", NULL, "do not ask"}},
     1,
     1,
     false,
     sr_cli_identity_user_delete},
    {"identity client allow",
     "CLIENT-ID|az|powershell [--name NAME] [--resources LIST]",
     "let people sign in with an application",
     "Registers a public client: an application that holds no secret, such as az on a laptop. People are shown its "
     "name\n"
     "before they approve. Without --resources it may be used for every service of this installation.",
     {FORMAT_OPTION,
      {"name", "NAME", "what people are shown"},
      {"resources", "LIST",
       "resources, parted by spaces, such as \"https://vault.azure.net https://storage.azure.com\""}},
     1,
     1,
     false,
     sr_cli_identity_client_allow},
    {"identity client list",
     "",
     "list applications in which people sign in",
     "Lists public clients.",
     {FORMAT_OPTION},
     0,
     0,
     false,
     sr_cli_identity_client_list},
    {"identity client remove",
     "CLIENT-ID",
     "let nobody sign in with an application",
     "Ends the sign-ins that were made with it; their tokens are refused within a second.",
     {{0}},
     1,
     1,
     false,
     sr_cli_identity_client_remove},
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

/* The command whose words begin the line; the longest wins. */
static const struct sr_command *find(int count, char **words, int *ret_used)
{
	const struct sr_command *best = NULL;
	int used = 0;
	for (const struct sr_command *command = sr_commands; command->words; command++) {
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
	if (!command) {
		fprintf(stderr, "strongroom: there is no command '%s'; strongroom --help lists them\n", words[first]);
		return 2;
	}
	if (first == 2) {
		sr_cli_help(command);
		return 0;
	}
	for (int i = first + used; i < count; i++) {
		if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
			sr_cli_help(command);
			return 0;
		}
	}
	return run(command, count - first - used, words + first + used);
}
