/* key and census: the vault's keys, what depends on them, taking them away and giving them back. */
#include "cli/command.h"
#include "cli/vault_item.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static void print_key(struct sr_cli *cli, const json_t *bundle)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(bundle);
		return;
	}
	const json_t *key = json_object_get(bundle, "key");
	printf("%s %s\n", sr_cli_text(key, "kty"), sr_cli_text(key, "kid"));
}

static struct sr_result key_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *type = sr_cli_option(cli, "type");
	uint64_t bits;
	SR_TRY(sr_cli_number(cli, "size", 0, &bits));
	const char *curve = sr_cli_option(cli, "curve");
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "kty", type ? type : "RSA");
	sr_json_set_string(body, "crv", curve);
	if (bits) {
		sr_json_set_int(body, "key_size", (int64_t)bits);
	}
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	const char *path = sr_arena_printf(cli->arena, "/keys/%s/create", sr_cli_escaped(cli, cli->arguments[0]));
	SR_TRY(sr_cli_call(cli, "vault", "POST", sr_cli_item_target(cli, path), body, &bundle));
	print_key(cli, bundle);
	return sr_ok();
}

/* The versions of the key that the line names. The service lists none of a key that is not there; people want to know.
 */
static struct sr_result versions_of_key(struct sr_cli *cli, json_t **ret_values)
{
	const char *key = cli->arguments[0];
	SR_CLEANUP(sr_json) json_t *values = NULL;
	SR_TRY(sr_cli_item_all(
	    cli, sr_cli_item_target(cli, sr_arena_printf(cli->arena, "/keys/%s/versions", sr_cli_escaped(cli, key))),
	    &values));
	if (!json_array_size(values)) {
		return sr_fail(SR_NOT_FOUND, "there is no key %s in vault %s", key, sr_cli_item_vault(cli));
	}
	*ret_values = SR_TAKE(values);
	return sr_ok();
}

static void print_items(struct sr_cli *cli, const json_t *values, const char *heading)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(values);
		return;
	}
	const char *const headings[] = {heading, "STATE", "CREATED", "UPDATED", "EXPIRES"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 5);
	size_t at;
	json_t *item;
	json_array_foreach(values, at, item)
	{
		const json_t *attributes = json_object_get(item, "attributes");
		const char *const cells[] = {
		    sr_cli_item_last_segment(sr_cli_text(item, "kid")),
		    json_is_false(json_object_get(attributes, "enabled")) ? "disabled" : "enabled",
		    sr_cli_time(cli, sr_cli_int(attributes, "created")),
		    sr_cli_time(cli, sr_cli_int(attributes, "updated")),
		    sr_cli_time(cli, sr_cli_int(attributes, "exp")),
		};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
}

static struct sr_result key_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *keys = NULL;
	SR_TRY(sr_cli_item_all(cli, sr_cli_item_target(cli, "/keys"), &keys));
	print_items(cli, keys, "KEY");
	return sr_ok();
}

static struct sr_result key_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *versions = NULL;
	SR_TRY(versions_of_key(cli, &versions));
	print_items(cli, versions, "VERSION");
	return sr_ok();
}

static struct sr_result key_rotate(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	uint64_t before_ns = sr_boottime_ns();
	const char *path = sr_arena_printf(cli->arena, "/keys/%s/rotate", sr_cli_escaped(cli, cli->arguments[0]));
	SR_TRY(sr_cli_call(cli, "vault", "POST", sr_cli_item_target(cli, path), NULL, &bundle));
	uint64_t took_us = (sr_boottime_ns() - before_ns) / 1000;
	print_key(cli, bundle);
	if (!sr_cli_wants_json(cli)) {
		printf("rotated in %.1f ms\n", (double)took_us / 1000);
	}
	return sr_ok();
}

/* The resources under a key (or a version of it), as the vault lists them; the caller owns the array. */
static struct sr_result dependents(struct sr_cli *cli, const char *key, const char *version, json_t **ret_values)
{
	const char *target = sr_arena_printf(cli->arena, "/_strongroom/keks?vault=%s&key=%s%s%s",
	                                     sr_cli_escaped(cli, sr_cli_item_vault(cli)), sr_cli_escaped(cli, key),
	                                     version ? "&version=" : "", version ? sr_cli_escaped(cli, version) : "");
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "GET", target, NULL, &answer));
	*ret_values = json_incref(json_object_get(answer, "value"));
	return sr_ok();
}

/* Adds each storage account's objects and bytes to its row; an account that cannot be read now keeps none. */
static void count_objects(struct sr_cli *cli, json_t *values)
{
	size_t at;
	json_t *item;
	json_array_foreach(values, at, item)
	{
		if (strcmp(sr_cli_text(item, "service"), "blob") != 0) {
			continue;
		}
		SR_CLEANUP(sr_json) json_t *census = NULL;
		const char *target = sr_arena_printf(cli->arena, "/_strongroom/accounts/%s/census", sr_cli_text(item, "label"));
		SR_CLEANUP(sr_result) struct sr_result counted = sr_cli_call(cli, "blob", "GET", target, NULL, &census);
		if (sr_is_ok(counted)) {
			sr_json_set_int(item, "objects", sr_cli_int(census, "objects"));
			sr_json_set_int(item, "bytes", sr_cli_int(census, "bytes"));
		}
	}
}

static const char *count_text(struct sr_cli *cli, const json_t *item, const char *name)
{
	const json_t *value = json_object_get(item, name);
	return value ? sr_arena_printf(cli->arena, "%lld", (long long)json_integer_value(value)) : "?";
}

static void print_dependents(struct sr_cli *cli, const json_t *values)
{
	const char *const headings[] = {"ACCOUNT", "KIND", "KEY VERSION", "FOLLOWS", "OBJECTS", "BYTES", "HELD BY"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 7);
	size_t at;
	json_t *item;
	json_array_foreach(values, at, item)
	{
		const json_t *holders = json_object_get(item, "holders");
		const json_t *bytes = json_object_get(item, "bytes");
		const char *const cells[] = {
		    sr_cli_text(item, "label"),
		    sr_cli_text(item, "kind"),
		    sr_cli_text(item, "version"),
		    json_is_true(json_object_get(item, "follows_latest")) ? "latest" : "fixed",
		    count_text(cli, item, "objects"),
		    bytes ? sr_cli_size(cli, json_integer_value(bytes)) : "?",
		    json_array_size(holders) ? sr_cli_text(json_array_get(holders, 0), "service") : "nobody",
		};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
}

static struct sr_result run_census(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *key = cli->arguments[0];
	SR_CLEANUP(sr_json) json_t *versions = NULL;
	SR_CLEANUP(sr_json) json_t *census = json_array();
	SR_TRY(versions_of_key(cli, &versions));
	const char *const headings[] = {"VERSION", "STATE", "CREATED", "ACCOUNTS", "OBJECTS", "BYTES"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 6);
	size_t at;
	json_t *version;
	json_array_foreach(versions, at, version)
	{
		const char *name = sr_cli_item_last_segment(sr_cli_text(version, "kid"));
		SR_CLEANUP(sr_json) json_t *values = NULL;
		SR_TRY(dependents(cli, key, name, &values));
		count_objects(cli, values);
		int64_t objects = 0;
		int64_t bytes = 0;
		size_t unknown = 0;
		size_t i;
		json_t *item;
		json_array_foreach(values, i, item)
		{
			objects += sr_cli_int(item, "objects");
			bytes += sr_cli_int(item, "bytes");
			unknown += !json_object_get(item, "objects");
		}
		const json_t *attributes = json_object_get(version, "attributes");
		bool enabled = !json_is_false(json_object_get(attributes, "enabled"));
		const char *const cells[] = {
		    name,
		    enabled ? "enabled" : "disabled",
		    sr_cli_time(cli, sr_cli_int(attributes, "created")),
		    sr_arena_printf(cli->arena, "%zu", json_array_size(values)),
		    sr_arena_printf(cli->arena, "%lld%s", (long long)objects, unknown ? " and more, not readable now" : ""),
		    sr_cli_size(cli, bytes),
		};
		sr_cli_table_row(table, cells);
		json_array_append_new(census,
		                      json_pack("{s:s, s:b, s:O, s:I, s:I}", "version", name, "enabled", enabled, "accounts",
		                                values, "objects", (json_int_t)objects, "bytes", (json_int_t)bytes));
	}
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(census);
	} else {
		sr_cli_table_print(table);
	}
	return sr_ok();
}

/* Enables or disables one version; tells how long the vault took to answer. */
static struct sr_result set_enabled(struct sr_cli *cli, const char *key, const char *version, bool enabled,
                                    uint64_t *ret_took_us)
{
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:{s:b}}", "attributes", "enabled", enabled);
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	uint64_t before_ns = sr_boottime_ns();
	SR_TRY(sr_cli_call(cli, "vault", "PATCH",
	                   sr_cli_item_target(cli, sr_arena_printf(cli->arena, "/keys/%s/%s", key, version)), body,
	                   &bundle));
	*ret_took_us = (sr_boottime_ns() - before_ns) / 1000;
	return sr_ok();
}

static struct sr_result set_all_enabled(struct sr_cli *cli, bool enabled)
{
	const char *key = cli->arguments[0];
	const char *only = sr_cli_option(cli, "version");
	SR_CLEANUP(sr_json) json_t *versions = NULL;
	SR_TRY(versions_of_key(cli, &versions));
	uint64_t took_us = 0;
	size_t changed = 0;
	size_t at;
	json_t *version;
	json_array_foreach(versions, at, version)
	{
		const char *name = sr_cli_item_last_segment(sr_cli_text(version, "kid"));
		bool is_enabled = !json_is_false(json_object_get(json_object_get(version, "attributes"), "enabled"));
		if ((only && strcmp(only, name) != 0) || is_enabled == enabled) {
			continue;
		}
		uint64_t one_us;
		SR_TRY(set_enabled(cli, key, name, enabled, &one_us));
		took_us += one_us;
		changed++;
	}
	if (only && !changed) {
		return sr_fail(SR_NOT_FOUND, "no version %s of %s is %s", only, key, enabled ? "disabled" : "enabled");
	}
	if (sr_cli_wants_json(cli)) {
		SR_CLEANUP(sr_json)
		json_t *answer = json_pack("{s:s, s:b, s:I, s:f}", "key", key, "enabled", enabled, "versions",
		                           (json_int_t)changed, "took_ms", (double)took_us / 1000);
		sr_cli_print_json(answer);
	} else {
		printf("%s: %zu version%s %s in %.1f ms%s\n", key, changed, changed == 1 ? "" : "s",
		       enabled ? "enabled" : "disabled", (double)took_us / 1000,
		       enabled ? "" : "; no service can use the key any more");
	}
	return sr_ok();
}

static struct sr_result key_disable(struct sr_cli *cli, int *ret_status)
{
	const char *key = cli->arguments[0];
	SR_CLEANUP(sr_json) json_t *versions = NULL;
	SR_CLEANUP(sr_json) json_t *values = NULL;
	SR_TRY(versions_of_key(cli, &versions));
	SR_TRY(dependents(cli, key, sr_cli_option(cli, "version"), &values));
	count_objects(cli, values);
	bool is_dry = sr_cli_option(cli, "dry-run");
	if (is_dry && sr_cli_wants_json(cli)) {
		sr_cli_print_json(values);
		return sr_ok();
	}
	if (!sr_cli_wants_json(cli)) {
		if (json_array_size(values)) {
			printf("Without this key these stop at once:\n\n");
			print_dependents(cli, values);
			putchar('\n');
		} else {
			printf("Nothing depends on this key now.\n");
		}
	}
	if (is_dry) {
		return sr_ok();
	}
	if (!sr_cli_option(cli, "yes") && !sr_cli_confirm("Disable the key?")) {
		fprintf(stderr, "Nothing was changed. (Without a terminal, say --yes.)\n");
		*ret_status = 1;
		return sr_ok();
	}
	return set_all_enabled(cli, false);
}

static struct sr_result key_enable(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return set_all_enabled(cli, true);
}

const struct sr_command sr_key_commands[] = {
    {
        .words = "census",
        .synopsis = "KEY [--vault VAULT] [--format json|text]",
        .summary = "count what lies under each version of a key",
        .text = "Lists, for each version of a key, the accounts whose data it protects, with their objects and\n"
                "bytes.",
        .options = {SR_CLI_FORMAT, {"vault", "VAULT", "the key's vault (default \"default\")"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = run_census,
    },
    {
        .words = "key create",
        .synopsis = "KEY [--type RSA|EC|oct] [--size BITS] [--curve NAME] [--vault VAULT]",
        .summary = "make a key, or a new version of one",
        .text = "Makes a key in the vault: RSA 2048 (the default), 3072 or 4096; EC P-256, P-384, P-521, P-256K;\n"
                "oct 128, 192, 256.",
        .options = {SR_CLI_FORMAT,
                    SR_CLI_VAULT,
                    {"type", "TYPE", "RSA, EC or oct (default RSA)"},
                    {"size", "BITS", "for RSA and oct (default 2048 and 256)"},
                    {"curve", "NAME", "for EC (default P-256)"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = key_create,
    },
    {
        .words = "key list",
        .synopsis = "[--vault VAULT]",
        .summary = "list keys",
        .text = "Lists the keys of a vault with their newest version and state.",
        .options = {SR_CLI_FORMAT, SR_CLI_VAULT},
        .run = key_list,
    },
    {
        .words = "key show",
        .synopsis = "KEY [--vault VAULT]",
        .summary = "show a key's versions",
        .text = "Shows each version of a key, its state and its dates.",
        .options = {SR_CLI_FORMAT, SR_CLI_VAULT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = key_show,
    },
    {
        .words = "key rotate",
        .synopsis = "KEY [--vault VAULT]",
        .summary = "make a new version and rewrap what follows it",
        .text = "Makes a new version. Accounts that follow the newest version are rewrapped in the same step; no\n"
                "data moves and no request fails meanwhile.",
        .options = {SR_CLI_FORMAT, SR_CLI_VAULT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = key_rotate,
    },
    {
        .words = "key disable",
        .synopsis = "KEY [--version V] [--vault VAULT] [--yes]",
        .summary = "take a key away, after showing what will stop",
        .text = "Shows the accounts, objects and holders that depend on the key, asks, and disables every version\n"
                "(or the one given). Returns when no service can use it any more, and says how long that took.",
        .options = {SR_CLI_FORMAT,
                    SR_CLI_VAULT,
                    {"version", "V", "only this version"},
                    SR_CLI_YES,
                    {"dry-run", NULL, "only show what would stop"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = key_disable,
    },
    {
        .words = "key enable",
        .synopsis = "KEY [--version V] [--vault VAULT]",
        .summary = "give a key back",
        .text = "Enables every version of a key, or the one given.",
        .options = {SR_CLI_FORMAT, SR_CLI_VAULT, {"version", "V", "only this version"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = key_enable,
    },
    {0},
};
