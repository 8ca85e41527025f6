/* The vaults themselves: names and settings, within a read or write of the database. */
#ifndef SR_VAULT_VAULT_STORE_H
#define SR_VAULT_VAULT_STORE_H

#include "base/arena.h"
#include "seal/database.h"

/* Times are Unix seconds or SR_NO_TIME (key_rules.h). Text is borrowed: from the arena where it was read, from the
 * caller where it is to be written. */
struct sr_vault_record {
	const char *name, *resource_group;
	const char *subscription; /* NULL: the installation's */
	const char *location;     /* NULL counts as "local" */
	const char *sku;          /* NULL counts as "standard" */
	int64_t created, retention_days;
	int64_t updated;                     /* 0: never */
	const char *created_by, *updated_by; /* object ids; may be NULL */
	int64_t deleted_at, purge_at;        /* 0 or SR_NO_TIME: not deleted */
	bool is_purge_protected;
	bool is_by_roles;   /* role assignments allow data actions; else access policies do */
	bool is_closed;     /* publicNetworkAccess Disabled: nobody comes in by network */
	bool denies;        /* networkAcls.defaultAction Deny: only addresses of its rules come in */
	bool has_no_bypass; /* networkAcls.bypass None */
	const char *tags;   /* JSON object or NULL */
	const char *extras; /* JSON object or NULL: properties that are kept and shown */
};

enum { SR_RETENTION_DAYS = 90, SR_RETENTION_DAYS_LEAST = 7 };
#define SR_DEFAULT_VAULT "default"
#define SR_DEFAULT_GROUP "default"

enum sr_vault_presence { SR_VAULT_LIVE, SR_VAULT_DELETED, SR_VAULT_EITHER };

/* A vault that is not deleted. SR_NOT_FOUND "VaultNotFound". Text goes into the arena. */
SR_MUST struct sr_result sr_vault_find(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                                       struct sr_vault_record *ret_vault);
SR_MUST struct sr_result sr_vault_find_any(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                                           enum sr_vault_presence presence, struct sr_vault_record *ret_vault);
/* SR_EXISTS if the name is taken; SR_INVALID for a name that is none. */
SR_MUST struct sr_result sr_vault_insert(struct sr_connection *connection, const struct sr_vault_record *vault);
/* Writes what may change: all but name, place, creation and retention. Purge protection is only ever turned on. */
SR_MUST struct sr_result sr_vault_update(struct sr_connection *connection, const struct sr_vault_record *vault);
/* Deletes with recovery (times set) or recovers (SR_NO_TIME). */
SR_MUST struct sr_result sr_vault_mark_deleted(struct sr_connection *connection, const char *name, int64_t deleted_at,
                                               int64_t purge_at);
/* Removes a vault and everything that is kept under its name, in whichever table, but KEKs, which kek_store shreds. */
SR_MUST struct sr_result sr_vault_purge(struct sr_connection *connection, const char *name);
/* May KEKs under this vault's keys be used? SR_REVOKED "KeyNotFound" where the vault is deleted or gone. */
SR_MUST struct sr_result sr_vault_check_lease(struct sr_connection *connection, const char *name);
/* The next time at which a deleted vault is to be purged, and which; SR_NO_TIME where there is none. */
SR_MUST struct sr_result sr_vault_next_purge(struct sr_connection *connection, struct sr_arena *arena,
                                             int64_t *ret_time, const char **ret_name);

/* A page of vaults by name, after `after` ("" from the start). */
struct sr_vault_filter {
	const char *subscription;         /* NULL: any */
	const char *default_subscription; /* vaults without one are in this */
	const char *resource_group;       /* NULL: any */
	enum sr_vault_presence presence;
};
struct sr_vault_page {
	struct sr_vault_record *items;
	size_t count;
	bool has_more;
};
SR_MUST struct sr_result sr_vault_list(struct sr_connection *connection, struct sr_arena *arena,
                                       const struct sr_vault_filter *filter, const char *after, size_t limit,
                                       struct sr_vault_page *ret_page);

/* How many vaults, keys (deleted ones included) and key versions there are. */
struct sr_vault_counts {
	int64_t vaults, keys, key_versions;
};
SR_MUST struct sr_result sr_vault_count(struct sr_connection *connection, struct sr_vault_counts *ret_counts);

#endif
