/* What a subcommand is: a row of a table, its own options, and a function. Help, completion and the manual are made
 * from the same rows. */
#ifndef SR_CLI_COMMAND_H
#define SR_CLI_COMMAND_H

#include "base/arena.h"
#include "host/config.h"
#include "wire/json.h"

#include <stdio.h>

enum { SR_CLI_ARGUMENTS_MAX = 16, SR_CLI_OPTIONS_MAX = 12 };

struct sr_cli_option {
	const char *name;     /* "--format" without its dashes */
	const char *argument; /* NULL: a switch */
	const char *description;
};

/* One invocation: settings, the command's own options, and what stands on the line besides. */
struct sr_cli {
	struct sr_config config;
	const struct sr_command *command;
	const char *arguments[SR_CLI_ARGUMENTS_MAX + 1]; /* ended by NULL */
	size_t argument_count;
	char **rest;                            /* what follows "--", ended by NULL; NULL where there is none */
	const char *values[SR_CLI_OPTIONS_MAX]; /* beside command->options: NULL, "" for a switch, or the value */
	struct sr_arena *arena;
};

struct sr_command {
	const char *words;    /* "key disable" */
	const char *synopsis; /* what follows the words: "KEY [--version V] [--yes]" */
	const char *summary;  /* one line */
	const char *text;     /* paragraphs of the help */
	struct sr_cli_option options[SR_CLI_OPTIONS_MAX];
	size_t least_arguments, most_arguments;
	bool is_hidden;
	/* Prints its own output; *ret_status, 0 at first, is the exit status. */
	struct sr_result (*run)(struct sr_cli *cli, int *ret_status);
};

/* Options that many commands have, for their rows. */
#define SR_CLI_FORMAT                                         \
	{                                                         \
		"format", "json|text", "what to print (default text)" \
	}
#define SR_CLI_VAULT                                        \
	{                                                       \
		"vault", "VAULT", "the vault (default \"default\")" \
	}
#define SR_CLI_YES                \
	{                             \
		"yes", NULL, "do not ask" \
	}

/* The tables of commands, one a noun beside its functions, in the order of the help. Each ends with a row of nothing.
 */
extern const struct sr_command sr_init_commands[], sr_serve_commands[], sr_status_commands[], sr_verify_commands[],
    sr_root_commands[], sr_key_commands[], sr_vault_commands[], sr_vault_access_commands[], sr_secret_commands[],
    sr_certificate_commands[], sr_account_commands[], sr_principal_commands[], sr_audit_commands[],
    sr_backup_commands[], sr_rollback_commands[], sr_resource_group_commands[], sr_help_commands[], sr_group_commands[],
    sr_role_commands[], sr_management_group_commands[], sr_managed_identity_commands[], sr_identity_run_commands[],
    sr_identity_credential_commands[], sr_identity_user_commands[];
/* All commands, by position; NULL past the end. */
const struct sr_command *sr_command_at(size_t index);
/* What the help has a command of sr_command_at under. */
const char *sr_command_heading(const struct sr_command *command);

/* The value of one of the command's options, NULL if it was not given. */
const char *sr_cli_option(const struct sr_cli *cli, const char *name);
/* The same as a number; `absent` where it was not given. SR_INVALID names the option. */
SR_MUST struct sr_result sr_cli_number(const struct sr_cli *cli, const char *name, uint64_t absent,
                                       uint64_t *ret_number);
/* True if --format json was asked for. */
bool sr_cli_wants_json(const struct sr_cli *cli);

/* Reads the configuration (file, environment, flags) and the line after the command's words. */
SR_MUST struct sr_result sr_cli_parse(struct sr_cli *cli, const struct sr_command *command, int count, char **words);
/* Help for one command, or for all where it is NULL. */
void sr_cli_help(const struct sr_command *command);
/* Lists the commands that go on from the line's words, as "key" or "identity user"; false where there is none. */
bool sr_cli_help_noun(FILE *out, int count, char **words);
/* Prints up to three commands that a line which names none may have meant; nothing where none is near. */
void sr_cli_suggest(FILE *out, int count, char **words);

/*
 * One call to a service's Unix socket. `body` may be NULL (borrowed). An error status becomes a result with the
 * service's own message. *ret_answer (owned by the caller) may be NULL for an empty answer.
 */
SR_MUST struct sr_result sr_cli_call(struct sr_cli *cli, const char *service, const char *method, const char *target,
                                     const json_t *body, json_t **ret_answer);
/* The same for an answer that is no JSON (a certificate); appends it. */
SR_MUST struct sr_result sr_cli_call_text(struct sr_cli *cli, const char *service, const char *method,
                                          const char *target, const json_t *body, struct sr_buf *answer);
/* The same for an answer of JSON lines: `each` hears every line as it comes. */
SR_MUST struct sr_result sr_cli_call_lines(struct sr_cli *cli, const char *service, const char *method,
                                           const char *target,
                                           struct sr_result (*each)(const json_t *line, void *context), void *context);
/* The same with a body of any kind (may be empty). */
SR_MUST struct sr_result sr_cli_call_long(struct sr_cli *cli, const char *service, const char *method,
                                          const char *target, struct sr_bytes body,
                                          struct sr_result (*each)(const json_t *line, void *context), void *context);
/* The same for an answer that is passed on as it comes. */
SR_MUST struct sr_result sr_cli_call_stream(struct sr_cli *cli, const char *service, const char *method,
                                            const char *target,
                                            struct sr_result (*on_bytes)(struct sr_bytes bytes, void *context),
                                            void *context);
/* What a person wrote, percent-encoded to stand in a target; the service then judges it. In the arena. */
const char *sr_cli_escaped(struct sr_cli *cli, const char *text);
/* A member's text, or "" */
const char *sr_cli_text(const json_t *object, const char *name);
int64_t sr_cli_int(const json_t *object, const char *name);
/* Prints a JSON document, indented, and a line end. */
void sr_cli_print_json(const json_t *value);
/* "2026-11-24 12:00:00Z" of Unix seconds; "-" for 0. In the arena. */
const char *sr_cli_time(struct sr_cli *cli, int64_t unix_s);
/* "1.5 GiB". In the arena. */
const char *sr_cli_size(struct sr_cli *cli, int64_t bytes);

/* A table on standard output: rows of cells, columns as wide as needed. */
struct sr_cli_table;
struct sr_cli_table *sr_cli_table_new(struct sr_cli *cli, const char *const *headings, size_t column_count);
void sr_cli_table_row(struct sr_cli_table *table, const char *const *cells);
void sr_cli_table_print(const struct sr_cli_table *table);

/* A list of objects as a table of their texts, or as JSON if that was asked for. */
struct sr_cli_column {
	const char *heading, *member;
};
void sr_cli_print_list(struct sr_cli *cli, const json_t *list, const struct sr_cli_column *columns,
                       size_t column_count);

/* Asks on the terminal; false where the answer is not yes or there is no terminal. */
bool sr_cli_confirm(const char *question);

/* The services that `serve` runs, in the order of their starts; ended by NULL. */
extern const char *const sr_cli_services[];

#endif
