/* Rows of containers. Every function runs inside a transaction of the account's database. */
#ifndef SR_BLOB_CONTAINER_STORE_H
#define SR_BLOB_CONTAINER_STORE_H

#include "blob/lease.h"
#include "blob/volume.h"

struct sr_container_row {
	int64_t number; /* what names it in other tables; a name that is used again gets a new one */
	struct sr_bytes name;
	uint64_t etag;
	int64_t modified;
	struct sr_bytes metadata; /* packed, header.h */
	struct sr_bytes acl;      /* the stored access policies' XML as it was set; empty where there is none */
	struct sr_blob_lease lease;
	int64_t objects, bytes;
};

/* SR_NOT_FOUND "ContainerNotFound". */
SR_MUST struct sr_result sr_container_find(struct sr_connection *connection, struct sr_arena *arena,
                                           struct sr_bytes name, struct sr_container_row *ret_row);
/* Its number alone. SR_NOT_FOUND "ContainerNotFound". */
SR_MUST struct sr_result sr_container_number(struct sr_connection *connection, struct sr_bytes name,
                                             int64_t *ret_number);
/* A new one; etag and modified are set here. SR_EXISTS "ContainerAlreadyExists". */
SR_MUST struct sr_result sr_container_insert(struct sr_connection *connection, struct sr_volume *volume,
                                             struct sr_container_row *row);
/* Writes metadata, acl and lease of a row that was found; `changes` renews etag and modified (a lease does not). */
SR_MUST struct sr_result sr_container_update(struct sr_connection *connection, struct sr_volume *volume,
                                             struct sr_container_row *row, bool changes);
/* Takes it away with all it holds; its blobs are swept later, its name is free at once. */
SR_MUST struct sr_result sr_container_delete(struct sr_connection *connection, const struct sr_container_row *row);
/* Counts blobs added or taken away, in the container and in the account, and keeps the highest etag. */
SR_MUST struct sr_result sr_container_count(struct sr_connection *connection, const struct sr_volume *volume,
                                            int64_t number, int64_t objects, int64_t bytes);

/* Calls `each` for containers in order of their names, from `from` on (inclusive), with the prefix, at most `max`. */
SR_MUST struct sr_result sr_container_each(struct sr_connection *connection, struct sr_arena *arena,
                                           struct sr_bytes prefix, struct sr_bytes from, unsigned max,
                                           struct sr_result (*each)(const struct sr_container_row *row, void *context),
                                           void *context);

/* Settings of the account's service (its properties' XML): empty where never set. */
SR_MUST struct sr_result sr_setting_read(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                                         struct sr_bytes *ret_value);
SR_MUST struct sr_result sr_setting_write(struct sr_connection *connection, const char *name, struct sr_bytes value);

#endif
