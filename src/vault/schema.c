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

/* A secret's row is small and the only one that its name places; versions, with what they hold, are appended in the
 * order of their making. So making a secret among a million touches one page that others do not. */
static const char secrets[] =
    "CREATE TABLE secret("
    " vault TEXT NOT NULL COLLATE NOCASE,"
    " deleted INTEGER NOT NULL," /* 0 or 1, in the key so that a list of either kind passes over nothing */
    " name TEXT NOT NULL COLLATE NOCASE,"
    " id INTEGER NOT NULL,"      /* what its versions say in their column `secret` */
    " latest INTEGER NOT NULL,"  /* the id of its current version */
    " managed INTEGER NOT NULL," /* 1: a certificate's of the same name */
    " created INTEGER NOT NULL,"
    " deleted_at INTEGER,"
    " purge_at INTEGER,"
    " PRIMARY KEY(vault, deleted, name)"
    ") WITHOUT ROWID;"
    "CREATE INDEX secret_by_purge ON secret(purge_at) WHERE purge_at IS NOT NULL;"

    "CREATE TABLE secret_version("
    " id INTEGER PRIMARY KEY,"
    " secret INTEGER NOT NULL,"
    " number INTEGER NOT NULL," /* grows by one a version */
    " version TEXT NOT NULL,"   /* 32 hex digits */
    " enabled INTEGER NOT NULL,"
    " nbf INTEGER,"
    " exp INTEGER,"
    " created INTEGER NOT NULL,"
    " updated INTEGER NOT NULL,"
    " content_type TEXT,"
    " tags TEXT,"           /* JSON object */
    " sealed BLOB NOT NULL" /* the value under the records key; last, so that lists do not read it */
    ");"
    "CREATE UNIQUE INDEX secret_version_by_number ON secret_version(secret, number);"
    "CREATE UNIQUE INDEX secret_version_by_version ON secret_version(secret, version);";
/* A certificate's row holds its policy; each version its DER and, where the private key is the vault's, a managed key
 * and a managed secret of the same name and version stand beside it. */
static const char certificates[] =
    "ALTER TABLE key ADD COLUMN managed INTEGER NOT NULL DEFAULT 0;" /* 1: a certificate's of the same name */

    "CREATE TABLE certificate("
    " vault TEXT NOT NULL COLLATE NOCASE,"
    " name TEXT NOT NULL COLLATE NOCASE,"
    " created INTEGER NOT NULL,"
    " deleted_at INTEGER,"
    " purge_at INTEGER,"
    " policy TEXT NOT NULL," /* JSON, as certificate_policy.c normalizes it */
    " policy_created INTEGER NOT NULL,"
    " policy_updated INTEGER NOT NULL,"
    " PRIMARY KEY(vault, name)"
    ") WITHOUT ROWID;"
    "CREATE INDEX certificate_by_purge ON certificate(purge_at) WHERE purge_at IS NOT NULL;"

    "CREATE TABLE certificate_version("
    " vault TEXT NOT NULL COLLATE NOCASE,"
    " certificate TEXT NOT NULL COLLATE NOCASE,"
    " version TEXT NOT NULL,"   /* 32 hex digits */
    " number INTEGER NOT NULL," /* grows by one a version */
    " enabled INTEGER NOT NULL,"
    " nbf INTEGER NOT NULL," /* the certificate's own dates */
    " exp INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " updated INTEGER NOT NULL,"
    " tags TEXT,"                /* JSON object */
    " has_key INTEGER NOT NULL," /* 0: the private key is not in the vault (a service's own) */
    " renew_at INTEGER,"         /* when the policy's actions are due; NULL: not, or done, or not the current one */
    " notice_at INTEGER,"
    " thumbprint BLOB NOT NULL,"
    " cer BLOB NOT NULL,"   /* DER */
    " chain BLOB NOT NULL," /* blocks of DER: what leads to its root */
    " PRIMARY KEY(vault, certificate, version)"
    ") WITHOUT ROWID;"
    "CREATE UNIQUE INDEX certificate_version_by_number ON certificate_version(vault, certificate, number);"
    "CREATE INDEX certificate_version_by_renewal ON certificate_version(renew_at) WHERE renew_at IS NOT NULL;"
    "CREATE INDEX certificate_version_by_notice ON certificate_version(notice_at) WHERE notice_at IS NOT NULL;"

    "CREATE TABLE certificate_operation(" /* the last creation of each certificate */
    " vault TEXT NOT NULL COLLATE NOCASE,"
    " certificate TEXT NOT NULL COLLATE NOCASE,"
    " version TEXT NOT NULL," /* what it makes */
    " request_id TEXT NOT NULL,"
    " status TEXT NOT NULL," /* inProgress, completed, cancelled */
    " issuer TEXT NOT NULL,"
    " csr BLOB NOT NULL,"
    " sealed BLOB," /* the key pair, while it waits for its certificate */
    " enabled INTEGER NOT NULL,"
    " tags TEXT,"
    " created INTEGER NOT NULL,"
    " PRIMARY KEY(vault, certificate)"
    ") WITHOUT ROWID;"

    "CREATE TABLE certificate_issuer("
    " vault TEXT NOT NULL COLLATE NOCASE,"
    " name TEXT NOT NULL COLLATE NOCASE,"
    " provider TEXT NOT NULL,"
    " account TEXT,"
    " password BLOB,"     /* sealed under the records key; never given out */
    " organisation TEXT," /* org_details, JSON object */
    " enabled INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " updated INTEGER NOT NULL,"
    " PRIMARY KEY(vault, name)"
    ") WITHOUT ROWID;"

    "CREATE TABLE certificate_ca(" /* what signs for the issuer "Strongroom", one a vault */
    " vault TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,"
    " sealed BLOB NOT NULL"
    ") WITHOUT ROWID;"

    "CREATE TABLE certificate_contacts("
    " vault TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,"
    " contacts TEXT NOT NULL" /* JSON array */
    ") WITHOUT ROWID;";
/* Who may reach a vault and do what, and the vault as a resource of the resource manager. Identities and names in
 * either case are the same. */
static const char vault_access[] =
    "ALTER TABLE vault ADD COLUMN subscription TEXT COLLATE NOCASE;" /* NULL: the installation's */
    "ALTER TABLE vault ADD COLUMN location TEXT NOT NULL DEFAULT 'local';"
    "ALTER TABLE vault ADD COLUMN sku TEXT NOT NULL DEFAULT 'standard';"
    "ALTER TABLE vault ADD COLUMN by_roles INTEGER NOT NULL DEFAULT 1;"  /* 0: by access policies */
    "ALTER TABLE vault ADD COLUMN is_public INTEGER NOT NULL DEFAULT 1;" /* 0: nobody comes in by network */
    "ALTER TABLE vault ADD COLUMN denies INTEGER NOT NULL DEFAULT 0;"    /* 1: only addresses in network_rule */
    "ALTER TABLE vault ADD COLUMN bypasses INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE vault ADD COLUMN tags TEXT;"   /* JSON object */
    "ALTER TABLE vault ADD COLUMN extras TEXT;" /* JSON object: properties that are kept, shown and do nothing here */
    "ALTER TABLE vault ADD COLUMN updated INTEGER;"
    "ALTER TABLE vault ADD COLUMN created_by TEXT;"
    "ALTER TABLE vault ADD COLUMN updated_by TEXT;"
    "ALTER TABLE vault ADD COLUMN deleted_at INTEGER;" /* NULL: not deleted */
    "ALTER TABLE vault ADD COLUMN purge_at INTEGER;"
    "CREATE INDEX vault_by_purge ON vault(purge_at) WHERE purge_at IS NOT NULL;"

    "CREATE TABLE access_policy("
    " vault TEXT NOT NULL COLLATE NOCASE,"
    " object TEXT NOT NULL COLLATE NOCASE,"      /* a principal's or a group's id */
    " application TEXT NOT NULL COLLATE NOCASE," /* '': by way of any client */
    " keys INTEGER NOT NULL,"                    /* bits in the order of access_policy.c */
    " secrets INTEGER NOT NULL,"
    " certificates INTEGER NOT NULL,"
    " storage INTEGER NOT NULL,"
    " PRIMARY KEY(vault, object, application)"
    ") WITHOUT ROWID;"

    "CREATE TABLE network_rule("
    " vault TEXT NOT NULL COLLATE NOCASE,"
    " position INTEGER NOT NULL,"
    " text TEXT NOT NULL,"  /* as it is shown */
    " first BLOB NOT NULL," /* 16 bytes, as network_rule.h has them */
    " last BLOB NOT NULL,"
    " PRIMARY KEY(vault, position)"
    ") WITHOUT ROWID;";
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

/* The newest anchor of the resource's database (seal/database.h) that its service has told of; NULL: none. */
static const char rollback_anchors[] = "ALTER TABLE kek ADD COLUMN anchor INTEGER";

const char *const sr_vault_upgrades[] = {
    secrets, certificates, vault_access, audit_checkpoints, key_tending, hardware_keys, rollback_anchors, NULL,
};
