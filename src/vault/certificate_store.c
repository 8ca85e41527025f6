/* SQL on the tables `certificate` and `certificate_version`. Operations are certificate_operation.c's. */
#include "vault/certificate_store.h"

#include "vault/column.h"

#include <string.h>

enum { PAGE_FIRST = 32 };

/* What read_head expects, from certificate c; and read_row, with version v. */
#define HEAD "c.vault, c.name, c.created, c.deleted_at, c.purge_at, c.policy, c.policy_created, c.policy_updated"
#define COLUMNS                                                                                        \
	HEAD ", v.version, v.enabled, v.nbf, v.exp, v.created, v.updated, v.tags, v.has_key, v.renew_at, " \
	     "v.notice_at, v.thumbprint, v.cer, v.chain, v.number"
#define JOINED  "certificate AS c JOIN certificate_version AS v ON v.vault = c.vault AND v.certificate = c.name"
#define CURRENT "(SELECT max(number) FROM certificate_version AS m WHERE m.vault = c.vault AND m.certificate = c.name)"
/* Nothing is due in a vault that is deleted. */
#define TENDED \
	"v.enabled AND c.deleted_at IS NULL AND EXISTS(SELECT 1 FROM vault WHERE name = c.vault AND deleted_at IS NULL)"
/* ?5 is an enum sr_certificate_presence. */
#define PRESENT "(?5 = 2 OR (c.deleted_at IS NOT NULL) = ?5)"

static void read_head(struct sr_arena *arena, struct sr_statement *statement, struct sr_certificate_head *ret_head)
{
	*ret_head = (struct sr_certificate_head){
	    .vault = sr_column_arena_text(arena, statement, 0),
	    .name = sr_column_arena_text(arena, statement, 1),
	    .created = sr_column_int(statement, 2),
	    .deleted_at = sr_column_time(statement, 3),
	    .purge_at = sr_column_time(statement, 4),
	    .policy = sr_column_arena_text(arena, statement, 5),
	    .policy_created = sr_column_int(statement, 6),
	    .policy_updated = sr_column_int(statement, 7),
	};
}

static void read_row(struct sr_arena *arena, struct sr_statement *statement,
                     struct sr_certificate_record *ret_certificate)
{
	*ret_certificate = (struct sr_certificate_record){
	    .version = sr_column_arena_text(arena, statement, 8),
	    .is_enabled = sr_column_int(statement, 9) != 0,
	    .nbf = sr_column_time(statement, 10),
	    .exp = sr_column_time(statement, 11),
	    .created = sr_column_int(statement, 12),
	    .updated = sr_column_int(statement, 13),
	    .tags = sr_column_arena_text(arena, statement, 14),
	    .has_key = sr_column_int(statement, 15) != 0,
	    .renew_at = sr_column_time(statement, 16),
	    .notice_at = sr_column_time(statement, 17),
	    .thumbprint = sr_arena_copy(arena, sr_column_blob(statement, 18)),
	    .cer = sr_arena_copy(arena, sr_column_blob(statement, 19)),
	    .chain = sr_arena_copy(arena, sr_column_blob(statement, 20)),
	    .number = sr_column_int(statement, 21),
	};
	read_head(arena, statement, &ret_certificate->head);
}

/* All rows of a bound statement that yields at most limit + 1. */
static struct sr_result read_page(struct sr_arena *arena, struct sr_statement *statement, size_t limit,
                                  struct sr_certificate_page *ret_page)
{
	size_t cap = PAGE_FIRST;
	struct sr_certificate_page page = {.items = sr_arena_alloc(arena, cap * sizeof *page.items)};
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row || page.count == limit) {
			page.has_more = is_row;
			*ret_page = page;
			return sr_ok();
		}
		if (page.count == cap) {
			struct sr_certificate_record *larger = sr_arena_alloc(arena, 2 * cap * sizeof *larger);
			memcpy(larger, page.items, cap * sizeof *larger);
			page.items = larger;
			cap *= 2;
		}
		read_row(arena, statement, &page.items[page.count]);
		page.count++;
	}
}

static struct sr_result fail_not_found(const char *name, const char *version)
{
	return sr_fail_as(SR_NOT_FOUND, "CertificateNotFound",
	                  "A certificate with (name/id) %s%s%s was not found in this key vault. If you recently deleted "
	                  "this certificate you may be able to recover it.",
	                  name, version ? "/" : "", version ? version : "");
}

struct sr_result sr_vault_certificate_find_head(struct sr_connection *connection, struct sr_arena *arena,
                                                const char *vault, const char *name,
                                                enum sr_certificate_presence presence,
                                                struct sr_certificate_head *ret_head)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " HEAD " FROM certificate AS c WHERE c.vault = ?1 AND c.name = ?2 AND " PRESENT,
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_int(statement, 5, presence);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return fail_not_found(name, NULL);
	}
	read_head(arena, statement, ret_head);
	return sr_ok();
}

struct sr_result sr_vault_certificate_find(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                           const char *name, const char *version, enum sr_certificate_presence presence,
                                           struct sr_certificate_record *ret_certificate)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	if (version) {
		SR_TRY(sr_prepare(connection,
		                  "SELECT " COLUMNS " FROM " JOINED
		                  " WHERE c.vault = ?1 AND c.name = ?2 AND v.version = ?3 AND " PRESENT,
		                  &statement));
		sr_bind_text(statement, 3, version);
	} else {
		SR_TRY(sr_prepare(connection,
		                  "SELECT " COLUMNS " FROM " JOINED " WHERE c.vault = ?1 AND c.name = ?2 AND " PRESENT
		                  " ORDER BY v.number DESC LIMIT 1",
		                  &statement));
	}
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_int(statement, 5, presence);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return fail_not_found(name, version);
	}
	read_row(arena, statement, ret_certificate);
	return sr_ok();
}

struct sr_result sr_vault_certificate_set_policy(struct sr_connection *connection, const char *vault, const char *name,
                                                 const char *policy, int64_t now)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO certificate(vault, name, created, policy, policy_created, policy_updated) "
	                  "VALUES(?1, ?2, ?4, ?3, ?4, ?4) ON CONFLICT(vault, name) DO UPDATE SET policy = ?3, "
	                  "policy_updated = ?4 WHERE deleted_at IS NULL",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_text(statement, 3, policy);
	sr_bind_int(statement, 4, now);
	SR_TRY(sr_run(statement));
	if (sr_changes(connection) == 0) {
		return sr_fail_as(SR_CONFLICT, "ObjectIsDeletedButRecoverable",
		                  "Certificate %s is currently in a deleted but recoverable state, and its name cannot be "
		                  "reused; in this state, the certificate can only be recovered or purged.",
		                  name);
	}
	return sr_ok();
}

/* Nothing is due any more of the versions that there are. */
static struct sr_result forget_actions(struct sr_connection *connection,
                                       const struct sr_certificate_record *certificate)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE certificate_version SET renew_at = NULL, notice_at = NULL WHERE vault = ?1 AND "
	                  "certificate = ?2 AND (renew_at IS NOT NULL OR notice_at IS NOT NULL)",
	                  &statement));
	sr_bind_text(statement, 1, certificate->head.vault);
	sr_bind_text(statement, 2, certificate->head.name);
	return sr_run(statement);
}

struct sr_result sr_vault_certificate_insert(struct sr_connection *connection,
                                             const struct sr_certificate_record *certificate)
{
	SR_TRY(forget_actions(connection, certificate));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO certificate_version(vault, certificate, version, enabled, nbf, exp, created, "
	                  "updated, tags, has_key, renew_at, notice_at, thumbprint, cer, chain, number) VALUES(?1, ?2, ?3, "
	                  "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 1 + ifnull((SELECT max(number) FROM "
	                  "certificate_version WHERE vault = ?1 AND certificate = ?2), 0))",
	                  &statement));
	sr_bind_text(statement, 1, certificate->head.vault);
	sr_bind_text(statement, 2, certificate->head.name);
	sr_bind_text(statement, 3, certificate->version);
	sr_bind_int(statement, 4, certificate->is_enabled);
	sr_bind_int(statement, 5, certificate->nbf);
	sr_bind_int(statement, 6, certificate->exp);
	sr_bind_int(statement, 7, certificate->created);
	sr_bind_int(statement, 8, certificate->updated);
	sr_bind_text(statement, 9, certificate->tags);
	sr_bind_int(statement, 10, certificate->has_key);
	sr_bind_time(statement, 11, certificate->renew_at);
	sr_bind_time(statement, 12, certificate->notice_at);
	sr_bind_blob(statement, 13, certificate->thumbprint);
	sr_bind_blob(statement, 14, certificate->cer);
	sr_bind_blob(statement, 15, certificate->chain);
	return sr_run(statement);
}

struct sr_result sr_vault_certificate_update(struct sr_connection *connection,
                                             const struct sr_certificate_record *certificate)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE certificate_version SET enabled = ?4, tags = ?5, updated = ?6, renew_at = ?7, "
	                  "notice_at = ?8 WHERE vault = ?1 AND certificate = ?2 AND version = ?3",
	                  &statement));
	sr_bind_text(statement, 1, certificate->head.vault);
	sr_bind_text(statement, 2, certificate->head.name);
	sr_bind_text(statement, 3, certificate->version);
	sr_bind_int(statement, 4, certificate->is_enabled);
	sr_bind_text(statement, 5, certificate->tags);
	sr_bind_int(statement, 6, certificate->updated);
	sr_bind_time(statement, 7, certificate->renew_at);
	sr_bind_time(statement, 8, certificate->notice_at);
	return sr_run(statement);
}

struct sr_result sr_vault_certificate_mark_deleted(struct sr_connection *connection, const char *vault,
                                                   const char *name, int64_t deleted_at, int64_t purge_at)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE certificate SET deleted_at = ?3, purge_at = ?4 WHERE vault = ?1 AND name = ?2",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_time(statement, 3, deleted_at);
	sr_bind_time(statement, 4, purge_at);
	return sr_run(statement);
}

struct sr_result sr_vault_certificate_recover(struct sr_connection *connection, const char *vault, const char *name)
{
	return sr_vault_certificate_mark_deleted(connection, vault, name, SR_NO_TIME, SR_NO_TIME);
}

struct sr_result sr_vault_certificate_purge(struct sr_connection *connection, const char *vault, const char *name)
{
	static const char *const steps[] = {
	    "DELETE FROM certificate_operation WHERE vault = ?1 AND certificate = ?2",
	    "DELETE FROM certificate_version WHERE vault = ?1 AND certificate = ?2",
	    "DELETE FROM certificate WHERE vault = ?1 AND name = ?2",
	};
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON")); /* freed pages keep nothing of a waiting key */
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
		SR_TRY(sr_prepare(connection, steps[i], &statement));
		sr_bind_text(statement, 1, vault);
		sr_bind_text(statement, 2, name);
		SR_TRY(sr_run(statement));
	}
	return sr_ok();
}

struct sr_result sr_vault_certificate_list(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                           const char *after, enum sr_certificate_presence presence, size_t limit,
                                           struct sr_certificate_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM " JOINED " WHERE c.vault = ?1 AND c.name > ?2 AND v.number = " CURRENT
	                  " AND " PRESENT " ORDER BY c.name LIMIT ?3",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, after);
	sr_bind_int(statement, 3, (int64_t)limit + 1);
	sr_bind_int(statement, 5, presence);
	return read_page(arena, statement, limit, ret_page);
}

struct sr_result sr_vault_certificate_list_versions(struct sr_connection *connection, struct sr_arena *arena,
                                                    const char *vault, const char *name, int64_t after, size_t limit,
                                                    struct sr_certificate_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM " JOINED " WHERE c.vault = ?1 AND c.name = ?2 AND c.deleted_at IS NULL "
	                  "AND v.number > ?3 ORDER BY v.number LIMIT ?4",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_int(statement, 3, after);
	sr_bind_int(statement, 4, (int64_t)limit + 1);
	return read_page(arena, statement, limit, ret_page);
}

struct sr_result sr_vault_certificate_list_pending(struct sr_connection *connection, struct sr_arena *arena,
                                                   const char *vault, const char *after, size_t limit,
                                                   struct sr_certificate_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " HEAD ", o.version, 0, NULL, NULL, o.created, o.created, o.tags, 0, NULL, NULL, x'', "
	                  "x'', x'', 0 FROM certificate AS c JOIN certificate_operation AS o ON o.vault = c.vault AND "
	                  "o.certificate = c.name WHERE c.vault = ?1 AND c.name > ?2 AND c.deleted_at IS NULL AND NOT "
	                  "EXISTS(SELECT 1 FROM certificate_version AS v WHERE v.vault = c.vault AND v.certificate = "
	                  "c.name) ORDER BY c.name LIMIT ?3",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, after);
	sr_bind_int(statement, 3, (int64_t)limit + 1);
	return read_page(arena, statement, limit, ret_page);
}

static struct sr_result read_time(struct sr_statement *statement, int64_t *ret_time)
{
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_time = is_row ? sr_column_time(statement, 0) : SR_NO_TIME;
	return sr_ok();
}

struct sr_result sr_vault_certificate_next_action(struct sr_connection *connection, int64_t *ret_time)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT min(at) FROM (SELECT min(v.renew_at) AS at FROM " JOINED
	                  " WHERE v.renew_at IS NOT NULL AND " TENDED " UNION ALL SELECT min(v.notice_at) "
	                  "FROM " JOINED " WHERE v.notice_at IS NOT NULL AND " TENDED ")",
	                  &statement));
	return read_time(statement, ret_time);
}

struct sr_result sr_vault_certificate_list_due(struct sr_connection *connection, struct sr_arena *arena, int64_t now,
                                               size_t limit, struct sr_certificate_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM " JOINED " WHERE (v.renew_at <= ?1 OR v.notice_at <= ?1) AND " TENDED
	                  " LIMIT ?2",
	                  &statement));
	sr_bind_int(statement, 1, now);
	sr_bind_int(statement, 2, (int64_t)limit + 1);
	return read_page(arena, statement, limit, ret_page);
}

struct sr_result sr_vault_certificate_next_purge(struct sr_connection *connection, int64_t *ret_time)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT min(purge_at) FROM certificate WHERE purge_at IS NOT NULL", &statement));
	return read_time(statement, ret_time);
}

struct sr_result sr_vault_certificate_list_purgeable(struct sr_connection *connection, struct sr_arena *arena,
                                                     int64_t now, size_t limit, struct sr_certificate_heads *ret_heads)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " HEAD " FROM certificate AS c WHERE c.purge_at IS NOT NULL AND c.purge_at <= ?1 "
	                  "ORDER BY c.purge_at LIMIT ?2",
	                  &statement));
	sr_bind_int(statement, 1, now);
	sr_bind_int(statement, 2, (int64_t)limit);
	struct sr_certificate_heads heads = {.items = sr_arena_alloc(arena, limit * sizeof *heads.items)};
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			*ret_heads = heads;
			return sr_ok();
		}
		read_head(arena, statement, &heads.items[heads.count++]);
	}
}
