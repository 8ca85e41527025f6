/* verify: every seal at rest, service by service, with progress on a terminal. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct walk {
	const char *service;
	json_t *last; /* the final line, owned */
	bool shows_progress;
};

static struct sr_result on_line(const json_t *line, void *context)
{
	struct walk *walk = context;
	if (json_object_get(line, "result")) {
		json_decref(walk->last);
		walk->last = json_deep_copy(line);
	} else if (walk->shows_progress) {
		int64_t all = sr_cli_int(line, "all");
		int64_t done = sr_cli_int(line, "done");
		fprintf(stderr, "\r%-10s %-12s %3lld%%", walk->service, sr_cli_text(line, "what"),
		        (long long)(all ? 100 * done / all : 100));
	}
	return sr_ok();
}

static void print_findings(const char *service, const json_t *findings)
{
	size_t at;
	json_t *finding;
	json_array_foreach(findings, at, finding)
	{
		printf("  %s: %s %s %s: %s\n", service, sr_cli_text(finding, "account"), sr_cli_text(finding, "kind"),
		       sr_cli_text(finding, "id"), sr_cli_text(finding, "reason"));
	}
}

static struct sr_result run_verify(struct sr_cli *cli, int *ret_status)
{
	SR_CLEANUP(sr_json) json_t *report = json_object();
	bool is_json = sr_cli_wants_json(cli);
	for (size_t i = 0; sr_cli_services[i]; i++) {
		struct walk walk = {.service = sr_cli_services[i], .shows_progress = !is_json && isatty(STDERR_FILENO)};
		struct sr_result outcome = sr_cli_call_lines(cli, walk.service, "POST", "/_strongroom/verify", on_line, &walk);
		SR_CLEANUP(sr_json) json_t *last = walk.last;
		SR_TRY(outcome);
		if (!last) {
			return sr_fail(SR_PROTOCOL, "%s ended before it was done", walk.service);
		}
		bool is_whole = strcmp(sr_cli_text(last, "result"), "ok") == 0;
		*ret_status = is_whole ? *ret_status : 1;
		json_object_set(report, walk.service, last);
		if (walk.shows_progress) {
			fputs("\r\033[K", stderr);
		}
		if (!is_json) {
			printf("%-10s %s\n", walk.service, is_whole ? "every seal holds" : "DAMAGED");
			print_findings(walk.service, json_object_get(last, "findings"));
		}
	}
	if (is_json) {
		sr_cli_print_json(report);
	}
	return sr_ok();
}

const struct sr_command sr_verify_commands[] = {
    {
        .words = "verify",
        .synopsis = "[--format json|text]",
        .summary = "read everything at rest and check every seal",
        .text = "Reads each page of each database, each chunk of each extent, each sealed key and the audit chain,\n"
                "and reports what does not open. Changes nothing. Exits 1 if something is damaged; accounts whose\n"
                "key is disabled are listed as passed over.",
        .options = {SR_CLI_FORMAT},
        .run = run_verify,
    },
    {0},
};
