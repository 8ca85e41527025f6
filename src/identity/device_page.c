/*
 * The page on which a person lets a device sign in (RFC 8628 3.3): enters the code, signs in, sees what asks and for
 * what, approves or denies. Each form posts back here and gets the next page.
 */
#include "identity/api.h"

#include "base/clock.h"
#include "base/log.h"
#include "identity/client_proof.h"
#include "identity/page.h"
#include "identity/page_session.h"
#include "identity/person_sign_in.h"
#include "identity/public_client.h"
#include "identity/store_visit.h"
#include "wire/time.h"

#include <string.h>

#define ACTION "/devicelogin"
/* Under this name wrong codes are counted. */
#define CODE_LIMIT "user code"

/* One request of a browser. */
struct visit {
	const struct sr_identity_request *request;
	struct sr_identity_answer *answer;
	struct sr_parameters form;
	char id[SR_PAGE_ID_LEN]; /* of the cookie */
	const char *token;       /* of this page's forms */
	struct sr_page_session session;
	struct sr_device_ask ask;
	struct sr_public_client client;
};

static const char *field(const struct visit *visit, const char *name)
{
	const char *value = sr_parameter_get(&visit->form, name);
	return value ? value : "";
}

static struct sr_buf *begin(struct visit *visit, int status, const char *title, const char *error)
{
	struct sr_buf *page = &visit->answer->page;
	visit->answer->status = status;
	sr_page_begin(page, title);
	if (error) {
		sr_page_paragraph(page, "error", "alert", error);
	}
	return page;
}

static struct sr_result end(struct sr_buf *page)
{
	sr_page_end(page);
	return sr_buf_result(page);
}

static struct sr_result code_page(struct visit *visit, int status, const char *error, const char *code)
{
	struct sr_buf *page = begin(visit, status, "Let a device sign in", error);
	sr_page_paragraph(page, NULL, NULL, "Enter the code that the device or program shows you.");
	sr_page_form_begin(page, ACTION, visit->token, "code");
	sr_page_field(page,
	              &(struct sr_page_field){.name = "user_code",
	                                      .label = "Code",
	                                      .type = "text",
	                                      .autocomplete = "off",
	                                      .value = code,
	                                      .hint = "Eight letters. Capitals and the hyphen do not matter.",
	                                      .attributes = " class=\"code\" maxlength=\"16\" autocapitalize=\"characters\""
	                                                    " spellcheck=\"false\" autofocus"});
	sr_buf_append_str(page, "<div class=\"buttons\">");
	sr_page_button(page, "main", NULL, NULL, "Continue");
	sr_buf_append_str(page, "</div>");
	sr_page_form_end(page);
	return end(page);
}

static struct sr_result sign_in_page(struct visit *visit, int status, const char *error)
{
	struct sr_buf *page = begin(visit, status, "Sign in", error);
	sr_page_paragraph(page, NULL, NULL,
	                  sr_arena_printf(visit->request->arena, "Sign in to let %s use this installation in your name.",
	                                  visit->client.name));
	sr_page_form_begin(page, ACTION, visit->token, "sign-in");
	sr_page_field(page,
	              &(struct sr_page_field){.name = "user_name",
	                                      .label = "User name",
	                                      .type = "text",
	                                      .autocomplete = "username",
	                                      .attributes = " autocapitalize=\"none\" spellcheck=\"false\" autofocus"});
	sr_page_field(page,
	              &(struct sr_page_field){
	                  .name = "password", .label = "Password", .type = "password", .autocomplete = "current-password"});
	sr_buf_append_str(page, "<div class=\"buttons\">");
	sr_page_button(page, "main", NULL, NULL, "Sign in");
	sr_buf_append_str(page, "</div>");
	sr_page_form_end(page);
	return end(page);
}

static struct sr_result change_page(struct visit *visit, int status, const char *error)
{
	struct sr_buf *page = begin(visit, status, "Choose a new password", error);
	sr_page_paragraph(page, NULL, NULL, "Your password was set by an administrator. Choose one that only you know.");
	sr_page_form_begin(page, ACTION, visit->token, "change");
	/* For password keepers, which note the new one beside the name. */
	sr_page_field(page, &(struct sr_page_field){.name = "user_name",
	                                            .label = "User name",
	                                            .type = "text",
	                                            .autocomplete = "username",
	                                            .value = visit->session.user_name,
	                                            .attributes = " readonly"});
	sr_page_field(page, &(struct sr_page_field){.name = "new_password",
	                                            .label = "New password",
	                                            .type = "password",
	                                            .autocomplete = "new-password",
	                                            .hint = "At least ten characters. A sentence is easy to remember.",
	                                            .attributes = " minlength=\"10\" autofocus"});
	sr_page_field(page,
	              &(struct sr_page_field){
	                  .name = "again", .label = "The same again", .type = "password", .autocomplete = "new-password"});
	sr_buf_append_str(page, "<div class=\"buttons\">");
	sr_page_button(page, "main", NULL, NULL, "Set password");
	sr_buf_append_str(page, "</div>");
	sr_page_form_end(page);
	return end(page);
}

/* What people call a resource. */
static const char *resource_name(const char *resource)
{
	static const struct {
		const char *resource, *name;
	} names[] = {
	    {"https://vault.azure.net", "keys, secrets and certificates"},
	    {"https://storage.azure.com", "storage"},
	    {"https://management.azure.com", "the resource manager"},
	    {"https://management.core.windows.net", "the resource manager"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (sr_resources_have(names[i].resource, resource)) {
			return names[i].name;
		}
	}
	return resource;
}

static void row(struct sr_buf *page, const char *term, const char *text)
{
	sr_buf_append_str(page, "<dt>");
	sr_page_text(page, term);
	sr_buf_append_str(page, "</dt><dd>");
	sr_page_text(page, text);
	sr_buf_append_str(page, "</dd>");
}

static void describe(struct visit *visit, struct sr_buf *page)
{
	struct sr_arena *arena = visit->request->arena;
	char when[SR_ISO_TIME_LEN]; /* "2026-11-24T16:49:44Z" */
	sr_iso_time(visit->ask.asked_s, when);
	bool has_all = strcmp(visit->client.resources, "*") == 0;
	sr_buf_append_str(page, "<dl>");
	row(page, "Application", sr_arena_printf(arena, "%s (%s)", visit->client.name, visit->client.client_id));
	row(page, "Asks for",
	    sr_arena_printf(arena, "%s, with all that you may do there", resource_name(visit->ask.resource)));
	row(page, "May also use", has_all ? "every other service of this installation" : visit->client.resources);
	row(page, "For how long",
	    visit->ask.wants_refresh_token ? "up to 90 days, as long as it is used" : "about an hour");
	row(page, "Started",
	    sr_arena_printf(arena, "%.10s at %.5s UTC, from the address %s", when, when + 11, visit->ask.address));
	row(page, "You are", visit->session.user_name);
	sr_buf_append_str(page, "</dl>");
}

static struct sr_result consent_page(struct visit *visit)
{
	struct sr_buf *page = begin(visit, 200, "Do you approve?", NULL);
	describe(visit, page);
	sr_page_paragraph(
	    page, "quiet", NULL,
	    "Approve only if you started this yourself, just now. Nobody who helps you needs you to enter a code.");
	sr_page_form_begin(page, ACTION, visit->token, "decide");
	sr_buf_append_str(page, "<div class=\"buttons\">");
	sr_page_button(page, "plain", "decision", "deny", "Deny");
	sr_page_button(page, "main", "decision", "approve", "Approve");
	sr_buf_append_str(page, "</div>");
	sr_page_form_end(page);
	return end(page);
}

static struct sr_result done_page(struct visit *visit, const char *title, const char *text)
{
	struct sr_buf *page = begin(visit, 200, title, NULL);
	sr_page_paragraph(page, NULL, NULL, text);
	return end(page);
}

/* A fresh id for the browser, and its form token. */
static struct sr_result renew(struct visit *visit)
{
	SR_TRY(sr_page_id_new(visit->id));
	visit->answer->cookie = sr_page_cookie(visit->request->arena, visit->id);
	return sr_page_form_token(visit->request->identity->page_sessions, visit->request->arena, visit->id, &visit->token);
}

static struct sr_result start_again(struct visit *visit, const char *why)
{
	sr_page_session_drop(visit->request->identity->page_sessions, visit->id);
	SR_TRY(renew(visit));
	return code_page(visit, 400, why, NULL);
}

static struct sr_result find_client(struct sr_connection *connection, void *context)
{
	struct visit *visit = context;
	return sr_public_client_find(connection, visit->ask.client_id, &visit->client);
}

/* What waits under the code, and its client; false where it waits no longer. */
static struct sr_result find_ask(struct visit *visit, const char *user_code, bool *ret_waits)
{
	const struct sr_identity *identity = visit->request->identity;
	*ret_waits = sr_device_flow_find(identity->device_flows, user_code, sr_boottime_ms(), &visit->ask);
	if (!*ret_waits) {
		return sr_ok();
	}
	struct sr_result found = sr_visit_read(visit->request, find_client, visit);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		*ret_waits = false;
		return sr_ok();
	}
	return found;
}

static struct sr_result too_often(struct visit *visit, struct sr_result refused)
{
	sr_ignore(refused);
	return code_page(visit, 429,
	                 sr_arena_printf(visit->request->arena, "Too many wrong attempts. Try again in %u seconds.",
	                                 visit->answer->retry_after_s),
	                 NULL);
}

static struct sr_result take_code(struct visit *visit)
{
	const char *code = field(visit, "user_code");
	bool waits;
	struct sr_result allowed = sr_rate_check(visit->request, CODE_LIMIT, visit->answer);
	if (!sr_is_ok(allowed)) {
		return too_often(visit, allowed);
	}
	SR_TRY(find_ask(visit, code, &waits));
	if (!waits || strlen(code) >= SR_USER_CODE_LEN + 8) {
		sr_rate_charge(visit->request, CODE_LIMIT);
		return code_page(visit, 200,
		                 "No sign-in waits under this code. It may be mistyped, decided already, or expired: the "
		                 "device can show a new one.",
		                 NULL);
	}
	/* Kept as letters alone: what the person typed is longer by hyphens and spaces. */
	size_t len = 0;
	for (const char *at = code; *at && len + 1 < sizeof visit->session.user_code; at++) {
		if (*at != '-' && *at != ' ') {
			visit->session.user_code[len++] = *at;
		}
	}
	sr_page_session_put(visit->request->identity->page_sessions, visit->id, &visit->session, sr_boottime_ms());
	return sign_in_page(visit, 200, NULL);
}

static struct sr_result refused_sign_in(struct visit *visit, struct sr_result refused)
{
	SR_CLEANUP(sr_result) struct sr_result outcome = refused;
	enum sr_code code = sr_result_code(outcome);
	if (code == SR_UNAUTHENTICATED || code == SR_DENIED) {
		return sign_in_page(visit, 401, sr_result_message(outcome));
	}
	if (visit->answer->retry_after_s) {
		return too_often(visit, sr_result_take(&outcome));
	}
	return sr_result_take(&outcome);
}

static struct sr_result take_sign_in(struct visit *visit)
{
	struct sr_page_sessions *sessions = visit->request->identity->page_sessions;
	struct sr_person person;
	struct sr_result signed_in =
	    sr_person_sign_in(visit->request, field(visit, "user_name"), field(visit, "password"), visit->answer, &person);
	if (!sr_is_ok(signed_in)) {
		return refused_sign_in(visit, signed_in);
	}
	/* From here on the id means more than before: a new one, that nobody can have planted. */
	sr_page_session_drop(sessions, visit->id);
	SR_TRY(renew(visit));
	memcpy(visit->session.person, person.object_id, sizeof visit->session.person);
	memcpy(visit->session.user_name, person.user_name, sizeof visit->session.user_name);
	visit->session.must_change = person.must_change;
	sr_page_session_put(sessions, visit->id, &visit->session, sr_boottime_ms());
	return person.must_change ? change_page(visit, 200, NULL) : consent_page(visit);
}

/* For the audit log. */
static void note(struct visit *visit, const char *operation, const char *outcome)
{
	struct sr_arena *arena = visit->request->arena;
	visit->answer->audit = (struct sr_audit_event){.operation = operation,
	                                               .outcome = outcome,
	                                               .object_id = sr_arena_strdup(arena, visit->session.person),
	                                               .name = sr_arena_strdup(arena, visit->session.user_name),
	                                               .app_id = sr_arena_strdup(arena, visit->client.client_id),
	                                               .object = sr_arena_strdup(arena, visit->ask.resource)};
}

static struct sr_result take_new_password(struct visit *visit)
{
	const char *password = field(visit, "new_password");
	if (strcmp(password, field(visit, "again")) != 0) {
		return change_page(visit, 200, "The two are not the same.");
	}
	SR_CLEANUP(sr_result)
	struct sr_result changed =
	    sr_person_change_password(visit->request, visit->session.person, visit->session.user_name, password);
	note(visit, "PersonPasswordChange", sr_is_ok(changed) ? NULL : "refused");
	if (sr_result_code(changed) == SR_INVALID) {
		return change_page(visit, 200, sr_result_message(changed));
	}
	if (!sr_is_ok(changed)) {
		return sr_result_take(&changed);
	}
	visit->session.must_change = false;
	sr_page_session_put(visit->request->identity->page_sessions, visit->id, &visit->session, sr_boottime_ms());
	return consent_page(visit);
}

static struct sr_result take_decision(struct visit *visit)
{
	const struct sr_identity *identity = visit->request->identity;
	const char *decision = field(visit, "decision");
	bool approves = strcmp(decision, "approve") == 0;
	if (!approves && strcmp(decision, "deny") != 0) {
		return consent_page(visit);
	}
	bool is_decided = sr_device_flow_decide(identity->device_flows, visit->session.user_code,
	                                        approves ? visit->session.person : NULL, sr_boottime_ms());
	sr_page_session_drop(identity->page_sessions, visit->id);
	visit->answer->cookie = sr_page_cookie(visit->request->arena, NULL);
	note(visit, approves ? "DeviceApprove" : "DeviceDeny", is_decided ? NULL : "Expired");
	if (!is_decided) {
		return start_again(visit, "The code has expired meanwhile: the device can show a new one.");
	}
	sr_log(SR_LOG_NOTICE, "person %s %s a device's sign-in with client %s", visit->session.person,
	       approves ? "approved" : "denied", visit->client.client_id);
	return approves ? done_page(visit, "The device is signed in",
	                            "You can close this page and go back to it. It may take some seconds to notice.")
	                : done_page(visit, "Denied", "The device was refused. You can close this page.");
}

/* Steps after the code: what they need to have happened before. */
static const struct {
	const char *name;
	bool is_signed_in, must_change;
	struct sr_result (*take)(struct visit *visit);
} steps[] = {
    {"sign-in", false, false, take_sign_in},
    {"change", true, true, take_new_password},
    {"decide", true, false, take_decision},
};

static struct sr_result take_step(struct visit *visit)
{
	const struct sr_identity *identity = visit->request->identity;
	const char *step = field(visit, "step");
	bool waits = false;
	if (strcmp(step, "code") == 0) {
		return take_code(visit);
	}
	if (!sr_page_session_get(identity->page_sessions, visit->id, sr_boottime_ms(), &visit->session)) {
		return start_again(visit, "This took too long, or was done already. Enter the code again.");
	}
	SR_TRY(find_ask(visit, visit->session.user_code, &waits));
	if (!waits) {
		return start_again(visit, "The code has expired meanwhile: the device can show a new one.");
	}
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (strcmp(step, steps[i].name) == 0 && steps[i].is_signed_in == (visit->session.person[0] != 0) &&
		    steps[i].must_change == visit->session.must_change) {
			return steps[i].take(visit);
		}
	}
	return start_again(visit, "The pages were sent in another order than they were shown. Enter the code again.");
}

/* Browsers say where a form comes from; one that says elsewhere is not listened to, whatever its token. */
static bool is_from_here(const struct visit *visit)
{
	const struct sr_identity_request *request = visit->request;
	bool origin_fits = !request->sent_origin || strcmp(request->sent_origin, request->origin) == 0;
	return origin_fits &&
	       sr_page_form_token_matches(request->identity->page_sessions, visit->id, field(visit, "form_token"));
}

static struct visit visit_of(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	answer->page = SR_BUF(SR_PAGE_MAX);
	answer->is_secret = true;
	return (struct visit){.request = request, .answer = answer};
}

/* What is not the person's fault is said on a page too. */
static struct sr_result apologize(struct visit *visit, struct sr_result failure)
{
	SR_CLEANUP(sr_result) struct sr_result outcome = failure;
	enum sr_code code = sr_result_code(outcome);
	bool is_bad_request = code == SR_INVALID || code == SR_TOO_LARGE;
	sr_log(SR_LOG_WARNING, "the sign-in page could not be answered: code %d", (int)code);
	sr_buf_reset(&visit->answer->page);
	struct sr_buf *page = begin(visit, is_bad_request ? 400 : 503, "This does not work now", NULL);
	sr_page_paragraph(page, NULL, NULL,
	                  is_bad_request ? "What your browser sent was not understood. Open the page again."
	                                 : "The directory cannot be reached for the moment. Try again in some seconds.");
	return end(page);
}

static struct sr_result show(struct visit *visit)
{
	SR_TRY(renew(visit));
	return code_page(visit, 200, NULL, sr_parameter_get(&visit->request->query, "user_code"));
}

struct sr_result sr_device_page(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct visit visit = visit_of(request, answer);
	struct sr_result shown = show(&visit);
	return sr_is_ok(shown) ? shown : apologize(&visit, shown);
}

static struct sr_result take(struct visit *visit)
{
	const struct sr_identity_request *request = visit->request;
	SR_TRY(sr_parameters_parse(request->arena, request->body, true, &visit->form));
	if (!sr_page_id_of_cookie(request->cookie, visit->id) || !is_from_here(visit)) {
		SR_TRY(renew(visit));
		return code_page(visit, 403, "The form is out of date, or cookies are off. Enter the code again.", NULL);
	}
	SR_TRY(sr_page_form_token(request->identity->page_sessions, request->arena, visit->id, &visit->token));
	return take_step(visit);
}

struct sr_result sr_device_page_post(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct visit visit = visit_of(request, answer);
	struct sr_result taken = take(&visit);
	return sr_is_ok(taken) ? taken : apologize(&visit, taken);
}
