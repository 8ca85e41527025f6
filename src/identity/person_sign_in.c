/* Signing in with a password. The pages around it are device_page.c's. */
#include "identity/person_sign_in.h"

#include "base/log.h"
#include "identity/client_proof.h"
#include "identity/device_flow.h"
#include "identity/page_session.h"
#include "identity/revision.h"
#include "identity/sign_in.h"
#include "identity/store_visit.h"

#include <string.h>

struct work {
	const struct sr_identity_request *request;
	const char *user_name;
	bool is_known;
	bool is_charged; /* to the limit of failures */
	struct sr_person person;
	uint8_t hash[SR_PASSWORD_HASH_LEN];
};

static struct sr_result look_up(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	struct sr_result found = sr_person_password(connection, work->user_name, &work->person, work->hash);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	SR_TRY(found);
	work->is_known = true;
	return sr_ok();
}

/* One at a time, while others of the pool go on. */
static struct sr_result matches(struct sr_identity *identity, const char *password, const uint8_t *hash,
                                bool *ret_matches)
{
	sr_blocking_begin();
	sr_mutex_lock(&identity->password_mutex);
	struct sr_result matched = sr_password_matches(sr_bytes_str(password), hash, ret_matches);
	sr_mutex_unlock(&identity->password_mutex);
	sr_blocking_end();
	return matched;
}

/* The limit is asked again when it is this one's turn: what waited before it may have been as many guesses, which
 * would all have been let through together. */
static struct sr_result judge(struct work *work, const char *password, struct sr_identity_answer *answer,
                              bool *ret_is_right)
{
	struct sr_identity *identity = work->request->identity;
	sr_blocking_begin();
	sr_mutex_lock(&identity->password_mutex);
	struct sr_result judged = sr_rate_check(work->request, work->user_name, answer);
	if (sr_is_ok(judged)) {
		judged = sr_password_matches(sr_bytes_str(password), work->hash, ret_is_right);
		*ret_is_right = *ret_is_right && work->is_known;
	}
	if (sr_is_ok(judged) && !*ret_is_right) {
		sr_rate_charge(work->request, work->user_name);
		work->is_charged = true;
	}
	sr_mutex_unlock(&identity->password_mutex);
	sr_blocking_end();
	return judged;
}

/* Looks again, since meanwhile others may have been wrong often enough to lock the person, or the password may have
 * been taken away. */
static struct sr_result look_again(struct work *work, bool *is_right)
{
	uint8_t judged[SR_PASSWORD_HASH_LEN];
	memcpy(judged, work->hash, sizeof judged);
	work->is_known = false;
	SR_TRY(sr_visit_read(work->request, look_up, work));
	*is_right = *is_right && work->is_known &&
	            sr_equal_ct(sr_bytes_of(judged, sizeof judged), sr_bytes_of(work->hash, sizeof judged));
	return sr_ok();
}

struct sr_result sr_person_hash(struct sr_identity *identity, const char *password,
                                uint8_t ret_hash[static SR_PASSWORD_HASH_LEN])
{
	sr_blocking_begin();
	sr_mutex_lock(&identity->password_mutex);
	struct sr_result hashed = sr_password_hash(sr_bytes_str(password), ret_hash);
	sr_mutex_unlock(&identity->password_mutex);
	sr_blocking_end();
	return hashed;
}

static struct sr_result note_failure(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	return sr_person_note_failure(connection, work->person.object_id, work->request->now_s);
}

static struct sr_result note_success(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	return sr_person_unlock(connection, work->person.object_id);
}

/* For the audit log: who, if it is known, and whether it was refused. A name that is not known may be a password that
 * was typed in the wrong place, and is not recorded. */
static void note(const struct work *work, struct sr_identity_answer *answer, const char *outcome)
{
	answer->audit.operation = "PersonSignIn";
	answer->audit.outcome = outcome;
	if (work->is_known) {
		answer->audit.object_id = sr_arena_strdup(work->request->arena, work->person.object_id);
		answer->audit.name = sr_arena_strdup(work->request->arena, work->person.user_name);
	}
}

static struct sr_result refuse(const struct work *work, bool is_locked, struct sr_identity_answer *answer)
{
	note(work, answer, is_locked ? "Locked" : "WrongPassword");
	if (!work->is_charged) { /* right, but refused: that must not be told by the limit either */
		sr_rate_charge(work->request, work->user_name);
	}
	if (work->is_known && !is_locked) {
		SR_TRY(sr_visit_write(work->request, note_failure, (void *)(uintptr_t)work));
	}
	if (work->is_known) {
		sr_log(SR_LOG_NOTICE, "sign-in of person %s was refused from %s: %s", work->person.object_id,
		       work->request->peer_address, is_locked ? "locked after wrong passwords" : "wrong password");
	}
	return sr_fail(SR_UNAUTHENTICATED,
	               "The user name or the password is wrong, or there were too many wrong ones and the "
	               "account is locked for a while.");
}

struct sr_result sr_person_sign_in(const struct sr_identity_request *request, const char *user_name,
                                   const char *password, struct sr_identity_answer *answer,
                                   struct sr_person *ret_person)
{
	struct sr_identity *identity = request->identity;
	struct work work = {.request = request, .user_name = user_name};
	SR_TRY(sr_rate_check(request, user_name, answer));
	/* Nobody's hash, of the same cost, for names that are not known. */
	memcpy(work.hash, identity->nobodys_password, sizeof work.hash);
	if (strlen(password) > SR_PASSWORD_MAX || strlen(user_name) > SR_USER_NAME_MAX) {
		user_name = "";
		password = "";
	}
	work.user_name = user_name;
	SR_TRY(sr_visit_read(request, look_up, &work));
	bool is_right = false;
	SR_TRY(judge(&work, password, answer, &is_right));
	SR_TRY(look_again(&work, &is_right));
	bool is_locked = work.is_known && work.person.locked_until_s > request->now_s;
	if (!is_right || is_locked) {
		return refuse(&work, is_locked, answer);
	}
	note(&work, answer, work.person.is_enabled ? NULL : "Disabled");
	if (!work.person.is_enabled) {
		return sr_fail(SR_DENIED, "This account is disabled. Ask your administrator.");
	}
	if (work.person.failure_count) {
		SR_TRY(sr_visit_write(request, note_success, &work));
	}
	sr_log(SR_LOG_INFO, "person %s signed in from %s", work.person.object_id, request->peer_address);
	*ret_person = work.person;
	return sr_ok();
}

static struct sr_result set_password(struct sr_connection *connection, void *context)
{
	const struct work *work = context;
	SR_TRY(sr_person_set_password(connection, work->person.object_id, work->hash, false));
	SR_TRY(sr_sign_in_end_of_person(connection, work->person.object_id, work->request->now_s));
	return sr_revision_grow(connection);
}

void sr_person_forget_visits(struct sr_identity *identity, const char *object_id)
{
	sr_page_sessions_drop_person(identity->page_sessions, object_id);
	sr_device_flows_drop_person(identity->device_flows, object_id);
}

struct sr_result sr_person_change_password(const struct sr_identity_request *request, const char *object_id,
                                           const char *user_name, const char *password)
{
	struct work work = {.request = request, .user_name = user_name};
	SR_TRY(sr_password_check(password, user_name));
	memcpy(work.person.object_id, object_id, strnlen(object_id, sizeof work.person.object_id - 1));
	bool is_same = false;
	SR_TRY(sr_visit_read(request, look_up, &work));
	SR_TRY(matches(request->identity, password, work.hash, &is_same));
	if (is_same) {
		return sr_fail(SR_INVALID, "The new password is the old one: choose another.");
	}
	SR_TRY(sr_person_hash(request->identity, password, work.hash));
	SR_TRY(sr_visit_write(request, set_password, &work));
	sr_person_forget_visits(request->identity, object_id);
	sr_identity_announce(request->identity);
	return sr_ok();
}
