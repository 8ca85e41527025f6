/* secret: what programs and people keep in the vault. A value comes from standard input or a file, never from the
 * command line, where other users of the machine and the shell's history would see it. */
#include "cli/command.h"
#include "cli/vault_item.h"

#include "seal/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* One byte more than the vault takes, so that what is too long is refused there and not cut here. */
enum { VALUE_MAX = 25 * 1024 + 1 };

/* The secret that the line names, within a collection. */
static const char *secret_path(struct sr_cli *cli, const char *collection)
{
	const char *version = sr_cli_option(cli, "version");
	return sr_arena_printf(cli->arena, "/%s/%s%s%s", collection, sr_cli_escaped(cli, cli->arguments[0]),
	                       version ? "/" : "", version ? sr_cli_escaped(cli, version) : "");
}

static struct sr_result read_stream(int fd, const char *name, struct sr_buf *value)
{
	char part[4096];
	ssize_t got = 1;
	while (value->len < VALUE_MAX && got > 0) {
		got = read(fd, part, sizeof part);
		sr_buf_append(value, sr_bytes_of(part, got > 0 ? (size_t)got : 0));
	}
	sr_wipe(part, sizeof part);
	return got < 0 ? sr_fail_errno(errno, "read %s", name) : sr_ok();
}

/* A line typed at the terminal, which does not show it. */
static struct sr_result read_terminal(struct sr_buf *value)
{
	struct termios shown, hidden;
	if (tcgetattr(STDIN_FILENO, &shown) != 0) {
		return sr_fail_errno(errno, "ask the terminal");
	}
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	fputs("Value (not shown): ", stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	int c;
	while ((c = getchar()) != EOF && c != '\n' && value->len < VALUE_MAX) {
		sr_buf_append_u8(value, (uint8_t)c);
	}
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputs("\n", stderr);
	return sr_ok();
}

/* From the file exactly; from a pipe without the one line end that `echo` and its like add. */
static struct sr_result read_value(struct sr_cli *cli, struct sr_buf *value)
{
	const char *path = sr_cli_option(cli, "file");
	if (path) {
		const int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			return sr_fail_errno(errno, "open %s", path);
		}
		struct sr_result result = read_stream(fd, path, value);
		close(fd);
		SR_TRY(result);
	} else if (isatty(STDIN_FILENO)) {
		SR_TRY(read_terminal(value));
	} else {
		SR_TRY(read_stream(STDIN_FILENO, "standard input", value));
		value->len -= value->len > 0 && value->data[value->len - 1] == '\n' ? 1 : 0;
	}
	return sr_buf_result(value);
}

static void print_secret(struct sr_cli *cli, json_t *bundle)
{
	json_object_del(bundle, "value"); /* whoever gave it has it */
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(bundle);
	} else {
		printf("%s\n", sr_cli_text(bundle, "id"));
	}
}

static struct sr_result secret_set(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_buf) struct sr_buf value = SR_BUF(VALUE_MAX + 4096);
	SR_TRY(read_value(cli, &value));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	json_t *text = json_stringn(value.data ? (const char *)value.data : "", value.len);
	if (!text || memchr(value.data ? value.data : (const uint8_t *)"", 0, value.len)) {
		json_decref(text);
		return sr_fail(SR_INVALID, "a secret is text in UTF-8: encode other bytes, in Base64 for instance");
	}
	sr_json_set(body, "value", text);
	sr_json_set_string(body, "contentType", sr_cli_option(cli, "content-type"));
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "PUT", sr_cli_item_target(cli, secret_path(cli, "secrets")), body, &bundle));
	print_secret(cli, bundle);
	return sr_ok();
}

static struct sr_result secret_get(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "GET", sr_cli_item_target(cli, secret_path(cli, "secrets")), NULL, &bundle));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(bundle);
		return sr_ok();
	}
	const json_t *value = json_object_get(bundle, "value");
	fwrite(json_string_value(value), 1, json_string_length(value), stdout);
	if (isatty(STDOUT_FILENO)) {
		putchar('\n');
	}
	return sr_ok();
}

static struct sr_result secret_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *values = NULL;
	SR_TRY(sr_cli_item_all(cli, sr_cli_item_target(cli, sr_cli_option(cli, "deleted") ? "/deletedsecrets" : "/secrets"),
	                       &values));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(values);
		return sr_ok();
	}
	const char *const headings[] = {"SECRET", "STATE", "CREATED", "UPDATED", "EXPIRES", "TYPE"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 6);
	size_t at;
	json_t *item;
	json_array_foreach(values, at, item)
	{
		const json_t *attributes = json_object_get(item, "attributes");
		const char *const cells[] = {
		    sr_cli_item_last_segment(sr_cli_text(item, "id")),
		    json_is_false(json_object_get(attributes, "enabled")) ? "disabled" : "enabled",
		    sr_cli_time(cli, sr_cli_int(attributes, "created")),
		    sr_cli_time(cli, sr_cli_int(attributes, "updated")),
		    sr_cli_time(cli, sr_cli_int(attributes, "exp")),
		    sr_cli_text(item, "contentType"),
		};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
	return sr_ok();
}

static struct sr_result secret_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "DELETE", sr_cli_item_target(cli, secret_path(cli, "secrets")), NULL, &bundle));
	if (sr_cli_option(cli, "purge")) {
		SR_CLEANUP(sr_json) json_t *nothing = NULL;
		SR_TRY(sr_cli_call(cli, "vault", "DELETE", sr_cli_item_target(cli, secret_path(cli, "deletedsecrets")), NULL,
		                   &nothing));
	}
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(bundle);
	} else if (sr_cli_option(cli, "purge")) {
		printf("%s is gone for good\n", cli->arguments[0]);
	} else {
		printf("%s is deleted and can be recovered until %s\n", cli->arguments[0],
		       sr_cli_time(cli, sr_cli_int(bundle, "scheduledPurgeDate")));
	}
	return sr_ok();
}

static struct sr_result secret_recover(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	const char *path = sr_arena_printf(cli->arena, "%s/recover", secret_path(cli, "deletedsecrets"));
	SR_TRY(sr_cli_call(cli, "vault", "POST", sr_cli_item_target(cli, path), NULL, &bundle));
	print_secret(cli, bundle);
	return sr_ok();
}

const struct sr_command sr_secret_commands[] = {
    {
        .words = "secret set",
        .synopsis = "NAME [--file FILE] [--content-type TYPE] [--vault VAULT]",
        .summary = "keep a secret, or a new version of one",
        .text = "Reads the value from standard input, or exactly from a file, and keeps it as the newest version.\n"
                "One line end is taken off what comes through a pipe; a terminal does not show what is typed. At\n"
                "most 25 KiB of UTF-8 text.",
        .options = {SR_CLI_FORMAT,
                    SR_CLI_VAULT,
                    {"file", "FILE", "what to keep, instead of standard input"},
                    {"content-type", "TYPE", "what it is, for who reads it: text/plain"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = secret_set,
    },
    {
        .words = "secret get",
        .synopsis = "NAME [--version V] [--vault VAULT]",
        .summary = "print a secret",
        .text = "Prints the value of the newest version, or of the one given, and nothing else. Its reading is\n"
                "audited.",
        .options = {SR_CLI_FORMAT, SR_CLI_VAULT, {"version", "V", "only this version"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = secret_get,
    },
    {
        .words = "secret list",
        .synopsis = "[--deleted] [--vault VAULT]",
        .summary = "list secrets",
        .text = "Lists the secrets of a vault, without their values.",
        .options = {SR_CLI_FORMAT, SR_CLI_VAULT, {"deleted", NULL, "those that are deleted and can be recovered"}},
        .run = secret_list,
    },
    {
        .words = "secret delete",
        .synopsis = "NAME [--purge] [--vault VAULT]",
        .summary = "delete a secret with all its versions",
        .text = "Deletes a secret. It can be recovered for as long as the vault keeps what is deleted, unless it is\n"
                "purged.",
        .options = {SR_CLI_FORMAT, SR_CLI_VAULT, {"purge", NULL, "for good, at once; refused under purge protection"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = secret_delete,
    },
    {
        .words = "secret recover",
        .synopsis = "NAME [--vault VAULT]",
        .summary = "recover a deleted secret",
        .text = "Brings a deleted secret back with all its versions.",
        .options = {SR_CLI_FORMAT, SR_CLI_VAULT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = secret_recover,
    },
    {0},
};
