/* SQLite's errors as ours: the one place where they are translated. Private to the room. */
#ifndef SR_SEAL_SQLITE_ERROR_H
#define SR_SEAL_SQLITE_ERROR_H

#include "base/result.h"

#include <sqlite3.h>

/*
 * An error for `outcome`, which `connection` (may be NULL) gave while `doing`. What the sealing VFS noted below
 * SQLite comes first: it knows the page or frame.
 */
#define sr_fail_sqlite(connection, outcome, doing) sr_failure(sr_error_of_sqlite((connection), (outcome), (doing)))
struct sr_error *sr_error_of_sqlite(sqlite3 *connection, int outcome, const char *doing) SR_NONNULL;

#endif
