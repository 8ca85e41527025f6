/* SQL on kek.anchor. What an anchor means is seal/database.h's. */
#include "vault/kek_anchor.h"

#include "vault/audit.h"

#include <string.h>

struct note {
	const char *service;
	const struct sr_id *resource;
	uint64_t anchor;
};

static struct sr_result read_work(struct sr_connection *connection, void *context)
{
	struct note *note = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(
	    sr_prepare(connection, "SELECT ifnull(anchor, 0) FROM kek WHERE resource = ?1 AND service = ?2", &statement));
	sr_bind_id(statement, 1, note->resource);
	sr_bind_text(statement, 2, note->service);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail(SR_NOT_FOUND, "the vault knows no such resource of this service");
	}
	note->anchor = (uint64_t)sr_column_int(statement, 0);
	return sr_ok();
}

struct sr_result sr_kek_least_anchor(void *context, const char *service, const struct sr_id *resource,
                                     uint64_t *ret_anchor)
{
	struct sr_vault_state *state = context;
	struct note note = {service, resource, 0};
	SR_TRY(sr_database_read(state->database, read_work, &note));
	*ret_anchor = note.anchor;
	return sr_ok();
}

static struct sr_result note_work(struct sr_connection *connection, void *context)
{
	const struct note *note = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE kek SET anchor = max(ifnull(anchor, 0), ?3) WHERE resource = ?1 AND service = ?2",
	                  &statement));
	sr_bind_id(statement, 1, note->resource);
	sr_bind_text(statement, 2, note->service);
	sr_bind_int(statement, 3, (int64_t)note->anchor);
	SR_TRY(sr_run(statement));
	return sr_changes(connection) ? sr_ok() : sr_fail(SR_NOT_FOUND, "the vault knows no such resource of this service");
}

struct sr_result sr_kek_note_anchor(void *context, const char *service, const struct sr_id *resource, uint64_t anchor)
{
	struct sr_vault_state *state = context;
	if (anchor > INT64_MAX) {
		return sr_fail(SR_INVALID, "an anchor is out of bounds");
	}
	struct note note = {service, resource, anchor};
	return sr_database_write(state->database, note_work, &note);
}

struct sr_result sr_kek_forget_anchors(struct sr_connection *connection)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE kek SET anchor = NULL", &statement));
	return sr_run(statement);
}

static struct sr_result read_row(struct sr_statement *statement, struct sr_arena *arena,
                                 struct sr_kek_anchor *ret_anchor)
{
	struct sr_kek_anchor anchor = {.service = sr_arena_text(arena, sr_column_text(statement, 1)),
	                               .kind = sr_arena_text(arena, sr_column_text(statement, 2)),
	                               .label = sr_arena_text(arena, sr_column_text(statement, 3)),
	                               .anchor = (uint64_t)sr_column_int(statement, 4)};
	SR_TRY(sr_column_id(statement, 0, &anchor.resource));
	*ret_anchor = anchor;
	return sr_ok();
}

struct sr_result sr_kek_list_anchors(struct sr_connection *connection, struct sr_arena *arena, const char *service,
                                     const char *name, struct sr_kek_anchors *ret_anchors)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT resource, service, kind, label, anchor FROM kek WHERE anchor IS NOT NULL AND "
	                  "(?1 IS NULL OR service = ?1) AND (?2 IS NULL OR label = ?2 OR lower(hex(resource)) = lower(?2)) "
	                  "ORDER BY service, label",
	                  &statement));
	sr_bind_text(statement, 1, service);
	sr_bind_text(statement, 2, name);
	size_t cap = 16;
	struct sr_kek_anchors anchors = {.items = sr_arena_alloc(arena, cap * sizeof *anchors.items)};
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			*ret_anchors = anchors;
			return sr_ok();
		}
		if (anchors.count == cap) {
			struct sr_kek_anchor *larger = sr_arena_alloc(arena, 2 * cap * sizeof *larger);
			memcpy(larger, anchors.items, cap * sizeof *larger);
			anchors.items = larger;
			cap *= 2;
		}
		SR_TRY(read_row(statement, arena, &anchors.items[anchors.count++]));
	}
}

struct acceptance {
	struct sr_arena *arena;
	const char *service, *name, *request_id;
	struct sr_kek_anchor anchor;
	uint64_t revocation_epoch;
};

/* Counts as a revocation, so that whoever holds the KEK asks for it again and hears what is expected now. */
static struct sr_result forget_one(struct sr_connection *connection, struct acceptance *acceptance)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL, *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE kek SET anchor = NULL, revocation_epoch = revocation_epoch + 1 WHERE resource = ?1",
	                  &update));
	sr_bind_id(update, 1, &acceptance->anchor.resource);
	SR_TRY(sr_run(update));
	SR_TRY(sr_prepare(connection, "SELECT revocation_epoch FROM kek WHERE resource = ?1", &select));
	sr_bind_id(select, 1, &acceptance->anchor.resource);
	bool is_row;
	SR_TRY(sr_step(select, &is_row));
	acceptance->revocation_epoch = is_row ? (uint64_t)sr_column_int(select, 0) : 0;
	return sr_ok();
}

static struct sr_result accept_work(struct sr_connection *connection, void *context)
{
	struct acceptance *acceptance = context;
	struct sr_kek_anchors found;
	SR_TRY(sr_kek_list_anchors(connection, acceptance->arena, acceptance->service, acceptance->name, &found));
	if (found.count == 0) {
		return sr_fail_as(SR_NOT_FOUND, "NotFound",
		                  "the vault expects nothing of a '%s' of %s: `strongroom rollback list`", acceptance->name,
		                  acceptance->service);
	}
	if (found.count > 1) {
		return sr_fail(SR_CONFLICT, "'%s' means several of %s: name it by its id, of `strongroom rollback list`",
		               acceptance->name, acceptance->service);
	}
	acceptance->anchor = found.items[0];
	SR_TRY(forget_one(connection, acceptance));
	char resource[SR_ID_TEXT_LEN];
	sr_id_text(&acceptance->anchor.resource, resource);
	const struct sr_audit_event event = {
	    .object_id = "local",
	    .from = "local",
	    .operation = "RollbackAccept",
	    .object = resource,
	    .detail = sr_arena_printf(acceptance->arena, "%s %s", acceptance->anchor.service, acceptance->anchor.label),
	    .request_id = acceptance->request_id,
	    .status = 200};
	return sr_audit_append(connection, &event);
}

struct sr_result sr_kek_accept_rollback(struct sr_vault_state *state, const char *service, const char *name,
                                        const char *request_id)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct acceptance acceptance = {.arena = arena, .service = service, .name = name, .request_id = request_id};
	SR_TRY(sr_database_write(state->database, accept_work, &acceptance));
	struct sr_grantor *grantor = state->grantor;
	if (grantor) {
		sr_grantor_recall(grantor, &acceptance.anchor.resource, 1, acceptance.revocation_epoch, "KeyForbidden");
	}
	return sr_ok();
}
