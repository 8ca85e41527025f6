/*
 * When something is to be done with a key by itself: SQL on the columns of the schema's step `key_tending` and on
 * purge_at. Every function runs within a read or a write. Times are Unix seconds or SR_NO_TIME.
 */
#ifndef SR_VAULT_KEY_SCHEDULE_H
#define SR_VAULT_KEY_SCHEDULE_H

#include "vault/key_store.h"

/* Names in the arena; `version` is NULL where whole keys are listed. */
struct sr_key_names {
	struct sr_key_name *items;
	size_t count;
};

/* The earliest end among versions that are not marked as expired yet. */
SR_MUST struct sr_result sr_key_next_expiry(struct sr_connection *connection, int64_t *ret_time);
/* The versions whose end has come and that are not marked yet. */
SR_MUST struct sr_result sr_key_list_expired(struct sr_connection *connection, struct sr_arena *arena, int64_t now,
                                             struct sr_key_names *ret_names);
/* Marks them; and takes the mark from versions whose end is ahead again, for the clock was set back. */
SR_MUST struct sr_result sr_key_mark_expired(struct sr_connection *connection, int64_t now);

/* The earliest time at which a deleted key is purged, and at most `limit` of those whose time has come. Keys of
 * certificates go with these. */
SR_MUST struct sr_result sr_key_next_purge(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_key_list_purgeable(struct sr_connection *connection, struct sr_arena *arena, int64_t now,
                                               size_t limit, struct sr_key_names *ret_names);

/* The earliest time at which a live key's rotation policy asks for something (0 where that is not worked out yet), at
 * most `limit` keys of whom it asks now, and when it asks next. */
SR_MUST struct sr_result sr_key_next_tending(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_key_list_tendable(struct sr_connection *connection, struct sr_arena *arena, int64_t now,
                                              size_t limit, struct sr_key_names *ret_names);
SR_MUST struct sr_result sr_key_tend_at(struct sr_connection *connection, const struct sr_key_name *name, int64_t time);

/* Was notice given of the version's present end? And: it was. */
SR_MUST struct sr_result sr_key_is_notified(struct sr_connection *connection, const struct sr_key_name *name,
                                            bool *ret_is_notified);
SR_MUST struct sr_result sr_key_set_notified(struct sr_connection *connection, const struct sr_key_name *name);

#endif
