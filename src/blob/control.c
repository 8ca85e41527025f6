/* The control database: bootstrapping it, and reading and writing accounts' records. */
#include "blob/control.h"

#include "base/memory.h"
#include "blob/schema.h"
#include "keyring/state_key.h"

#include <stdio.h>
#include <string.h>

enum { PATH_LEN = 1024 };

struct sr_blob_control {
	struct sr_keyring *keyring;
	char database_path[PATH_LEN];
	struct sr_state_key key;
};

static uint64_t database_anchor(void *thing)
{
	return sr_database_anchor_now(thing).counter;
}

static struct sr_result open_database(struct sr_lease_use *use, void *context, void **ret_database)
{
	const struct sr_blob_control *control = context;
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_TRY(sr_state_key_open(use, &control->key, &dek));
	const struct sr_database_options options = {
	    .path = control->database_path,
	    .id = control->key.database,
	    .schema = sr_blob_control_schema,
	    .reader_count = 1,
	    .cache_kib = 256,
	    .least_anchor = sr_lease_least_anchor(use),
	};
	struct sr_database *database = NULL;
	SR_TRY(sr_database_open(&options, dek, &database));
	sr_lease_tell_anchors(use, database_anchor);
	*ret_database = database;
	return sr_ok();
}

static void close_database(void *database)
{
	sr_database_close(database);
}

/* Runs work on the database within a use of the control lease. */
static struct sr_result with_database(struct sr_blob_control *control, bool is_write, sr_database_work work,
                                      void *context)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	SR_TRY(sr_lease_enter(control->keyring, &control->key.resource, NULL, NULL, &use));
	void *database = NULL;
	SR_TRY(sr_lease_attach_once(&use, open_database, close_database, control, &database));
	return is_write ? sr_database_write(database, work, context) : sr_database_read(database, work, context);
}

static struct sr_result do_nothing(struct sr_connection *connection, void *context)
{
	(void)connection;
	(void)context;
	return sr_ok();
}

static struct sr_result start(struct sr_blob_control *control, const char *state_dir)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/resource", state_dir);
	SR_TRY(sr_state_key_load(control->keyring, path, "blob", &control->key));
	return with_database(control, false, do_nothing, NULL);
}

struct sr_result sr_blob_control_open(struct sr_keyring *keyring, const char *state_dir,
                                      struct sr_blob_control **ret_control)
{
	struct sr_blob_control *control = sr_alloc(sizeof *control);
	control->keyring = keyring;
	snprintf(control->database_path, sizeof control->database_path, "%s/control.db", state_dir);
	struct sr_result result = start(control, state_dir);
	if (!sr_is_ok(result)) {
		sr_blob_control_free(control);
		return result;
	}
	*ret_control = control;
	return sr_ok();
}

void sr_blob_control_free(struct sr_blob_control *control)
{
	sr_free(control);
}

#define COLUMNS "name, resource_group, id, resource, created, state, kek_epoch, dek, key1, key2"

static struct sr_result copy_text(struct sr_bytes text, char *to, size_t len)
{
	if (text.len >= len) {
		return sr_fail(SR_CORRUPT, "an account's record holds a text that is too long");
	}
	memcpy(to, text.data, text.len);
	to[text.len] = '\0';
	return sr_ok();
}

static struct sr_result read_record(struct sr_statement *row, struct sr_blob_account_record *ret_record)
{
	struct sr_blob_account_record record = {
	    .created = sr_column_int(row, 4),
	    .state = (enum sr_blob_account_state)sr_column_int(row, 5),
	    .kek_epoch = (uint32_t)sr_column_int(row, 6),
	};
	SR_TRY(copy_text(sr_column_text(row, 0), record.name, sizeof record.name));
	SR_TRY(copy_text(sr_column_text(row, 1), record.resource_group, sizeof record.resource_group));
	SR_TRY(sr_column_id(row, 2, &record.id));
	SR_TRY(sr_column_id(row, 3, &record.resource));
	struct sr_bytes dek = sr_column_blob(row, 7);
	if (record.state == SR_ACCOUNT_READY && dek.len != sizeof record.dek) {
		return sr_fail(SR_CORRUPT, "an account's record lacks its wrapped key");
	}
	if (dek.len == sizeof record.dek) {
		memcpy(record.dek, dek.data, sizeof record.dek);
	}
	*ret_record = record;
	return sr_ok();
}

struct visit {
	const char *name; /* NULL: all */
	sr_blob_account_visit each;
	void *context;
	bool is_found;
};

static struct sr_result visit_row(struct sr_statement *row, struct visit *visit)
{
	struct sr_blob_account_record record;
	SR_TRY(read_record(row, &record));
	SR_CLEANUP(sr_secret) struct sr_secret *key1 = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *key2 = NULL;
	SR_TRY(sr_secret_from_bytes(sr_column_blob(row, 8), &key1));
	SR_TRY(sr_secret_from_bytes(sr_column_blob(row, 9), &key2));
	visit->is_found = true;
	return visit->each(&record, key1, key2, visit->context);
}

static struct sr_result visit_rows(struct sr_connection *connection, void *context)
{
	struct visit *visit = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM account WHERE ?1 IS NULL OR name = ?1", &statement));
	sr_bind_text(statement, 1, visit->name);
	for (;;) {
		bool is_row = false;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		SR_TRY(visit_row(statement, visit));
	}
}

struct sr_result sr_blob_control_each(struct sr_blob_control *control, sr_blob_account_visit each, void *context)
{
	struct visit visit = {.each = each, .context = context};
	return with_database(control, false, visit_rows, &visit);
}

struct sr_result sr_blob_control_find(struct sr_blob_control *control, const char *name, sr_blob_account_visit each,
                                      void *context)
{
	struct visit visit = {.name = name, .each = each, .context = context};
	SR_TRY(with_database(control, false, visit_rows, &visit));
	return visit.is_found ? sr_ok() : sr_fail(SR_NOT_FOUND, "no such storage account");
}

/* A fresh shared key's bytes. They pass through this buffer on their way into the sealed database; it is wiped. */
static struct sr_result new_shared_key(uint8_t ret_key[static SR_SHARED_KEY_LEN])
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(256);
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(SR_SHARED_KEY_LEN);
	SR_TRY(sr_secret_text_new(SR_SHARED_KEY_LEN, &text));
	SR_TRY(sr_base64url_decode(sr_buf_bytes(&text), &bytes));
	if (bytes.len == SR_SHARED_KEY_LEN) {
		memcpy(ret_key, bytes.data, SR_SHARED_KEY_LEN);
	}
	bool is_whole = bytes.len == SR_SHARED_KEY_LEN;
	sr_wipe(text.data, text.cap);
	sr_wipe(bytes.data, bytes.cap);
	return is_whole ? sr_ok() : sr_fail(SR_INTERNAL, "made a shared key of another length");
}

static struct sr_result insert(struct sr_connection *connection, void *context)
{
	const struct sr_blob_account_record *record = context;
	uint8_t keys[2][SR_SHARED_KEY_LEN];
	SR_TRY(new_shared_key(keys[0]));
	SR_TRY(new_shared_key(keys[1]));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO account (name, resource_group, id, resource, created, state, key1, key2)"
	                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	                  &statement));
	sr_bind_text(statement, 1, record->name);
	sr_bind_text(statement, 2, record->resource_group);
	sr_bind_id(statement, 3, &record->id);
	sr_bind_id(statement, 4, &record->resource);
	sr_bind_int(statement, 5, record->created);
	sr_bind_int(statement, 6, (int64_t)record->state);
	sr_bind_blob(statement, 7, sr_bytes_of(keys[0], sizeof keys[0]));
	sr_bind_blob(statement, 8, sr_bytes_of(keys[1], sizeof keys[1]));
	struct sr_result result = sr_run(statement);
	sr_wipe(keys, sizeof keys);
	return result;
}

struct sr_result sr_blob_control_insert(struct sr_blob_control *control, const struct sr_blob_account_record *record)
{
	struct sr_blob_account_record copy = *record;
	return with_database(control, true, insert, &copy);
}

static struct sr_result update(struct sr_connection *connection, void *context)
{
	const struct sr_blob_account_record *record = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(
	    sr_prepare(connection, "UPDATE account SET state = ?2, kek_epoch = ?3, dek = ?4 WHERE name = ?1", &statement));
	sr_bind_text(statement, 1, record->name);
	sr_bind_int(statement, 2, (int64_t)record->state);
	sr_bind_int(statement, 3, record->kek_epoch);
	sr_bind_blob(statement, 4, sr_bytes_of(record->dek, sizeof record->dek));
	return sr_run(statement);
}

struct sr_result sr_blob_control_update(struct sr_blob_control *control, const struct sr_blob_account_record *record)
{
	struct sr_blob_account_record copy = *record;
	return with_database(control, true, update, &copy);
}

struct renewal {
	const char *name;
	unsigned which;
};

static struct sr_result renew(struct sr_connection *connection, void *context)
{
	const struct renewal *renewal = context;
	uint8_t key[SR_SHARED_KEY_LEN];
	SR_TRY(new_shared_key(key));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE account SET key1 = iif(?2 = 0, ?3, key1), key2 = iif(?2 = 1, ?3, key2) WHERE name = ?1",
	                  &statement));
	sr_bind_text(statement, 1, renewal->name);
	sr_bind_int(statement, 2, renewal->which);
	sr_bind_blob(statement, 3, sr_bytes_of(key, sizeof key));
	struct sr_result result = sr_run(statement);
	sr_wipe(key, sizeof key);
	return result;
}

struct sr_result sr_blob_control_renew_key(struct sr_blob_control *control, const char *name, unsigned which)
{
	struct renewal renewal = {name, which};
	return with_database(control, true, renew, &renewal);
}

static struct sr_result remove_row(struct sr_connection *connection, void *context)
{
	const char *const *name = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM account WHERE name = ?1", &statement));
	sr_bind_text(statement, 1, *name);
	return sr_run(statement);
}

struct sr_result sr_blob_control_remove(struct sr_blob_control *control, const char *name)
{
	return with_database(control, true, remove_row, &name);
}

struct key_texts {
	const char *name;
	struct sr_buf *key1, *key2;
};

static struct sr_result read_keys(struct sr_connection *connection, void *context)
{
	struct key_texts *texts = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT key1, key2 FROM account WHERE name = ?1", &statement));
	sr_bind_text(statement, 1, texts->name);
	bool is_row = false;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail(SR_NOT_FOUND, "no such storage account");
	}
	sr_base64_encode(texts->key1, sr_column_blob(statement, 0));
	sr_base64_encode(texts->key2, sr_column_blob(statement, 1));
	return sr_ok();
}

struct sr_result sr_blob_control_keys(struct sr_blob_control *control, const char *name, struct sr_buf *key1,
                                      struct sr_buf *key2)
{
	struct key_texts texts = {name, key1, key2};
	return with_database(control, false, read_keys, &texts);
}

struct sr_result sr_blob_control_verify(struct sr_blob_control *control)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	SR_TRY(sr_lease_enter(control->keyring, &control->key.resource, NULL, NULL, &use));
	void *database = NULL;
	SR_TRY(sr_lease_attach_once(&use, open_database, close_database, control, &database));
	return sr_database_verify(database, NULL, NULL);
}

struct sr_result sr_blob_control_freeze(struct sr_blob_control *control, struct sr_image *image)
{
	SR_TRY(sr_image_add_file(image, "resource"));
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	SR_TRY(sr_lease_enter(control->keyring, &control->key.resource, NULL, NULL, &use));
	void *database = NULL;
	SR_TRY(sr_lease_attach_once(&use, open_database, close_database, control, &database));
	return sr_image_add_database(image, "control.db", database);
}
