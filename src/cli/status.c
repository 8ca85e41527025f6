/* status: what runs, what it holds, how the accounts stand. */
#include "cli/account.h"
#include "cli/command.h"

#include "host/supervisor.h"
#include "seal/file.h"

#include <stdio.h>
#include <string.h>

/* The supervisor's note of its children, or an empty list. */
static struct sr_result read_services(struct sr_cli *cli, json_t **ret_services)
{
	char path[SR_CONFIG_TEXT_LEN + 32];
	sr_supervisor_status_path(&cli->config, path, sizeof path);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(65536);
	SR_CLEANUP(sr_result) struct sr_result read = sr_file_read(path, 65536, &text);
	if (!sr_is_ok(read)) {
		return sr_fail(SR_NOT_FOUND, "nothing runs in %s; start it with: strongroom serve --state %s",
		               cli->config.state, cli->config.state);
	}
	return sr_json_parse(sr_buf_bytes(&text), ret_services);
}

static void print_services(struct sr_cli *cli, const json_t *services)
{
	const char *const headings[] = {"SERVICE", "STATE", "PROCESS", "RESTARTS", "SINCE"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 5);
	size_t at;
	json_t *item;
	json_array_foreach(services, at, item)
	{
		const char *const cells[] = {sr_cli_text(item, "service"), sr_cli_text(item, "state"),
		                             json_is_integer(json_object_get(item, "pid"))
		                                 ? sr_arena_printf(cli->arena, "%lld", (long long)sr_cli_int(item, "pid"))
		                                 : "-",
		                             sr_arena_printf(cli->arena, "%lld", (long long)sr_cli_int(item, "restarts")),
		                             sr_cli_time(cli, sr_cli_int(item, "since"))};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
}

static void print_vault(const json_t *vault)
{
	if (json_is_true(json_object_get(vault, "sealed"))) {
		puts("\nThe vault is sealed and the other services wait for it. Whoever has what opens it runs:\n"
		     "  strongroom unseal");
		if (sr_cli_int(vault, "needed") > 1) {
			printf("%lld of %lld shares were given.\n", (long long)sr_cli_int(vault, "given"),
			       (long long)sr_cli_int(vault, "needed"));
		}
		return;
	}
	printf("\nvault: %lld keys, %lld versions, %lld leases out, %lld audit entries\n",
	       (long long)sr_cli_int(vault, "keys"), (long long)sr_cli_int(vault, "key_versions"),
	       (long long)sr_cli_int(vault, "leases"), (long long)sr_cli_int(vault, "audit_entries"));
}

static struct sr_result run_status(struct sr_cli *cli, int *ret_status)
{
	SR_CLEANUP(sr_json) json_t *report = NULL;
	SR_TRY(read_services(cli, &report));
	const json_t *services = json_object_get(report, "services");
	size_t at;
	json_t *service;
	json_array_foreach(services, at, service)
	{
		SR_CLEANUP(sr_json) json_t *own = NULL;
		const char *name = sr_cli_text(service, "service");
		SR_CLEANUP(sr_result) struct sr_result asked = sr_cli_call(cli, name, "GET", "/_strongroom/status", NULL, &own);
		if (sr_is_ok(asked)) {
			json_object_set(report, name, own);
			if (json_is_true(json_object_get(own, "sealed"))) {
				sr_json_set_string(service, "state", "sealed");
				*ret_status = 1;
			}
		} else {
			if (strcmp(sr_cli_text(service, "state"), "waiting") != 0) {
				sr_json_set_string(service, "state", "down");
			}
			*ret_status = 1;
		}
	}
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(report);
		return sr_ok();
	}
	print_services(cli, services);
	if (json_object_get(report, "vault")) {
		print_vault(json_object_get(report, "vault"));
	}
	const json_t *accounts = json_object_get(json_object_get(report, "blob"), "accounts");
	if (json_array_size(accounts)) {
		putchar('\n');
		return sr_cli_list_accounts(cli);
	}
	return sr_ok();
}

const struct sr_command sr_status_commands[] = {
    {
        .words = "status",
        .synopsis = "[--format json|text]",
        .summary = "show services, keys, leases and accounts",
        .text = "Shows what runs, which keys the services hold under lease now, and the state of every account.\n"
                "Exits 1 if a service is down.",
        .options = {SR_CLI_FORMAT},
        .run = run_status,
    },
    {0},
};
