/* The functions behind the command table, one file a noun. Each prints its own output; *ret_status is the exit status.
 */
#ifndef SR_CLI_COMMANDS_H
#define SR_CLI_COMMANDS_H

#include "cli/command.h"

#define SR_CLI_RUN(name) SR_MUST struct sr_result name(struct sr_cli *cli, int *ret_status)

SR_CLI_RUN(sr_cli_init);
SR_CLI_RUN(sr_cli_serve);
SR_CLI_RUN(sr_cli_service);
SR_CLI_RUN(sr_cli_status);
SR_CLI_RUN(sr_cli_verify);
SR_CLI_RUN(sr_cli_census);
SR_CLI_RUN(sr_cli_key_create);
SR_CLI_RUN(sr_cli_key_list);
SR_CLI_RUN(sr_cli_key_show);
SR_CLI_RUN(sr_cli_key_rotate);
SR_CLI_RUN(sr_cli_key_disable);
SR_CLI_RUN(sr_cli_key_enable);
SR_CLI_RUN(sr_cli_secret_set);
SR_CLI_RUN(sr_cli_secret_get);
SR_CLI_RUN(sr_cli_secret_list);
SR_CLI_RUN(sr_cli_secret_delete);
SR_CLI_RUN(sr_cli_secret_recover);
SR_CLI_RUN(sr_cli_account_create);
SR_CLI_RUN(sr_cli_account_list);
SR_CLI_RUN(sr_cli_account_keys);
SR_CLI_RUN(sr_cli_account_regenerate);
SR_CLI_RUN(sr_cli_account_delete);
SR_CLI_RUN(sr_cli_principal_create);
SR_CLI_RUN(sr_cli_principal_list);
SR_CLI_RUN(sr_cli_principal_disable);
SR_CLI_RUN(sr_cli_principal_enable);
SR_CLI_RUN(sr_cli_vault_create);
SR_CLI_RUN(sr_cli_vault_show);
SR_CLI_RUN(sr_cli_vault_list);
SR_CLI_RUN(sr_cli_vault_update);
SR_CLI_RUN(sr_cli_vault_delete);
SR_CLI_RUN(sr_cli_vault_recover);
SR_CLI_RUN(sr_cli_vault_purge);
SR_CLI_RUN(sr_cli_vault_operations);
SR_CLI_RUN(sr_cli_vault_policy_set);
SR_CLI_RUN(sr_cli_vault_policy_remove);
SR_CLI_RUN(sr_cli_vault_network_set);
SR_CLI_RUN(sr_cli_vault_network_add);
SR_CLI_RUN(sr_cli_vault_network_remove);
SR_CLI_RUN(sr_cli_identity_add_secret);
SR_CLI_RUN(sr_cli_identity_remove_secret);
SR_CLI_RUN(sr_cli_identity_add_certificate);
SR_CLI_RUN(sr_cli_identity_remove_certificate);
SR_CLI_RUN(sr_cli_identity_add_federated);
SR_CLI_RUN(sr_cli_identity_remove_federated);
SR_CLI_RUN(sr_cli_identity_credentials);
SR_CLI_RUN(sr_cli_identity_federation_set);
SR_CLI_RUN(sr_cli_identity_federation_list);
SR_CLI_RUN(sr_cli_identity_federation_remove);
SR_CLI_RUN(sr_cli_audit_show);
SR_CLI_RUN(sr_cli_audit_verify);
SR_CLI_RUN(sr_cli_audit_export);
SR_CLI_RUN(sr_cli_audit_anchor);
SR_CLI_RUN(sr_cli_audit_public_key);
SR_CLI_RUN(sr_cli_audit_rotate_key);
SR_CLI_RUN(sr_cli_backup);
SR_CLI_RUN(sr_cli_backup_list);
SR_CLI_RUN(sr_cli_backup_verify);
SR_CLI_RUN(sr_cli_backup_prune);
SR_CLI_RUN(sr_cli_restore);
SR_CLI_RUN(sr_cli_rollback_list);
SR_CLI_RUN(sr_cli_rollback_accept);
SR_CLI_RUN(sr_cli_config);
SR_CLI_RUN(sr_cli_print_completion);
SR_CLI_RUN(sr_cli_print_manual);

#endif
