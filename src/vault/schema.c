/* The tables of vault.db. What the columns mean is said here; the SQL that uses them is in the *_store
 * files. Times are Unix seconds. Names of vaults and keys ignore case, as Key Vault's do. */
#include "vault/schema.h"

#include "audit/signer.h"

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

    SR_AUDIT_CHAIN_SQL

    "CREATE TABLE record(" /* single things: the internal CA, the lease's length */
    " name TEXT NOT NULL PRIMARY KEY,"
    " sealed BLOB NOT NULL"
    ") WITHOUT ROWID;";

static const char secrets[] = "SELECT 1";
static const char certificates[] = "SELECT 1";
static const char vault_access[] = "SELECT 1";
static const char audit_checkpoints[] = SR_AUDIT_CHECKPOINT_SQL;
static const char key_tending[] =
    "ALTER TABLE key ADD COLUMN tend_at INTEGER DEFAULT 0;" /* when its policy asks for something; 0: to be worked out;
                                                               NULL: never */
    "CREATE INDEX key_by_tending ON key(tend_at) WHERE tend_at IS NOT NULL AND deleted_at IS NULL;"
    "CREATE INDEX key_by_purge ON key(purge_at) WHERE purge_at IS NOT NULL;"
    "ALTER TABLE key_version ADD COLUMN expired_for INTEGER;"  /* the exp for which leases were taken back */
    "ALTER TABLE key_version ADD COLUMN notified_for INTEGER;" /* the exp for which notice was given */
    "UPDATE key_version SET expired_for = exp WHERE exp <= CAST(strftime('%s', 'now') AS INTEGER);"
    "CREATE INDEX key_version_to_expire ON key_version(exp) WHERE exp IS NOT NULL AND expired_for IS NOT exp;"
    "CREATE INDEX key_version_expired ON key_version(exp) WHERE expired_for = exp;"
    /* Whoever changes what a policy depends on, its times are worked out anew. */
    "CREATE TRIGGER key_changed AFTER UPDATE OF policy, deleted_at ON key BEGIN"
    " UPDATE key SET tend_at = 0 WHERE vault = new.vault AND name = new.name; END;"
    "CREATE TRIGGER key_version_added AFTER INSERT ON key_version BEGIN"
    " UPDATE key SET tend_at = 0 WHERE vault = new.vault AND name = new.key; END;"
    "CREATE TRIGGER key_version_changed AFTER UPDATE OF exp, enabled ON key_version BEGIN"
    " UPDATE key SET tend_at = 0 WHERE vault = new.vault AND name = new.key; END";
static const char hardware_keys[] = "SELECT 1";
static const char whole_backup[] = "SELECT 1";

const char *const sr_vault_upgrades[] = {
    secrets, certificates, vault_access, audit_checkpoints, key_tending, hardware_keys, whole_backup, NULL,
};
