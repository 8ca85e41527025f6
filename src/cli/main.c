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
#define SERVICE_OPTION                                       \
	{                                                        \
		"service", "NAME", "vault (the default) or identity" \
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
    {"audit show",
     "[--service S] [--after SEQ] [--limit N] [--since T] [--until T] [--who ID] [--operation NAME] [--object PATH] "
     "[--outcome CODE] [--follow]",
     "show an audit log",
     "Shows the newest entries that fit, oldest first, each a line of JSON with its place in the chain; with --after "
     "the\n"
     "first ones behind that entry. What is not said does not matter. See docs/audit.md.",
     {FORMAT_OPTION,
      SERVICE_OPTION,
      {"after", "SEQ", "entries after this number"},
      {"limit", "N", "at most so many (default 50)"},
      {"since", "TIME", "from then on: 2026-11-24 or 2026-11-24T12:00:00Z"},
      {"until", "TIME", "before then"},
      {"who", "ID", "an object id, application id, name or service; local is the Unix socket"},
      {"operation", "NAME", "KeyCreate, KekOpen, ..."},
      {"object", "PATH", "it and what is below it: default/keys/mykey"},
      {"outcome", "CODE", "ok, refused (all but ok), or an error's code"},
      {"follow", NULL, "go on with what comes"}},
     0,
     0,
     false,
     sr_cli_audit_show},
    {"audit verify",
     "[--service S] [--anchor FILE] [--export FILE --public-key PEM]",
     "check an audit log's chain and signatures",
     "Exits 1 and names the first entry that does not fit if one was changed, removed or put in, or if the log is "
     "shorter\n"
     "than what was signed. With --anchor also if it does not contain that checkpoint: then it was rolled back. With\n"
     "--export it checks a file of `audit export` by the public key alone, on any machine; - is standard input.",
     {FORMAT_OPTION,
      SERVICE_OPTION,
      {"anchor", "FILE", "what `audit anchor` printed at some time"},
      {"export", "FILE", "check this file and not the installation"},
      {"public-key", "PEM", "what `audit public-key` printed, at the time of the export or before"}},
     0,
     0,
     false,
     sr_cli_audit_verify},
    {"audit export",
     "[--service S]",
     "write an audit log out, to be checked elsewhere",
     "Writes the whole log as lines of JSON: entries with their hashes, signed checkpoints, public keys.",
     {SERVICE_OPTION},
     0,
     0,
     false,
     sr_cli_audit_export},
    {"audit anchor",
     "[--service S]",
     "print the newest checkpoint, to be kept elsewhere",
     "Keep it where who runs this machine cannot change it; `audit verify --anchor` then tells a log that was set "
     "back.",
     {SERVICE_OPTION},
     0,
     0,
     false,
     sr_cli_audit_anchor},
    {"audit public-key",
     "[--service S]",
     "print the key that checks the log's signatures",
     "Prints PEM, for `audit verify --export` and for openssl.",
     {SERVICE_OPTION},
     0,
     0,
     false,
     sr_cli_audit_public_key},
    {"audit rotate-key",
     "[--service S]",
     "change the key that signs the log",
     "The old key signs for the new one and is destroyed. Prints the new public key.",
     {SERVICE_OPTION},
     0,
     0,
     false,
     sr_cli_audit_rotate_key},
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
