/* The operations on keys, against the specification line by line. */
#include "vault/api.h"

#include "vault/key_handlers.h"

#include <stddef.h>

enum { SMALL = 128 * 1024, LARGE = 12 * 1024 * 1024 };

const struct sr_vault_route sr_key_routes[] = {
    {"POST", "keys/{name}/create", "KeyCreate", "keys/create", "keys/create/action", sr_handle_key_create, 200, SMALL},
    {"PUT", "keys/{name}", "KeyImport", "keys/import", "keys/import/action", sr_handle_key_import, 200, SMALL},
    {"POST", "keys/{name}/rotate", "KeyRotate", "keys/rotate", "keys/rotate/action", sr_handle_key_rotate, 200, 0},
    {"GET", "keys", "KeyList", "keys/list", "keys/read", sr_handle_keys_list, 200, 0},
    {"GET", "keys/{name}/versions", "KeyListVersions", "keys/list", "keys/read", sr_handle_key_versions_list, 200, 0},
    {"GET", "keys/{name}/rotationpolicy", "KeyRotationPolicyGet", "keys/getrotationpolicy", "keyrotationpolicies/read",
     sr_handle_key_policy_get, 200, 0},
    {"PUT", "keys/{name}/rotationpolicy", "KeyRotationPolicySet", "keys/setrotationpolicy", "keyrotationpolicies/write",
     sr_handle_key_policy_set, 200, SMALL},
    {"GET", "keys/{name}", "KeyGet", "keys/get", "keys/read", sr_handle_key_get, 200, 0},
    {"GET", "keys/{name}/{version}", "KeyGet", "keys/get", "keys/read", sr_handle_key_get, 200, 0},
    {"PATCH", "keys/{name}", "KeyUpdate", "keys/update", "keys/update/action", sr_handle_key_update, 200, SMALL},
    {"PATCH", "keys/{name}/{version}", "KeyUpdate", "keys/update", "keys/update/action", sr_handle_key_update, 200,
     SMALL},
    {"DELETE", "keys/{name}", "KeyDelete", "keys/delete", "keys/delete", sr_handle_key_delete, 200, 0},
    {"POST", "keys/{name}/backup", "KeyBackup", "keys/backup", "keys/backup/action", sr_handle_key_backup, 200, 0},
    {"POST", "keys/restore", "KeyRestore", "keys/restore", "keys/restore/action", sr_handle_key_restore, 200, LARGE},
    /* With the version, and without it for the current one. */
    {"POST", "keys/{name}/{version}/encrypt", "KeyEncrypt", "keys/encrypt", "keys/encrypt/action",
     sr_handle_key_encrypt, 200, SMALL},
    {"POST", "keys/{name}/encrypt", "KeyEncrypt", "keys/encrypt", "keys/encrypt/action", sr_handle_key_encrypt, 200,
     SMALL},
    {"POST", "keys/{name}/{version}/decrypt", "KeyDecrypt", "keys/decrypt", "keys/decrypt/action",
     sr_handle_key_decrypt, 200, SMALL},
    {"POST", "keys/{name}/decrypt", "KeyDecrypt", "keys/decrypt", "keys/decrypt/action", sr_handle_key_decrypt, 200,
     SMALL},
    {"POST", "keys/{name}/{version}/wrapkey", "KeyWrap", "keys/wrapKey", "keys/wrap/action", sr_handle_key_wrap, 200,
     SMALL},
    {"POST", "keys/{name}/wrapkey", "KeyWrap", "keys/wrapKey", "keys/wrap/action", sr_handle_key_wrap, 200, SMALL},
    {"POST", "keys/{name}/{version}/unwrapkey", "KeyUnwrap", "keys/unwrapKey", "keys/unwrap/action",
     sr_handle_key_unwrap, 200, SMALL},
    {"POST", "keys/{name}/unwrapkey", "KeyUnwrap", "keys/unwrapKey", "keys/unwrap/action", sr_handle_key_unwrap, 200,
     SMALL},
    {"POST", "keys/{name}/{version}/sign", "KeySign", "keys/sign", "keys/sign/action", sr_handle_key_sign, 200, SMALL},
    {"POST", "keys/{name}/sign", "KeySign", "keys/sign", "keys/sign/action", sr_handle_key_sign, 200, SMALL},
    {"POST", "keys/{name}/{version}/verify", "KeyVerify", "keys/verify", "keys/verify/action", sr_handle_key_verify,
     200, SMALL},
    {"POST", "keys/{name}/verify", "KeyVerify", "keys/verify", "keys/verify/action", sr_handle_key_verify, 200, SMALL},
    {"POST", "keys/{name}/release", "KeyRelease", "keys/release", "keys/release/action", sr_handle_key_release, 200,
     SMALL},
    {"POST", "keys/{name}/{version}/release", "KeyRelease", "keys/release", "keys/release/action",
     sr_handle_key_release, 200, SMALL},
    {"GET", "deletedkeys", "KeyListDeleted", "keys/list", "keys/read", sr_handle_deleted_keys_list, 200, 0},
    {"GET", "deletedkeys/{name}", "KeyGetDeleted", "keys/get", "keys/read", sr_handle_deleted_key_get, 200, 0},
    {"POST", "deletedkeys/{name}/recover", "KeyRecover", "keys/recover", "keys/recover/action",
     sr_handle_deleted_key_recover, 200, 0},
    {"DELETE", "deletedkeys/{name}", "KeyPurge", "keys/purge", "keys/purge/action", sr_handle_deleted_key_purge, 204,
     0},
    {"POST", "rng", "RandomBytes", "keys/get", "keys/rng/action", sr_handle_random, 200, SMALL},
    {0},
};
