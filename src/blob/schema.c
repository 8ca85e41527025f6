/*
 * The two schemas as SQL text. Names of blobs and containers compare as bytes, as the service's lists order them.
 * Times are Unix seconds but for names that say otherwise.
 */
#include "blob/schema.h"

/*
 * state: 0 being made (no DEK yet), 1 ready, 2 being deleted. `dek` is the main database's, wrapped by the account's
 * KEK of `kek_epoch`; key1 and key2 are the shared keys, 64 bytes each.
 */
const char *const sr_blob_control_schema = "CREATE TABLE account ("
                                           " name TEXT PRIMARY KEY,"
                                           " id BLOB NOT NULL,"
                                           " resource BLOB NOT NULL,"
                                           " resource_group TEXT NOT NULL,"
                                           " created INTEGER NOT NULL,"
                                           " state INTEGER NOT NULL,"
                                           " key1 BLOB NOT NULL,"
                                           " key2 BLOB NOT NULL,"
                                           " kek_epoch INTEGER NOT NULL DEFAULT 0,"
                                           " dek BLOB"
                                           ") WITHOUT ROWID;";

/*
 * totals: one row. `etag` is the highest that was given out, so that no two states of one account share one.
 *
 * container: `number` names it in other tables, so that a deleted container's name is free at once while its blobs,
 * still under the old number, are swept later (garbage).
 *
 * blob: rows are small so that lists are dense. Its bytes are `piece` (a Put Blob's: one piece), or `list` (a Put
 * Block List's: segments by where they start), or neither (empty). A row of blob, block or segment holds one reference
 * on each piece it names.
 *
 * piece: bytes written at once: in the row, or in a sealed extent whose DEK is wrapped beside its name. With no
 * references left it is swept: first the extent, then the row.
 *
 * draft: uncommitted blocks of one blob name; `block` rows are its blocks. garbage: things that no client can see any
 * more, to be taken apart in small transactions: kind 1 container, 2 list, 3 draft.
 */
const char *const sr_blob_account_schema =
    "CREATE TABLE totals (one INTEGER PRIMARY KEY CHECK (one = 1), objects INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " etag INTEGER NOT NULL);"
    "INSERT INTO totals VALUES (1, 0, 0, 0);"
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE container ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE,"
    " etag INTEGER NOT NULL,"
    " modified INTEGER NOT NULL,"
    " metadata BLOB,"
    " acl BLOB,"
    " objects INTEGER NOT NULL DEFAULT 0,"
    " bytes INTEGER NOT NULL DEFAULT 0,"
    " lease BLOB"
    ");"
    "CREATE TABLE blob ("
    " container INTEGER NOT NULL,"
    " name TEXT NOT NULL,"
    " kind INTEGER NOT NULL,"
    " length INTEGER NOT NULL,"
    " piece INTEGER,"
    " list INTEGER,"
    " etag INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " modified INTEGER NOT NULL,"
    " content_type TEXT,"
    " content_encoding TEXT,"
    " content_language TEXT,"
    " content_disposition TEXT,"
    " cache_control TEXT,"
    " content_md5 BLOB,"
    " metadata BLOB,"
    " tier INTEGER NOT NULL,"
    " tier_changed INTEGER,"
    " lease BLOB,"
    " PRIMARY KEY (container, name)"
    ") WITHOUT ROWID;"
    "CREATE TABLE piece ("
    " number INTEGER PRIMARY KEY,"
    " reference_count INTEGER NOT NULL,"
    " length INTEGER NOT NULL,"
    " extent BLOB,"
    " kek_epoch INTEGER,"
    " dek BLOB,"
    " bytes BLOB"
    ");"
    "CREATE UNIQUE INDEX piece_extent ON piece (extent) WHERE extent IS NOT NULL;"
    "CREATE INDEX piece_unused ON piece (number) WHERE reference_count = 0;"
    "CREATE TABLE list (number INTEGER PRIMARY KEY AUTOINCREMENT);"
    "CREATE TABLE segment ("
    " list INTEGER NOT NULL,"
    " start INTEGER NOT NULL,"
    " block_id TEXT,"
    " length INTEGER NOT NULL,"
    " piece INTEGER NOT NULL,"
    " PRIMARY KEY (list, start)"
    ") WITHOUT ROWID;"
    "CREATE INDEX segment_block ON segment (list, block_id);"
    "CREATE TABLE draft ("
    " container INTEGER NOT NULL,"
    " name TEXT NOT NULL,"
    " number INTEGER NOT NULL UNIQUE,"
    " id_len INTEGER NOT NULL,"
    " block_count INTEGER NOT NULL,"
    " modified INTEGER NOT NULL,"
    " PRIMARY KEY (container, name)"
    ") WITHOUT ROWID;"
    "CREATE INDEX draft_age ON draft (modified);"
    "CREATE TABLE block ("
    " draft INTEGER NOT NULL,"
    " id TEXT NOT NULL,"
    " length INTEGER NOT NULL,"
    " piece INTEGER NOT NULL,"
    " PRIMARY KEY (draft, id)"
    ") WITHOUT ROWID;"
    "CREATE TABLE garbage (kind INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (kind, number)) WITHOUT ROWID;";
