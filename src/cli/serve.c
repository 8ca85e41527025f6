/* serve and service: the supervisor, and what it starts. */
#include "cli/command.h"

#include "base/log.h"
#include "blob/blob.h"
#include "host/host.h"
#include "host/supervisor.h"
#include "identity/identity.h"
#include "vault/vault.h"
#include "workspace/workspace.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const sr_cli_services[] = {"vault", "identity", "blob", "workspace", NULL};

static const struct {
	const char *name;
	struct sr_result (*serve)(struct sr_host *host);
} services[] = {
    {"vault", sr_vault_serve},
    {"identity", sr_identity_serve},
    {"blob", sr_blob_serve},
    {"workspace", sr_workspace_serve},
};

static struct sr_result run_service(struct sr_cli *cli, int *ret_status)
{
	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		if (strcmp(services[i].name, cli->arguments[0]) == 0) {
			*ret_status = sr_host_run(services[i].name, services[i].serve);
			return sr_ok();
		}
	}
	return sr_fail(SR_INVALID, "there is no service '%s'", cli->arguments[0]);
}

static bool say_serving(void *context)
{
	const struct sr_config *config = context;
	sr_log(SR_LOG_NOTICE, "serving: identity %llu, vault %llu, blob %llu, resource manager %llu; Ctrl-C stops",
	       (unsigned long long)config->identity_port, (unsigned long long)config->vault_port,
	       (unsigned long long)config->blob_port, (unsigned long long)config->workspace_port);
	return true;
}

static struct sr_result run_serve(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *master = sr_arena_printf(cli->arena, "%s/vault/master", cli->config.state);
	if (access(cli->config.root_key, F_OK) && access(master, F_OK)) {
		return sr_fail(
		    SR_NOT_FOUND,
		    "there is no root key at %s; put it back from your copy, or make an installation first: strongroom init "
		    "--state %s",
		    cli->config.root_key, cli->config.state);
	}
	sr_log_setup("supervisor", SR_LOG_INFO);
	const struct sr_supervision supervision = {.on_serving = say_serving, .context = &cli->config};
	return sr_supervise(&cli->config, sr_cli_services, &supervision);
}

const struct sr_command sr_serve_commands[] = {
    {
        .words = "serve",
        .synopsis = "",
        .summary = "run the services until told to stop",
        .text = "Starts vault, identity and blob as confined processes, restarts one that dies, and stops all in\n"
                "order on SIGINT or SIGTERM. Tells systemd when all serve (Type=notify) and feeds its watchdog.",
        .run = run_serve,
    },
    {
        .words = "service",
        .synopsis = "NAME",
        .summary = "run one service (started by serve)",
        .text = "Not for people.",
        .least_arguments = 1,
        .most_arguments = 1,
        .is_hidden = true,
        .run = run_service,
    },
    {0},
};
