/* rollback: which databases the vault expects how new, and accepting one that was set back by intent. */
#include "cli/command.h"

#include <stdio.h>

static struct sr_result rollback_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "GET", "/_strongroom/anchors", NULL, &answer));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(answer);
		return sr_ok();
	}
	static const char *const headings[] = {"SERVICE", "KIND", "LABEL", "ID", "ANCHOR"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 5);
	size_t at;
	json_t *item;
	json_array_foreach(json_object_get(answer, "value"), at, item)
	{
		const char *const cells[] = {sr_cli_text(item, "service"), sr_cli_text(item, "kind"),
		                             sr_cli_text(item, "label"), sr_cli_text(item, "resource"),
		                             sr_arena_printf(cli->arena, "%lld", (long long)sr_cli_int(item, "anchor"))};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
	return sr_ok();
}

static struct sr_result rollback_accept(struct sr_cli *cli, int *ret_status)
{
	if (!sr_cli_option(cli, "yes") &&
	    !sr_cli_confirm(
	        "What was written since is lost, and whoever set it back may want that. Accept the files as they "
	        "are?")) {
		fprintf(stderr, "Nothing was changed. (Without a terminal, say --yes.)\n");
		*ret_status = 1;
		return sr_ok();
	}
	SR_CLEANUP(sr_json) json_t *body = json_object();
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	sr_json_set_string(body, "service", cli->arguments[0]);
	sr_json_set_string(body, "name", cli->arguments[1]);
	SR_TRY(sr_cli_call(cli, "vault", "POST", "/_strongroom/anchors/accept", body, &answer));
	printf("%s of %s is accepted as it is\n", cli->arguments[1], cli->arguments[0]);
	return sr_ok();
}

const struct sr_command sr_rollback_commands[] = {
    {
        .words = "rollback list",
        .synopsis = "",
        .summary = "list the databases whose age the vault knows",
        .text = "Each service tells the vault how new its databases are; files from before that are not opened.",
        .options = {SR_CLI_FORMAT},
        .run = rollback_list,
    },
    {
        .words = "rollback accept",
        .synopsis = "SERVICE LABEL [--yes]",
        .summary = "open a database that was set back",
        .text = "For a database that you put back from a copy by intent: what the vault expects of it is forgotten,\n"
                "and the service opens it as it is. LABEL is the account's name, the service's own for its state,\n"
                "or an id of the list.",
        .options = {SR_CLI_YES},
        .least_arguments = 2,
        .most_arguments = 2,
        .run = rollback_accept,
    },
    {0},
};
