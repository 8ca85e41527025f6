/* Rows of people. How they sign in is sign_in_person.c's. */
#include "identity/person.h"

#include "identity/object.h"

#include <string.h>

#define COLUMNS \
	"object_id, user_name, display_name, is_enabled, must_change, created_s, failure_count, locked_until_s, password"

static struct sr_result check_user_name(const char *name)
{
	SR_TRY(sr_object_check_name("a user name", name, SR_USER_NAME_MAX));
	if (strpbrk(name, " \"\\/[]:;|=,+*?<>")) {
		return sr_fail(SR_INVALID, "a user name has no spaces and none of \"\\/[]:;|=,+*?<>");
	}
	return sr_ok();
}

static struct sr_result no_such(const char *id_or_name)
{
	return sr_fail(SR_NOT_FOUND, "there is no person '%.120s'", id_or_name);
}

struct sr_result sr_person_make(struct sr_connection *connection, const char *user_name, const char *display_name,
                                const uint8_t hash[static SR_PASSWORD_HASH_LEN], bool must_change, int64_t now_s,
                                struct sr_person *ret_person)
{
	SR_TRY(check_user_name(user_name));
	SR_TRY(sr_object_check_name("a display name", display_name, SR_DISPLAY_NAME_MAX));
	struct sr_person person = {.is_enabled = true, .must_change = must_change, .created_s = now_s};
	struct sr_id id = sr_id_random();
	sr_guid_text(&id, person.object_id);
	memcpy(person.user_name, user_name, strlen(user_name) + 1);
	memcpy(person.display_name, display_name, strlen(display_name) + 1);
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(
	    sr_prepare(connection, "INSERT INTO person (" COLUMNS ") VALUES (?1, ?2, ?3, 1, ?4, ?5, 0, 0, ?6)", &insert));
	sr_bind_text(insert, 1, person.object_id);
	sr_bind_text(insert, 2, user_name);
	sr_bind_text(insert, 3, display_name);
	sr_bind_int(insert, 4, must_change);
	sr_bind_int(insert, 5, now_s);
	sr_bind_blob(insert, 6, sr_bytes_of(hash, SR_PASSWORD_HASH_LEN));
	struct sr_result inserted = sr_run(insert);
	if (sr_result_code(inserted) == SR_EXISTS) {
		sr_ignore(inserted);
		return sr_fail(SR_EXISTS, "there is a person '%s' already", user_name);
	}
	SR_TRY(inserted);
	*ret_person = person;
	return sr_ok();
}

static struct sr_result copy_text(struct sr_statement *statement, int column, char *to, size_t room)
{
	struct sr_bytes text = sr_column_text(statement, column);
	if (text.len >= room) {
		return sr_fail(SR_CORRUPT, "read a person's row: a column is too long");
	}
	memcpy(to, text.data, text.len);
	to[text.len] = 0;
	return sr_ok();
}

static struct sr_result read_row(struct sr_statement *statement, struct sr_person *ret_person)
{
	struct sr_person person = {0};
	SR_TRY(copy_text(statement, 0, person.object_id, sizeof person.object_id));
	SR_TRY(copy_text(statement, 1, person.user_name, sizeof person.user_name));
	SR_TRY(copy_text(statement, 2, person.display_name, sizeof person.display_name));
	person.is_enabled = sr_column_int(statement, 3) != 0;
	person.must_change = sr_column_int(statement, 4) != 0;
	person.created_s = sr_column_int(statement, 5);
	person.failure_count = sr_column_int(statement, 6);
	person.locked_until_s = sr_column_int(statement, 7);
	*ret_person = person;
	return sr_ok();
}

struct sr_result sr_person_find(struct sr_connection *connection, const char *id_or_name, struct sr_person *ret_person)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM person WHERE object_id = lower(?1) OR user_name = ?1",
	                  &select));
	sr_bind_text(select, 1, id_or_name);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return has_row ? read_row(select, ret_person) : no_such(id_or_name);
}

struct sr_result sr_person_password(struct sr_connection *connection, const char *user_name,
                                    struct sr_person *ret_person, uint8_t ret_hash[static SR_PASSWORD_HASH_LEN])
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM person WHERE user_name = ?1", &select));
	sr_bind_text(select, 1, user_name);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return no_such(user_name);
	}
	struct sr_bytes hash = sr_column_blob(select, 8);
	if (hash.len != SR_PASSWORD_HASH_LEN) {
		return sr_fail(SR_CORRUPT, "read a person's row: the password's hash has %zu bytes", hash.len);
	}
	SR_TRY(read_row(select, ret_person));
	memcpy(ret_hash, hash.data, hash.len);
	return sr_ok();
}

struct sr_result sr_person_each(struct sr_connection *connection,
                                struct sr_result (*each)(const struct sr_person *person, void *context), void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM person ORDER BY user_name", &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		struct sr_person person;
		SR_TRY(read_row(select, &person));
		SR_TRY(each(&person, context));
	}
}

struct sr_result sr_person_enable(struct sr_connection *connection, const char *object_id, bool is_enabled)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE person SET is_enabled = ?2 WHERE object_id = ?1", &update));
	sr_bind_text(update, 1, object_id);
	sr_bind_int(update, 2, is_enabled);
	SR_TRY(sr_run(update));
	return sr_changes(connection) ? sr_ok() : no_such(object_id);
}

struct sr_result sr_person_remove(struct sr_connection *connection, const char *object_id)
{
	SR_TRY(sr_object_forget(connection, object_id));
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM person WHERE object_id = ?1", &remove));
	sr_bind_text(remove, 1, object_id);
	SR_TRY(sr_run(remove));
	return sr_changes(connection) ? sr_ok() : no_such(object_id);
}

struct sr_result sr_person_set_password(struct sr_connection *connection, const char *object_id,
                                        const uint8_t hash[static SR_PASSWORD_HASH_LEN], bool must_change)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE person SET password = ?2, must_change = ?3, failure_count = 0, locked_until_s = 0"
	                  " WHERE object_id = ?1",
	                  &update));
	sr_bind_text(update, 1, object_id);
	sr_bind_blob(update, 2, sr_bytes_of(hash, SR_PASSWORD_HASH_LEN));
	sr_bind_int(update, 3, must_change);
	SR_TRY(sr_run(update));
	return sr_changes(connection) ? sr_ok() : no_such(object_id);
}

struct sr_result sr_person_unlock(struct sr_connection *connection, const char *object_id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE person SET failure_count = 0, locked_until_s = 0 WHERE object_id = ?1",
	                  &update));
	sr_bind_text(update, 1, object_id);
	SR_TRY(sr_run(update));
	return sr_changes(connection) ? sr_ok() : no_such(object_id);
}

static int64_t lock_of(int64_t failure_count)
{
	int64_t lock_s = failure_count < SR_FAILURES_FREE ? 0 : SR_LOCK_FIRST_S;
	for (int64_t i = SR_FAILURES_FREE; i < failure_count && lock_s < SR_LOCK_LONGEST_S; i++) {
		lock_s *= 2;
	}
	return lock_s < SR_LOCK_LONGEST_S ? lock_s : SR_LOCK_LONGEST_S;
}

struct sr_result sr_person_note_failure(struct sr_connection *connection, const char *object_id, int64_t now_s)
{
	struct sr_person person;
	SR_TRY(sr_person_find(connection, object_id, &person));
	int64_t count = person.failure_count + 1;
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE person SET failure_count = ?2, locked_until_s = ?3 WHERE object_id = ?1",
	                  &update));
	sr_bind_text(update, 1, object_id);
	sr_bind_int(update, 2, count);
	sr_bind_int(update, 3, lock_of(count) ? now_s + lock_of(count) : 0);
	return sr_run(update);
}

struct sr_result sr_password_check(const char *password, const char *user_name)
{
	size_t len = strlen(password);
	if (len < SR_PASSWORD_LEAST || len > SR_PASSWORD_MAX || !sr_is_utf8(sr_bytes_str(password))) {
		return sr_fail(SR_INVALID, "A password has %d to %d bytes.", SR_PASSWORD_LEAST, SR_PASSWORD_MAX);
	}
	if (sr_equal_nocase(sr_bytes_str(password), sr_bytes_str(user_name))) {
		return sr_fail(SR_INVALID, "A password is not the user name.");
	}
	size_t i = 1;
	while (password[i] && password[i] == password[0]) {
		i++;
	}
	return password[i] ? sr_ok() : sr_fail(SR_INVALID, "A password is not one character again and again.");
}
