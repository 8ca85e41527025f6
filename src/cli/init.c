/* init: a new installation. The services make their own state at their first start; init starts them once and asks for
 * an administrator. */
#include "cli/command.h"
#include "cli/root.h"

#include "base/log.h"
#include "host/supervisor.h"
#include "seal/file.h"
#include "vault/vault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the first start yields. */
struct first {
	struct sr_cli *cli;
	struct sr_cli_root root;
	struct sr_buf word;    /* the passphrase or PIN */
	struct sr_buf handout; /* the shares */
	json_t *administrator;
	struct sr_result outcome;
};

static struct sr_result make_dir(const char *path, mode_t mode)
{
	if (mkdir(path, mode) != 0) {
		return errno == EEXIST ? sr_ok() : sr_fail_errno(errno, "make %s", path);
	}
	return sr_file_sync_name(path);
}

static struct sr_result make_dirs(const char *path)
{
	char part[SR_CONFIG_TEXT_LEN + 32];
	snprintf(part, sizeof part, "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		SR_TRY(make_dir(part, 0755));
		*slash = '/';
	}
	return make_dir(part, 0700);
}

/* The settings that were given with init, kept so that serve finds them. */
static struct sr_result write_config(struct sr_cli *cli)
{
	const char *path = sr_arena_printf(cli->arena, "%s/strongroom.conf", cli->config.state);
	if (access(path, F_OK) == 0) {
		return sr_ok();
	}
	struct sr_config defaults;
	sr_config_defaults(&defaults);
	sr_ignore(sr_config_set(&defaults, "state", cli->config.state));
	SR_TRY(sr_config_finish(&defaults));
	SR_CLEANUP(sr_buf) struct sr_buf plain = SR_BUF(65536);
	SR_CLEANUP(sr_buf) struct sr_buf given = SR_BUF(65536);
	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(65536);
	sr_config_export(&defaults, &plain);
	sr_config_export(&cli->config, &given);
	sr_config_write_default(&file);
	sr_buf_append_str(&file, "\n# Set by init:\n");
	char *rest_plain = NULL;
	char *rest_given = NULL;
	(void)sr_buf_text(&plain);
	(void)sr_buf_text(&given);
	char *ours = strtok_r((char *)plain.data, "\n", &rest_plain);
	char *theirs = strtok_r((char *)given.data, "\n", &rest_given);
	while (ours && theirs) {
		if (strcmp(ours, theirs) != 0) {
			sr_buf_printf(&file, "%s\n", theirs);
		}
		ours = strtok_r(NULL, "\n", &rest_plain);
		theirs = strtok_r(NULL, "\n", &rest_given);
	}
	SR_TRY(sr_buf_result(&file));
	return sr_file_write_durable(path, sr_buf_bytes(&file));
}

static struct sr_result ask_for_administrator(struct first *first)
{
	struct sr_cli *cli = first->cli;
	const char *name = sr_cli_option(cli, "admin");
	SR_CLEANUP(sr_json)
	json_t *body = json_pack("{s:s, s:[{s:s, s:s}]}", "name", name ? name : "admin", "roles", "role",
	                         "Strongroom Administrator", "scope", "/");
	SR_TRY(sr_cli_call(cli, "identity", "POST", "/_strongroom/principals", body, &first->administrator));
	SR_CLEANUP(sr_buf) struct sr_buf ca = SR_BUF(65536);
	SR_TRY(sr_cli_call_text(cli, "vault", "GET", "/_strongroom/ca", NULL, &ca));
	const char *path = sr_arena_printf(cli->arena, "%s/ca.pem", cli->config.state);
	return sr_file_write_durable(path, sr_buf_bytes(&ca));
}

static bool on_serving(void *context)
{
	struct first *first = context;
	first->outcome = ask_for_administrator(first);
	return false;
}

/* A vault that waits for a person gets what was given or made a moment ago. */
static bool on_sealed(void *context)
{
	struct first *first = context;
	SR_CLEANUP(sr_buf) struct sr_buf answer = SR_BUF(65536);
	const struct sr_buf *given = first->handout.len ? &first->handout : &first->word;
	first->outcome = sr_cli_call_secret(first->cli, "POST", "/_strongroom/unseal", sr_buf_bytes(given), &answer);
	return sr_is_ok(first->outcome);
}

/* What to keep, so that the data can be read again. A shell that reads variables gets it as comments. */
static void print_root(const struct first *first, bool is_env)
{
	struct sr_cli *cli = first->cli;
	const char *name = first->root.provider->name;
	if (is_env && first->handout.len) {
		SR_CLEANUP(sr_json) json_t *object = json_object();
		sr_cli_shares_json(sr_buf_bytes(&first->handout), object);
		size_t at;
		json_t *share;
		json_array_foreach(json_object_get(object, "shares"), at, share)
		{
			printf("# share %zu: %s\n", at + 1, json_string_value(share));
		}
	}
	if (is_env) {
		return;
	}
	puts("\nThe client secret is shown this once.");
	sr_cli_print_shares(sr_buf_bytes(&first->handout), first->root.threshold);
	if (strcmp(name, "file") == 0) {
		printf("Keep a copy of %s in a safe place:\nwithout it nobody can read the data again.\n",
		       cli->config.root_key);
	} else {
		printf("The root key's provider is %s (strongroom root show). Without it nobody can read the data again.\n",
		       name);
	}
	printf("\nNext:\n  strongroom serve --state %s\n", cli->config.state);
}

/* Everything that a client needs, by one list for all three formats. */
static void print_client(const struct first *first)
{
	struct sr_cli *cli = first->cli;
	const json_t *administrator = first->administrator;
	const char *format = sr_cli_option(cli, "format");
	const struct {
		const char *name, *variable, *value;
	} rows[] = {
	    {"authority", "AUTHORITY", cli->config.authority},
	    {"tenant", "TENANT", sr_cli_text(administrator, "tenant")},
	    {"subscription", "SUBSCRIPTION", sr_cli_text(administrator, "subscription")},
	    {"clientId", "CLIENT_ID", sr_cli_text(administrator, "clientId")},
	    {"clientSecret", "CLIENT_SECRET", sr_cli_text(administrator, "secret")},
	    {"objectId", "OBJECT_ID", sr_cli_text(administrator, "objectId")},
	    {"vaultUrl", "VAULT_URL",
	     sr_arena_printf(cli->arena, "https://127.0.0.1:%llu", (unsigned long long)cli->config.vault_port)},
	    {"blobEndpoint", "BLOB_ENDPOINT",
	     sr_arena_printf(cli->arena, "https://127.0.0.1:%llu", (unsigned long long)cli->config.blob_port)},
	    {"resourceManager", "RESOURCE_MANAGER",
	     sr_arena_printf(cli->arena, "https://127.0.0.1:%llu", (unsigned long long)cli->config.workspace_port)},
	    {"caFile", "NODE_EXTRA_CA_CERTS", sr_arena_printf(cli->arena, "%s/ca.pem", cli->config.state)},
	    {"state", "STRONGROOM_STATE", cli->config.state},
	};
	bool is_json = sr_cli_wants_json(cli);
	bool is_env = format && strcmp(format, "env") == 0;
	SR_CLEANUP(sr_json) json_t *object = json_object();
	if (!is_json && !is_env) {
		printf("A new installation is in %s.\n\n", cli->config.state);
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (is_json) {
			sr_json_set_string(object, rows[i].name, rows[i].value);
		} else if (is_env) {
			printf("%s='%s'\n", rows[i].variable, rows[i].value);
		} else {
			printf("  %-15s %s\n", rows[i].name, rows[i].value);
		}
	}
	if (is_json) {
		if (first->handout.len) {
			sr_cli_shares_json(sr_buf_bytes(&first->handout), object);
		}
		sr_cli_print_json(object);
	} else {
		print_root(first, is_env);
	}
}

/* A second root key, wherever it lay, would be of no use to the installation that is there. */
static struct sr_result refuse_existing(struct sr_cli *cli)
{
	const char *master = sr_arena_printf(cli->arena, "%s/vault/master", cli->config.state);
	const char *const signs[] = {cli->config.root_key, master};
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		if (access(signs[i], F_OK) == 0) {
			return sr_fail(SR_EXISTS,
			               "there is an installation in %s already (%s is there), and it is never overwritten; run it "
			               "with strongroom serve, or give another --state",
			               cli->config.state, signs[i]);
		}
	}
	return sr_ok();
}

/* The root key: a file of its own, or a master file that says how to get it. */
static struct sr_result make_root(struct first *first)
{
	struct sr_cli *cli = first->cli;
	char *root_dir = sr_arena_strdup(cli->arena, cli->config.root_key);
	*strrchr(root_dir, '/') = 0;
	SR_TRY(make_dirs(root_dir));
	SR_TRY(sr_seal_init());
	if (first->root.provider == &sr_root_file) {
		return sr_vault_create_root(cli->config.root_key);
	}
	SR_TRY(make_dirs(sr_arena_printf(cli->arena, "%s/vault", cli->config.state)));
	SR_CLEANUP(sr_secret) struct sr_secret *word = NULL;
	if (first->word.len) {
		SR_TRY(sr_secret_from_bytes(sr_buf_bytes(&first->word), &word));
	}
	const struct sr_root_settings settings = {
	    .config = &cli->config, .threshold = first->root.threshold, .share_count = first->root.share_count};
	const struct sr_root_input input = {.word = word};
	return sr_vault_begin(&settings, first->root.provider, &input, &first->handout);
}

static void first_cleanup(struct first *first)
{
	sr_buf_free(&first->word);
	sr_buf_free(&first->handout);
	json_decref(first->administrator);
}

static struct sr_result run_init(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(first)
	struct first first = {.cli = cli, .word = SR_BUF(SR_SECRET_MAX), .handout = SR_BUF(SR_ROOT_HANDOUT_MAX)};
	const char *root = sr_cli_option(cli, "root");
	SR_TRY(refuse_existing(cli));
	SR_TRY(sr_cli_root_parse(cli, root ? root : "file", sr_cli_option(cli, "pin") != NULL, &first.root));
	SR_TRY(sr_cli_root_ask(&first.root, &first.word));
	SR_TRY(make_dirs(cli->config.state));
	SR_TRY(make_root(&first));
	SR_TRY(write_config(cli));
	struct sr_config quiet = cli->config;
	SR_TRY(sr_config_set(&quiet, "log-level", "warning"));
	sr_log_setup("init", SR_LOG_WARNING);
	const struct sr_supervision supervision = {.on_serving = on_serving, .on_sealed = on_sealed, .context = &first};
	struct sr_result started = sr_supervise(&quiet, sr_cli_services, &supervision);
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_first_error(started, first.outcome);
	if (!sr_is_ok(outcome) || !first.administrator) {
		return sr_fail(SR_UNAVAILABLE, "%s; the installation is not complete: remove %s and try again",
		               sr_is_ok(outcome) ? "stopped early" : sr_result_message(outcome), cli->config.state);
	}
	print_client(&first);
	return sr_ok();
}

const struct sr_command sr_init_commands[] = {
    {
        .words = "init",
        .synopsis = "[--root PROVIDER] [--pin] [--admin NAME] [--format text|json|env]",
        .summary = "make a new installation",
        .text = "Makes the state directory, the root key, the internal certificate authority, a tenant and a first\n"
                "administrator, and prints what a client needs. The administrator's secret is shown once. Keep a\n"
                "copy of the root key in a safe place: without it the data cannot be read by anyone. The root key\n"
                "is a file, or comes from a passphrase (asked for, or the first line of standard input), a TPM, a\n"
                "PKCS#11 token, or shares of which some are needed: --root file|passphrase|tpm|pkcs11|shares=3/5.\n"
                "With a passphrase, shares or a PIN the vault starts sealed and waits for strongroom unseal.",
        .options = {{"root", "PROVIDER", "where the root key comes from (default file)"},
                    {"pin", NULL, "ask for a PIN for the root key in a TPM or token"},
                    {"format", "text|json|env", "what to print (default text)"},
                    {"admin", "NAME", "the administrator's name (default admin)"}},
        .run = run_init,
    },
    {0},
};
