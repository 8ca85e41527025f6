/* identity role, assignment and denial: what roles allow, who has them where, and what nobody may. */
#include "cli/command.h"

#include "seal/file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEFINITION_MAX = 1 << 20 };

static const char *target_of(struct sr_cli *cli)
{
	return sr_arena_printf(cli->arena, "/_strongroom/roles/%s", sr_cli_escaped(cli, cli->arguments[0]));
}

static struct sr_result read_standard_input(struct sr_buf *text)
{
	uint8_t part[4096];
	for (size_t got; (got = fread(part, 1, sizeof part, stdin)) > 0;) {
		sr_buf_append(text, sr_bytes_of(part, got));
	}
	return ferror(stdin) ? sr_fail(SR_IO, "read the standard input") : sr_buf_result(text);
}

/* A file's JSON ("-": the standard input); text that starts with '{' is the JSON itself, as az takes it. */
static struct sr_result read_definition(const char *source, json_t **ret_definition)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(DEFINITION_MAX);
	if (source[0] == '{') {
		sr_buf_append_str(&text, source);
	} else if (strcmp(source, "-") == 0) {
		SR_TRY(read_standard_input(&text));
	} else {
		SR_TRY(sr_file_read(source[0] == '@' ? source + 1 : source, DEFINITION_MAX, &text));
	}
	return sr_json_parse(sr_buf_bytes(&text), ret_definition);
}

static void print_actions(const json_t *permission, const char *title, const char *name)
{
	size_t at;
	json_t *action;
	json_array_foreach(json_object_get(permission, name), at, action)
	{
		printf("%-15s %s\n", at ? "" : title, json_string_value(action));
	}
}

static void print_role(struct sr_cli *cli, const json_t *role)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(role);
		return;
	}
	const json_t *permission = json_array_get(json_object_get(role, "permissions"), 0);
	printf("%-15s %s\n%-15s %s\n%-15s %s\n%-15s %s\n", "name", sr_cli_text(role, "roleName"), "id",
	       sr_cli_text(role, "name"), "type", sr_cli_text(role, "roleType"), "description",
	       sr_cli_text(role, "description"));
	print_actions(permission, "actions", "actions");
	print_actions(permission, "not actions", "notActions");
	print_actions(permission, "data actions", "dataActions");
	print_actions(permission, "not data actions", "notDataActions");
	print_actions(role, "assignable at", "assignableScopes");
}

static struct sr_result role_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET",
	                   sr_cli_option(cli, "custom") ? "/_strongroom/roles?custom=true" : "/_strongroom/roles", NULL,
	                   &answer));
	static const struct sr_cli_column columns[] = {{"NAME", "roleName"}, {"TYPE", "roleType"}, {"ID", "name"}};
	sr_cli_print_list(cli, json_object_get(answer, "value"), columns, 3);
	return sr_ok();
}

static struct sr_result role_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *role = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", target_of(cli), NULL, &role));
	print_role(cli, role);
	return sr_ok();
}

static struct sr_result role_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *definition = NULL;
	SR_CLEANUP(sr_json) json_t *role = NULL;
	SR_TRY(read_definition(cli->arguments[0], &definition));
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/roles", definition, &role));
	print_role(cli, role);
	return sr_ok();
}

static struct sr_result role_update(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *definition = NULL;
	SR_CLEANUP(sr_json) json_t *role = NULL;
	SR_TRY(read_definition(cli->arguments[1], &definition));
	SR_TRY(sr_cli_call(cli, "identity", "PUT", target_of(cli), definition, &role));
	print_role(cli, role);
	return sr_ok();
}

static struct sr_result role_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "DELETE", target_of(cli), NULL, &answer));
	printf("%s is deleted\n", cli->arguments[0]);
	return sr_ok();
}

/* Who, which role and where, from the options; the scope is "/" if it is not said. */
static struct sr_result assignment_body(struct sr_cli *cli, json_t **ret_body)
{
	const char *assignee = sr_cli_option(cli, "assignee");
	const char *role = sr_cli_option(cli, "role");
	const char *scope = sr_cli_option(cli, "scope");
	if (!assignee || !role) {
		return sr_fail(SR_INVALID, "--%s is missing", assignee ? "role" : "assignee");
	}
	*ret_body = json_pack("{s:s, s:s, s:s}", "principal", assignee, "role", role, "scope", scope ? scope : "/");
	return sr_ok();
}

static struct sr_result assignment_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *body = NULL;
	SR_CLEANUP(sr_json) json_t *assignment = NULL;
	SR_TRY(assignment_body(cli, &body));
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/assignments", body, &assignment));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(assignment);
	} else {
		printf("%s has the role %s at %s\n", sr_cli_text(assignment, "principalName"),
		       sr_cli_text(assignment, "roleName"), sr_cli_text(assignment, "scope"));
	}
	return sr_ok();
}

static struct sr_result assignment_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *assignee = sr_cli_option(cli, "assignee");
	const char *target =
	    assignee ? sr_arena_printf(cli->arena, "/_strongroom/assignments?principal=%s", sr_cli_escaped(cli, assignee))
	             : "/_strongroom/assignments";
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", target, NULL, &answer));
	static const struct sr_cli_column columns[] = {{"ASSIGNEE", "principalName"},
	                                               {"TYPE", "principalType"},
	                                               {"ROLE", "roleName"},
	                                               {"SCOPE", "scope"},
	                                               {"ID", "id"}};
	sr_cli_print_list(cli, json_object_get(answer, "value"), columns, 5);
	return sr_ok();
}

/* By its id, or by what it says. */
static struct sr_result assignment_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *body = NULL;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	const char *target = "/_strongroom/assignments";
	if (cli->argument_count) {
		target = sr_arena_printf(cli->arena, "%s/%s", target, sr_cli_escaped(cli, cli->arguments[0]));
	} else {
		SR_TRY(assignment_body(cli, &body));
	}
	SR_TRY(sr_cli_call(cli, "identity", "DELETE", target, body, &answer));
	puts("the assignment is deleted");
	return sr_ok();
}

static struct sr_result denial_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *body = NULL;
	SR_CLEANUP(sr_json) json_t *denial = NULL;
	SR_TRY(read_definition(cli->arguments[0], &body));
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/deny-assignments", body, &denial));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(denial);
	} else {
		printf("id  %s\n", sr_cli_text(denial, "id"));
	}
	return sr_ok();
}

static struct sr_result denial_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/deny-assignments", NULL, &answer));
	static const struct sr_cli_column columns[] = {{"NAME", "name"}, {"SCOPE", "scope"}, {"ID", "id"}};
	sr_cli_print_list(cli, json_object_get(answer, "value"), columns, 3);
	return sr_ok();
}

static struct sr_result denial_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	const char *target =
	    sr_arena_printf(cli->arena, "/_strongroom/deny-assignments/%s", sr_cli_escaped(cli, cli->arguments[0]));
	SR_TRY(sr_cli_call(cli, "identity", "DELETE", target, NULL, &answer));
	puts("the denial is removed");
	return sr_ok();
}

const struct sr_command sr_role_commands[] = {
    {
        .words = "identity role list",
        .synopsis = "[--custom]",
        .summary = "list role definitions",
        .text = "Built-in roles and those of your own.",
        .options = {SR_CLI_FORMAT, {"custom", NULL, "only those of your own"}},
        .run = role_list,
    },
    {
        .words = "identity role show",
        .synopsis = "ROLE",
        .summary = "show what a role allows",
        .text = "By name or id.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = role_show,
    },
    {
        .words = "identity role create",
        .synopsis = "FILE",
        .summary = "define a role",
        .text = "FILE is JSON as for az role definition create (\"-\": the standard input): Name, Description,\n"
                "Actions, NotActions, DataActions, NotDataActions, AssignableScopes. A scope is a management group,\n"
                "a subscription or a resource group.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = role_create,
    },
    {
        .words = "identity role update",
        .synopsis = "ROLE FILE",
        .summary = "define a role anew",
        .text = "Whoever has the role has what it allows now, within a second.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 2,
        .most_arguments = 2,
        .run = role_update,
    },
    {
        .words = "identity role delete",
        .synopsis = "ROLE",
        .summary = "remove a role of your own",
        .text = "Refused while somebody has it.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = role_delete,
    },
    {
        .words = "identity assignment create",
        .synopsis = "--assignee OBJECT --role ROLE [--scope SCOPE]",
        .summary = "give a role",
        .text = "Scopes: /, /providers/Microsoft.Management/managementGroups/NAME, /subscriptions/ID,\n"
                ".../resourceGroups/NAME, a resource, or what is in one (.../vaults/NAME/keys/NAME).",
        .options = {SR_CLI_FORMAT,
                    {"assignee", "OBJECT",
                     "who: an object id, client id or name of a principal, person, managed identity or group"},
                    {"role", "ROLE", "name or id of a role"},
                    {"scope", "SCOPE", "where it counts, with all below (default /)"}},
        .run = assignment_create,
    },
    {
        .words = "identity assignment list",
        .synopsis = "[--assignee OBJECT]",
        .summary = "list who has which role where",
        .text = "With --assignee only what the object has itself, not through groups.",
        .options = {SR_CLI_FORMAT,
                    {"assignee", "OBJECT",
                     "who: an object id, client id or name of a principal, person, managed identity or group"}},
        .run = assignment_list,
    },
    {
        .words = "identity assignment delete",
        .synopsis = "ID | --assignee OBJECT --role ROLE [--scope SCOPE]",
        .summary = "take a role back",
        .text = "By its id, or by what it says. Takes effect within a second.",
        .options = {{"assignee", "OBJECT",
                     "who: an object id, client id or name of a principal, person, managed identity or group"},
                    {"role", "ROLE", "name or id of a role"},
                    {"scope", "SCOPE", "where it counts, with all below (default /)"}},
        .most_arguments = 1,
        .run = assignment_delete,
    },
    {
        .words = "identity denial create",
        .synopsis = "FILE",
        .summary = "refuse actions at a scope, whatever roles somebody has",
        .text = "FILE is JSON (\"-\": the standard input): name, scope, principals (object ids;\n"
                "00000000-0000-0000-0000-000000000000 is everyone), excludePrincipals, actions, notActions,\n"
                "dataActions, notDataActions, doNotApplyToChildScopes.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = denial_create,
    },
    {
        .words = "identity denial list",
        .synopsis = "",
        .summary = "list what is refused whatever roles somebody has",
        .text = "With --format json in full.",
        .options = {SR_CLI_FORMAT},
        .run = denial_list,
    },
    {
        .words = "identity denial delete",
        .synopsis = "ID",
        .summary = "remove a denial",
        .text = "What roles allow is allowed again, within a second.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = denial_delete,
    },
    {0},
};
