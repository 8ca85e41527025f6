/* Rewrapping of KEKs by a newer version of their key. When it happens is decided by key_change.c. */
#include "vault/kek_rewrap.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { WRAPPED_MAX = 1024, THREADS_MAX = 16, ITEMS_PER_THREAD = 8 };

struct sr_rewrap_item {
	struct sr_id resource;
	struct sr_open_key *from; /* a use of the version that wraps it now */
	int64_t revocation_epoch; /* a revocation since then wins over the plan */
	struct sr_buf old_wrapped, new_wrapped;
	struct sr_result result;
};

static void end_item(struct sr_rewrap_item *item)
{
	sr_open_key_cleanup(&item->from);
	sr_buf_free(&item->old_wrapped);
	sr_buf_free(&item->new_wrapped);
	sr_result_free(item->result);
}

void sr_rewrap_plan_cleanup(struct sr_rewrap_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		end_item(&plan->items[i]);
	}
	sr_free(plan->items);
	*plan = (struct sr_rewrap_plan){0};
}

static struct sr_rewrap_item *add_item(struct sr_rewrap_plan *plan, size_t *cap)
{
	if (plan->count == *cap) {
		size_t larger_cap = *cap ? 2 * *cap : 16;
		struct sr_rewrap_item *larger = sr_alloc_array(larger_cap, sizeof *larger);
		if (plan->count) {
			memcpy(larger, plan->items, plan->count * sizeof *larger);
		}
		sr_free(plan->items);
		plan->items = larger;
		*cap = larger_cap;
	}
	struct sr_rewrap_item *item = &plan->items[plan->count++];
	*item = (struct sr_rewrap_item){.old_wrapped = SR_BUF(WRAPPED_MAX), .new_wrapped = SR_BUF(WRAPPED_MAX)};
	return item;
}

/* A use of the version that wraps a KEK now; NULL if the KEK may not leave it. */
static struct sr_result open_source(struct sr_vault_state *state, struct sr_connection *connection,
                                    const struct sr_rewrap_target *target, struct sr_bytes version,
                                    struct sr_open_key **ret_from)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const struct sr_key_name name = {target->name.vault, target->name.name, sr_arena_text(arena, version)};
	struct sr_key_record key;
	SR_TRY(sr_key_find(connection, arena, &name, SR_KEY_EITHER, &key));
	*ret_from = NULL;
	if (!sr_key_may_leave(&key.state)) {
		return sr_ok();
	}
	return sr_key_cache_open(state->cache, &name, key.sealed, ret_from);
}

/* Adds an item for each follower that is not under the target yet and may leave where it is. */
static struct sr_result collect(struct sr_vault_state *state, struct sr_connection *connection,
                                const struct sr_rewrap_target *target, struct sr_rewrap_plan *plan)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(
	    connection,
	    "SELECT resource, version, wrapped, revocation_epoch FROM kek WHERE vault = ?1 AND key = ?2 AND version <> ?3 "
	    "AND follows_latest = 1 AND wrapped IS NOT NULL",
	    &statement));
	sr_bind_text(statement, 1, target->name.vault);
	sr_bind_text(statement, 2, target->name.name);
	sr_bind_text(statement, 3, target->name.version);
	size_t cap = 0;
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		struct sr_open_key *from;
		SR_TRY(open_source(state, connection, target, sr_column_text(statement, 1), &from));
		if (!from) {
			continue;
		}
		struct sr_rewrap_item *item = add_item(plan, &cap);
		item->from = from;
		item->revocation_epoch = sr_column_int(statement, 3);
		SR_TRY(sr_column_id(statement, 0, &item->resource));
		sr_buf_append(&item->old_wrapped, sr_column_blob(statement, 2));
	}
}

static struct sr_result rewrap(struct sr_rewrap_item *item, const struct sr_rewrap_target *target)
{
	SR_TRY(sr_buf_result(&item->old_wrapped));
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	SR_TRY(sr_keypair_unwrap_secret(sr_open_key_pair(item->from), sr_buf_bytes(&item->old_wrapped), &kek));
	SR_TRY(sr_keypair_wrap_secret(target->keypair, kek, &item->new_wrapped));
	return sr_buf_result(&item->new_wrapped);
}

/* Threads take item after item until none is left. */
struct crew {
	const struct sr_rewrap_target *target;
	struct sr_rewrap_plan *plan;
	atomic_size_t next;
};

static void work(void *context)
{
	struct crew *crew = context;
	for (;;) {
		size_t i = atomic_fetch_add(&crew->next, 1);
		if (i >= crew->plan->count) {
			return;
		}
		crew->plan->items[i].result = rewrap(&crew->plan->items[i], crew->target);
	}
}

/* This thread works too, so a thread that cannot be had only costs time. */
static void rewrap_all(struct crew *crew)
{
	struct sr_thread threads[THREADS_MAX];
	size_t thread_count = 0;
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	while (thread_count < THREADS_MAX && (long)thread_count + 1 < cores &&
	       crew->plan->count > (thread_count + 1) * ITEMS_PER_THREAD) {
		struct sr_result started = sr_thread_start("vault-rewrap", 0, work, crew, &threads[thread_count]);
		if (!sr_is_ok(started)) {
			sr_ignore(started);
			break;
		}
		thread_count++;
	}
	work(crew);
	for (size_t i = 0; i < thread_count; i++) {
		sr_thread_join(threads[i]);
	}
}

struct preparation {
	struct sr_vault_state *state;
	const struct sr_rewrap_target *target;
	struct sr_rewrap_plan *plan;
};

static struct sr_result prepare_read(struct sr_connection *connection, void *context)
{
	struct preparation *preparation = context;
	return collect(preparation->state, connection, preparation->target, preparation->plan);
}

/* The first item's error, for one failed rewrap spoils the rotation: better no new version than a half-moved key. */
static struct sr_result first_error(struct sr_rewrap_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (!sr_is_ok(plan->items[i].result)) {
			struct sr_result result = plan->items[i].result;
			plan->items[i].result = sr_ok();
			return result;
		}
	}
	return sr_ok();
}

struct sr_result sr_rewrap_prepare(struct sr_vault_state *state, const struct sr_rewrap_target *target,
                                   struct sr_rewrap_plan *ret_plan)
{
	SR_CLEANUP(sr_rewrap_plan) struct sr_rewrap_plan plan = {0};
	struct preparation preparation = {state, target, &plan};
	SR_TRY(sr_database_read(state->database, prepare_read, &preparation));
	struct crew crew = {.target = target, .plan = &plan};
	rewrap_all(&crew);
	SR_TRY(first_error(&plan));
	*ret_plan = plan;
	plan = (struct sr_rewrap_plan){0};
	return sr_ok();
}

/* Only where the KEK is still wrapped as it was: a rekey, a revocation or a purge in between wins. */
static struct sr_result write_item(struct sr_connection *connection, const struct sr_rewrap_target *target,
                                   const struct sr_rewrap_item *item, int64_t *count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE kek SET version = ?2, wrapped = ?3, rewrapped = ?4 WHERE resource = ?1 AND wrapped = ?5 "
	                  "AND revocation_epoch = ?6",
	                  &statement));
	sr_bind_id(statement, 1, &item->resource);
	sr_bind_text(statement, 2, target->name.version);
	sr_bind_blob(statement, 3, sr_buf_bytes(&item->new_wrapped));
	sr_bind_int(statement, 4, sr_unix_s());
	sr_bind_blob(statement, 5, sr_buf_bytes(&item->old_wrapped));
	sr_bind_int(statement, 6, item->revocation_epoch);
	SR_TRY(sr_run(statement));
	*count += sr_changes(connection);
	return sr_ok();
}

struct sr_result sr_rewrap_apply(struct sr_vault_state *state, struct sr_connection *connection,
                                 const struct sr_rewrap_target *target, const struct sr_rewrap_plan *plan,
                                 int64_t *ret_count)
{
	int64_t count = 0;
	for (size_t i = 0; i < plan->count; i++) {
		SR_TRY(write_item(connection, target, &plan->items[i], &count));
	}
	SR_CLEANUP(sr_rewrap_plan) struct sr_rewrap_plan late = {0};
	SR_TRY(collect(state, connection, target, &late));
	for (size_t i = 0; i < late.count; i++) {
		SR_TRY(rewrap(&late.items[i], target));
		SR_TRY(write_item(connection, target, &late.items[i], &count));
	}
	*ret_count = count;
	return sr_ok();
}
