/* What the commands on keys, secrets and certificates share: their vault, targets of its data plane, whole lists. */
#ifndef SR_CLI_VAULT_ITEM_H
#define SR_CLI_VAULT_ITEM_H

#include "cli/command.h"

/* The vault that --vault names, or the default one. Borrowed. */
const char *sr_cli_item_vault(const struct sr_cli *cli);
/* A target of that vault's data plane: `path` with the API's version and the vault's name, which the local socket takes
 * as a parameter. In the arena. */
const char *sr_cli_item_target(struct sr_cli *cli, const char *path);
/* Follows a list's pages from its first target and joins their values; the caller owns the array. */
SR_MUST struct sr_result sr_cli_item_all(struct sr_cli *cli, const char *target, json_t **ret_values);
/* The last segment of an id: a name or a version. Borrowed from `id`. */
const char *sr_cli_item_last_segment(const char *id);

#endif
