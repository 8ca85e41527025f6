/*
 * A sealed SQLite database: opened through our VFS (seal/vfs.c), one writer thread that commits
 * waiting requests as a group, a pool of readers. The page key is derived from the database's DEK.
 * WAL, synchronous=FULL; a write is durable when sr_database_write returns. Thread-safe.
 */
#ifndef SR_SEAL_DATABASE_H
#define SR_SEAL_DATABASE_H

#include "base/bytes.h"
#include "base/text.h"
#include "seal/secret.h"

struct sr_database;
struct sr_connection; /* one SQLite connection, used by one thread at a time */

struct sr_database_options {
	const char *path;   /* "…/main.db"; its log is beside it */
	struct sr_id id;    /* identity, bound into every page */
	const char *schema; /* SQL run in one transaction where user_version is 0, then set to 1 */
	/* What came later: the first leads from user_version 1 to 2, and so on; each in a transaction of its own, once.
	 * Ended by NULL; may be NULL. A database of a newer version than the last is refused (SR_INVALID). */
	const char *const *upgrades;
	unsigned reader_count; /* at most this many read connections (0: 4), opened as needed */
	unsigned cache_kib;    /* page cache of each connection (0: 2048) */
	uint64_t least_anchor; /* refuses an older database: "rolled back" (0: not checked, and a new one may be made) */
};

/*
 * Opens or makes the database. SR_WRONG_KEY: sealed under another key; SR_CORRUPT: says what does not open
 * (page, log, header) and leaves everything as it was; SR_CONFLICT: it is open already, here or in another process.
 * Foreign keys are enforced (SR_CONFLICT). `dek` is copied into secret memory as far as needed.
 */
SR_MUST struct sr_result sr_database_open(const struct sr_database_options *options, const struct sr_secret *dek,
                                          struct sr_database **ret_database);
/* Waits for running reads and writes, refuses new ones (SR_REVOKED), closes and wipes. NULL is allowed. */
void sr_database_close(struct sr_database *database);

/*
 * Runs `work` on the writer connection inside a savepoint, with others that wait in the same
 * transaction; returns after the commit is durable. An error from `work` undoes its savepoint alone and is
 * returned. `work` must not block on anything but the database. Tells the pool that it waits (sr_blocking_begin).
 */
typedef struct sr_result (*sr_database_work)(struct sr_connection *connection, void *context);
SR_MUST struct sr_result sr_database_write(struct sr_database *database, sr_database_work work, void *context);
/* The same without waiting: `finished` hears the outcome, which is its own from then on, with the same context: on the
 * writer thread once it is durable, or within the call where the database is being closed. It must not block. */
void sr_database_write_later(struct sr_database *database, sr_database_work work, void *context,
                             void (*finished)(void *context, struct sr_result result));
/*
 * Says that a write is being made ready by work that costs more than a commit does (a private operation): as long as
 * any is, commits wait, 2 ms at most, so that one sync serves all. To be retracted once the write is handed in (by
 * sr_database_write_later; before, for one that is waited for), or when there is none to come.
 */
void sr_database_announce(struct sr_database *database);
void sr_database_retract(struct sr_database *database);
/* Runs `work` on a reader, in one read transaction (a snapshot). */
SR_MUST struct sr_result sr_database_read(struct sr_database *database, sr_database_work work, void *context);

/* Statements are prepared once per connection and kept; `sql` must be a string literal (it is the cache's key). */
struct sr_statement;
SR_MUST struct sr_result sr_prepare(struct sr_connection *connection, const char *sql,
                                    struct sr_statement **ret_statement);
/* Ends the use of a statement: resets it and clears (and wipes) its bindings. For SR_CLEANUP(sr_statement). */
void sr_statement_done(struct sr_statement *statement);
void sr_statement_cleanup(struct sr_statement **statement);
/* Bindings from 1; bytes and text are borrowed until the statement is done. Text may be NULL (SQL NULL). */
void sr_bind_int(struct sr_statement *statement, int index, int64_t value);
void sr_bind_text(struct sr_statement *statement, int index, const char *text);
void sr_bind_bytes_as_text(struct sr_statement *statement, int index, struct sr_bytes text);
void sr_bind_blob(struct sr_statement *statement, int index, struct sr_bytes bytes);
void sr_bind_id(struct sr_statement *statement, int index, const struct sr_id *id);
void sr_bind_null(struct sr_statement *statement, int index);
/* The next row: *ret_row false at the end. SR_EXISTS for a broken uniqueness constraint, SR_CORRUPT, SR_NO_SPACE,
 * SR_IO. */
SR_MUST struct sr_result sr_step(struct sr_statement *statement, bool *ret_row);
/* A statement without rows. */
SR_MUST struct sr_result sr_run(struct sr_statement *statement);
/* Columns from 0, borrowed until the next step. */
bool sr_column_is_null(struct sr_statement *statement, int column);
int64_t sr_column_int(struct sr_statement *statement, int column);
struct sr_bytes sr_column_blob(struct sr_statement *statement, int column);
struct sr_bytes sr_column_text(struct sr_statement *statement, int column);
/* SR_CORRUPT if the column is no 16-byte blob. */
SR_MUST struct sr_result sr_column_id(struct sr_statement *statement, int column, struct sr_id *ret_id);
/* Rows changed by the connection's last statement. */
int64_t sr_changes(struct sr_connection *connection);
/* Runs SQL that is not kept (schema changes). */
SR_MUST struct sr_result sr_execute(struct sr_connection *connection, const char *sql);

/* Reads every page of the main file and the log through the seal and runs SQLite's integrity check. `progress` (may be
 * NULL) hears pages done and in all. */
SR_MUST struct sr_result sr_database_verify(struct sr_database *database,
                                            void (*progress)(uint64_t done, uint64_t all, void *context),
                                            void *context);
/* Moves the log into the main file (a checkpoint) so that the main file is whole by itself. */
SR_MUST struct sr_result sr_database_checkpoint(struct sr_database *database);
/*
 * Freshness: the anchor advances at each open and with the first write after each checkpoint, so that every log
 * carries one of its own. The owner keeps the newest in a safer place (the vault) and hands it in at the next open
 * (least_anchor), which fails with SR_CORRUPT "rolled back" if the files are older. Optional.
 */
struct sr_database_anchor {
	uint64_t counter;
};
struct sr_database_anchor sr_database_anchor_now(struct sr_database *database);

#endif
