/* Tokens for people, at the token endpoints: by a device code that a person approved, and by refresh tokens. */
#include "identity/token_answer.h"

#include "base/clock.h"
#include "base/log.h"
#include "identity/oauth_error.h"
#include "identity/person.h"
#include "identity/revision.h"
#include "identity/sign_in.h"
#include "wire/jwt.h"

enum { REFRESH_TOKEN_MAX = 256 };

/* What a grant works on and yields. */
struct work {
	const struct sr_identity_request *request;
	const struct sr_token_request *asked;
	struct sr_device_ask ask;         /* of a device code, */
	char person_id[SR_GUID_TEXT_LEN]; /* and who approved it */
	struct sr_public_client client;
	struct sr_person person;
	struct sr_sign_in sign_in;
	bool wants_id_token, wants_refresh_token;
	enum sr_refresh_verdict verdict;
	struct sr_buf refresh_token;
};

static void work_cleanup(struct work *work)
{
	sr_buf_free(&work->refresh_token); /* which wipes */
}

static struct sr_result find_client(struct sr_connection *connection, struct work *work)
{
	struct sr_result found = sr_public_client_find(connection, work->asked->client_id, &work->client);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_UNKNOWN_APP,
		                  "Application with identifier '%.64s' was not found in the directory '%s', or people may not "
		                  "sign in with it: strongroom identity client allow.",
		                  work->asked->client_id, work->request->store->tenant);
	}
	return found;
}

static struct sr_result ended(void)
{
	return sr_fail_as(SR_INVALID, SR_AADSTS_GRANT_REVOKED,
	                  "The provided grant has expired due to it being revoked, a fresh auth token is needed. Sign in "
	                  "again.");
}

/* The person as they are now: who was disabled or removed since gets nothing. */
static struct sr_result find_person(struct sr_connection *connection, const char *object_id, struct work *work)
{
	struct sr_result found = sr_person_find(connection, object_id, &work->person);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return ended();
	}
	SR_TRY(found);
	return work->person.is_enabled ? sr_ok() : ended();
}

static struct sr_result check_resource(const struct work *work, const char *resource)
{
	SR_TRY(sr_resource_check(work->request, resource));
	if (!sr_resources_have(work->sign_in.resources, resource)) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_NO_CONSENT,
		                  "The application '%s' may not be used for the resource '%.200s'.", work->client.client_id,
		                  resource);
	}
	return sr_ok();
}

static struct sr_result begin_sign_in(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	int64_t now_s = work->request->now_s;
	SR_TRY(find_client(connection, work));
	SR_TRY(find_person(connection, work->person_id, work));
	SR_TRY(sr_sign_in_make(connection, work->person.object_id, work->client.client_id, work->client.resources, now_s,
	                       &work->sign_in));
	SR_TRY(check_resource(work, work->ask.resource));
	if (!work->wants_refresh_token) {
		return sr_ok();
	}
	return sr_refresh_token_make(connection, &work->sign_in, now_s, &work->refresh_token);
}

/* The failure that tells a device how its sign-in stands. */
static struct sr_result tell_device(enum sr_device_state state, bool was_expired)
{
	switch (state) {
	case SR_DEVICE_PENDING:
		return sr_fail_as(SR_INVALID, SR_AADSTS_PENDING,
		                  "OAuth 2.0 device flow error. Authorization is pending. Continue polling.");
	case SR_DEVICE_TOO_OFTEN:
		return sr_fail_as(SR_INVALID, SR_AADSTS_TOO_OFTEN, "Polling too often: once in %d seconds is enough.",
		                  SR_DEVICE_INTERVAL_S);
	case SR_DEVICE_DENIED:
		return sr_fail_as(SR_INVALID, SR_AADSTS_DECLINED, "User declined to let the application sign in.");
	case SR_DEVICE_APPROVED:
	case SR_DEVICE_UNKNOWN:
		break;
	}
	if (was_expired) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_CODE_EXPIRED,
		                  "Verification code expired. Have the user retry the sign-in.");
	}
	return sr_fail_as(SR_INVALID, SR_AADSTS_BAD_DEVICE_CODE,
	                  "Invalid verification code: it was never given, or is used up.");
}

static struct sr_result by_device_code(struct work *work)
{
	const struct sr_identity_request *request = work->request;
	bool was_expired = false;
	enum sr_device_state state =
	    sr_device_flow_poll(request->identity->device_flows, work->asked->device_code, work->asked->client_id,
	                        sr_boottime_ms(), &work->ask, work->person_id, &was_expired);
	if (state != SR_DEVICE_APPROVED) {
		return tell_device(state, was_expired);
	}
	work->wants_id_token = work->ask.wants_id_token;
	work->wants_refresh_token = work->ask.wants_refresh_token;
	return sr_database_write(request->store->database, begin_sign_in, work);
}

static struct sr_result use_refresh_token(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	int64_t now_s = work->request->now_s;
	SR_TRY(find_client(connection, work));
	SR_TRY(sr_refresh_token_use(connection, work->asked->refresh_token, work->asked->client_id, now_s, &work->sign_in,
	                            &work->verdict));
	if (work->verdict == SR_REFRESH_REUSED) {
		return sr_revision_grow(connection); /* the sign-in has ended: that must last */
	}
	if (work->verdict != SR_REFRESH_GOOD) {
		return sr_ok();
	}
	SR_TRY(find_person(connection, work->sign_in.person, work));
	SR_TRY(check_resource(work, work->asked->resource));
	return sr_refresh_token_make(connection, &work->sign_in, now_s, &work->refresh_token);
}

static struct sr_result by_refresh_token(struct work *work)
{
	work->wants_id_token = work->asked->wants_id_token;
	work->wants_refresh_token = true;
	SR_TRY(sr_database_write(work->request->store->database, use_refresh_token, work));
	switch (work->verdict) {
	case SR_REFRESH_GOOD:
		return sr_ok();
	case SR_REFRESH_REUSED:
		sr_identity_announce(work->request->identity);
		sr_log(SR_LOG_WARNING, "sign-in %s of person %s has ended: one of its refresh tokens was used twice",
		       work->sign_in.id, work->sign_in.person);
		return ended();
	case SR_REFRESH_EXPIRED:
		return sr_fail_as(SR_INVALID, SR_AADSTS_IDLE_TOKEN,
		                  "The refresh token has expired due to inactivity. Sign in again.");
	case SR_REFRESH_UNKNOWN:
		break;
	}
	return sr_fail_as(
	    SR_INVALID, SR_AADSTS_BAD_GRANT_VALUE,
	    "The provided value for the input parameter 'refresh_token' is not valid: it is of another client, "
	    "its sign-in has ended, or it was never given. Sign in again.");
}

static struct sr_result add_id_token(const struct work *work, const struct sr_token_claims *claims, json_t *body)
{
	struct sr_token_claims id = *claims;
	id.version = SR_TOKEN_V2;
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	SR_TRY(sr_id_token_make(work->request->store->signing_keys, &id, &token));
	sr_json_set_string(body, "id_token", sr_buf_text(&token));
	return sr_ok();
}

/* What MSAL's libraries name an account by: base64url of {"uid", "utid"}. */
static struct sr_result add_client_info(const struct work *work, json_t *body)
{
	SR_CLEANUP(sr_json) json_t *info = json_object();
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(512);
	sr_json_set_string(info, "uid", work->person.object_id);
	sr_json_set_string(info, "utid", work->request->store->tenant);
	SR_TRY(sr_json_write(info, &text));
	sr_json_set_base64url(body, "client_info", sr_buf_bytes(&text));
	return sr_ok();
}

static struct sr_result finish(struct work *work, const struct sr_token_endpoint *endpoint,
                               struct sr_identity_answer *answer)
{
	const struct sr_identity_request *request = work->request;
	bool is_device = work->asked->grant == SR_GRANT_DEVICE;
	const char *scope = is_device ? work->ask.scope : work->asked->scope;
	struct sr_token_claims claims = {
	    .version = endpoint->version,
	    .authority = request->identity->options.authority,
	    .tenant = request->store->tenant,
	    .audience = is_device ? work->ask.resource : work->asked->resource,
	    .object_id = work->person.object_id,
	    .client_id = work->client.client_id,
	    .client_proof = "0",
	    .credential_id = work->sign_in.id,
	    .user_name = work->person.user_name,
	    .display_name = work->person.display_name,
	    .issued_s = request->now_s,
	    .lifetime_s = request->identity->options.token_lifetime_s,
	};
	SR_TRY(sr_token_answer_begin(request, endpoint, &claims, answer));
	sr_json_set_string(answer->body, "scope", scope && *scope ? scope : "user_impersonation");
	if (work->wants_refresh_token) {
		sr_json_set_string(answer->body, "refresh_token", sr_buf_text(&work->refresh_token));
	}
	if (work->wants_id_token) {
		SR_TRY(add_id_token(work, &claims, answer->body));
	}
	return work->asked->wants_client_info ? add_client_info(work, answer->body) : sr_ok();
}

/* Who and what it is about, as far as it is known by now; texts are copied, for the work ends before the entry. */
static void note(const struct work *work, struct sr_identity_answer *answer)
{
	struct sr_arena *arena = work->request->arena;
	bool is_device = work->asked->grant == SR_GRANT_DEVICE;
	const char *resource = is_device ? work->ask.resource : work->asked->resource;
	const char *person = *work->sign_in.person ? work->sign_in.person : work->person_id;
	answer->audit.object = resource && *resource ? sr_arena_strdup(arena, resource) : NULL;
	answer->audit.object_id = *person ? sr_arena_strdup(arena, person) : NULL;
	answer->audit.name = *work->person.user_name ? sr_arena_strdup(arena, work->person.user_name) : NULL;
	answer->audit.detail =
	    sr_arena_printf(arena, "grant=%s sign-in=%s", is_device ? "device_code" : "refresh_token", work->sign_in.id);
}

struct sr_result sr_user_grant(const struct sr_identity_request *request, const struct sr_token_endpoint *endpoint,
                               const struct sr_token_request *asked, struct sr_identity_answer *answer)
{
	SR_CLEANUP(work)
	struct work work = {.request = request, .asked = asked, .refresh_token = SR_BUF(REFRESH_TOKEN_MAX)};
	bool is_device = asked->grant == SR_GRANT_DEVICE;
	answer->audit.app_id = sr_is_guid(sr_bytes_str(asked->client_id)) ? asked->client_id : NULL;
	struct sr_result granted = is_device ? by_device_code(&work) : by_refresh_token(&work);
	note(&work, answer);
	SR_TRY(granted);
	return finish(&work, endpoint, answer);
}
