/* The table of SQLite's result codes and ours. */
#include "seal/sqlite_error.h"

#include "seal/vfs.h"

struct meaning {
	int outcome;
	enum sr_code code;
};

/* Extended codes first, then primary ones; what is not here is SR_INTERNAL. */
static const struct meaning meanings[] = {
    {SQLITE_CONSTRAINT_UNIQUE, SR_EXISTS},
    {SQLITE_CONSTRAINT_PRIMARYKEY, SR_EXISTS},
    {SQLITE_CONSTRAINT_ROWID, SR_EXISTS},
    {SQLITE_CONSTRAINT_FOREIGNKEY, SR_CONFLICT},
    {SQLITE_CONSTRAINT, SR_INVALID},
    {SQLITE_IOERR_NOMEM, SR_NO_MEMORY},
    {SQLITE_IOERR, SR_IO},
    {SQLITE_CANTOPEN, SR_IO},
    {SQLITE_CORRUPT, SR_CORRUPT},
    {SQLITE_NOTADB, SR_CORRUPT},
    {SQLITE_FULL, SR_NO_SPACE},
    {SQLITE_NOMEM, SR_NO_MEMORY},
    {SQLITE_TOOBIG, SR_TOO_LARGE},
};

static enum sr_code code_of(int outcome)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		if (meanings[i].outcome == outcome || meanings[i].outcome == (outcome & 0xff)) {
			return meanings[i].code;
		}
	}
	return SR_INTERNAL;
}

struct sr_error *sr_error_of_sqlite(sqlite3 *connection, int outcome, const char *doing)
{
	enum sr_code code = code_of(outcome);
	struct sr_result below = connection ? sr_vfs_failure(connection) : sr_ok();
	if (below.error && (code == SR_CORRUPT || code == SR_IO || code == SR_NO_SPACE)) {
		return below.error;
	}
	sr_result_free(below); /* one that SQLite got over, and not what this is about */
	return sr_error_new(code, NULL, "%s: %s", doing, connection ? sqlite3_errmsg(connection) : sqlite3_errstr(outcome));
}
