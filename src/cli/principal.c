/* principal: clients that may ask for tokens. */
#include "cli/command.h"

#include <stdio.h>

static struct sr_result principal_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *role = sr_cli_option(cli, "role");
	const char *scope = sr_cli_option(cli, "scope");
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:s, s:[]}", "name", cli->arguments[0], "roles");
	if (role) {
		json_array_append_new(json_object_get(body, "roles"),
		                      json_pack("{s:s, s:s}", "role", role, "scope", scope ? scope : "/"));
	}
	SR_CLEANUP(sr_json) json_t *principal = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/principals", body, &principal));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(principal);
		return sr_ok();
	}
	printf(
	    "name       %s\nclient id  %s\nobject id  %s\ntenant     %s\nsecret     %s\n\nThe secret is shown this once.\n",
	    sr_cli_text(principal, "name"), sr_cli_text(principal, "clientId"), sr_cli_text(principal, "objectId"),
	    sr_cli_text(principal, "tenant"), sr_cli_text(principal, "secret"));
	return sr_ok();
}

static struct sr_result principal_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/principals", NULL, &answer));
	const json_t *values = json_object_get(answer, "value");
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(values);
		return sr_ok();
	}
	const char *const headings[] = {"NAME", "OBJECT ID", "CLIENT ID", "STATE"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 4);
	size_t at;
	json_t *item;
	json_array_foreach(values, at, item)
	{
		const char *const cells[] = {sr_cli_text(item, "name"), sr_cli_text(item, "objectId"),
		                             sr_cli_text(item, "clientId"),
		                             json_is_false(json_object_get(item, "enabled")) ? "disabled" : "enabled"};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
	return sr_ok();
}

static struct sr_result set_enabled(struct sr_cli *cli, bool enabled)
{
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:b}", "enabled", enabled);
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	const char *target =
	    sr_arena_printf(cli->arena, "/_strongroom/principals/%s", sr_cli_escaped(cli, cli->arguments[0]));
	SR_TRY(sr_cli_call(cli, "identity", "PATCH", target, body, &answer));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(answer);
	} else {
		printf("%s is %s\n", cli->arguments[0], enabled ? "enabled" : "disabled");
	}
	return sr_ok();
}

static struct sr_result principal_disable(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return set_enabled(cli, false);
}

static struct sr_result principal_enable(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return set_enabled(cli, true);
}

const struct sr_command sr_principal_commands[] = {
    {
        .words = "principal create",
        .synopsis = "NAME [--role ROLE] [--scope SCOPE]",
        .summary = "make a client with an id and a secret",
        .text = "Makes a service principal. The secret is shown once.",
        .options = {SR_CLI_FORMAT,
                    {"role", "ROLE", "a role's name or id, such as \"Storage Blob Data Reader\""},
                    {"scope", "SCOPE", "where the role holds (default /)"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = principal_create,
    },
    {
        .words = "principal list",
        .synopsis = "",
        .summary = "list clients",
        .text = "Lists service principals.",
        .options = {SR_CLI_FORMAT},
        .run = principal_list,
    },
    {
        .words = "principal disable",
        .synopsis = "OBJECT-ID",
        .summary = "refuse a client from now on",
        .text = "Its tokens are refused within a second.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = principal_disable,
    },
    {
        .words = "principal enable",
        .synopsis = "OBJECT-ID",
        .summary = "let a client in again",
        .text = "Undoes principal disable.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = principal_enable,
    },
    {0},
};
