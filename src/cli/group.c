/* identity group: who is in which group. */
#include "cli/command.h"

#include <stdio.h>

static const char *target_of(struct sr_cli *cli)
{
	return sr_arena_printf(cli->arena, "/_strongroom/groups/%s", sr_cli_escaped(cli, cli->arguments[0]));
}

static struct sr_result group_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "name", cli->arguments[0]);
	sr_json_set_string(body, "description", sr_cli_option(cli, "description"));
	SR_CLEANUP(sr_json) json_t *group = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/groups", body, &group));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(group);
	} else {
		printf("name  %s\nid    %s\n", sr_cli_text(group, "name"), sr_cli_text(group, "id"));
	}
	return sr_ok();
}

static struct sr_result group_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *member = sr_cli_option(cli, "member");
	const char *target = member
	                         ? sr_arena_printf(cli->arena, "/_strongroom/groups?member=%s", sr_cli_escaped(cli, member))
	                         : "/_strongroom/groups";
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", target, NULL, &answer));
	static const struct sr_cli_column columns[] = {{"NAME", "name"}, {"ID", "id"}, {"DESCRIPTION", "description"}};
	sr_cli_print_list(cli, json_object_get(answer, "value"), columns, 3);
	return sr_ok();
}

static struct sr_result group_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *group = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", target_of(cli), NULL, &group));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(group);
		return sr_ok();
	}
	printf("name         %s\nid           %s\ndescription  %s\ncreated      %s\n\n", sr_cli_text(group, "name"),
	       sr_cli_text(group, "id"), sr_cli_text(group, "description"), sr_cli_text(group, "created"));
	static const struct sr_cli_column columns[] = {{"MEMBER", "name"}, {"TYPE", "type"}, {"OBJECT ID", "id"}};
	sr_cli_print_list(cli, json_object_get(group, "members"), columns, 3);
	return sr_ok();
}

static struct sr_result group_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "DELETE", target_of(cli), NULL, &answer));
	printf("%s is deleted\n", cli->arguments[0]);
	return sr_ok();
}

static struct sr_result group_add(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *target = sr_arena_printf(cli->arena, "%s/members", target_of(cli));
	for (size_t i = 1; i < cli->argument_count; i++) {
		SR_CLEANUP(sr_json) json_t *body = json_pack("{s:s}", "member", cli->arguments[i]);
		SR_CLEANUP(sr_json) json_t *answer = NULL;
		SR_TRY(sr_cli_call(cli, "identity", "POST", target, body, &answer));
		printf("%s is a member of %s\n", cli->arguments[i], cli->arguments[0]);
	}
	return sr_ok();
}

static struct sr_result group_remove(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	for (size_t i = 1; i < cli->argument_count; i++) {
		const char *target =
		    sr_arena_printf(cli->arena, "%s/members/%s", target_of(cli), sr_cli_escaped(cli, cli->arguments[i]));
		SR_CLEANUP(sr_json) json_t *answer = NULL;
		SR_TRY(sr_cli_call(cli, "identity", "DELETE", target, NULL, &answer));
		printf("%s is no longer a member of %s\n", cli->arguments[i], cli->arguments[0]);
	}
	return sr_ok();
}

const struct sr_command sr_group_commands[] = {
    {
        .words = "identity group create",
        .synopsis = "NAME [--description TEXT]",
        .summary = "make a group",
        .text = "A group holds principals, people, managed identities and other groups; a role that it is given\n"
                "counts for all.",
        .options = {SR_CLI_FORMAT, {"description", "TEXT", "what it is for"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = group_create,
    },
    {
        .words = "identity group list",
        .synopsis = "[--member OBJECT]",
        .summary = "list groups",
        .text = "Lists groups; with --member those that hold the object directly.",
        .options = {SR_CLI_FORMAT, {"member", "OBJECT", "an object id, client id or name"}},
        .run = group_list,
    },
    {
        .words = "identity group show",
        .synopsis = "GROUP",
        .summary = "show a group and its members",
        .text = "By id or name.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = group_show,
    },
    {
        .words = "identity group add",
        .synopsis = "GROUP MEMBER...",
        .summary = "put members into a group",
        .text = "Members are named by object id, client id or name. Groups may hold groups, to a depth of 8 and not\n"
                "in a ring. Takes effect on every service within a second.",
        .least_arguments = 2,
        .most_arguments = 16,
        .run = group_add,
    },
    {
        .words = "identity group remove",
        .synopsis = "GROUP MEMBER...",
        .summary = "take members out of a group",
        .text = "What the group may do they may not any more, within a second.",
        .least_arguments = 2,
        .most_arguments = 16,
        .run = group_remove,
    },
    {
        .words = "identity group delete",
        .synopsis = "GROUP",
        .summary = "remove a group",
        .text = "Its role assignments go with it; its members stay.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = group_delete,
    },
    {0},
};
