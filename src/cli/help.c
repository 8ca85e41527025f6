/* Help, completion and the manual page, all from the command table and the settings table. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

/* The widest of the words of the commands under a heading. */
static int words_width(const char *heading)
{
	size_t width = 0;
	const struct sr_command *command;
	for (size_t index = 0; (command = sr_command_at(index)); index++) {
		bool counts = !command->is_hidden && strcmp(sr_command_heading(command), heading) == 0;
		width = counts && strlen(command->words) > width ? strlen(command->words) : width;
	}
	return (int)width;
}

static void help_all(void)
{
	puts("strongroom: an encrypted machine-learning workspace that speaks Azure's protocols\n\n"
	     "First steps:\n"
	     "  strongroom init                    make an installation; prints what clients need\n"
	     "  strongroom serve                   run it; the rest in another terminal\n"
	     "  strongroom key create mykey        make a key of yours\n"
	     "  strongroom account create data --key mykey\n"
	     "  strongroom key disable mykey       take it away; returns when nothing can read any more");
	const char *heading = "";
	int width = 0;
	const struct sr_command *command;
	for (size_t index = 0; (command = sr_command_at(index)); index++) {
		if (command->is_hidden) {
			continue;
		}
		if (strcmp(sr_command_heading(command), heading) != 0) {
			heading = sr_command_heading(command);
			width = words_width(heading);
			printf("\n%s:\n", heading);
		}
		printf("  %-*s  %s\n", width, command->words, command->summary);
	}
	puts(
	    "\nEvery command takes --state DIR (or STRONGROOM_STATE) and --config FILE; `strongroom COMMAND --help` tells\n"
	    "more, `strongroom help key` lists what goes on from a word.");
}

bool sr_cli_help_noun(FILE *out, int count, char **words)
{
	char prefix[128] = "";
	size_t len = 0;
	for (int i = 0; i < count && words[i][0] != '-' && len < sizeof prefix; i++) {
		len += (size_t)snprintf(prefix + len, sizeof prefix - len, "%s ", words[i]);
	}
	if (len == 0 || len >= sizeof prefix) {
		return false;
	}
	bool is_known = false;
	const struct sr_command *command;
	for (size_t index = 0; (command = sr_command_at(index)); index++) {
		bool is_shortened = strncmp(command->words, "identity ", 9) == 0;
		if (!command->is_hidden && (strncmp(command->words, prefix, len) == 0 ||
		                            (is_shortened && strncmp(command->words + 9, prefix, len) == 0))) {
			fprintf(out, "  strongroom %s %s\n      %s\n", command->words, command->synopsis, command->summary);
			is_known = true;
		}
	}
	return is_known;
}

static void help_settings(void)
{
	puts("\nSettings (also in STATE/strongroom.conf, and as STRONGROOM_… in the environment):");
	for (size_t i = 0; sr_setting_at(i); i++) {
		const struct sr_setting *setting = sr_setting_at(i);
		char left[64];
		snprintf(left, sizeof left, "--%s %s", setting->name, setting->argument);
		printf("  %-34s %s%s%s%s\n", left, setting->description, *setting->default_text ? " (" : "",
		       setting->default_text, *setting->default_text ? ")" : "");
	}
}

void sr_cli_help(const struct sr_command *command)
{
	if (!command) {
		help_all();
		return;
	}
	printf("strongroom %s %s\n\n%s\n", command->words, command->synopsis, command->text);
	if (command->options[0].name) {
		puts("\nOptions:");
	}
	for (size_t i = 0; i < SR_CLI_OPTIONS_MAX && command->options[i].name; i++) {
		char left[64];
		snprintf(left, sizeof left, "--%s %s", command->options[i].name,
		         command->options[i].argument ? command->options[i].argument : "");
		printf("  %-34s %s\n", left, command->options[i].description);
	}
	if (strcmp(command->words, "serve") == 0 || strcmp(command->words, "init") == 0) {
		help_settings();
	} else {
		puts("  --state DIR                        the installation's state directory");
	}
}

/* The length of a command's first `count` words; 0 if it has no more than those. */
static size_t prefix_len(const char *words, size_t count)
{
	size_t len = 0;
	for (size_t i = 0; i < count && words[len]; i++) {
		len += len > 0;
		len += strcspn(words + len, " ");
	}
	return words[len] ? len : 0;
}

static bool has_prefix(const struct sr_command *command, const char *prefix, size_t len)
{
	return !command->is_hidden && strncmp(command->words, prefix, len) == 0 && (len == 0 || command->words[len] == ' ');
}

/* Which words may follow the first `len` bytes of a command's, each once. */
static void complete_prefix(const char *prefix, size_t len)
{
	printf("    \"%.*s\") next=\"%s", (int)len, prefix, len ? "" : "help --version");
	const struct sr_command *command;
	for (size_t index = 0; (command = sr_command_at(index)); index++) {
		const char *word = command->words + len + (len > 0);
		size_t word_len = has_prefix(command, prefix, len) ? strcspn(word, " ") : 0;
		bool is_known = false;
		for (size_t before = 0; before < index && !is_known; before++) {
			const char *other = sr_command_at(before)->words;
			is_known = has_prefix(sr_command_at(before), prefix, len) &&
			           strncmp(other + len + (len > 0), word, word_len) == 0 &&
			           strcspn(other + len + (len > 0), " ") == word_len;
		}
		if (word_len && !is_known) {
			printf(" %.*s", (int)word_len, word);
		}
	}
	puts("\" ;;");
}

/* Every line that some command goes on from. */
static void complete_words(void)
{
	complete_prefix("", 0);
	const struct sr_command *command;
	for (size_t index = 0; (command = sr_command_at(index)); index++) {
		for (size_t count = 1; !command->is_hidden && prefix_len(command->words, count); count++) {
			size_t len = prefix_len(command->words, count);
			bool is_known = false;
			for (size_t before = 0; before < index && !is_known; before++) {
				is_known = has_prefix(sr_command_at(before), command->words, len);
			}
			if (!is_known) {
				complete_prefix(command->words, len);
			}
		}
	}
}

static struct sr_result print_completion(struct sr_cli *cli, int *ret_status)
{
	(void)cli;
	(void)ret_status;
	puts("_strongroom() {\n"
	     "  local line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" word=\"${COMP_WORDS[COMP_CWORD]}\" next=\"\"\n"
	     "  case \"$line\" in");
	const struct sr_command *command;
	for (size_t index = 0; (command = sr_command_at(index)); index++) {
		if (command->is_hidden) {
			continue;
		}
		printf("    \"%s\"*) next=\"--state --config --help", command->words);
		for (size_t i = 0; i < SR_CLI_OPTIONS_MAX && command->options[i].name; i++) {
			printf(" --%s", command->options[i].name);
		}
		puts("\" ;;");
	}
	complete_words();
	puts("  esac\n"
	     "  COMPREPLY=($(compgen -W \"$next\" -- \"$word\"))\n"
	     "}\n"
	     "complete -F _strongroom strongroom");
	return sr_ok();
}

/* Prints text with troff's special characters escaped. */
static void print_troff(const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '\\' || *c == '-') {
			putchar('\\');
		} else if ((*c == '.' || *c == '\'') && (c == text || c[-1] == '\n')) {
			fputs("\\&", stdout);
		}
		putchar(*c);
	}
	putchar('\n');
}

static struct sr_result print_manual(struct sr_cli *cli, int *ret_status)
{
	(void)cli;
	(void)ret_status;
	puts(".TH STRONGROOM 1\n.SH NAME\nstrongroom \\- an encrypted machine\\-learning workspace that speaks Azure's "
	     "protocols\n"
	     ".SH SYNOPSIS\n.B strongroom\n.I COMMAND\n[\\-\\-state DIR] [\\-\\-config FILE] ...\n.SH COMMANDS");
	const struct sr_command *command;
	for (size_t index = 0; (command = sr_command_at(index)); index++) {
		if (command->is_hidden) {
			continue;
		}
		fputs(".TP\n.B ", stdout);
		char line[256];
		snprintf(line, sizeof line, "%s %s", command->words, command->synopsis);
		print_troff(line);
		print_troff(command->text);
	}
	puts(
	    ".SH SETTINGS\nIn STATE/strongroom.conf as NAME = VALUE, as flags, and as STRONGROOM_NAME in the environment.");
	for (size_t i = 0; sr_setting_at(i); i++) {
		const struct sr_setting *setting = sr_setting_at(i);
		fputs(".TP\n.B ", stdout);
		print_troff(setting->name);
		char text[512];
		snprintf(text, sizeof text, "%s%s%s", setting->description, *setting->default_text ? "; default " : "",
		         setting->default_text);
		print_troff(text);
	}
	puts(".SH EXIT STATUS\n0 for success, 1 for a failure or a finding, 2 for a line that cannot be understood.");
	return sr_ok();
}

static struct sr_result run_config(struct sr_cli *cli, int *ret_status)
{
	(void)cli;
	(void)ret_status;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(16384);
	sr_config_write_default(&text);
	fputs(sr_buf_text(&text), stdout);
	return sr_buf_result(&text);
}

const struct sr_command sr_help_commands[] = {
    {
        .words = "config",
        .synopsis = "",
        .summary = "print the commented default configuration",
        .text = "Write it to STATE/strongroom.conf and change what you need.",
        .run = run_config,
    },
    {
        .words = "completion",
        .synopsis = "",
        .summary = "print a completion script for bash",
        .text = "Use: source <(strongroom completion)",
        .is_hidden = true,
        .run = print_completion,
    },
    {
        .words = "manual",
        .synopsis = "",
        .summary = "print the manual page",
        .text = "In troff, for man(1).",
        .is_hidden = true,
        .run = print_manual,
    },
    {0},
};
