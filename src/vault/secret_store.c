/* SQL on the tables `secret` and `secret_version`, and the seal of values. */
#include "vault/secret_store.h"

#include "vault/column.h"

#include <ctype.h>
#include <string.h>

enum { PLACE_MAX = 512, PAGE_FIRST = 32 };

/* What read_row expects, from secret s with its version v. */
#define COLUMNS                                                                                             \
	"s.vault, s.name, v.version, v.enabled, v.nbf, v.exp, v.created, v.updated, s.deleted_at, s.purge_at, " \
	"v.content_type, v.tags, s.managed, v.number, v.sealed"
enum { SEALED_COLUMN = 14 };
#define WITH_LATEST  "secret AS s CROSS JOIN secret_version AS v ON v.id = s.latest"
#define WITH_VERSION "secret AS s CROSS JOIN secret_version AS v ON v.secret = s.id"
/* ?3 is an enum sr_secret_presence; names that are deleted are none that live, so at most one row is found.
 * Values to be equal to, not a range: the name would not be sought behind one. */
#define PRESENT "s.vault = ?1 AND s.name = ?2 AND s.deleted IN ((?3 = 1), (?3 > 0))"

/* What a value is tied to: its place, in which names ignore case. */
static struct sr_result write_place(const struct sr_secret_record *secret, struct sr_buf *place)
{
	sr_buf_printf(place, "secret/%s/%s/%s", secret->vault, secret->name, secret->version);
	SR_TRY(sr_buf_result(place));
	for (size_t i = 0; i < place->len; i++) {
		place->data[i] = (uint8_t)tolower(place->data[i]);
	}
	return sr_ok();
}

static struct sr_result seal_value(struct sr_aead *records, const struct sr_secret_record *secret,
                                   struct sr_buf *sealed)
{
	SR_CLEANUP(sr_buf) struct sr_buf place = SR_BUF(PLACE_MAX);
	SR_TRY(write_place(secret, &place));
	return sr_aead_seal(records, sr_buf_bytes(&place), secret->value, sealed);
}

static struct sr_result open_value(struct sr_aead *records, struct sr_arena *arena, struct sr_bytes sealed,
                                   struct sr_secret_record *secret)
{
	SR_CLEANUP(sr_buf) struct sr_buf place = SR_BUF(PLACE_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf value = SR_BUF(SR_SECRET_VALUE_MAX);
	SR_TRY(write_place(secret, &place));
	SR_TRY(sr_aead_open(records, sr_buf_bytes(&place), sealed, &value));
	secret->value = sr_arena_copy(arena, sr_buf_bytes(&value));
	return sr_ok();
}

/* All but the value. */
static void read_row(struct sr_arena *arena, struct sr_statement *statement, struct sr_secret_record *ret_secret)
{
	*ret_secret = (struct sr_secret_record){
	    .vault = sr_column_arena_text(arena, statement, 0),
	    .name = sr_column_arena_text(arena, statement, 1),
	    .version = sr_column_arena_text(arena, statement, 2),
	    .is_enabled = sr_column_int(statement, 3) != 0,
	    .nbf = sr_column_time(statement, 4),
	    .exp = sr_column_time(statement, 5),
	    .created = sr_column_int(statement, 6),
	    .updated = sr_column_int(statement, 7),
	    .deleted_at = sr_column_time(statement, 8),
	    .purge_at = sr_column_time(statement, 9),
	    .content_type = sr_column_arena_text(arena, statement, 10),
	    .tags = sr_column_arena_text(arena, statement, 11),
	    .is_managed = sr_column_int(statement, 12) != 0,
	    .number = sr_column_int(statement, 13),
	};
}

/* All rows of a bound statement that yields at most limit + 1. */
static struct sr_result read_page(struct sr_arena *arena, struct sr_statement *statement, size_t limit,
                                  struct sr_secret_page *ret_page)
{
	size_t cap = PAGE_FIRST;
	struct sr_secret_page page = {.items = sr_arena_alloc(arena, cap * sizeof *page.items)};
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row || page.count == limit) {
			page.has_more = is_row;
			*ret_page = page;
			return sr_ok();
		}
		if (page.count == cap) {
			struct sr_secret_record *larger = sr_arena_alloc(arena, 2 * cap * sizeof *larger);
			memcpy(larger, page.items, cap * sizeof *larger);
			page.items = larger;
			cap *= 2;
		}
		read_row(arena, statement, &page.items[page.count]);
		page.count++;
	}
}

struct sr_result sr_vault_secret_find(struct sr_connection *connection, struct sr_arena *arena, struct sr_aead *records,
                                      const char *vault, const char *name, const char *version,
                                      enum sr_secret_presence presence, struct sr_secret_record *ret_secret)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	if (version) {
		SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM " WITH_VERSION " WHERE v.version = ?4 AND " PRESENT,
		                  &statement));
		sr_bind_text(statement, 4, version);
	} else {
		SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM " WITH_LATEST " WHERE " PRESENT, &statement));
	}
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_int(statement, 3, presence);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail_as(SR_NOT_FOUND, "SecretNotFound",
		                  "A secret with (name/id) %s%s%s was not found in this key vault. If you recently deleted "
		                  "this secret you may be able to recover it.",
		                  name, version ? "/" : "", version ? version : "");
	}
	struct sr_secret_record secret;
	read_row(arena, statement, &secret);
	if (records) {
		SR_TRY(open_value(records, arena, sr_column_blob(statement, SEALED_COLUMN), &secret));
	}
	*ret_secret = secret;
	return sr_ok();
}

/* What an insertion needs to know of the secret; id 0 where there is none of the name. */
struct standing {
	int64_t id, number;
	bool is_deleted, is_managed;
};

static struct sr_result find_standing(struct sr_connection *connection, const struct sr_secret_record *secret,
                                      struct standing *ret_standing)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT s.id, v.number, s.deleted, s.managed FROM " WITH_LATEST " WHERE " PRESENT,
	                  &statement));
	sr_bind_text(statement, 1, secret->vault);
	sr_bind_text(statement, 2, secret->name);
	sr_bind_int(statement, 3, SR_SECRET_EITHER);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_standing = (struct standing){0};
	if (is_row) {
		*ret_standing = (struct standing){sr_column_int(statement, 0), sr_column_int(statement, 1),
		                                  sr_column_int(statement, 2) != 0, sr_column_int(statement, 3) != 0};
	}
	return sr_ok();
}

static struct sr_result check_may_insert(const struct sr_secret_record *secret, const struct standing *standing)
{
	if (standing->id && standing->is_deleted) {
		return sr_fail_as(SR_CONFLICT, "ObjectIsDeletedButRecoverable",
		                  "Secret %s is currently in a deleted but recoverable state, and its name cannot be reused; "
		                  "in this state, the secret can only be recovered or purged.",
		                  secret->name);
	}
	if (standing->id && standing->is_managed != secret->is_managed) {
		return sr_fail_as(SR_CONFLICT, "ObjectIsManaged",
		                  secret->is_managed ? "Secret %s exists already and belongs to no certificate."
		                                     : "Secret %s belongs to a certificate and changes with that alone.",
		                  secret->name);
	}
	return sr_ok();
}

/* The next number of a column that only grows: the ids of versions, and of secrets. */
static struct sr_result next_of(struct sr_statement *statement, int64_t *ret_next)
{
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_next = 1 + sr_column_int(statement, 0); /* NULL, of none, reads as 0 */
	return sr_ok();
}

static struct sr_result next_ids(struct sr_connection *connection, int64_t *ret_version, int64_t *ret_secret)
{
	SR_CLEANUP(sr_statement) struct sr_statement *versions = NULL;
	SR_TRY(sr_prepare(connection, "SELECT max(id) FROM secret_version", &versions));
	SR_TRY(next_of(versions, ret_version));
	SR_CLEANUP(sr_statement) struct sr_statement *secrets = NULL;
	SR_TRY(sr_prepare(connection, "SELECT max(secret) FROM secret_version", &secrets));
	return next_of(secrets, ret_secret);
}

static struct sr_result insert_version(struct sr_connection *connection, const struct sr_secret_record *secret,
                                       const struct standing *standing, int64_t id, struct sr_bytes sealed)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO secret_version(id, secret, number, version, enabled, nbf, exp, created, updated, "
	                  "content_type, tags, sealed) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	                  &statement));
	sr_bind_int(statement, 1, id);
	sr_bind_int(statement, 2, standing->id);
	sr_bind_int(statement, 3, standing->number + 1);
	sr_bind_text(statement, 4, secret->version);
	sr_bind_int(statement, 5, secret->is_enabled);
	sr_bind_time(statement, 6, secret->nbf);
	sr_bind_time(statement, 7, secret->exp);
	sr_bind_int(statement, 8, secret->created);
	sr_bind_int(statement, 9, secret->updated);
	sr_bind_text(statement, 10, secret->content_type);
	sr_bind_text(statement, 11, secret->tags);
	sr_bind_blob(statement, 12, sealed);
	return sr_run(statement);
}

static struct sr_result insert_secret(struct sr_connection *connection, const struct sr_secret_record *secret,
                                      const struct standing *standing, int64_t latest)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO secret(vault, deleted, name, id, latest, managed, created) "
	                  "VALUES(?1, 0, ?2, ?3, ?4, ?5, ?6)",
	                  &statement));
	sr_bind_text(statement, 1, secret->vault);
	sr_bind_text(statement, 2, secret->name);
	sr_bind_int(statement, 3, standing->id);
	sr_bind_int(statement, 4, latest);
	sr_bind_int(statement, 5, secret->is_managed);
	sr_bind_int(statement, 6, secret->created);
	return sr_run(statement);
}

static struct sr_result set_latest(struct sr_connection *connection, const struct sr_secret_record *secret,
                                   int64_t latest)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE secret SET latest = ?3 WHERE vault = ?1 AND deleted = 0 AND name = ?2",
	                  &statement));
	sr_bind_text(statement, 1, secret->vault);
	sr_bind_text(statement, 2, secret->name);
	sr_bind_int(statement, 3, latest);
	return sr_run(statement);
}

struct sr_result sr_vault_secret_insert(struct sr_connection *connection, struct sr_aead *records,
                                        const struct sr_secret_record *secret)
{
	if (secret->value.len > SR_SECRET_VALUE_MAX) {
		return sr_fail(SR_TOO_LARGE, "a secret's value has at most %d bytes", SR_SECRET_VALUE_MAX);
	}
	struct standing standing;
	SR_TRY(find_standing(connection, secret, &standing));
	SR_TRY(check_may_insert(secret, &standing));
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SR_SECRET_VALUE_MAX + SR_AEAD_OVERHEAD);
	SR_TRY(seal_value(records, secret, &sealed));
	int64_t id, secret_id;
	SR_TRY(next_ids(connection, &id, &secret_id));
	const bool is_first = standing.id == 0;
	if (is_first) {
		standing.id = secret_id;
	}
	SR_TRY(insert_version(connection, secret, &standing, id, sr_buf_bytes(&sealed)));
	return is_first ? insert_secret(connection, secret, &standing, id) : set_latest(connection, secret, id);
}

struct sr_result sr_vault_secret_update(struct sr_connection *connection, const struct sr_secret_record *secret)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE secret_version SET enabled = ?4, nbf = ?5, exp = ?6, content_type = ?7, tags = ?8, "
	                  "updated = ?9 WHERE version = ?3 AND secret = "
	                  "(SELECT id FROM secret WHERE vault = ?1 AND deleted = 0 AND name = ?2)",
	                  &statement));
	sr_bind_text(statement, 1, secret->vault);
	sr_bind_text(statement, 2, secret->name);
	sr_bind_text(statement, 3, secret->version);
	sr_bind_int(statement, 4, secret->is_enabled);
	sr_bind_time(statement, 5, secret->nbf);
	sr_bind_time(statement, 6, secret->exp);
	sr_bind_text(statement, 7, secret->content_type);
	sr_bind_text(statement, 8, secret->tags);
	sr_bind_int(statement, 9, secret->updated);
	return sr_run(statement);
}

struct sr_result sr_vault_secret_mark_deleted(struct sr_connection *connection, const char *vault, const char *name,
                                              int64_t deleted_at, int64_t purge_at)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE secret SET deleted = 1, deleted_at = ?3, purge_at = ?4 "
	                  "WHERE vault = ?1 AND deleted = 0 AND name = ?2",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_int(statement, 3, deleted_at);
	sr_bind_int(statement, 4, purge_at);
	return sr_run(statement);
}

struct sr_result sr_vault_secret_recover(struct sr_connection *connection, const char *vault, const char *name)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE secret SET deleted = 0, deleted_at = NULL, purge_at = NULL "
	                  "WHERE vault = ?1 AND deleted = 1 AND name = ?2",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	return sr_run(statement);
}

struct sr_result sr_vault_secret_purge(struct sr_connection *connection, const char *vault, const char *name)
{
	static const char *const steps[] = {
	    "DELETE FROM secret_version WHERE secret IN "
	    "(SELECT id FROM secret WHERE vault = ?1 AND deleted IN (0, 1) AND name = ?2)",
	    "DELETE FROM secret WHERE vault = ?1 AND deleted IN (0, 1) AND name = ?2",
	};
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON")); /* freed pages keep nothing of the secret */
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
		SR_TRY(sr_prepare(connection, steps[i], &statement));
		sr_bind_text(statement, 1, vault);
		sr_bind_text(statement, 2, name);
		SR_TRY(sr_run(statement));
	}
	return sr_ok();
}

struct sr_result sr_vault_secrets_purge(struct sr_connection *connection, const char *vault)
{
	static const char *const steps[] = {
	    "DELETE FROM secret_version WHERE secret IN (SELECT id FROM secret WHERE vault = ?1)",
	    "DELETE FROM secret WHERE vault = ?1",
	};
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON"));
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
		SR_TRY(sr_prepare(connection, steps[i], &statement));
		sr_bind_text(statement, 1, vault);
		SR_TRY(sr_run(statement));
	}
	return sr_ok();
}

struct sr_result sr_vault_secret_list(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                      const char *after, enum sr_secret_presence presence, size_t limit,
                                      struct sr_secret_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM " WITH_LATEST
	                  " WHERE s.vault = ?1 AND s.deleted = ?2 AND s.name > ?3 ORDER BY s.name LIMIT ?4",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_int(statement, 2, presence == SR_SECRET_DELETED);
	sr_bind_text(statement, 3, after);
	sr_bind_int(statement, 4, (int64_t)limit + 1);
	return read_page(arena, statement, limit, ret_page);
}

struct sr_result sr_vault_secret_list_versions(struct sr_connection *connection, struct sr_arena *arena,
                                               const char *vault, const char *name, int64_t after, size_t limit,
                                               struct sr_secret_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM " WITH_VERSION " WHERE s.vault = ?1 AND s.deleted = 0 AND s.name = ?2 "
	                  "AND v.number > ?3 ORDER BY v.number LIMIT ?4",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_int(statement, 3, after);
	sr_bind_int(statement, 4, (int64_t)limit + 1);
	return read_page(arena, statement, limit, ret_page);
}

struct sr_result sr_vault_secret_next_purge(struct sr_connection *connection, int64_t *ret_time)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT min(purge_at) FROM secret WHERE purge_at IS NOT NULL AND managed = 0",
	                  &statement));
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_time = is_row ? sr_column_time(statement, 0) : SR_NO_TIME;
	return sr_ok();
}

struct sr_result sr_vault_secret_list_due(struct sr_connection *connection, struct sr_arena *arena, int64_t until,
                                          size_t limit, struct sr_secret_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(
	    sr_prepare(connection,
	               "SELECT " COLUMNS " FROM " WITH_LATEST
	               " WHERE s.purge_at IS NOT NULL AND s.purge_at <= ?1 AND s.managed = 0 ORDER BY s.purge_at LIMIT ?2",
	               &statement));
	sr_bind_int(statement, 1, until);
	sr_bind_int(statement, 2, (int64_t)limit + 1);
	return read_page(arena, statement, limit, ret_page);
}

struct sr_result sr_vault_secret_list_all(struct sr_connection *connection, struct sr_arena *arena,
                                          const struct sr_secret_record *after, size_t limit,
                                          struct sr_secret_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM " WITH_VERSION " WHERE (s.vault, s.deleted, s.name) >= (?1, ?2, ?3) AND "
	                  "((s.vault, s.deleted, s.name) > (?1, ?2, ?3) OR v.number > ?4) "
	                  "ORDER BY s.vault, s.deleted, s.name, v.number LIMIT ?5",
	                  &statement));
	sr_bind_text(statement, 1, after->vault);
	sr_bind_int(statement, 2, after->deleted_at != SR_NO_TIME);
	sr_bind_text(statement, 3, after->name);
	sr_bind_int(statement, 4, after->number);
	sr_bind_int(statement, 5, (int64_t)limit + 1);
	return read_page(arena, statement, limit, ret_page);
}
