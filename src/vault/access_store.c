/* SQL on the tables `access_policy` and `network_rule`. */
#include "vault/access_store.h"

#include <string.h>

/* The bits of the collection that ?4 asks for, of those in ?5. */
#define GRANTED "(CASE ?4 WHEN 0 THEN keys WHEN 1 THEN secrets WHEN 2 THEN certificates ELSE storage END & ?5) <> 0"
/* By way of any client, or of this one. */
#define BY_APP "(application = '' OR application = ?3)"

enum { NETWORK_RULES_MAX = 1000 };

static struct sr_result run_for(struct sr_connection *connection, const char *sql, const char *vault)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	sr_bind_text(statement, 1, vault);
	return sr_run(statement);
}

static struct sr_result write_policy(struct sr_connection *connection, const char *vault,
                                     const struct sr_access_policy *policy)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT OR REPLACE INTO access_policy(vault, object, application, keys, secrets, certificates, "
	                  "storage) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, policy->object_id);
	sr_bind_text(statement, 3, policy->application_id);
	for (int i = 0; i < SR_POLICY_COLLECTIONS; i++) {
		sr_bind_int(statement, 4 + i, (int64_t)policy->permissions[i]);
	}
	return sr_run(statement);
}

struct sr_result sr_access_policies_write(struct sr_connection *connection, const char *vault,
                                          const struct sr_access_policy *policies, size_t count)
{
	SR_TRY(run_for(connection, "DELETE FROM access_policy WHERE vault = ?1", vault));
	for (size_t i = 0; i < count; i++) {
		SR_TRY(write_policy(connection, vault, &policies[i]));
	}
	return sr_ok();
}

struct sr_result sr_access_policy_put(struct sr_connection *connection, const char *vault,
                                      const struct sr_access_policy *policy)
{
	if (!sr_access_policy_is_empty(policy)) {
		return write_policy(connection, vault, policy);
	}
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM access_policy WHERE vault = ?1 AND object = ?2 AND application = ?3",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, policy->object_id);
	sr_bind_text(statement, 3, policy->application_id);
	return sr_run(statement);
}

struct sr_result sr_access_policies_list(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                         struct sr_access_policy **ret_policies, size_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT object, application, keys, secrets, certificates, storage FROM access_policy "
	                  "WHERE vault = ?1 ORDER BY object, application",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	struct sr_access_policy *policies = sr_arena_alloc(arena, SR_ACCESS_POLICIES_MAX * sizeof *policies);
	for (size_t count = 0;; count++) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row || count == SR_ACCESS_POLICIES_MAX) {
			*ret_policies = policies;
			*ret_count = count;
			return sr_ok();
		}
		policies[count].object_id = sr_arena_text(arena, sr_column_text(statement, 0));
		policies[count].application_id = sr_arena_text(arena, sr_column_text(statement, 1));
		for (int i = 0; i < SR_POLICY_COLLECTIONS; i++) {
			policies[count].permissions[i] = (uint64_t)sr_column_int(statement, 2 + i);
		}
	}
}

static void bind_question(struct sr_statement *statement, const struct sr_access_question *question)
{
	sr_bind_text(statement, 1, question->vault);
	sr_bind_text(statement, 2, question->object_id);
	sr_bind_text(statement, 3, question->app_id);
	sr_bind_int(statement, 4, question->collection);
	sr_bind_int(statement, 5, (int64_t)question->mask);
}

struct sr_result sr_access_policy_grants(struct sr_connection *connection, const struct sr_access_question *question,
                                         bool *ret_is_granted)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT 1 FROM access_policy WHERE vault = ?1 AND object = ?2 AND " BY_APP " AND " GRANTED,
	                  &statement));
	bind_question(statement, question);
	return sr_step(statement, ret_is_granted);
}

struct sr_result sr_access_policy_others(struct sr_connection *connection, struct sr_arena *arena,
                                         const struct sr_access_question *question, const char *const **ret_objects)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT object FROM access_policy WHERE vault = ?1 AND object <> ?2 AND " BY_APP " AND " GRANTED,
	                  &statement));
	bind_question(statement, question);
	const char **objects = sr_arena_alloc(arena, (SR_ACCESS_POLICIES_MAX + 1) * sizeof *objects);
	for (size_t count = 0; count < SR_ACCESS_POLICIES_MAX; count++) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			break;
		}
		objects[count] = sr_arena_text(arena, sr_column_text(statement, 0));
	}
	*ret_objects = objects;
	return sr_ok();
}

struct sr_result sr_network_rules_write(struct sr_connection *connection, const char *vault,
                                        const struct sr_network_range *ranges, size_t count)
{
	if (count > NETWORK_RULES_MAX) {
		return sr_fail(SR_INVALID, "%zu network rules; a vault takes at most %d", count, NETWORK_RULES_MAX);
	}
	SR_TRY(run_for(connection, "DELETE FROM network_rule WHERE vault = ?1", vault));
	for (size_t i = 0; i < count; i++) {
		SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
		SR_TRY(sr_prepare(connection,
		                  "INSERT INTO network_rule(vault, position, text, first, last) VALUES(?1, ?2, ?3, ?4, ?5)",
		                  &statement));
		sr_bind_text(statement, 1, vault);
		sr_bind_int(statement, 2, (int64_t)i);
		sr_bind_text(statement, 3, ranges[i].text);
		sr_bind_blob(statement, 4, sr_bytes_of(ranges[i].first, SR_ADDRESS_LEN));
		sr_bind_blob(statement, 5, sr_bytes_of(ranges[i].last, SR_ADDRESS_LEN));
		SR_TRY(sr_run(statement));
	}
	return sr_ok();
}

struct sr_result sr_network_rules_list(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                       const char *const **ret_texts, size_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT text FROM network_rule WHERE vault = ?1 ORDER BY position", &statement));
	sr_bind_text(statement, 1, vault);
	const char **texts = sr_arena_alloc(arena, NETWORK_RULES_MAX * sizeof *texts);
	for (size_t count = 0;; count++) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row || count == NETWORK_RULES_MAX) {
			*ret_texts = texts;
			*ret_count = count;
			return sr_ok();
		}
		texts[count] = sr_arena_text(arena, sr_column_text(statement, 0));
	}
}

struct sr_result sr_network_rules_hold(struct sr_connection *connection, const char *vault,
                                       const uint8_t address[static SR_ADDRESS_LEN], bool *ret_holds)
{
	/* Blobs of one length compare as sr_network_range_holds compares. */
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT 1 FROM network_rule WHERE vault = ?1 AND first <= ?2 AND ?2 <= last LIMIT 1",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_blob(statement, 2, sr_bytes_of(address, SR_ADDRESS_LEN));
	return sr_step(statement, ret_holds);
}
