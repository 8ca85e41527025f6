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

/* What proves an application besides client secrets, and what has been used up or taken back. */
static const char credentials[] =
    /* Thumbprints are base64url: SHA-256, and SHA-1 for clients that name it. */
    "CREATE TABLE client_certificate ("
    "  certificate_id TEXT PRIMARY KEY, principal TEXT NOT NULL, thumbprint TEXT NOT NULL,"
    "  thumbprint_sha1 TEXT NOT NULL, der BLOB NOT NULL, created_s INTEGER NOT NULL, expires_s INTEGER NOT NULL,"
    "  UNIQUE (principal, thumbprint)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE federated_credential ("
    "  credential_id TEXT PRIMARY KEY, principal TEXT NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL,"
    "  audience TEXT NOT NULL, created_s INTEGER NOT NULL, UNIQUE (principal, issuer, subject, audience))"
    "  STRICT, WITHOUT ROWID;"
    /* `keys` is the issuer's JWKS. */
    "CREATE TABLE federation_issuer ("
    "  issuer TEXT PRIMARY KEY, keys TEXT NOT NULL, changed_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* Assertions that were presented: `digest` of principal and jti, `bearer` of the assertion and who presented it. */
    "CREATE TABLE spent_assertion ("
    "  digest BLOB PRIMARY KEY, principal TEXT NOT NULL, bearer BLOB NOT NULL, use_count INTEGER NOT NULL,"
    "  expires_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX spent_assertion_end ON spent_assertion (expires_s);"
    "CREATE INDEX spent_assertion_of ON spent_assertion (principal);"
    /* Credentials and sign-ins that were taken back, for as long as a token that was got by them may live. */
    "CREATE TABLE revoked_credential ("
    "  credential_id TEXT PRIMARY KEY, until_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

static const char people[] =
    /* `password` is sr_password_hash's; the lock holds until locked_until_s. */
    "CREATE TABLE person ("
    "  object_id TEXT PRIMARY KEY, user_name TEXT NOT NULL COLLATE NOCASE UNIQUE, display_name TEXT NOT NULL,"
    "  is_enabled INTEGER NOT NULL, created_s INTEGER NOT NULL, password BLOB NOT NULL, must_change INTEGER NOT NULL,"
    "  failure_count INTEGER NOT NULL, locked_until_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* Applications that hold no secret; `resources` are parted by spaces, or "*". */
    "CREATE TABLE public_client ("
    "  client_id TEXT PRIMARY KEY, name TEXT NOT NULL, resources TEXT NOT NULL, created_s INTEGER NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    /* A person's sign-in to one application: what its refresh tokens belong to. */
    "CREATE TABLE sign_in ("
    "  sign_in_id TEXT PRIMARY KEY, person TEXT NOT NULL, client_id TEXT NOT NULL, resources TEXT NOT NULL,"
    "  created_s INTEGER NOT NULL, expires_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX sign_in_of ON sign_in (person);"
    "CREATE INDEX sign_in_by ON sign_in (client_id);"
    "CREATE TABLE refresh_token ("
    "  hash BLOB PRIMARY KEY, sign_in TEXT NOT NULL, created_s INTEGER NOT NULL, expires_s INTEGER NOT NULL,"
    "  spent_s INTEGER) STRICT, WITHOUT ROWID;"
    "CREATE INDEX refresh_token_of ON refresh_token (sign_in);"
    "CREATE INDEX refresh_token_end ON refresh_token (expires_s);";

static const char groups_and_roles[] =
    /* `member` is the object id of a principal, a person, a managed identity or another group. */
    "CREATE TABLE member_group ("
    "  group_id TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, description TEXT NOT NULL,"
    "  created_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE group_member ("
    "  group_id TEXT NOT NULL, member TEXT NOT NULL, PRIMARY KEY (group_id, member)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX group_member_of ON group_member (member);"
    /* The lists are JSON arrays of strings. */
    "CREATE TABLE custom_role ("
    "  role_id TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, description TEXT NOT NULL,"
    "  actions TEXT NOT NULL, not_actions TEXT NOT NULL, data_actions TEXT NOT NULL, not_data_actions TEXT NOT NULL,"
    "  assignable_scopes TEXT NOT NULL, created_s INTEGER NOT NULL, changed_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* The root, named like the tenant, is no row; what has no parent, or stands nowhere, is under it. */
    "CREATE TABLE management_group ("
    "  name TEXT PRIMARY KEY COLLATE NOCASE, display_name TEXT NOT NULL, parent TEXT COLLATE NOCASE,"
    "  created_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE placed_subscription ("
    "  subscription TEXT PRIMARY KEY, management_group TEXT NOT NULL COLLATE NOCASE) STRICT, WITHOUT ROWID;"
    /* `body` is a JSON object: principals, excludePrincipals and the four lists of actions. */
    "CREATE TABLE deny_assignment ("
    "  deny_id TEXT PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL COLLATE NOCASE, body TEXT NOT NULL,"
    "  created_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;";
static const char managed_identities[] =
    /* `kind`: 1 system-assigned, made and removed with the resource; 2 user-assigned, a resource itself. */
    "CREATE TABLE managed_identity ("
    "  object_id TEXT PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL COLLATE NOCASE,"
    "  resource_id TEXT NOT NULL COLLATE NOCASE UNIQUE, kind INTEGER NOT NULL, is_enabled INTEGER NOT NULL,"
    "  location TEXT NOT NULL, tags TEXT NOT NULL, created_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX managed_identity_named ON managed_identity (name);"
    /* Who gets which identities' tokens from the metadata endpoint; `uid` is -1 where the address alone decides. */
    "CREATE TABLE imds_binding ("
    "  binding_id TEXT PRIMARY KEY, address TEXT NOT NULL, uid INTEGER NOT NULL, created_s INTEGER NOT NULL,"
    "  UNIQUE (address, uid)) STRICT, WITHOUT ROWID;"
    /* Headers that are given to a job: `hash` is sr_secret_hash's. */
    "CREATE TABLE identity_header ("
    "  header_id TEXT PRIMARY KEY, hash BLOB NOT NULL, label TEXT NOT NULL, created_s INTEGER NOT NULL,"
    "  expires_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* `holder` is a binding or a header. */
    "CREATE TABLE held_identity ("
    "  holder TEXT NOT NULL, identity TEXT NOT NULL, PRIMARY KEY (holder, identity)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX held_identity_of ON held_identity (identity);";
static const char audit[] = SR_AUDIT_CHAIN_SQL SR_AUDIT_CHECKPOINT_SQL;

/* What Resource Manager shows of a role assignment besides. */
static const char assignment_notes[] = "ALTER TABLE assignment ADD COLUMN description TEXT;"
                                       "ALTER TABLE assignment ADD COLUMN created_by TEXT;";

const char *const sr_identity_upgrades[] = {credentials,      people, groups_and_roles, managed_identities, audit,
                                            assignment_notes, NULL};
