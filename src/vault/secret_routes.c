/* The operations on secrets, against the specification line by line. Reading a deleted secret shows no value, so the
 * role that lists may do it. */
#include "vault/api.h"

#include "vault/secret_handlers.h"

#include <stddef.h>

/* A value of 25 KiB can take six times as much as JSON, beside its tags. */
enum { SMALL = 256 * 1024, LARGE = 24 * 1024 * 1024 };

#define METADATA "secrets/readMetadata/action"

const struct sr_vault_route sr_secret_routes[] = {
    {"PUT", "secrets/{name}", "SecretSet", "secrets/set", "secrets/setSecret/action", sr_handle_secret_set, 200, SMALL},
    {"GET", "secrets", "SecretList", "secrets/list", METADATA, sr_handle_secrets_list, 200, 0},
    {"GET", "secrets/{name}/versions", "SecretListVersions", "secrets/list", METADATA, sr_handle_secret_versions_list,
     200, 0},
    {"GET", "secrets/{name}", "SecretGet", "secrets/get", "secrets/getSecret/action", sr_handle_secret_get, 200, 0},
    {"GET", "secrets/{name}/{version}", "SecretGet", "secrets/get", "secrets/getSecret/action", sr_handle_secret_get,
     200, 0},
    {"PATCH", "secrets/{name}", "SecretUpdate", "secrets/set", "secrets/update/action", sr_handle_secret_update, 200,
     SMALL},
    {"PATCH", "secrets/{name}/{version}", "SecretUpdate", "secrets/set", "secrets/update/action",
     sr_handle_secret_update, 200, SMALL},
    {"DELETE", "secrets/{name}", "SecretDelete", "secrets/delete", "secrets/delete", sr_handle_secret_delete, 200, 0},
    {"POST", "secrets/{name}/backup", "SecretBackup", "secrets/backup", "secrets/backup/action",
     sr_handle_secret_backup, 200, 0},
    {"POST", "secrets/restore", "SecretRestore", "secrets/restore", "secrets/restore/action", sr_handle_secret_restore,
     200, LARGE},
    {"GET", "deletedsecrets", "SecretListDeleted", "secrets/list", METADATA, sr_handle_deleted_secrets_list, 200, 0},
    {"GET", "deletedsecrets/{name}", "SecretGetDeleted", "secrets/get", METADATA, sr_handle_deleted_secret_get, 200, 0},
    {"POST", "deletedsecrets/{name}/recover", "SecretRecover", "secrets/recover", "secrets/recover/action",
     sr_handle_deleted_secret_recover, 200, 0},
    {"DELETE", "deletedsecrets/{name}", "SecretPurge", "secrets/purge", "secrets/purge/action",
     sr_handle_deleted_secret_purge, 204, 0},
    {0},
};
