/*
 * The audit log of one service: one entry an operation, allowed or refused, chained by SHA-256 in the service's sealed
 * database, so that an entry cannot be changed, taken out or moved without the chain telling. Appending costs the same
 * however long the log is.
 */
#ifndef SR_AUDIT_CHAIN_H
#define SR_AUDIT_CHAIN_H

#include "audit/event.h"
#include "seal/crypto.h"
#include "seal/database.h"

/* The table, for a service's schema. hash = SHA-256(hash of seq - 1, or 32 zeros; seq as u64; entry). */
#define SR_AUDIT_CHAIN_SQL      \
	"CREATE TABLE audit("       \
	" seq INTEGER PRIMARY KEY," \
	" entry TEXT NOT NULL,"     \
	" hash BLOB NOT NULL"       \
	");"

/* The place of an entry in its chain: seq 0 and zeros before the first. */
struct sr_audit_link {
	uint64_t seq;
	uint8_t hash[SR_SHA256_LEN];
};
/* The link that `entry` makes after `link`. */
void sr_audit_link_next(struct sr_audit_link *link, struct sr_bytes entry);

/* Appends the entry, within a write: it becomes durable with the operation that it tells of. */
SR_MUST struct sr_result sr_audit_append(struct sr_connection *connection, const struct sr_audit_event *event);
/* The same in a write of its own. */
SR_MUST struct sr_result sr_audit_write(struct sr_database *database, const struct sr_audit_event *event);

/* The chain's end, within a read or write. */
SR_MUST struct sr_result sr_audit_last(struct sr_connection *connection, struct sr_audit_link *ret_link);
/* How many entries there are. */
SR_MUST struct sr_result sr_audit_count(struct sr_connection *connection, uint64_t *ret_count);
/* The hash that is stored with an entry; SR_NOT_FOUND if there is none. */
SR_MUST struct sr_result sr_audit_hash_at(struct sr_connection *connection, uint64_t seq,
                                          uint8_t ret_hash[static SR_SHA256_LEN]);

/* Entries after `after`, at most `limit`, oldest first, within a read: `each` gets the entry's JSON text and its hash.
 */
typedef struct sr_result (*sr_audit_each_entry)(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash,
                                                void *context);
SR_MUST struct sr_result sr_audit_each(struct sr_connection *connection, uint64_t after, unsigned limit,
                                       sr_audit_each_entry each, void *context);
/* Entries before `before`, newest first. */
SR_MUST struct sr_result sr_audit_each_back(struct sr_connection *connection, uint64_t before, unsigned limit,
                                            sr_audit_each_entry each, void *context);

#endif
