/* The command line: finds the subcommand and runs it. Services run behind the hidden command "service". */
#include "cli/command.h"

#include "base/result.h"

#include <stdio.h>
#include <string.h>

/* In the order of the help, under its headings. */
static const struct {
	const char *heading;
	const struct sr_command *commands;
} tables[] = {
    {"Installation and services", sr_init_commands},
    {"Installation and services", sr_serve_commands},
    {"Installation and services", sr_status_commands},
    {"Installation and services", sr_verify_commands},
    {"Installation and services", sr_help_commands},
    {"Keys", sr_key_commands},
    {"Secrets", sr_secret_commands},
    {"Certificates", sr_certificate_commands},
    {"Vaults", sr_vault_commands},
    {"Vaults", sr_vault_access_commands},
    {"Resource groups", sr_resource_group_commands},
    {"Storage accounts", sr_account_commands},
    {"Identity: applications", sr_principal_commands},
    {"Identity: applications", sr_identity_credential_commands},
    {"Identity: people", sr_identity_user_commands},
    {"Identity: managed identities", sr_managed_identity_commands},
    {"Identity: managed identities", sr_identity_run_commands},
    {"Identity: groups", sr_group_commands},
    {"Identity: roles and denials", sr_role_commands},
    {"Identity: management groups", sr_management_group_commands},
    {"Audit", sr_audit_commands},
    {"Backup", sr_backup_commands},
    {"Backup", sr_rollback_commands},
    {"Root of trust", sr_root_commands},
};

const struct sr_command *sr_command_at(size_t index)
{
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		for (const struct sr_command *command = tables[i].commands; command->words; command++) {
			if (index-- == 0) {
				return command;
			}
		}
	}
	return NULL;
}

const char *sr_command_heading(const struct sr_command *command)
{
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		for (const struct sr_command *each = tables[i].commands; each->words; each++) {
			if (each == command) {
				return tables[i].heading;
			}
		}
	}
	return "";
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

/* Whether help is asked for before any "--". */
static bool wants_help(int count, char **words)
{
	for (int i = 0; i < count && strcmp(words[i], "--") != 0; i++) {
		if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
			return true;
		}
	}
	return false;
}

/* A line that names no command: the help of a noun where that was asked for, else what may have been meant. */
static int run_unknown(int count, char **words, bool asks)
{
	if ((asks || wants_help(count, words)) && sr_cli_help_noun(stdout, count, words)) {
		return 0;
	}
	fputs("strongroom: there is no command '", stderr);
	for (int i = 0; i < count && i < 3 && words[i][0] != '-'; i++) {
		fprintf(stderr, "%s%s", i ? " " : "", words[i]);
	}
	fputs("'; strongroom --help lists them\n", stderr);
	if (!sr_cli_help_noun(stderr, count, words)) {
		sr_cli_suggest(stderr, count, words);
	}
	return 2;
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
	bool asks = strcmp(words[1], "help") == 0;
	int first = asks ? 2 : 1;
	int used;
	const struct sr_command *command = find(count - first, words + first, &used);
	if (!command && count - first > 1 && strcmp(words[first], "identity") == 0) {
		/* what is about identities may be said with the word or without: "identity principal list" */
		command = find(count - first - 1, words + first + 1, &used);
		first += command != NULL;
	}
	if (!command) {
		return run_unknown(count - first, words + first, asks);
	}
	if (asks || wants_help(count - first - used, words + first + used)) {
		sr_cli_help(command);
		return 0;
	}
	return run(command, count - first - used, words + first + used);
}
