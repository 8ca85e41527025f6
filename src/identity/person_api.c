/* Administration of people on the Unix socket. Rows are person.c's. */
#include "identity/api.h"

#include "identity/assignment.h"
#include "identity/body.h"
#include "identity/person_sign_in.h"
#include "identity/revision.h"
#include "identity/sign_in.h"
#include "identity/store_visit.h"

enum { PASSWORD_ENTROPY_LEN = 15, PASSWORD_TEXT_MAX = 64 };

/* What a request works on and yields. */
struct work {
	const struct sr_identity_request *request;
	const json_t *asked;
	struct sr_person person;
	int64_t sign_ins;
	uint8_t hash[SR_PASSWORD_HASH_LEN];
	struct sr_buf password; /* in clear, for the one answer that shows it */
	json_t *list;           /* borrowed */
};

static void work_cleanup(struct work *work)
{
	sr_buf_free(&work->password); /* which wipes */
}

static struct work work_of(const struct sr_identity_request *request)
{
	return (struct work){.request = request, .password = SR_BUF(PASSWORD_TEXT_MAX)};
}

static json_t *person_json(const struct sr_person *person, int64_t now_s)
{
	json_t *body = json_object();
	sr_json_set_string(body, "userName", person->user_name);
	sr_json_set_string(body, "displayName", person->display_name);
	sr_json_set_string(body, "objectId", person->object_id);
	sr_json_set_bool(body, "enabled", person->is_enabled);
	sr_json_set_bool(body, "mustChangePassword", person->must_change);
	sr_json_set_int(body, "failures", person->failure_count);
	if (person->locked_until_s > now_s) {
		sr_body_set_time(body, "lockedUntil", person->locked_until_s);
	}
	sr_body_set_time(body, "created", person->created_s);
	return body;
}

/* A password for the person's first sign-in. */
static struct sr_result make_password(struct work *work)
{
	SR_TRY(sr_secret_text_new(PASSWORD_ENTROPY_LEN, &work->password));
	return sr_person_hash(work->request->identity, sr_buf_text(&work->password), work->hash);
}

static struct sr_result assign_asked_roles(struct sr_connection *connection, const struct work *work)
{
	const json_t *roles = NULL;
	SR_TRY(sr_json_get_array(work->asked, "roles", &roles));
	for (size_t i = 0; i < json_array_size(roles); i++) {
		const char *role;
		const char *scope;
		struct sr_assignment assignment;
		SR_TRY(sr_body_need(json_array_get(roles, i), "role", &role));
		SR_TRY(sr_body_need(json_array_get(roles, i), "scope", &scope));
		SR_TRY(sr_assignment_make(connection, work->request->arena, work->person.object_id, role, scope,
		                          work->request->now_s, &assignment));
	}
	return sr_ok();
}

static struct sr_result create(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *user_name;
	SR_TRY(sr_body_need(work->asked, "userName", &user_name));
	const char *display_name = user_name;
	SR_TRY(sr_json_get_string(work->asked, "displayName", &display_name));
	SR_TRY(sr_person_make(connection, user_name, display_name, work->hash, true, work->request->now_s, &work->person));
	SR_TRY(assign_asked_roles(connection, work));
	return sr_revision_grow(connection);
}

static void answer_password(const struct work *work, struct sr_buf *password, struct sr_identity_answer *answer)
{
	answer->is_secret = true;
	answer->is_change = true;
	answer->body = person_json(&work->person, work->request->now_s);
	sr_json_set_string(answer->body, "password", sr_buf_text(password));
}

struct sr_result sr_people_create(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_CLEANUP(work) struct work work = work_of(request);
	SR_TRY(sr_body_parse(request, &asked));
	work.asked = asked;
	SR_TRY(make_password(&work));
	SR_TRY(sr_visit_write(request, create, &work));
	answer->status = 201;
	answer_password(&work, &work.password, answer);
	return sr_ok();
}

static struct sr_result append(const struct sr_person *person, void *context)
{
	const struct work *work = context;
	json_array_append_new(work->list, person_json(person, work->request->now_s));
	return sr_ok();
}

static struct sr_result list(struct sr_connection *connection, void *context)
{
	return sr_person_each(connection, append, context);
}

struct sr_result sr_people_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *value = json_array();
	SR_CLEANUP(work) struct work work = work_of(request);
	work.list = value;
	SR_TRY(sr_visit_read(request, list, &work));
	answer->body = json_object();
	sr_json_set(answer->body, "value", SR_TAKE(value));
	return sr_ok();
}

static struct sr_result get(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_person_find(connection, work->request->parts[0], &work->person));
	return sr_sign_in_count(connection, work->person.object_id, work->request->now_s, &work->sign_ins);
}

struct sr_result sr_people_get(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(work) struct work work = work_of(request);
	SR_TRY(sr_visit_read(request, get, &work));
	answer->body = person_json(&work.person, request->now_s);
	sr_json_set_int(answer->body, "signIns", work.sign_ins);
	return sr_ok();
}

/* Who is disabled loses all sign-ins: being enabled again does not bring them back. */
static struct sr_result update(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_person_find(connection, work->request->parts[0], &work->person));
	bool is_enabled = work->person.is_enabled;
	SR_TRY(sr_json_get_bool(work->asked, "enabled", &is_enabled));
	if (is_enabled == work->person.is_enabled) {
		return sr_ok();
	}
	SR_TRY(sr_person_enable(connection, work->person.object_id, is_enabled));
	if (!is_enabled) {
		SR_TRY(sr_sign_in_end_of_person(connection, work->person.object_id, work->request->now_s));
	}
	work->person.is_enabled = is_enabled;
	return sr_revision_grow(connection);
}

struct sr_result sr_people_update(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_CLEANUP(work) struct work work = work_of(request);
	SR_TRY(sr_body_parse(request, &asked));
	work.asked = asked;
	SR_TRY(sr_visit_write(request, update, &work));
	if (!work.person.is_enabled) {
		sr_person_forget_visits(request->identity, work.person.object_id);
	}
	answer->is_change = true;
	answer->body = person_json(&work.person, request->now_s);
	return sr_ok();
}

static struct sr_result remove_person(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_person_find(connection, work->request->parts[0], &work->person));
	SR_TRY(sr_sign_in_end_of_person(connection, work->person.object_id, work->request->now_s));
	SR_TRY(sr_person_remove(connection, work->person.object_id));
	return sr_revision_grow(connection);
}

struct sr_result sr_people_delete(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(work) struct work work = work_of(request);
	SR_TRY(sr_visit_write(request, remove_person, &work));
	sr_person_forget_visits(request->identity, work.person.object_id);
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}

static struct sr_result reset(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_person_find(connection, work->request->parts[0], &work->person));
	SR_TRY(sr_person_set_password(connection, work->person.object_id, work->hash, true));
	SR_TRY(sr_sign_in_end_of_person(connection, work->person.object_id, work->request->now_s));
	SR_TRY(sr_person_find(connection, work->person.object_id, &work->person));
	return sr_revision_grow(connection);
}

struct sr_result sr_people_reset_password(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(work) struct work work = work_of(request);
	SR_TRY(make_password(&work));
	SR_TRY(sr_visit_write(request, reset, &work));
	sr_person_forget_visits(request->identity, work.person.object_id);
	answer_password(&work, &work.password, answer);
	return sr_ok();
}

static struct sr_result unlock(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_person_find(connection, work->request->parts[0], &work->person));
	SR_TRY(sr_person_unlock(connection, work->person.object_id));
	return sr_person_find(connection, work->person.object_id, &work->person);
}

struct sr_result sr_people_unlock(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(work) struct work work = work_of(request);
	SR_TRY(sr_visit_write(request, unlock, &work));
	answer->body = person_json(&work.person, request->now_s);
	return sr_ok();
}

static struct sr_result sign_out(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(sr_person_find(connection, work->request->parts[0], &work->person));
	SR_TRY(sr_sign_in_end_of_person(connection, work->person.object_id, work->request->now_s));
	return sr_revision_grow(connection);
}

struct sr_result sr_people_sign_out(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(work) struct work work = work_of(request);
	SR_TRY(sr_visit_write(request, sign_out, &work));
	sr_person_forget_visits(request->identity, work.person.object_id);
	answer->status = 204;
	answer->is_change = true;
	return sr_ok();
}
