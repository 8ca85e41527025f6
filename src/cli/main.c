/* The command line: finds the subcommand and runs it. Services run behind the hidden command "service". */
#include "cli/command.h"

#include "base/result.h"

#include <stdio.h>
#include <string.h>

static const struct sr_command *const tables[] = {
    sr_init_commands,
    sr_serve_commands,
    sr_status_commands,
    sr_verify_commands,
    sr_root_commands,
    sr_key_commands,
    sr_resource_group_commands,
    sr_vault_commands,
    sr_vault_access_commands,
    sr_secret_commands,
    sr_certificate_commands,
    sr_account_commands,
    sr_principal_commands,
    sr_audit_commands,
    sr_backup_commands,
    sr_rollback_commands,
    sr_help_commands,
    sr_group_commands,
    sr_role_commands,
    sr_management_group_commands,
    sr_managed_identity_commands,
    sr_identity_run_commands,
    sr_identity_credential_commands,
    sr_identity_user_commands,
};

const struct sr_command *sr_command_at(size_t index)
{
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
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
