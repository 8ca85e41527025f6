/* SQL of the workspace's tables; the statements that use them are beside their nouns. Names ignore case, as Resource
 * Manager's do. Times are Unix seconds. */
#include "workspace/schema.h"

#include "audit/signer.h"

#include <stddef.h>

const char sr_workspace_schema[] =
    "CREATE TABLE resource_group ("
    "  name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY, location TEXT NOT NULL, tags TEXT, managed_by TEXT,"
    "  created INTEGER NOT NULL,"
    "  is_deleting INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;" /* 1: its resources are going, then it goes */
    /* A provider that was ever registered or unregistered; the others are as provider.c's table has them. */
    "CREATE TABLE provider ("
    "  namespace TEXT NOT NULL COLLATE NOCASE PRIMARY KEY, is_registered INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

static const char audit[] = SR_AUDIT_CHAIN_SQL SR_AUDIT_CHECKPOINT_SQL;

const char *const sr_workspace_upgrades[] = {audit, NULL};
