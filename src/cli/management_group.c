/* identity management-group: the tree over subscriptions. */
#include "cli/command.h"

#include <stdio.h>

static const char *target_of(struct sr_cli *cli, const char *name)
{
	return sr_arena_printf(cli->arena, "/_strongroom/management-groups/%s", sr_cli_escaped(cli, name));
}

static void print_group(struct sr_cli *cli, const json_t *group)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(group);
		return;
	}
	printf("name          %s\ndisplay name  %s\nparent        %s\nscope         %s\n", sr_cli_text(group, "name"),
	       sr_cli_text(group, "displayName"), sr_cli_text(group, "parent"), sr_cli_text(group, "id"));
}

static json_t *wishes(struct sr_cli *cli)
{
	json_t *body = json_object();
	sr_json_set_string(body, "displayName", sr_cli_option(cli, "display-name"));
	sr_json_set_string(body, "parent", sr_cli_option(cli, "parent"));
	return body;
}

static struct sr_result management_group_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *body = wishes(cli);
	SR_CLEANUP(sr_json) json_t *group = NULL;
	sr_json_set_string(body, "name", cli->arguments[0]);
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/management-groups", body, &group));
	print_group(cli, group);
	return sr_ok();
}

static struct sr_result management_group_update(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *body = wishes(cli);
	SR_CLEANUP(sr_json) json_t *group = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "PATCH", target_of(cli, cli->arguments[0]), body, &group));
	print_group(cli, group);
	return sr_ok();
}

static struct sr_result management_group_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *group = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", target_of(cli, cli->arguments[0]), NULL, &group));
	print_group(cli, group);
	return sr_ok();
}

static struct sr_result management_group_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/management-groups", NULL, &answer));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(answer);
		return sr_ok();
	}
	static const struct sr_cli_column groups[] = {
	    {"NAME", "name"}, {"DISPLAY NAME", "displayName"}, {"PARENT", "parent"}};
	static const struct sr_cli_column placed[] = {{"SUBSCRIPTION", "id"}, {"MANAGEMENT GROUP", "managementGroup"}};
	sr_cli_print_list(cli, json_object_get(answer, "value"), groups, 3);
	if (json_array_size(json_object_get(answer, "subscriptions"))) {
		puts("");
		sr_cli_print_list(cli, json_object_get(answer, "subscriptions"), placed, 2);
	}
	return sr_ok();
}

static struct sr_result management_group_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "DELETE", target_of(cli, cli->arguments[0]), NULL, &answer));
	printf("%s is deleted\n", cli->arguments[0]);
	return sr_ok();
}

/* The subscription that is given, or the installation's own. */
static struct sr_result management_group_place(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *status = NULL;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/status", NULL, &status));
	const char *subscription = cli->argument_count > 1 ? cli->arguments[1] : sr_cli_text(status, "subscription");
	const char *target = sr_arena_printf(cli->arena, "%s/subscriptions/%s", target_of(cli, cli->arguments[0]),
	                                     sr_cli_escaped(cli, subscription));
	SR_TRY(sr_cli_call(cli, "identity", "PUT", target, NULL, &answer));
	printf("%s is under %s\n", subscription, cli->arguments[0]);
	return sr_ok();
}

const struct sr_command sr_management_group_commands[] = {
    {
        .words = "identity management-group create",
        .synopsis = "NAME [--display-name TEXT] [--parent NAME]",
        .summary = "make a management group",
        .text = "Management groups are a tree over subscriptions; a role at one counts for all below.",
        .options = {SR_CLI_FORMAT,
                    {"display-name", "TEXT", "for people (default the name)"},
                    {"parent", "NAME", "the group above (default the root)"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = management_group_create,
    },
    {
        .words = "identity management-group list",
        .synopsis = "",
        .summary = "list management groups and what is under them",
        .text = "The root is named like the tenant; a subscription that is not listed is right under it.",
        .options = {SR_CLI_FORMAT},
        .run = management_group_list,
    },
    {
        .words = "identity management-group show",
        .synopsis = "NAME",
        .summary = "show a management group",
        .text = "With its scope, for assignments.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = management_group_show,
    },
    {
        .words = "identity management-group update",
        .synopsis = "NAME [--display-name TEXT] [--parent NAME]",
        .summary = "rename or move a management group",
        .text = "What is under it moves with it.",
        .options = {SR_CLI_FORMAT,
                    {"display-name", "TEXT", "for people (default the name)"},
                    {"parent", "NAME", "the group above (default the root)"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = management_group_update,
    },
    {
        .words = "identity management-group delete",
        .synopsis = "NAME",
        .summary = "remove a management group",
        .text = "Refused while anything is under it. Role assignments at it go with it.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = management_group_delete,
    },
    {
        .words = "identity management-group place",
        .synopsis = "NAME [SUBSCRIPTION]",
        .summary = "put a subscription under a management group",
        .text = "The installation's own subscription if none is given; under the root's name it is taken out of\n"
                "any.",
        .least_arguments = 1,
        .most_arguments = 2,
        .run = management_group_place,
    },
    {0},
};
