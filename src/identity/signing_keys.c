/* The set of signing keys: at rest, open, and as they come and go. How one key signs is signing_key.c's. */
#include "identity/signing_keys.h"

#include "base/memory.h"
#include "base/thread.h"
#include "identity/revision.h"
#include "identity/signing_plan.h"
#include "wire/json.h"

#include <string.h>

/* One signs, one may wait, the others still verify; rotation by hand may add some of these. */
enum { KEYS_MAX = 8, SEALED_MAX = 8192 };

/* The open keys of one moment, oldest first. */
struct key_list {
	struct sr_signing_key *keys[KEYS_MAX];
	struct sr_signing_times times[KEYS_MAX];
	size_t count;
};

struct sr_signing_keys {
	struct sr_database *database; /* borrowed */
	struct sr_aead *aead;
	int64_t token_lifetime_s;
	struct sr_mutex mutex; /* guards `list`; never held across a call of the database */
	struct key_list list;
};

static void key_list_cleanup(struct key_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		sr_signing_key_done(list->keys[i]);
	}
	list->count = 0;
}

/* Rows of the table, oldest first: kid, sealed, n, e, active_from_s, longest_token_s. */
static struct sr_result prepare_rows(struct sr_connection *connection, struct sr_statement **ret_select)
{
	return sr_prepare(connection,
	                  "SELECT kid, sealed, n, e, active_from_s, longest_token_s FROM signing_key"
	                  " ORDER BY active_from_s, sequence",
	                  ret_select);
}

static struct sr_result next_row(struct sr_statement *select, size_t count, bool *ret_row)
{
	SR_TRY(sr_step(select, ret_row));
	if (*ret_row && count == KEYS_MAX) {
		return sr_fail(SR_CORRUPT, "read identity's signing keys: there are more than %d", KEYS_MAX);
	}
	return sr_ok();
}

static struct sr_signing_times row_times(struct sr_statement *select)
{
	return (struct sr_signing_times){.active_from_s = sr_column_int(select, 4),
	                                 .longest_token_s = sr_column_int(select, 5)};
}

static struct sr_result open_row(struct sr_aead *aead, struct sr_statement *select, struct sr_signing_key **ret_key)
{
	SR_CLEANUP(sr_signing_key) struct sr_signing_key *key = NULL;
	SR_TRY(sr_signing_key_open(aead, sr_column_text(select, 0), sr_column_blob(select, 1), &key));
	if (!sr_equal_public(sr_column_blob(select, 2), sr_signing_key_n(key)) ||
	    !sr_equal_public(sr_column_blob(select, 3), sr_signing_key_e(key))) {
		return sr_fail(SR_CORRUPT, "open signing key %s: what is published is another key", sr_signing_key_id(key));
	}
	*ret_key = SR_TAKE(key);
	return sr_ok();
}

struct loading {
	struct sr_aead *aead;
	struct key_list list;
};

static struct sr_result load_list(struct sr_connection *connection, void *context)
{
	struct loading *loading = context;
	struct key_list *list = &loading->list;
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(prepare_rows(connection, &select));
	for (;;) {
		bool has_row;
		SR_TRY(next_row(select, list->count, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		list->times[list->count] = row_times(select);
		SR_TRY(open_row(loading->aead, select, &list->keys[list->count]));
		list->count++;
	}
}

/* Opens the keys as they are at rest now, in place of those that were open. */
static struct sr_result reload(struct sr_signing_keys *keys)
{
	struct loading loading = {.aead = keys->aead};
	struct sr_result loaded = sr_database_read(keys->database, load_list, &loading);
	if (sr_is_ok(loaded)) {
		SR_LOCKED(&keys->mutex);
		struct key_list old = keys->list;
		keys->list = loading.list;
		loading.list = old;
	}
	key_list_cleanup(&loading.list);
	return loaded;
}

static struct sr_result insert_key(struct sr_connection *connection, struct sr_signing_keys *keys,
                                   const struct sr_signing_key *key, int64_t now_s, int64_t active_from_s)
{
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SEALED_MAX);
	SR_TRY(sr_signing_key_seal(key, keys->aead, &sealed));
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO signing_key (kid, sealed, n, e, created_s, active_from_s, longest_token_s)"
	                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	                  &insert));
	sr_bind_text(insert, 1, sr_signing_key_id(key));
	sr_bind_blob(insert, 2, sr_buf_bytes(&sealed));
	sr_bind_blob(insert, 3, sr_signing_key_n(key));
	sr_bind_blob(insert, 4, sr_signing_key_e(key));
	sr_bind_int(insert, 5, now_s);
	sr_bind_int(insert, 6, active_from_s);
	sr_bind_int(insert, 7, keys->token_lifetime_s);
	return sr_run(insert);
}

static struct sr_result remove_oldest(struct sr_connection *connection, size_t count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection,
	                  "DELETE FROM signing_key WHERE sequence IN"
	                  " (SELECT sequence FROM signing_key ORDER BY active_from_s, sequence LIMIT ?1)",
	                  &remove));
	sr_bind_int(remove, 1, (int64_t)count);
	return sr_run(remove);
}

/* A change of the set in one transaction; `fresh` was made before it, since finding primes takes long. */
struct change {
	struct sr_signing_keys *keys;
	const struct sr_signing_key *fresh; /* NULL: none was needed when it was planned */
	int64_t now_s;
	int64_t ahead_s;
	struct sr_signing_plan plan;
	bool is_changed;
	char kid[SR_KID_LEN];
	int64_t active_from_s;
};

static struct sr_result read_plan(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	struct sr_signing_times times[KEYS_MAX];
	size_t count = 0;
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(prepare_rows(connection, &select));
	for (;;) {
		bool has_row;
		SR_TRY(next_row(select, count, &has_row));
		if (!has_row) {
			break;
		}
		times[count++] = row_times(select);
	}
	change->plan = sr_signing_plan(times, count, change->now_s);
	return sr_ok();
}

/* Plans again, since another thread may have tended meanwhile. */
static struct sr_result carry_out_plan(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	SR_TRY(read_plan(connection, change));
	bool adds = change->plan.needs_key && change->fresh;
	if (change->plan.ended_count) {
		SR_TRY(remove_oldest(connection, change->plan.ended_count));
	}
	if (adds) {
		SR_TRY(insert_key(connection, change->keys, change->fresh, change->now_s, change->plan.active_from_s));
	}
	change->is_changed = adds || change->plan.ended_count;
	return change->is_changed ? sr_revision_grow(connection) : sr_ok();
}

struct sr_result sr_signing_keys_tend(struct sr_signing_keys *keys, int64_t now_s, bool *ret_is_changed)
{
	struct change change = {.keys = keys, .now_s = now_s};
	SR_TRY(sr_database_read(keys->database, read_plan, &change));
	if (!change.plan.needs_key && !change.plan.ended_count) {
		*ret_is_changed = false;
		return sr_ok();
	}
	SR_CLEANUP(sr_signing_key) struct sr_signing_key *fresh = NULL;
	if (change.plan.needs_key) {
		SR_TRY(sr_signing_key_make(&fresh));
	}
	change.fresh = fresh;
	SR_TRY(sr_database_write(keys->database, carry_out_plan, &change));
	SR_TRY(reload(keys));
	*ret_is_changed = change.is_changed;
	return sr_ok();
}

/* The key that is published and waits to sign, if there is one. */
static struct sr_result find_waiting(struct sr_connection *connection, int64_t now_s, char ret_kid[static SR_KID_LEN],
                                     int64_t *ret_active_from_s, size_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(prepare_rows(connection, &select));
	size_t count = 0;
	for (;; count++) {
		bool has_row;
		SR_TRY(next_row(select, count, &has_row));
		if (!has_row) {
			*ret_count = count;
			return sr_ok();
		}
		struct sr_bytes kid = sr_column_text(select, 0);
		if (row_times(select).active_from_s > now_s && kid.len < SR_KID_LEN) {
			memcpy(ret_kid, kid.data, kid.len);
			ret_kid[kid.len] = 0;
			*ret_active_from_s = row_times(select).active_from_s;
		}
	}
}

static struct sr_result move_forward(struct sr_connection *connection, const char *kid, int64_t active_from_s)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE signing_key SET active_from_s = ?2 WHERE kid = ?1", &update));
	sr_bind_text(update, 1, kid);
	sr_bind_int(update, 2, active_from_s);
	return sr_run(update);
}

/* Is there a waiting key, or room for one more? */
static struct sr_result look_for_room(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	size_t count = 0;
	change->kid[0] = 0;
	SR_TRY(find_waiting(connection, change->now_s, change->kid, &change->active_from_s, &count));
	if (!change->kid[0] && count == KEYS_MAX) {
		return sr_fail(SR_CONFLICT, "rotate the signing key: %d keys still verify tokens; wait until some have ended",
		               KEYS_MAX);
	}
	return sr_ok();
}

static struct sr_result rotate_now(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	int64_t wanted_s = change->now_s + change->ahead_s;
	SR_TRY(look_for_room(connection, change));
	if (change->kid[0]) {
		if (change->active_from_s > wanted_s) {
			SR_TRY(move_forward(connection, change->kid, wanted_s));
			change->active_from_s = wanted_s;
		}
	} else if (!change->fresh) {
		return sr_fail(SR_CONFLICT, "rotate the signing key: the waiting key has just begun to sign; try again");
	} else {
		SR_TRY(insert_key(connection, change->keys, change->fresh, change->now_s, wanted_s));
		memcpy(change->kid, sr_signing_key_id(change->fresh), SR_KID_LEN);
		change->active_from_s = wanted_s;
	}
	return sr_revision_grow(connection);
}

struct sr_result sr_signing_keys_rotate(struct sr_signing_keys *keys, int64_t now_s, int64_t ahead_s,
                                        char ret_kid[static SR_KID_LEN], int64_t *ret_active_from_s)
{
	struct change change = {.keys = keys, .now_s = now_s, .ahead_s = ahead_s};
	SR_CLEANUP(sr_signing_key) struct sr_signing_key *fresh = NULL;
	SR_TRY(sr_database_read(keys->database, look_for_room, &change));
	if (!change.kid[0]) {
		SR_TRY(sr_signing_key_make(&fresh));
		change.fresh = fresh;
	}
	SR_TRY(sr_database_write(keys->database, rotate_now, &change));
	SR_TRY(reload(keys));
	memcpy(ret_kid, change.kid, SR_KID_LEN);
	*ret_active_from_s = change.active_from_s;
	return sr_ok();
}

/* Tokens of a new lifetime: keys that sign, or will, must outlast them. */
static struct sr_result note_lifetime(struct sr_connection *connection, void *context)
{
	const struct change *change = context;
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE signing_key SET longest_token_s = ?1 WHERE longest_token_s < ?1 AND active_from_s >="
	                  " (SELECT max(active_from_s) FROM signing_key WHERE active_from_s <= ?2)",
	                  &update));
	sr_bind_int(update, 1, change->keys->token_lifetime_s);
	sr_bind_int(update, 2, change->now_s);
	return sr_run(update);
}

static void signing_keys_cleanup(struct sr_signing_keys **keys)
{
	sr_signing_keys_close(*keys);
	*keys = NULL;
}

struct sr_result sr_signing_keys_open(struct sr_database *database, const struct sr_secret *dek,
                                      int64_t token_lifetime_s, int64_t now_s, struct sr_signing_keys **ret_keys)
{
	SR_CLEANUP(signing_keys) struct sr_signing_keys *keys = sr_alloc(sizeof *keys);
	sr_mutex_init(&keys->mutex, SR_RANK_LEAF);
	keys->database = database;
	keys->token_lifetime_s = token_lifetime_s;
	SR_CLEANUP(sr_secret) struct sr_secret *sealing = NULL;
	SR_TRY(sr_derive(dek, (struct sr_bytes){0}, "identity/signing", SR_KEY_LEN, &sealing));
	SR_TRY(sr_aead_new(sealing, &keys->aead));
	struct change change = {.keys = keys, .now_s = now_s};
	SR_TRY(sr_database_write(database, note_lifetime, &change));
	bool is_changed;
	SR_TRY(sr_signing_keys_tend(keys, now_s, &is_changed));
	if (!is_changed) {
		SR_TRY(reload(keys));
	}
	*ret_keys = SR_TAKE(keys);
	return sr_ok();
}

void sr_signing_keys_close(struct sr_signing_keys *keys)
{
	if (keys) {
		key_list_cleanup(&keys->list);
		sr_aead_free(keys->aead);
		sr_mutex_destroy(&keys->mutex);
		sr_free(keys);
	}
}

struct sr_result sr_signing_keys_current(struct sr_signing_keys *keys, int64_t now_s, struct sr_signing_key **ret_key)
{
	SR_LOCKED(&keys->mutex);
	int current = sr_signing_current(keys->list.times, keys->list.count, now_s);
	if (current < 0) {
		return sr_fail(SR_UNAVAILABLE, "choose a signing key: none is active yet; is the clock right?");
	}
	*ret_key = sr_signing_key_share(keys->list.keys[current]);
	return sr_ok();
}

struct sr_result sr_signing_keys_verify(struct sr_signing_keys *keys)
{
	struct loading loading = {.aead = keys->aead};
	struct sr_result loaded = sr_database_read(keys->database, load_list, &loading);
	key_list_cleanup(&loading.list);
	return loaded;
}

struct sr_result sr_signing_keys_jwks(struct sr_connection *connection, json_t **ret_array)
{
	SR_CLEANUP(sr_json) json_t *array = json_array();
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(prepare_rows(connection, &select));
	for (size_t count = 0;; count++) {
		bool has_row;
		SR_TRY(next_row(select, count, &has_row));
		if (!has_row) {
			break;
		}
		struct sr_bytes kid = sr_column_text(select, 0);
		json_t *key = json_object();
		sr_json_set_string(key, "kty", "RSA");
		sr_json_set_string(key, "use", "sig");
		sr_json_set_string(key, "alg", "RS256");
		sr_json_set(key, "kid", json_stringn((const char *)kid.data, kid.len));
		sr_json_set_base64url(key, "n", sr_column_blob(select, 2));
		sr_json_set_base64url(key, "e", sr_column_blob(select, 3));
		json_array_append_new(array, key);
	}
	*ret_array = SR_TAKE(array);
	return sr_ok();
}
