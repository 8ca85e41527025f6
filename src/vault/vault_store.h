/* The vaults themselves: names and settings, within a read or write of the database. */
#ifndef SR_VAULT_VAULT_STORE_H
#define SR_VAULT_VAULT_STORE_H

#include "base/arena.h"
#include "seal/database.h"

struct sr_vault_record {
	const char *name, *resource_group;
	int64_t created, retention_days;
	bool is_purge_protected;
};

enum { SR_RETENTION_DAYS = 90 };
#define SR_DEFAULT_VAULT "default"
#define SR_DEFAULT_GROUP "default"

/* SR_NOT_FOUND "VaultNotFound". Text goes into the arena. */
SR_MUST struct sr_result sr_vault_find(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                                       struct sr_vault_record *ret_vault);
/* SR_EXISTS if the name is taken; SR_INVALID for a name that is none. */
SR_MUST struct sr_result sr_vault_insert(struct sr_connection *connection, const struct sr_vault_record *vault);
/* How many vaults, keys (deleted ones included) and key versions there are. */
struct sr_vault_counts {
	int64_t vaults, keys, key_versions;
};
SR_MUST struct sr_result sr_vault_count(struct sr_connection *connection, struct sr_vault_counts *ret_counts);

#endif
