/* SQL on the tables `key` and `key_version`. */
#include "vault/key_store.h"

#include "vault/hardware.h"

#include <string.h>

/* What read_row expects, from key k joined with key_version v. */
#define COLUMNS                                                                                                \
	"k.vault, k.name, v.version, v.kty, v.enabled, v.nbf, v.exp, v.created, v.updated, v.operations, v.tags, " \
	"v.public, v.sealed, v.number, k.deleted_at, k.purge_at, k.managed"
#define JOINED  "key AS k JOIN key_version AS v ON v.vault = k.vault AND v.key = k.name"
#define CURRENT "(SELECT max(number) FROM key_version AS m WHERE m.vault = k.vault AND m.key = k.name)"
/* ?5 is an enum sr_key_presence. */
#define PRESENT "(?5 = 2 OR (k.deleted_at IS NOT NULL) = ?5)"

static int64_t column_time(struct sr_statement *statement, int column)
{
	return sr_column_is_null(statement, column) ? SR_NO_TIME : sr_column_int(statement, column);
}

static void bind_time(struct sr_statement *statement, int index, int64_t time)
{
	if (time == SR_NO_TIME) {
		sr_bind_null(statement, index);
	} else {
		sr_bind_int(statement, index, time);
	}
}

static char *column_text(struct sr_arena *arena, struct sr_statement *statement, int column)
{
	return sr_column_is_null(statement, column) ? NULL : sr_arena_text(arena, sr_column_text(statement, column));
}

/* The column kty tells the kind with its size or curve: "RSA:2048", "EC:P-256". */
static void write_spec(const struct sr_key_spec *spec, char to[static 16])
{
	struct sr_buf text = SR_BUF(16);
	if (spec->type == SR_KEY_EC) {
		sr_buf_printf(&text, "%s:%s", sr_key_kty(spec), sr_key_curve_name(spec->curve));
	} else {
		sr_buf_printf(&text, "%s:%u", sr_key_kty(spec), spec->bits);
	}
	size_t len = text.len < 15 ? text.len : 15;
	memcpy(to, text.data, len);
	to[len] = '\0';
	sr_buf_free(&text);
}

static struct sr_result read_spec(struct sr_arena *arena, struct sr_bytes text, struct sr_key_spec *ret_spec)
{
	char *kty = sr_arena_text(arena, text);
	char *size = strchr(kty, ':');
	if (!size) {
		return sr_fail(SR_CORRUPT, "a key's kind does not read");
	}
	*size++ = '\0';
	uint64_t bits = 0;
	if (strncmp(kty, "EC", 2) != 0) {
		SR_TRY(sr_parse_u64(sr_bytes_str(size), 8192, &bits));
	}
	return sr_key_spec_of(kty, (int64_t)bits, size, ret_spec);
}

static struct sr_result read_row(struct sr_arena *arena, struct sr_statement *statement, struct sr_key_record *ret_key)
{
	struct sr_key_record key = {
	    .vault = column_text(arena, statement, 0),
	    .name = column_text(arena, statement, 1),
	    .version = column_text(arena, statement, 2),
	    .state.is_enabled = sr_column_int(statement, 4) != 0,
	    .state.nbf = column_time(statement, 5),
	    .state.exp = column_time(statement, 6),
	    .created = sr_column_int(statement, 7),
	    .updated = sr_column_int(statement, 8),
	    .state.operations = (unsigned)sr_column_int(statement, 9),
	    .tags = column_text(arena, statement, 10),
	    .public_jwk = column_text(arena, statement, 11),
	    .sealed = sr_arena_copy(arena, sr_column_blob(statement, 12)),
	    .number = sr_column_int(statement, 13),
	    .deleted_at = column_time(statement, 14),
	    .purge_at = column_time(statement, 15),
	    .is_managed = sr_column_int(statement, 16) != 0,
	};
	key.state.is_deleted = key.deleted_at != SR_NO_TIME;
	SR_TRY(read_spec(arena, sr_column_text(statement, 3), &key.state.spec));
	*ret_key = key;
	return sr_ok();
}

/* All rows of a bound statement that yields at most limit + 1. */
static struct sr_result read_page(struct sr_arena *arena, struct sr_statement *statement, size_t limit,
                                  struct sr_key_page *ret_page)
{
	size_t cap = 32;
	struct sr_key_page page = {.items = sr_arena_alloc(arena, cap * sizeof *page.items)};
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row || page.count == limit) {
			page.has_more = is_row;
			*ret_page = page;
			return sr_ok();
		}
		if (page.count == cap) {
			struct sr_key_record *larger = sr_arena_alloc(arena, 2 * cap * sizeof *larger);
			memcpy(larger, page.items, cap * sizeof *larger);
			page.items = larger;
			cap *= 2;
		}
		SR_TRY(read_row(arena, statement, &page.items[page.count]));
		page.count++;
	}
}

static struct sr_result fail_not_found(const struct sr_key_name *name)
{
	return sr_fail_as(
	    SR_NOT_FOUND, "KeyNotFound",
	    "A key with (name/id) %s/%s was not found in this key vault. If you recently deleted this key you "
	    "may be able to recover it.",
	    name->name, name->version ? name->version : "");
}

struct sr_result sr_key_find(struct sr_connection *connection, struct sr_arena *arena, const struct sr_key_name *name,
                             enum sr_key_presence presence, struct sr_key_record *ret_key)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	if (name->version) {
		SR_TRY(sr_prepare(connection,
		                  "SELECT " COLUMNS " FROM " JOINED
		                  " WHERE k.vault = ?1 AND k.name = ?2 AND v.version = ?3 AND " PRESENT,
		                  &statement));
		sr_bind_text(statement, 3, name->version);
	} else {
		SR_TRY(sr_prepare(connection,
		                  "SELECT " COLUMNS " FROM " JOINED " WHERE k.vault = ?1 AND k.name = ?2 AND " PRESENT
		                  " ORDER BY v.number DESC LIMIT 1",
		                  &statement));
	}
	sr_bind_text(statement, 1, name->vault);
	sr_bind_text(statement, 2, name->name);
	sr_bind_int(statement, 5, presence);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	return is_row ? read_row(arena, statement, ret_key) : fail_not_found(name);
}

struct sr_result sr_key_find_state(struct sr_connection *connection, const struct sr_key_name *name,
                                   struct sr_key_state *ret_state)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(
	    connection,
	    "SELECT v.enabled, v.nbf, v.exp, v.operations FROM " JOINED
	    " WHERE k.vault = ?1 AND k.name = ?2 AND v.version = ?3 AND k.deleted_at IS NULL AND EXISTS(SELECT 1 "
	    "FROM vault AS a WHERE a.name = ?1 AND a.deleted_at IS NULL)",
	    &statement));
	sr_bind_text(statement, 1, name->vault);
	sr_bind_text(statement, 2, name->name);
	sr_bind_text(statement, 3, name->version);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return fail_not_found(name);
	}
	*ret_state = (struct sr_key_state){
	    .is_enabled = sr_column_int(statement, 0) != 0,
	    .nbf = column_time(statement, 1),
	    .exp = column_time(statement, 2),
	    .operations = (unsigned)sr_column_int(statement, 3),
	};
	return sr_ok();
}

struct sr_result sr_key_check_unmanaged(const struct sr_key_record *key)
{
	return key->is_managed
	           ? sr_fail_as(SR_DENIED, "KeyManagedByKeyVault",
	                        "Key %s belongs to the certificate of the same name: change, delete, recover or "
	                        "back up that.",
	                        key->name)
	           : sr_ok();
}

/* The key's row: made, or found undeleted. */
static struct sr_result insert_key_row(struct sr_connection *connection, const struct sr_key_record *key)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT deleted_at IS NOT NULL, managed FROM key WHERE vault = ?1 AND name = ?2",
	                  &statement));
	sr_bind_text(statement, 1, key->vault);
	sr_bind_text(statement, 2, key->name);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (is_row && sr_column_int(statement, 0)) {
		return sr_fail_as(SR_CONFLICT, "ObjectIsDeletedButRecoverable",
		                  "Key %s is currently in a deleted but recoverable state, and its name cannot be reused; in "
		                  "this state, the key can only be recovered or purged.",
		                  key->name);
	}
	if (is_row && (sr_column_int(statement, 1) != 0) != key->is_managed) {
		return sr_fail_as(SR_CONFLICT, "ObjectIsManaged",
		                  key->is_managed ? "Key %s exists already and belongs to no certificate."
		                                  : "Key %s belongs to a certificate and changes with that alone.",
		                  key->name);
	}
	if (is_row) {
		return sr_ok();
	}
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO key(vault, name, created, managed) VALUES(?1, ?2, ?3, ?4)", &insert));
	sr_bind_int(insert, 4, key->is_managed);
	sr_bind_text(insert, 1, key->vault);
	sr_bind_text(insert, 2, key->name);
	sr_bind_int(insert, 3, key->created);
	return sr_run(insert);
}

struct sr_result sr_key_insert(struct sr_connection *connection, const struct sr_key_record *key)
{
	SR_TRY(insert_key_row(connection, key));
	char kty[16];
	write_spec(&key->state.spec, kty);
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO key_version(vault, key, version, kty, enabled, nbf, exp, created, updated, "
	                  "operations, tags, public, sealed, number) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
	                  "?12, ?13, 1 + ifnull((SELECT max(number) FROM key_version WHERE vault = ?1 AND key = ?2), 0))",
	                  &statement));
	sr_bind_text(statement, 1, key->vault);
	sr_bind_text(statement, 2, key->name);
	sr_bind_text(statement, 3, key->version);
	sr_bind_text(statement, 4, kty);
	sr_bind_int(statement, 5, key->state.is_enabled);
	bind_time(statement, 6, key->state.nbf);
	bind_time(statement, 7, key->state.exp);
	sr_bind_int(statement, 8, key->created);
	sr_bind_int(statement, 9, key->updated);
	sr_bind_int(statement, 10, key->state.operations);
	sr_bind_text(statement, 11, key->tags);
	sr_bind_text(statement, 12, key->public_jwk);
	sr_bind_blob(statement, 13, key->sealed);
	SR_TRY(sr_run(statement));
	return key->token_id.len ? sr_hardware_settle(connection, key) : sr_ok();
}

struct sr_result sr_key_update(struct sr_connection *connection, const struct sr_key_record *key)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE key_version SET enabled = ?4, nbf = ?5, exp = ?6, operations = ?7, tags = ?8, "
	                  "updated = ?9 WHERE vault = ?1 AND key = ?2 AND version = ?3",
	                  &statement));
	sr_bind_text(statement, 1, key->vault);
	sr_bind_text(statement, 2, key->name);
	sr_bind_text(statement, 3, key->version);
	sr_bind_int(statement, 4, key->state.is_enabled);
	bind_time(statement, 5, key->state.nbf);
	bind_time(statement, 6, key->state.exp);
	sr_bind_int(statement, 7, key->state.operations);
	sr_bind_text(statement, 8, key->tags);
	sr_bind_int(statement, 9, key->updated);
	return sr_run(statement);
}

struct sr_result sr_key_mark_deleted(struct sr_connection *connection, const char *vault, const char *name,
                                     int64_t deleted_at, int64_t purge_at)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE key SET deleted_at = ?3, purge_at = ?4 WHERE vault = ?1 AND name = ?2",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	bind_time(statement, 3, deleted_at);
	bind_time(statement, 4, purge_at);
	return sr_run(statement);
}

struct sr_result sr_key_recover(struct sr_connection *connection, const char *vault, const char *name)
{
	return sr_key_mark_deleted(connection, vault, name, SR_NO_TIME, SR_NO_TIME);
}

struct sr_result sr_key_purge(struct sr_connection *connection, const char *vault, const char *name)
{
	static const char *const steps[] = {
	    "UPDATE hardware_object SET state = 2 WHERE vault = ?1 AND key = ?2", /* hardware.c destroys them */
	    "DELETE FROM key_version WHERE vault = ?1 AND key = ?2",
	    "DELETE FROM key WHERE vault = ?1 AND name = ?2",
	};
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON")); /* freed pages keep nothing of the key */
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
		SR_TRY(sr_prepare(connection, steps[i], &statement));
		sr_bind_text(statement, 1, vault);
		sr_bind_text(statement, 2, name);
		SR_TRY(sr_run(statement));
	}
	return sr_ok();
}

struct sr_result sr_key_list(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                             const char *after, enum sr_key_presence presence, size_t limit,
                             struct sr_key_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM " JOINED " WHERE k.vault = ?1 AND k.name > ?2 AND v.number = " CURRENT
	                  " AND " PRESENT " ORDER BY k.name LIMIT ?3",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, after);
	sr_bind_int(statement, 3, (int64_t)limit + 1);
	sr_bind_int(statement, 5, presence);
	return read_page(arena, statement, limit, ret_page);
}

struct sr_result sr_key_list_versions(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                      const char *name, int64_t after, size_t limit, struct sr_key_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM " JOINED " WHERE k.vault = ?1 AND k.name = ?2 AND k.deleted_at IS NULL "
	                  "AND v.number > ?3 ORDER BY v.number LIMIT ?4",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_int(statement, 3, after);
	sr_bind_int(statement, 4, (int64_t)limit + 1);
	return read_page(arena, statement, limit, ret_page);
}

struct sr_result sr_key_policy_get(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                   const char *name, struct sr_key_policy *ret_policy)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT policy, policy_created, policy_updated FROM key WHERE vault = ?1 AND name = ?2",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_policy = (struct sr_key_policy){.created = SR_NO_TIME, .updated = SR_NO_TIME};
	if (is_row) {
		*ret_policy = (struct sr_key_policy){.json = column_text(arena, statement, 0),
		                                     .created = column_time(statement, 1),
		                                     .updated = column_time(statement, 2)};
	}
	return sr_ok();
}

struct sr_result sr_key_policy_set(struct sr_connection *connection, const char *vault, const char *name,
                                   const char *json, int64_t now)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE key SET policy = ?3, policy_created = ifnull(policy_created, ?4), policy_updated = ?4 "
	                  "WHERE vault = ?1 AND name = ?2",
	                  &statement));
	sr_bind_text(statement, 1, vault);
	sr_bind_text(statement, 2, name);
	sr_bind_text(statement, 3, json);
	sr_bind_int(statement, 4, now);
	return sr_run(statement);
}

struct sr_result sr_key_list_all(struct sr_connection *connection, struct sr_arena *arena,
                                 const struct sr_key_name *after, size_t limit, struct sr_key_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM " JOINED
	                  " WHERE (v.vault, v.key, v.version) > (?1, ?2, ?3) ORDER BY v.vault, v.key, v.version LIMIT ?4",
	                  &statement));
	sr_bind_text(statement, 1, after->vault);
	sr_bind_text(statement, 2, after->name);
	sr_bind_text(statement, 3, after->version);
	sr_bind_int(statement, 4, (int64_t)limit + 1);
	return read_page(arena, statement, limit, ret_page);
}
