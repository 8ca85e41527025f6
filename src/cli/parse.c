/* Reading the line: settings from file, environment and flags; the command's options; the rest. */
#include "cli/command.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *sr_cli_option(const struct sr_cli *cli, const char *name)
{
	for (size_t i = 0; i < SR_CLI_OPTIONS_MAX && cli->command->options[i].name; i++) {
		if (strcmp(cli->command->options[i].name, name) == 0) {
			return cli->values[i];
		}
	}
	return NULL;
}

struct sr_result sr_cli_number(const struct sr_cli *cli, const char *name, uint64_t absent, uint64_t *ret_number)
{
	const char *text = sr_cli_option(cli, name);
	SR_CLEANUP(sr_result)
	struct sr_result parsed = text ? sr_parse_u64(sr_bytes_str(text), INT64_MAX, &absent) : sr_ok();
	if (!sr_is_ok(parsed)) {
		return sr_fail(SR_INVALID, "--%s %s: expected a number", name, text);
	}
	*ret_number = absent;
	return sr_ok();
}

bool sr_cli_wants_json(const struct sr_cli *cli)
{
	const char *format = sr_cli_option(cli, "format");
	return format && strcmp(format, "json") == 0;
}

/* Where the state lives if nobody says: the system's place for root, the user's own otherwise. */
static void default_state(struct sr_config *config)
{
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	if (geteuid() == 0) {
		snprintf(config->state, sizeof config->state, "/var/lib/strongroom");
	} else if (data && *data) {
		snprintf(config->state, sizeof config->state, "%s/strongroom", data);
	} else if (home && *home) {
		snprintf(config->state, sizeof config->state, "%s/.local/share/strongroom", home);
	}
}

/* The flag's value: behind '=', or the next word. */
static struct sr_result take_value(int count, char **words, int *at, const char *inline_value, const char **ret_value)
{
	if (!inline_value) {
		if (*at + 1 >= count) {
			return sr_fail(SR_INVALID, "%s needs a value", words[*at]);
		}
		inline_value = words[++*at];
	}
	*ret_value = inline_value;
	return sr_ok();
}

static int find_option(const struct sr_command *command, const char *name)
{
	for (int i = 0; i < SR_CLI_OPTIONS_MAX && command->options[i].name; i++) {
		if (strcmp(command->options[i].name, name) == 0) {
			return i;
		}
	}
	return -1;
}

/* Where the option's argument is written as a choice ("json|text"), the value must be one of it. */
static struct sr_result check_choice(const struct sr_cli_option *option, const char *value)
{
	if (!strchr(option->argument, '|')) {
		return sr_ok();
	}
	size_t len = strlen(value);
	for (const char *choice = option->argument; choice; choice = strchr(choice, '|')) {
		choice += *choice == '|';
		if (strcspn(choice, "|") == len && strncmp(choice, value, len) == 0) {
			return sr_ok();
		}
	}
	return sr_fail(SR_INVALID, "--%s %s: expected %s", option->name, value, option->argument);
}

static bool is_setting(const char *name)
{
	for (size_t i = 0; sr_setting_at(i); i++) {
		if (strcmp(sr_setting_at(i)->name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* A flag that is put aside until the file and the environment are read. */
struct flag {
	const char *name, *value;
};

struct line {
	struct flag flags[64];
	size_t flag_count;
	const char *config_file;
};

static struct sr_result take_flag(struct sr_cli *cli, struct line *line, int count, char **words, int *at)
{
	char *name = sr_arena_strdup(cli->arena, words[*at] + 2);
	char *equals = strchr(name, '=');
	const char *value = NULL;
	if (equals) {
		*equals = 0;
		value = equals + 1;
	}
	int option = find_option(cli->command, name);
	if (option >= 0 && !cli->command->options[option].argument) {
		cli->values[option] = "";
		return sr_ok();
	}
	if (option < 0 && !is_setting(name) && strcmp(name, "config") != 0) {
		return sr_fail(SR_INVALID, "there is no option --%s", name);
	}
	SR_TRY(take_value(count, words, at, value, &value));
	if (option >= 0) {
		SR_TRY(check_choice(&cli->command->options[option], value));
		cli->values[option] = value;
	} else if (strcmp(name, "config") == 0) {
		line->config_file = value;
	} else if (line->flag_count < sizeof line->flags / sizeof *line->flags) {
		line->flags[line->flag_count++] = (struct flag){name, value};
	}
	return sr_ok();
}

static struct sr_result read_line(struct sr_cli *cli, struct line *line, int count, char **words)
{
	for (int at = 0; at < count && !cli->rest; at++) {
		if (strcmp(words[at], "--") == 0) {
			cli->rest = words + at + 1; /* another program's: nothing of it is ours */
		} else if (strncmp(words[at], "--", 2) == 0) {
			SR_TRY(take_flag(cli, line, count, words, &at));
		} else if (cli->argument_count < SR_CLI_ARGUMENTS_MAX) {
			cli->arguments[cli->argument_count++] = words[at];
		} else {
			return sr_fail(SR_INVALID, "'%s' is one word too many", words[at]);
		}
	}
	if (cli->argument_count < cli->command->least_arguments) {
		return sr_fail(SR_INVALID, "something is missing: strongroom %s %s", cli->command->words,
		               cli->command->synopsis);
	}
	if (cli->argument_count > cli->command->most_arguments) {
		return sr_fail(SR_INVALID, "'%s' is one word too many", cli->arguments[cli->command->most_arguments]);
	}
	return sr_ok();
}

/* What wins over the file: the environment, then the flags. */
static struct sr_result set_stronger(struct sr_config *config, const struct line *line)
{
	SR_TRY(sr_config_read_environment(config));
	for (size_t i = 0; i < line->flag_count; i++) {
		SR_TRY(sr_config_set(config, line->flags[i].name, line->flags[i].value));
	}
	return sr_ok();
}

/* Services run in another folder: the state directory's name must hold from anywhere. */
static struct sr_result make_absolute(struct sr_config *config)
{
	if (config->state[0] == '/' || !*config->state) {
		return sr_ok();
	}
	char here[SR_CONFIG_TEXT_LEN];
	char whole[2 * SR_CONFIG_TEXT_LEN];
	if (!getcwd(here, sizeof here)) {
		return sr_fail_errno(errno, "find the current folder");
	}
	snprintf(whole, sizeof whole, "%s/%s", here, config->state);
	return sr_config_set(config, "state", whole);
}

/* Settings in the order of their strength. The state directory is needed first, as the file lies in it. */
static struct sr_result read_settings(struct sr_config *config, const struct line *line)
{
	struct sr_config first;
	sr_config_defaults(&first);
	default_state(&first);
	*config = first;
	SR_TRY(set_stronger(config, line));
	SR_TRY(make_absolute(config));
	char path[SR_CONFIG_TEXT_LEN + 32];
	snprintf(path, sizeof path, "%s/strongroom.conf", config->state);
	const char *file = line->config_file ? line->config_file : path;
	snprintf(first.state, sizeof first.state, "%s", config->state);
	*config = first;
	struct sr_result read = sr_config_read_file(config, file);
	if (sr_result_code(read) == SR_NOT_FOUND && !line->config_file) {
		sr_result_free(read);
		read = sr_ok();
	}
	SR_TRY(read);
	SR_TRY(set_stronger(config, line));
	SR_TRY(make_absolute(config));
	return sr_config_finish(config);
}

struct sr_result sr_cli_parse(struct sr_cli *cli, const struct sr_command *command, int count, char **words)
{
	struct line line = {0};
	cli->command = command;
	SR_TRY(read_line(cli, &line, count, words));
	if (strcmp(command->words, "service") == 0) {
		return sr_ok(); /* its settings come from the supervisor */
	}
	return read_settings(&cli->config, &line);
}
