/* SQL on the times of keys. What is done at them is the chores': key_expiry.c, key_purge.c, key_tending.c. */
#include "vault/key_schedule.h"

#include <string.h>

/* Keys of a deleted vault wait until it is recovered. */
#define IN_LIVE_VAULT "vault NOT IN (SELECT name FROM vault WHERE deleted_at IS NOT NULL)"

/* The one time that a statement without parameters yields. */
static struct sr_result read_time(struct sr_statement *statement, int64_t *ret_time)
{
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_time = is_row && !sr_column_is_null(statement, 0) ? sr_column_int(statement, 0) : SR_NO_TIME;
	return sr_ok();
}

/* The rows of a bound statement: vault, key and, where there is a third column, version. */
static struct sr_result read_names(struct sr_statement *statement, struct sr_arena *arena, bool has_versions,
                                   struct sr_key_names *ret_names)
{
	size_t cap = 16;
	struct sr_key_names names = {.items = sr_arena_alloc(arena, cap * sizeof *names.items)};
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			*ret_names = names;
			return sr_ok();
		}
		if (names.count == cap) {
			struct sr_key_name *larger = sr_arena_alloc(arena, 2 * cap * sizeof *larger);
			memcpy(larger, names.items, cap * sizeof *larger);
			names.items = larger;
			cap *= 2;
		}
		names.items[names.count++] = (struct sr_key_name){
		    sr_arena_text(arena, sr_column_text(statement, 0)), sr_arena_text(arena, sr_column_text(statement, 1)),
		    has_versions ? sr_arena_text(arena, sr_column_text(statement, 2)) : NULL};
	}
}

struct sr_result sr_key_next_expiry(struct sr_connection *connection, int64_t *ret_time)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT min(exp) FROM key_version WHERE exp IS NOT NULL AND expired_for IS NOT exp",
	                  &statement));
	return read_time(statement, ret_time);
}

struct sr_result sr_key_list_expired(struct sr_connection *connection, struct sr_arena *arena, int64_t now,
                                     struct sr_key_names *ret_names)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(
	    sr_prepare(connection,
	               "SELECT vault, key, version FROM key_version WHERE exp IS NOT NULL AND expired_for IS NOT exp AND "
	               "exp <= ?1",
	               &statement));
	sr_bind_int(statement, 1, now);
	return read_names(statement, arena, true, ret_names);
}

struct sr_result sr_key_mark_expired(struct sr_connection *connection, int64_t now)
{
	SR_CLEANUP(sr_statement) struct sr_statement *unmark = NULL, *mark = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE key_version SET expired_for = NULL WHERE expired_for = exp AND exp > ?1",
	                  &unmark));
	sr_bind_int(unmark, 1, now);
	SR_TRY(sr_run(unmark));
	SR_TRY(sr_prepare(connection,
	                  "UPDATE key_version SET expired_for = exp WHERE exp IS NOT NULL AND expired_for IS NOT exp AND "
	                  "exp <= ?1",
	                  &mark));
	sr_bind_int(mark, 1, now);
	return sr_run(mark);
}

struct sr_result sr_key_next_purge(struct sr_connection *connection, int64_t *ret_time)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(
	    sr_prepare(connection, "SELECT min(purge_at) FROM key WHERE purge_at IS NOT NULL AND managed = 0", &statement));
	return read_time(statement, ret_time);
}

struct sr_result sr_key_list_purgeable(struct sr_connection *connection, struct sr_arena *arena, int64_t now,
                                       size_t limit, struct sr_key_names *ret_names)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(
	    connection,
	    "SELECT vault, name FROM key WHERE purge_at IS NOT NULL AND managed = 0 AND purge_at <= ?1 ORDER BY purge_at "
	    "LIMIT ?2",
	    &statement));
	sr_bind_int(statement, 1, now);
	sr_bind_int(statement, 2, (int64_t)limit);
	return read_names(statement, arena, false, ret_names);
}

struct sr_result sr_key_next_tending(struct sr_connection *connection, int64_t *ret_time)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(
	    connection, "SELECT min(tend_at) FROM key WHERE tend_at IS NOT NULL AND deleted_at IS NULL AND " IN_LIVE_VAULT,
	    &statement));
	return read_time(statement, ret_time);
}

struct sr_result sr_key_list_tendable(struct sr_connection *connection, struct sr_arena *arena, int64_t now,
                                      size_t limit, struct sr_key_names *ret_names)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT vault, name FROM key WHERE tend_at IS NOT NULL AND deleted_at IS NULL AND tend_at <= ?1 "
	                  "AND " IN_LIVE_VAULT " ORDER BY tend_at LIMIT ?2",
	                  &statement));
	sr_bind_int(statement, 1, now);
	sr_bind_int(statement, 2, (int64_t)limit);
	return read_names(statement, arena, false, ret_names);
}

struct sr_result sr_key_tend_at(struct sr_connection *connection, const struct sr_key_name *name, int64_t time)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE key SET tend_at = ?3 WHERE vault = ?1 AND name = ?2", &statement));
	sr_bind_text(statement, 1, name->vault);
	sr_bind_text(statement, 2, name->name);
	if (time == SR_NO_TIME) {
		sr_bind_null(statement, 3);
	} else {
		sr_bind_int(statement, 3, time);
	}
	return sr_run(statement);
}

static void bind_version(struct sr_statement *statement, const struct sr_key_name *name)
{
	sr_bind_text(statement, 1, name->vault);
	sr_bind_text(statement, 2, name->name);
	sr_bind_text(statement, 3, name->version);
}

struct sr_result sr_key_is_notified(struct sr_connection *connection, const struct sr_key_name *name,
                                    bool *ret_is_notified)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT notified_for IS exp FROM key_version WHERE vault = ?1 AND key = ?2 AND version = ?3",
	                  &statement));
	bind_version(statement, name);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_is_notified = is_row && sr_column_int(statement, 0);
	return sr_ok();
}

struct sr_result sr_key_set_notified(struct sr_connection *connection, const struct sr_key_name *name)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE key_version SET notified_for = exp WHERE vault = ?1 AND key = ?2 AND version = ?3",
	                  &statement));
	bind_version(statement, name);
	return sr_run(statement);
}
