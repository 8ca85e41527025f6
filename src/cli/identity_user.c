/* identity user …, identity client …: people, and the applications in which they sign in. */
#include "cli/command.h"

#include <stdio.h>

static const char *user_target(struct sr_cli *cli, const char *rest)
{
	return sr_arena_printf(cli->arena, "/_strongroom/people/%s%s", sr_cli_escaped(cli, cli->arguments[0]), rest);
}

/* A call whose answer is empty. */
static struct sr_result tell(struct sr_cli *cli, const char *method, const char *target)
{
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	return sr_cli_call(cli, "identity", method, target, NULL, &answer);
}

static struct sr_result print_password(struct sr_cli *cli, const json_t *person)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(person);
		return sr_ok();
	}
	printf("user name  %s\nobject id  %s\npassword   %s\n\nThe password is shown this once, and must be changed at the "
	       "first "
	       "sign-in.\n",
	       sr_cli_text(person, "userName"), sr_cli_text(person, "objectId"), sr_cli_text(person, "password"));
	return sr_ok();
}

static struct sr_result user_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *role = sr_cli_option(cli, "role");
	const char *scope = sr_cli_option(cli, "scope");
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:s, s:[]}", "userName", cli->arguments[0], "roles");
	sr_json_set_string(body, "displayName", sr_cli_option(cli, "display"));
	if (role) {
		json_array_append_new(json_object_get(body, "roles"),
		                      json_pack("{s:s, s:s}", "role", role, "scope", scope ? scope : "/"));
	}
	SR_CLEANUP(sr_json) json_t *person = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/people", body, &person));
	return print_password(cli, person);
}

static const char *state_of(struct sr_cli *cli, const json_t *person)
{
	const char *locked = sr_cli_text(person, "lockedUntil");
	if (!json_is_true(json_object_get(person, "enabled"))) {
		return "disabled";
	}
	if (*locked) {
		return sr_arena_printf(cli->arena, "locked until %s", locked);
	}
	return json_is_true(json_object_get(person, "mustChangePassword")) ? "enabled, password to be changed" : "enabled";
}

static struct sr_result user_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/people", NULL, &answer));
	const json_t *values = json_object_get(answer, "value");
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(values);
		return sr_ok();
	}
	const char *const headings[] = {"USER NAME", "DISPLAY NAME", "OBJECT ID", "FAILURES", "STATE"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 5);
	size_t at;
	json_t *item;
	json_array_foreach(values, at, item)
	{
		const char *failures = sr_arena_printf(cli->arena, "%lld", (long long)sr_cli_int(item, "failures"));
		const char *const cells[] = {sr_cli_text(item, "userName"), sr_cli_text(item, "displayName"),
		                             sr_cli_text(item, "objectId"), failures, state_of(cli, item)};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
	return sr_ok();
}

static struct sr_result user_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *person = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", user_target(cli, ""), NULL, &person));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(person);
		return sr_ok();
	}
	printf("user name     %s\ndisplay name  %s\nobject id     %s\nstate         %s\nsign-ins      %lld\n",
	       sr_cli_text(person, "userName"), sr_cli_text(person, "displayName"), sr_cli_text(person, "objectId"),
	       state_of(cli, person), (long long)sr_cli_int(person, "signIns"));
	return sr_ok();
}

static struct sr_result user_reset_password(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *person = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "POST", user_target(cli, "/reset-password"), NULL, &person));
	return print_password(cli, person);
}

static struct sr_result user_unlock(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_TRY(tell(cli, "POST", user_target(cli, "/unlock")));
	printf("%s is unlocked\n", cli->arguments[0]);
	return sr_ok();
}

static struct sr_result user_sign_out(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_TRY(tell(cli, "POST", user_target(cli, "/sign-out")));
	printf("%s is signed out everywhere\n", cli->arguments[0]);
	return sr_ok();
}

static struct sr_result set_enabled(struct sr_cli *cli, bool enabled)
{
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:b}", "enabled", enabled);
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "PATCH", user_target(cli, ""), body, &answer));
	printf("%s is %s\n", cli->arguments[0], enabled ? "enabled" : "disabled");
	return sr_ok();
}

static struct sr_result user_disable(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return set_enabled(cli, false);
}

static struct sr_result user_enable(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return set_enabled(cli, true);
}

static struct sr_result user_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *question = sr_arena_printf(cli->arena, "Delete %s with all role assignments?", cli->arguments[0]);
	if (!sr_cli_option(cli, "yes") && !sr_cli_confirm(question)) {
		return sr_fail(SR_INVALID, "not confirmed: nothing was deleted (--yes does not ask)");
	}
	SR_TRY(tell(cli, "DELETE", user_target(cli, "")));
	printf("%s is deleted\n", cli->arguments[0]);
	return sr_ok();
}

static const char *client_target(struct sr_cli *cli)
{
	return sr_arena_printf(cli->arena, "/_strongroom/public-clients/%s", sr_cli_escaped(cli, cli->arguments[0]));
}

static struct sr_result client_allow(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "name", sr_cli_option(cli, "name"));
	sr_json_set_string(body, "resources", sr_cli_option(cli, "resources"));
	SR_CLEANUP(sr_json) json_t *client = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "PUT", client_target(cli), body, &client));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(client);
		return sr_ok();
	}
	printf("people may sign in with %s (%s)\n", sr_cli_text(client, "name"), sr_cli_text(client, "clientId"));
	return sr_ok();
}

static struct sr_result client_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/public-clients", NULL, &answer));
	const json_t *values = json_object_get(answer, "value");
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(values);
		return sr_ok();
	}
	const char *const headings[] = {"NAME", "CLIENT ID", "RESOURCES"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 3);
	size_t at;
	json_t *item;
	json_array_foreach(values, at, item)
	{
		const char *const cells[] = {sr_cli_text(item, "name"), sr_cli_text(item, "clientId"),
		                             sr_cli_text(item, "resources")};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
	return sr_ok();
}

static struct sr_result client_remove(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_TRY(tell(cli, "DELETE", client_target(cli)));
	printf("nobody may sign in with it any more, and who did is signed out\n");
	return sr_ok();
}

const struct sr_command sr_identity_user_commands[] = {
    {
        .words = "identity user create",
        .synopsis = "USER [--display NAME] [--role ROLE] [--scope SCOPE]",
        .summary = "make an account for a person",
        .text = "Prints a first password, once; the person chooses their own at the first sign-in.",
        .options = {SR_CLI_FORMAT,
                    {"display", "NAME", "the name that is shown (default: the user name)"},
                    {"role", "ROLE", "a role's name or id"},
                    {"scope", "SCOPE", "where the role holds (default /)"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = user_create,
    },
    {
        .words = "identity user list",
        .synopsis = "",
        .summary = "list people",
        .text = "Lists people with their wrong passwords since the last right one, and who is locked until when.",
        .options = {SR_CLI_FORMAT},
        .run = user_list,
    },
    {
        .words = "identity user show",
        .synopsis = "USER",
        .summary = "show a person",
        .text = "By user name or object id; with the number of sign-ins that last.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = user_show,
    },
    {
        .words = "identity user reset-password",
        .synopsis = "USER",
        .summary = "give a person a new first password",
        .text = "Ends all of their sign-ins and lifts a lock. The password is shown once.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = user_reset_password,
    },
    {
        .words = "identity user unlock",
        .synopsis = "USER",
        .summary = "lift the lock after wrong passwords",
        .text = "Forgets the wrong passwords of a person.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = user_unlock,
    },
    {
        .words = "identity user sign-out",
        .synopsis = "USER",
        .summary = "end all sign-ins of a person",
        .text = "Their tokens are refused within a second; they can sign in again.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = user_sign_out,
    },
    {
        .words = "identity user disable",
        .synopsis = "USER",
        .summary = "refuse a person from now on",
        .text = "Ends all of their sign-ins; their tokens are refused within a second.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = user_disable,
    },
    {
        .words = "identity user enable",
        .synopsis = "USER",
        .summary = "let a person in again",
        .text = "They sign in anew: what they had before stays ended.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = user_enable,
    },
    {
        .words = "identity user delete",
        .synopsis = "USER [--yes]",
        .summary = "delete a person",
        .text = "With all of their role assignments and sign-ins.",
        .options = {SR_CLI_YES},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = user_delete,
    },
    {
        .words = "identity client allow",
        .synopsis = "CLIENT-ID|az|powershell [--name NAME] [--resources LIST]",
        .summary = "let people sign in with an application",
        .text = "Registers a public client: an application that holds no secret, such as az on a laptop. People are\n"
                "shown its name before they approve. Without --resources it may be used for every service of this\n"
                "installation.",
        .options = {SR_CLI_FORMAT,
                    {"name", "NAME", "what people are shown"},
                    {"resources", "LIST",
                     "resources, parted by spaces, such as \"https://vault.azure.net https://storage.azure.com\""}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = client_allow,
    },
    {
        .words = "identity client list",
        .synopsis = "",
        .summary = "list applications in which people sign in",
        .text = "Lists public clients.",
        .options = {SR_CLI_FORMAT},
        .run = client_list,
    },
    {
        .words = "identity client remove",
        .synopsis = "CLIENT-ID",
        .summary = "let nobody sign in with an application",
        .text = "Ends the sign-ins that were made with it; their tokens are refused within a second. CLIENT-ID is\n"
                "as identity client list has it.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = client_remove,
    },
    {0},
};
