/* identity group: who is in which group. */
#include "cli/commands.h"

#include <stdio.h>

static const char *target_of(struct sr_cli *cli)
{
	return sr_arena_printf(cli->arena, "/_strongroom/groups/%s", sr_cli_escaped(cli, cli->arguments[0]));
}

struct sr_result sr_cli_group_create(struct sr_cli *cli, int *ret_status)
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

struct sr_result sr_cli_group_list(struct sr_cli *cli, int *ret_status)
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

struct sr_result sr_cli_group_show(struct sr_cli *cli, int *ret_status)
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

struct sr_result sr_cli_group_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "DELETE", target_of(cli), NULL, &answer));
	printf("%s is deleted\n", cli->arguments[0]);
	return sr_ok();
}

struct sr_result sr_cli_group_add(struct sr_cli *cli, int *ret_status)
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

struct sr_result sr_cli_group_remove(struct sr_cli *cli, int *ret_status)
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
