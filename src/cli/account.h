/* What other commands show of accounts. */
#ifndef SR_CLI_ACCOUNT_H
#define SR_CLI_ACCOUNT_H

#include "cli/command.h"

/* Prints the storage accounts, as people read them or as JSON. */
SR_MUST struct sr_result sr_cli_list_accounts(struct sr_cli *cli);

#endif
