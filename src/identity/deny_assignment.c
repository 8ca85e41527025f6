/* Rows of deny assignments, and what one may say. */
#include "identity/deny_assignment.h"

#include "identity/assignment.h"
#include "identity/object.h"
#include "identity/role_definition.h"
#include "wire/json.h"

#include <string.h>

enum { BODY_MAX = 1 << 20 };

/* A list of the body's, each of its texts judged; copied into `kept`. */
static struct sr_result take_list(struct sr_arena *arena, const json_t *body, const char *name, size_t max,
                                  struct sr_result (*check)(const char *text), json_t *kept)
{
	const char *const *texts;
	SR_TRY(sr_texts_read(arena, json_object_get(body, name), name, max, &texts));
	for (const char *const *text = texts; *text; text++) {
		SR_TRY(check(*text));
	}
	sr_json_set(kept, name, sr_texts_json(texts));
	return sr_ok();
}

static struct sr_result check_id(const char *text)
{
	return sr_is_guid(sr_bytes_str(text)) ? sr_ok() : sr_fail(SR_INVALID, "'%.100s' is no object id (a GUID)", text);
}

static struct sr_result check_excluded(const char *text)
{
	if (strcmp(text, SR_ALL_PRINCIPALS) == 0) {
		return sr_fail(SR_INVALID, "a deny assignment that excludes everyone denies nothing");
	}
	return check_id(text);
}

static struct sr_result take_body(struct sr_arena *arena, const json_t *body, json_t *kept)
{
	static const char *const lists[] = {"actions", "notActions", "dataActions", "notDataActions"};
	bool is_alone = false;
	SR_TRY(take_list(arena, body, "principals", SR_DENY_PRINCIPALS_MAX, check_id, kept));
	SR_TRY(take_list(arena, body, "excludePrincipals", SR_DENY_PRINCIPALS_MAX, check_excluded, kept));
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		SR_TRY(take_list(arena, body, lists[i], SR_ROLE_ACTIONS_MAX, sr_action_check, kept));
	}
	SR_TRY(sr_json_get_bool(body, "doNotApplyToChildScopes", &is_alone));
	sr_json_set_bool(kept, "doNotApplyToChildScopes", is_alone);
	if (!json_array_size(json_object_get(kept, "principals"))) {
		return sr_fail(SR_INVALID, "'principals' names nobody; " SR_ALL_PRINCIPALS " stands for everyone");
	}
	if (!json_array_size(json_object_get(kept, "actions")) && !json_array_size(json_object_get(kept, "dataActions"))) {
		return sr_fail(SR_INVALID, "a deny assignment has one action or data action at least");
	}
	return sr_ok();
}

struct sr_result sr_deny_assignment_make(struct sr_connection *connection, struct sr_arena *arena, const char *name,
                                         const char *scope, const json_t *body, int64_t now_s,
                                         char ret_id[static SR_GUID_TEXT_LEN])
{
	const char *kept_scope = NULL;
	SR_TRY(sr_object_check_name("a deny assignment's name", name, SR_DENY_NAME_MAX));
	SR_TRY(sr_assignment_scope(arena, scope, &kept_scope));
	SR_CLEANUP(sr_json) json_t *kept = json_object();
	SR_TRY(take_body(arena, body, kept));
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(BODY_MAX);
	SR_TRY(sr_json_write(kept, &text));
	struct sr_id id = sr_id_random();
	char id_text[SR_GUID_TEXT_LEN];
	sr_guid_text(&id, id_text);
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO deny_assignment (deny_id, name, scope, body, created_s) VALUES (?1, ?2, ?3, ?4, ?5)",
	                  &insert));
	sr_bind_text(insert, 1, id_text);
	sr_bind_text(insert, 2, name);
	sr_bind_text(insert, 3, kept_scope);
	sr_bind_bytes_as_text(insert, 4, sr_buf_bytes(&text));
	sr_bind_int(insert, 5, now_s);
	SR_TRY(sr_run(insert));
	memcpy(ret_id, id_text, sizeof id_text);
	return sr_ok();
}

struct sr_result sr_deny_assignment_remove(struct sr_connection *connection, const char *id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM deny_assignment WHERE deny_id = lower(?1)", &remove));
	sr_bind_text(remove, 1, id);
	SR_TRY(sr_run(remove));
	return sr_changes(connection) ? sr_ok() : sr_fail(SR_NOT_FOUND, "there is no deny assignment '%.100s'", id);
}

struct sr_result
sr_deny_assignment_each(struct sr_connection *connection, struct sr_arena *arena,
                        struct sr_result (*each)(const struct sr_deny_assignment *denial, void *context), void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT deny_id, name, scope, body, created_s FROM deny_assignment ORDER BY scope, name, deny_id",
	                  &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		SR_CLEANUP(sr_json) json_t *body = NULL;
		SR_TRY(sr_json_parse(sr_column_text(select, 3), &body));
		struct sr_deny_assignment denial = {
		    .id = sr_arena_text(arena, sr_column_text(select, 0)),
		    .name = sr_arena_text(arena, sr_column_text(select, 1)),
		    .scope = sr_arena_text(arena, sr_column_text(select, 2)),
		    .body = body,
		    .created_s = sr_column_int(select, 4),
		};
		SR_TRY(each(&denial, context));
	}
}
