/*
 * Built-in roles with Azure's ids, names and actions, to be held against its "Azure built-in roles" page line by line;
 * and one of ours. Actions of services that are not here are kept: they cost nothing and never mislead.
 */
#include "access/role_table.h"

#define LIST(...)         \
	(const char *const[]) \
	{                     \
		__VA_ARGS__, NULL \
	}

#define NONE              \
	(const char *const[]) \
	{                     \
		NULL              \
	}

#define KEY_VAULT "Microsoft.KeyVault/vaults/"
#define KEYS      KEY_VAULT "keys/"
#define SERVICE   "Microsoft.Storage/storageAccounts/blobServices/"
#define CONTAINER SERVICE "containers/"
#define BLOB      CONTAINER "blobs/"

/* What the roles for a vault's data may see of its management. */
#define KEY_VAULT_MANAGEMENT                                                                                  \
	"Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*", \
	    "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*",                       \
	    "Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/deletedVaults/read",             \
	    "Microsoft.KeyVault/locations/*/read", "Microsoft.KeyVault/vaults/*/read",                            \
	    "Microsoft.KeyVault/operations/read"

const struct sr_role sr_role_table[] = {
    /* General */
    {
        .id = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        .name = "Owner",
        .actions = LIST("*"),
        .not_actions = NONE,
        .data_actions = NONE,
        .not_data_actions = NONE,
    },
    {
        .id = "b24988ac-6180-42a0-ab88-20f7382dd24c",
        .name = "Contributor",
        .actions = LIST("*"),
        .not_actions =
            LIST("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write",
                 "Microsoft.Authorization/elevateAccess/Action", "Microsoft.Blueprint/blueprintAssignments/write",
                 "Microsoft.Blueprint/blueprintAssignments/delete", "Microsoft.Compute/galleries/share/action",
                 "Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete",
                 "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
                 "Microsoft.Subscription/cancel/action", "Microsoft.Subscription/enable/action"),
        .data_actions = NONE,
        .not_data_actions = NONE,
    },
    {
        .id = "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        .name = "Reader",
        .actions = LIST("*/read"),
        .not_actions = NONE,
        .data_actions = NONE,
        .not_data_actions = NONE,
    },
    {
        .id = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        .name = "User Access Administrator",
        .actions = LIST("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
        .not_actions = NONE,
        .data_actions = NONE,
        .not_data_actions = NONE,
    },
    /* Storage */
    {
        .id = "17d1049b-9a84-46fb-8f53-869881c3d3ab",
        .name = "Storage Account Contributor",
        .actions = LIST("Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*",
                        "Microsoft.Insights/diagnosticSettings/*",
                        "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
                        "Microsoft.ResourceHealth/availabilityStatuses/read", "Microsoft.Resources/deployments/*",
                        "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Storage/storageAccounts/*",
                        "Microsoft.Support/*"),
        .not_actions = NONE,
        .data_actions = NONE,
        .not_data_actions = NONE,
    },
    {
        .id = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        .name = "Storage Blob Data Owner",
        .actions = LIST(CONTAINER "*", SERVICE "generateUserDelegationKey/action"),
        .not_actions = NONE,
        .data_actions = LIST(BLOB "*"),
        .not_data_actions = NONE,
    },
    {
        .id = "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        .name = "Storage Blob Data Contributor",
        .actions =
            LIST(CONTAINER "delete", CONTAINER "read", CONTAINER "write", SERVICE "generateUserDelegationKey/action"),
        .not_actions = NONE,
        .data_actions = LIST(BLOB "delete", BLOB "read", BLOB "write", BLOB "move/action", BLOB "add/action"),
        .not_data_actions = NONE,
    },
    {
        .id = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        .name = "Storage Blob Data Reader",
        .actions = LIST(CONTAINER "read", SERVICE "generateUserDelegationKey/action"),
        .not_actions = NONE,
        .data_actions = LIST(BLOB "read"),
        .not_data_actions = NONE,
    },
    {
        .id = "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
        .name = "Storage Blob Delegator",
        .actions = LIST(SERVICE "generateUserDelegationKey/action"),
        .not_actions = NONE,
        .data_actions = NONE,
        .not_data_actions = NONE,
    },
    /* Key Vault */
    {
        .id = "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        .name = "Key Vault Administrator",
        .actions = LIST(KEY_VAULT_MANAGEMENT),
        .not_actions = NONE,
        .data_actions = LIST(KEY_VAULT "*"),
        .not_data_actions = NONE,
    },
    {
        .id = "a4417e6f-fecd-4de8-b567-7b0420556985",
        .name = "Key Vault Certificates Officer",
        .actions = LIST(KEY_VAULT_MANAGEMENT),
        .not_actions = NONE,
        .data_actions =
            LIST(KEY_VAULT "certificatecas/*", KEY_VAULT "certificates/*", KEY_VAULT "certificatecontacts/write"),
        .not_data_actions = NONE,
    },
    {
        .id = "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
        .name = "Key Vault Certificate User",
        .actions = NONE,
        .not_actions = NONE,
        .data_actions = LIST(KEY_VAULT "certificates/read", KEY_VAULT "secrets/getSecret/action",
                             KEY_VAULT "secrets/readMetadata/action", KEYS "read"),
        .not_data_actions = NONE,
    },
    {
        .id = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
        .name = "Key Vault Crypto Officer",
        .actions = LIST(KEY_VAULT_MANAGEMENT),
        .not_actions = NONE,
        .data_actions = LIST(KEYS "*", KEY_VAULT "keyrotationpolicies/*"),
        .not_data_actions = NONE,
    },
    {
        .id = "e147488a-f6f5-4113-8e2d-b22465e65bf6",
        .name = "Key Vault Crypto Service Encryption User",
        .actions = LIST("Microsoft.EventGrid/eventSubscriptions/write", "Microsoft.EventGrid/eventSubscriptions/read",
                        "Microsoft.EventGrid/eventSubscriptions/delete"),
        .not_actions = NONE,
        .data_actions = LIST(KEYS "read", KEYS "wrap/action", KEYS "unwrap/action"),
        .not_data_actions = NONE,
    },
    {
        .id = "08bbd89e-9f13-488c-ac41-acfcb10c90ab",
        .name = "Key Vault Crypto Service Release User",
        .actions = NONE,
        .not_actions = NONE,
        .data_actions = LIST(KEYS "release/action"),
        .not_data_actions = NONE,
    },
    {
        .id = "12338af0-0e69-4776-bea7-57ae8d297424",
        .name = "Key Vault Crypto User",
        .actions = NONE,
        .not_actions = NONE,
        .data_actions =
            LIST(KEYS "read", KEYS "update/action", KEYS "backup/action", KEYS "encrypt/action", KEYS "decrypt/action",
                 KEYS "wrap/action", KEYS "unwrap/action", KEYS "sign/action", KEYS "verify/action"),
        .not_data_actions = NONE,
    },
    {
        .id = "21090545-7ca7-4776-b22c-e363652d74d2",
        .name = "Key Vault Reader",
        .actions = LIST(KEY_VAULT_MANAGEMENT),
        .not_actions = NONE,
        .data_actions = LIST(KEY_VAULT "*/read", KEY_VAULT "secrets/readMetadata/action"),
        .not_data_actions = NONE,
    },
    {
        .id = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        .name = "Key Vault Secrets Officer",
        .actions = LIST(KEY_VAULT_MANAGEMENT),
        .not_actions = NONE,
        .data_actions = LIST(KEY_VAULT "secrets/*"),
        .not_data_actions = NONE,
    },
    {
        .id = "4633458b-17de-408a-b874-0445c86b69e6",
        .name = "Key Vault Secrets User",
        .actions = NONE,
        .not_actions = NONE,
        .data_actions = LIST(KEY_VAULT "secrets/getSecret/action", KEY_VAULT "secrets/readMetadata/action"),
        .not_data_actions = NONE,
    },
    {
        .id = "f25e0fa2-a7c8-4377-a976-54943a77a395",
        .name = "Key Vault Contributor",
        .actions = LIST("Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.KeyVault/*",
                        "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read",
                        "Microsoft.Support/*"),
        .not_actions = LIST("Microsoft.KeyVault/locations/deletedVaults/purge/action", "Microsoft.KeyVault/hsmPools/*",
                            "Microsoft.KeyVault/managedHsms/*"),
        .data_actions = NONE,
        .not_data_actions = NONE,
    },
    {
        .id = "8b54135c-b56d-4d72-a534-26097cfdc8d8",
        .name = "Key Vault Data Access Administrator",
        .actions = LIST("Microsoft.Authorization/roleAssignments/write",
                        "Microsoft.Authorization/roleAssignments/delete", "Microsoft.Authorization/*/read",
                        "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read",
                        "Microsoft.Resources/subscriptions/read", "Microsoft.Management/managementGroups/read",
                        "Microsoft.Support/*", "Microsoft.KeyVault/vaults/*/read"),
        .not_actions = NONE,
        .data_actions = NONE,
        .not_data_actions = NONE,
        .assignable = LIST("00482a5a-887f-4fb3-b363-3b7fe8e74483", "a4417e6f-fecd-4de8-b567-7b0420556985",
                           "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "e147488a-f6f5-4113-8e2d-b22465e65bf6",
                           "12338af0-0e69-4776-bea7-57ae8d297424", "21090545-7ca7-4776-b22c-e363652d74d2",
                           "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "4633458b-17de-408a-b874-0445c86b69e6"),
    },
    {
        .id = "a68e7c17-0ab2-4c09-9a58-125dae29748c",
        .name = "Key Vault Purge Operator",
        .actions = LIST("Microsoft.KeyVault/deletedVaults/read", "Microsoft.KeyVault/locations/deletedVaults/read",
                        "Microsoft.KeyVault/locations/deletedVaults/purge/action"),
        .not_actions = NONE,
        .data_actions = NONE,
        .not_data_actions = NONE,
    },
    /* Ours: who installs a Strongroom may do everything in it; the first principal has it at "/". */
    {
        .id = "e811291f-912e-4740-bf19-ead9004b181b",
        .name = "Strongroom Administrator",
        .actions = LIST("*"),
        .not_actions = NONE,
        .data_actions = LIST("*"),
        .not_data_actions = NONE,
    },
};
const size_t sr_role_table_count = sizeof sr_role_table / sizeof *sr_role_table;
