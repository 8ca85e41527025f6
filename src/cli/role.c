/* identity role, assignment and denial: what roles allow, who has them where, and what nobody may. */
#include "cli/commands.h"

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

struct sr_result sr_cli_role_list(struct sr_cli *cli, int *ret_status)
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

struct sr_result sr_cli_role_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *role = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", target_of(cli), NULL, &role));
	print_role(cli, role);
	return sr_ok();
}

struct sr_result sr_cli_role_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *definition = NULL;
	SR_CLEANUP(sr_json) json_t *role = NULL;
	SR_TRY(read_definition(cli->arguments[0], &definition));
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/roles", definition, &role));
	print_role(cli, role);
	return sr_ok();
}

struct sr_result sr_cli_role_update(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *definition = NULL;
	SR_CLEANUP(sr_json) json_t *role = NULL;
	SR_TRY(read_definition(cli->arguments[1], &definition));
	SR_TRY(sr_cli_call(cli, "identity", "PUT", target_of(cli), definition, &role));
	print_role(cli, role);
	return sr_ok();
}

struct sr_result sr_cli_role_delete(struct sr_cli *cli, int *ret_status)
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

struct sr_result sr_cli_assignment_create(struct sr_cli *cli, int *ret_status)
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

struct sr_result sr_cli_assignment_list(struct sr_cli *cli, int *ret_status)
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
struct sr_result sr_cli_assignment_delete(struct sr_cli *cli, int *ret_status)
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

struct sr_result sr_cli_denial_create(struct sr_cli *cli, int *ret_status)
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

struct sr_result sr_cli_denial_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/deny-assignments", NULL, &answer));
	static const struct sr_cli_column columns[] = {{"NAME", "name"}, {"SCOPE", "scope"}, {"ID", "id"}};
	sr_cli_print_list(cli, json_object_get(answer, "value"), columns, 3);
	return sr_ok();
}

struct sr_result sr_cli_denial_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	const char *target =
	    sr_arena_printf(cli->arena, "/_strongroom/deny-assignments/%s", sr_cli_escaped(cli, cli->arguments[0]));
	SR_TRY(sr_cli_call(cli, "identity", "DELETE", target, NULL, &answer));
	puts("the denial is removed");
	return sr_ok();
}
