/* SQL of identity's tables; the statements that use them are beside their nouns. */
#include "identity/schema.h"

#include "audit/signer.h"

#include <stddef.h>

const char sr_identity_schema[] =
    /* One row: this installation. `revision` grows with every change that the directory shows. */
    "CREATE TABLE installation ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1), tenant TEXT NOT NULL, subscription TEXT NOT NULL,"
    "  revision INTEGER NOT NULL) STRICT;"
    "CREATE TABLE principal ("
    "  object_id TEXT PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL COLLATE NOCASE UNIQUE,"
    "  is_enabled INTEGER NOT NULL, created_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* `hash` is sr_secret_hash's; a secret without an end has NULL in expires_s. */
    "CREATE TABLE client_secret ("
    "  secret_id TEXT PRIMARY KEY, principal TEXT NOT NULL, hash BLOB NOT NULL, created_s INTEGER NOT NULL,"
    "  expires_s INTEGER) STRICT, WITHOUT ROWID;"
    "CREATE INDEX client_secret_of ON client_secret (principal);"
    "CREATE TABLE assignment ("
    "  assignment_id TEXT PRIMARY KEY, principal TEXT NOT NULL, role TEXT NOT NULL,"
    "  scope TEXT NOT NULL COLLATE NOCASE, created_s INTEGER NOT NULL, UNIQUE (principal, role, scope))"
    "  STRICT, WITHOUT ROWID;"
    /* `sealed` is the private key; `longest_token_s` the longest life that a token signed by it may have. */
    "CREATE TABLE signing_key ("
    "  sequence INTEGER PRIMARY KEY, kid TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL, n BLOB NOT NULL, e BLOB NOT NULL,"
    "  created_s INTEGER NOT NULL, active_from_s INTEGER NOT NULL, longest_token_s INTEGER NOT NULL) STRICT;";

static const char credentials[] = "SELECT 1";
static const char people[] = "SELECT 1";
static const char groups_and_roles[] = "SELECT 1";
static const char managed_identities[] = "SELECT 1";
static const char audit[] = SR_AUDIT_CHAIN_SQL SR_AUDIT_CHECKPOINT_SQL;

const char *const sr_identity_upgrades[] = {credentials, people, groups_and_roles, managed_identities, audit, NULL};
