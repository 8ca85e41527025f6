/* group: resource groups, by the resource manager's own operations. */
#include "cli/command.h"

#include "base/clock.h"

#include <stdio.h>

#define API "?api-version=2022-09-01"

enum { POLL_MS = 100 };

/* "/subscriptions/S/resourcegroups" and what follows. */
static struct sr_result target_of(struct sr_cli *cli, const char *tail, const char **ret_target)
{
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "workspace", "GET", "/subscriptions" API, NULL, &answer));
	const json_t *subscription = json_array_get(json_object_get(answer, "value"), 0);
	*ret_target = sr_arena_printf(cli->arena, "%s/resourcegroups%s" API, sr_cli_text(subscription, "id"), tail);
	return sr_ok();
}

static const char *named(struct sr_cli *cli)
{
	return sr_arena_printf(cli->arena, "/%s", sr_cli_escaped(cli, cli->arguments[0]));
}

static struct sr_result resource_group_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *target;
	const char *location = sr_cli_option(cli, "location");
	SR_CLEANUP(sr_json) json_t *body = json_object();
	SR_CLEANUP(sr_json) json_t *group = NULL;
	sr_json_set_string(body, "location", location ? location : "local");
	SR_TRY(target_of(cli, named(cli), &target));
	SR_TRY(sr_cli_call(cli, "workspace", "PUT", target, body, &group));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(group);
	} else {
		printf("name      %s\nlocation  %s\nid        %s\n", sr_cli_text(group, "name"), sr_cli_text(group, "location"),
		       sr_cli_text(group, "id"));
	}
	return sr_ok();
}

static struct sr_result resource_group_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *target;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(target_of(cli, "", &target));
	SR_TRY(sr_cli_call(cli, "workspace", "GET", target, NULL, &answer));
	static const struct sr_cli_column columns[] = {{"NAME", "name"}, {"LOCATION", "location"}, {"ID", "id"}};
	sr_cli_print_list(cli, json_object_get(answer, "value"), columns, 3);
	return sr_ok();
}

static struct sr_result resource_group_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *target;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	if (!sr_cli_option(cli, "yes") && !sr_cli_confirm("Delete the resource group with all that is in it?")) {
		return sr_fail(SR_INVALID, "not confirmed: nothing was deleted (--yes does not ask)");
	}
	SR_TRY(target_of(cli, named(cli), &target));
	SR_TRY(sr_cli_call(cli, "workspace", "DELETE", target, NULL, &answer));
	for (;;) {
		SR_CLEANUP(sr_json) json_t *group = NULL;
		struct sr_result found = sr_cli_call(cli, "workspace", "GET", target, NULL, &group);
		if (sr_result_code(found) == SR_NOT_FOUND) {
			sr_ignore(found);
			return sr_ok();
		}
		SR_TRY(found);
		sr_sleep_ms(POLL_MS);
	}
}

const struct sr_command sr_resource_group_commands[] = {
    {
        .words = "group create",
        .synopsis = "NAME [--location L]",
        .summary = "make a resource group",
        .text =
            "Makes a resource group, which vaults and managed identities are put into; made again, it stays as it is.",
        .options = {SR_CLI_FORMAT, {"location", "L", "its location, any region's name (default \"local\")"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = resource_group_create,
    },
    {
        .words = "group list",
        .synopsis = "",
        .summary = "list resource groups",
        .text = "Lists the resource groups.",
        .options = {SR_CLI_FORMAT},
        .run = resource_group_list,
    },
    {
        .words = "group delete",
        .synopsis = "NAME [--yes]",
        .summary = "delete a resource group and all that is in it",
        .text = "Deletes a resource group with its vaults (which can be recovered while they are kept) and managed\n"
                "identities. Returns when it is gone.",
        .options = {SR_CLI_YES},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = resource_group_delete,
    },
    {0},
};
