/* What the commands on vaults share: finding one and changing it by the resource manager's operations. */
#ifndef SR_CLI_VAULT_H
#define SR_CLI_VAULT_H

#include "cli/command.h"

/* The target of the live vault that the line's first word names, with `tail` behind its id ("", "/accessPolicies/add").
 * SR_NOT_FOUND says how to see which there are. */
SR_MUST struct sr_result sr_cli_vault_target(struct sr_cli *cli, const char *tail, const char **ret_target);
/* The vault of that target as it is; the caller owns it. */
SR_MUST struct sr_result sr_cli_vault_get(struct sr_cli *cli, json_t **ret_vault);
/* Changes properties (borrowed) of the vault and prints it as it is then. */
SR_MUST struct sr_result sr_cli_vault_patch(struct sr_cli *cli, const json_t *properties);
/* Prints a vault, as people read it or as JSON. */
void sr_cli_vault_print(struct sr_cli *cli, const json_t *vault);

#endif
