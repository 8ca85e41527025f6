/* identity managed-identity and identity imds: identities without a secret, and who gets their tokens. */
#include "cli/command.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* By any id: a resource id has slashes, which no segment of a path can hold. */
static const char *target_of(struct sr_cli *cli)
{
	const char *wanted = cli->arguments[0];
	return sr_arena_printf(cli->arena, "/_strongroom/managed-identities/%s", sr_cli_escaped(cli, wanted));
}

static void print_identity(struct sr_cli *cli, const json_t *identity)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(identity);
		return;
	}
	printf(
	    "name          %s\nkind          %s\nclient id     %s\nprincipal id  %s\nstate         %s\nresource      %s\n",
	    sr_cli_text(identity, "name"), sr_cli_text(identity, "kind"), sr_cli_text(identity, "clientId"),
	    sr_cli_text(identity, "principalId"),
	    json_is_false(json_object_get(identity, "enabled")) ? "disabled" : "enabled", sr_cli_text(identity, "id"));
}

/* The resource id of the identity that is to be made: given with --resource (then it is system-assigned), or made of
 * name, group and subscription. */
static struct sr_result new_resource(struct sr_cli *cli, const char **ret_id, const char **ret_kind)
{
	const char *resource = sr_cli_option(cli, "resource");
	if (resource) {
		if (cli->argument_count) {
			return sr_fail(SR_INVALID,
			               "give a name or --resource: a system-assigned identity is named like its resource");
		}
		*ret_id = resource;
		*ret_kind = "SystemAssigned";
		return sr_ok();
	}
	if (!cli->argument_count) {
		return sr_fail(SR_INVALID, "a name is missing");
	}
	const char *group = sr_cli_option(cli, "resource-group");
	const char *subscription = sr_cli_option(cli, "subscription");
	if (!subscription) {
		SR_CLEANUP(sr_json) json_t *status = NULL;
		SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/status", NULL, &status));
		subscription = sr_arena_strdup(cli->arena, sr_cli_text(status, "subscription"));
	}
	*ret_id = sr_arena_printf(cli->arena,
	                          "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.ManagedIdentity/"
	                          "userAssignedIdentities/%s",
	                          subscription, group ? group : "default", cli->arguments[0]);
	*ret_kind = "UserAssigned";
	return sr_ok();
}

static struct sr_result managed_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *id = NULL;
	const char *kind = NULL;
	SR_TRY(new_resource(cli, &id, &kind));
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:s, s:s}", "resourceId", id, "kind", kind);
	sr_json_set_string(body, "location", sr_cli_option(cli, "location"));
	SR_CLEANUP(sr_json) json_t *identity = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/managed-identities", body, &identity));
	print_identity(cli, identity);
	return sr_ok();
}

static struct sr_result managed_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/managed-identities", NULL, &answer));
	static const struct sr_cli_column columns[] = {{"NAME", "name"},
	                                               {"KIND", "kind"},
	                                               {"CLIENT ID", "clientId"},
	                                               {"PRINCIPAL ID", "principalId"},
	                                               {"RESOURCE", "id"}};
	sr_cli_print_list(cli, json_object_get(answer, "value"), columns, 5);
	return sr_ok();
}

static struct sr_result managed_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *identity = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", target_of(cli), NULL, &identity));
	print_identity(cli, identity);
	return sr_ok();
}

static struct sr_result managed_delete(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "DELETE", target_of(cli), NULL, &answer));
	printf("%s is deleted\n", cli->arguments[0]);
	return sr_ok();
}

static struct sr_result set_enabled(struct sr_cli *cli, bool enabled)
{
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:b}", "enabled", enabled);
	SR_CLEANUP(sr_json) json_t *identity = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "PATCH", target_of(cli), body, &identity));
	print_identity(cli, identity);
	return sr_ok();
}

static struct sr_result managed_enable(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return set_enabled(cli, true);
}

static struct sr_result managed_disable(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return set_enabled(cli, false);
}

static struct sr_result imds_bind(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	uint64_t uid = UINT64_MAX;
	SR_TRY(sr_cli_number(cli, "uid", uid, &uid));
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:s, s:[]}", "address", cli->arguments[0], "identities");
	if (uid != UINT64_MAX) {
		sr_json_set_int(body, "uid", (int64_t)uid);
	}
	for (size_t i = 1; i < cli->argument_count; i++) {
		json_array_append_new(json_object_get(body, "identities"), json_string(cli->arguments[i]));
	}
	SR_CLEANUP(sr_json) json_t *binding = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/imds-bindings", body, &binding));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(binding);
		return sr_ok();
	}
	printf("binding %s: %s", sr_cli_text(binding, "id"), sr_cli_text(binding, "address"));
	if (uid != UINT64_MAX) {
		printf(", processes of user %llu", (unsigned long long)uid);
	}
	puts("");
	if (!*cli->config.imds_listen) {
		puts("The metadata endpoint is off: set imds-listen (127.0.0.1:PORT, 169.254.169.254:80) and restart.");
	}
	return sr_ok();
}

static const char *held_names(struct sr_cli *cli, const json_t *binding)
{
	const char *names = "";
	size_t at;
	json_t *identity;
	json_array_foreach(json_object_get(binding, "identities"), at, identity)
	{
		names = sr_arena_printf(cli->arena, "%s%s%s", names, at ? ", " : "", sr_cli_text(identity, "name"));
	}
	return names;
}

static struct sr_result imds_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/imds-bindings", NULL, &answer));
	const json_t *bindings = json_object_get(answer, "value");
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(bindings);
		return sr_ok();
	}
	const char *const headings[] = {"ADDRESS", "USER", "IDENTITIES", "ID"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 4);
	size_t at;
	json_t *binding;
	json_array_foreach(bindings, at, binding)
	{
		const json_t *uid = json_object_get(binding, "uid");
		const char *const cells[] = {sr_cli_text(binding, "address"),
		                             uid ? sr_arena_printf(cli->arena, "%lld", (long long)json_integer_value(uid))
		                                 : "any",
		                             held_names(cli, binding), sr_cli_text(binding, "id")};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
	return sr_ok();
}

static struct sr_result imds_unbind(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *identity = sr_cli_option(cli, "identity");
	const char *target =
	    sr_arena_printf(cli->arena, "/_strongroom/imds-bindings/%s%s%s", sr_cli_escaped(cli, cli->arguments[0]),
	                    identity ? "?identity=" : "", identity ? sr_cli_escaped(cli, identity) : "");
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "DELETE", target, NULL, &answer));
	puts(identity ? "the identity is no longer bound there" : "the binding is removed, and its tokens are refused");
	return sr_ok();
}

const struct sr_command sr_managed_identity_commands[] = {
    {
        .words = "identity managed-identity create",
        .synopsis = "NAME [--resource-group GROUP] | --resource ID",
        .summary = "make a managed identity",
        .text = "A user-assigned one by its name, or with --resource the system-assigned one of a resource, named\n"
                "like it. It has no secret: see identity imds bind and identity run for who gets its tokens.",
        .options = {SR_CLI_FORMAT,
                    {"resource-group", "GROUP", "of a user-assigned one (default \"default\")"},
                    {"subscription", "ID", "default the installation's own"},
                    {"location", "PLACE", "as a note"},
                    {"resource", "ID", "resource id of what the identity is for"}},
        .most_arguments = 1,
        .run = managed_create,
    },
    {
        .words = "identity managed-identity list",
        .synopsis = "",
        .summary = "list managed identities",
        .text = "With their ids and resources.",
        .options = {SR_CLI_FORMAT},
        .run = managed_list,
    },
    {
        .words = "identity managed-identity show",
        .synopsis = "IDENTITY",
        .summary = "show a managed identity",
        .text = "By name, client id, principal id or resource id.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = managed_show,
    },
    {
        .words = "identity managed-identity disable",
        .synopsis = "IDENTITY",
        .summary = "refuse a managed identity from now on",
        .text = "Its tokens are refused within a second, and it gets no more.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = managed_disable,
    },
    {
        .words = "identity managed-identity enable",
        .synopsis = "IDENTITY",
        .summary = "let a managed identity in again",
        .text = "Undoes managed-identity disable.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = managed_enable,
    },
    {
        .words = "identity managed-identity delete",
        .synopsis = "IDENTITY",
        .summary = "remove a managed identity",
        .text = "With its role assignments, memberships and bindings. Its tokens are refused within a second.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = managed_delete,
    },
    {
        .words = "identity imds bind",
        .synopsis = "ADDRESS IDENTITY... [--uid UID]",
        .summary = "let callers at an address use managed identities",
        .text = "Callers of the metadata endpoint (setting imds-listen) are known by their source address;\n"
                "processes of this machine by their user too. A loopback address needs --uid: it would otherwise\n"
                "mean every process of this machine.",
        .options = {SR_CLI_FORMAT, {"uid", "UID", "number of the user whose processes are meant"}},
        .least_arguments = 2,
        .most_arguments = 16,
        .run = imds_bind,
    },
    {
        .words = "identity imds list",
        .synopsis = "",
        .summary = "list who may use which managed identities",
        .text = "By address and user.",
        .options = {SR_CLI_FORMAT},
        .run = imds_list,
    },
    {
        .words = "identity imds unbind",
        .synopsis = "BINDING [--identity IDENTITY]",
        .summary = "take that back",
        .text = "By the id of the binding. Tokens that were got by it are refused within a second. With --identity\n"
                "only that one is taken out of the binding; tokens of it that are out last to their end.",
        .options = {{"identity", "IDENTITY", "only this one"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = imds_unbind,
    },
    {0},
};
