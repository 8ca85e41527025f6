/* What browsers and devices send to sign in: forms, cookies, codes that people type, scopes. Pages never hold markup of
 * theirs. */
#include "identity/audience.h"
#include "identity/device_flow.h"
#include "identity/page.h"
#include "identity/page_session.h"
#include "identity/token_request.h"
#include "seal/secret.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct sr_device_flows *flows;
static struct sr_page_sessions *sessions;
static char waiting[SR_USER_CODE_LEN];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	struct sr_device_ask ask = {.client_id = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"};
	SR_CLEANUP(sr_buf) struct sr_buf code = SR_BUF(256);
	if (!sr_is_ok(sr_seal_init()) || !sr_is_ok(sr_page_sessions_new(&sessions))) {
		abort();
	}
	flows = sr_device_flows_new();
	if (!sr_is_ok(sr_device_flow_start(flows, &ask, 1000, &code, waiting))) {
		abort();
	}
	return 0;
}

/* Text as content and as an attribute: no quote, no bracket of it is left. */
static void write_page(const char *text)
{
	SR_CLEANUP(sr_buf) struct sr_buf page = SR_BUF(1 << 20);
	sr_page_text(&page, text);
	if (strpbrk(sr_buf_text(&page), "<>\"'")) {
		abort();
	}
}

static void take_form(struct sr_arena *arena, struct sr_bytes form)
{
	struct sr_parameters parameters;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_parameters_parse(arena, form, true, &parameters);
	if (!sr_is_ok(parsed)) {
		return;
	}
	const char *typed = sr_parameter_get(&parameters, "user_code");
	const char *token = sr_parameter_get(&parameters, "form_token");
	const char *scope = sr_parameter_get(&parameters, "scope");
	struct sr_device_ask ask;
	struct sr_scopes scopes;
	if (typed) {
		write_page(typed);
		/* The one that waits was made at random: who finds it has read our memory. */
		if (sr_device_flow_find(flows, typed, 2000, &ask)) {
			abort();
		}
	}
	if (token && sr_page_form_token_matches(sessions, "an id", token)) {
		abort();
	}
	if (scope) {
		SR_CLEANUP(sr_result) struct sr_result read = sr_scopes_read(arena, scope, &scopes);
		if (sr_is_ok(read) && !*scopes.resource) {
			abort();
		}
	}
}

static void take_grant(struct sr_arena *arena, struct sr_bytes form)
{
	struct sr_token_request request = {0};
	SR_CLEANUP(sr_result) struct sr_result read = sr_token_request_read(arena, form, NULL, true, true, &request);
	if (sr_is_ok(read) && request.grant != SR_GRANT_CLIENT && !request.device_code && !request.refresh_token) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sr_arena *arena = sr_arena_new();
	char id[SR_PAGE_ID_LEN];
	struct sr_bytes bytes = sr_bytes_of(data, len);
	take_form(arena, bytes);
	take_grant(arena, bytes);
	if (sr_page_id_of_cookie(sr_arena_text(arena, bytes), id) && strlen(id) != SR_PAGE_ID_LEN - 1) {
		abort();
	}
	sr_arena_free(arena);
	return 0;
}
