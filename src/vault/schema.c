/* The tables of vault.db. What the columns mean is said here; the SQL that uses them is in the *_store
 * files. Times are Unix seconds. Names of vaults and keys ignore case, as Key Vault's do. */
#include "vault/schema.h"

#include <stddef.h>

const char sr_vault_schema[] =
    "CREATE TABLE vault("
    " name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,"
    " resource_group TEXT NOT NULL,"
    " created INTEGER NOT NULL,"
    " retention_days INTEGER NOT NULL,"  /* 7 to 90: how long what is deleted can be recovered */
    " purge_protection INTEGER NOT NULL" /* 1: nothing is purged before its time; never goes back to 0 */
    ") WITHOUT ROWID;"

    "CREATE TABLE key("
    " vault TEXT NOT NULL COLLATE NOCASE,"
    " name TEXT NOT NULL COLLATE NOCASE,"
    " created INTEGER NOT NULL,"
    " deleted_at INTEGER," /* NULL: not deleted */
    " purge_at INTEGER,"
    " policy TEXT," /* rotation policy as JSON; NULL: the default one */
    " policy_created INTEGER,"
    " policy_updated INTEGER,"
    " PRIMARY KEY(vault, name)"
    ") WITHOUT ROWID;"

    "CREATE TABLE key_version("
    " vault TEXT NOT NULL COLLATE NOCASE,"
    " key TEXT NOT NULL COLLATE NOCASE,"
    " version TEXT NOT NULL,"   /* 32 hex digits */
    " number INTEGER NOT NULL," /* grows by one a version; the greatest is the current one */
    " kty TEXT NOT NULL,"
    " enabled INTEGER NOT NULL,"
    " nbf INTEGER,"
    " exp INTEGER,"
    " created INTEGER NOT NULL,"
    " updated INTEGER NOT NULL,"
    " operations INTEGER NOT NULL," /* bits of enum sr_key_operation */
    " tags TEXT,"                   /* JSON object */
    " public TEXT NOT NULL,"        /* public members of the JWK, JSON object */
    " sealed BLOB NOT NULL,"        /* sr_keypair_seal under the records key */
    " PRIMARY KEY(vault, key, version)"
    ") WITHOUT ROWID;"
    "CREATE UNIQUE INDEX key_version_by_number ON key_version(vault, key, number);"
    "CREATE INDEX key_version_by_end ON key_version(exp) WHERE exp IS NOT NULL;"

    "CREATE TABLE kek("
    " resource BLOB NOT NULL PRIMARY KEY,"
    " service TEXT NOT NULL," /* who made it, and alone may open it */
    " kind TEXT NOT NULL,"
    " label TEXT NOT NULL,"
    " vault TEXT COLLATE NOCASE," /* NULL with key and version: service-managed */
    " key TEXT COLLATE NOCASE,"
    " version TEXT,"
    " follows_latest INTEGER NOT NULL,"
    " kek_epoch INTEGER NOT NULL,"
    " revocation_epoch INTEGER NOT NULL,"
    " wrapped BLOB," /* NULL: shredded with the key that wrapped it */
    " created INTEGER NOT NULL,"
    " rewrapped INTEGER NOT NULL"
    ") WITHOUT ROWID;"
    "CREATE INDEX kek_by_key ON kek(vault, key, version);"

    "CREATE TABLE audit("
    " seq INTEGER PRIMARY KEY,"
    " entry TEXT NOT NULL," /* JSON, in audit.c */
    " hash BLOB NOT NULL"   /* SHA-256(hash of seq - 1, or 32 zeros; seq as u64; entry) */
    ");"

    "CREATE TABLE record(" /* single things: the internal CA, the lease's length */
    " name TEXT NOT NULL PRIMARY KEY,"
    " sealed BLOB NOT NULL"
    ") WITHOUT ROWID;";

static const char secrets[] = "SELECT 1";
static const char certificates[] = "SELECT 1";
static const char vault_access[] = "SELECT 1";
static const char audit_checkpoints[] = "SELECT 1";
static const char key_tending[] = "SELECT 1";
static const char hardware_keys[] =
    "CREATE TABLE hardware_object("  /* what is ours in the PKCS#11 token */
    " id BLOB NOT NULL PRIMARY KEY," /* CKA_ID */
    " state INTEGER NOT NULL,"       /* 0: about to be made; 1: of a key version; 2: to be destroyed */
    " vault TEXT COLLATE NOCASE,"    /* NULL with key and version until it is a version's */
    " key TEXT COLLATE NOCASE,"
    " version TEXT"
    ") WITHOUT ROWID;"
    "CREATE INDEX hardware_object_by_key ON hardware_object(vault, key);"
    "CREATE INDEX hardware_object_to_do ON hardware_object(state) WHERE state <> 1;";
static const char whole_backup[] = "SELECT 1";

const char *const sr_vault_upgrades[] = {
    secrets, certificates, vault_access, audit_checkpoints, key_tending, hardware_keys, whole_backup, NULL,
};
