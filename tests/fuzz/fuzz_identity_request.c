/*
 * Requests of identity behind its doors: the managed identities' endpoint, Graph, Resource Manager's front and the
 * administrator's. The input: a letter for the door, a line "METHOD PATH?QUERY", then the body. Every failure becomes
 * its door's error, says something, and is none of ours; an endpoint for tokens gives none without an identity.
 */
#include "ground.h"

#include "../unit/identity/fixture.h"
#include "identity/metadata_error.h"
#include "identity/oauth_error.h"
#include "identity/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct fixture *fixture;

static void end(void)
{
	void *state = fixture;
	fixture_tear_down(&state);
}

static void set_up(void)
{
	void *state = NULL;
	setenv("TMPDIR", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", 0);
	require_ok(sr_seal_init());
	fixture_set_up(&state);
	fixture = state;
	atexit(end);
}

/* Answers that take time by their nature (passwords are hashed), wait, or tell of a whole process. */
static bool is_elsewhere(sr_identity_handler handler)
{
	static const sr_identity_handler slow[] = {
	    sr_discovery_health, sr_identity_status,   sr_people_create,  sr_people_reset_password,
	    sr_identity_rotate,  sr_device_page_post,  sr_token_v2,       sr_token_v1,
	    sr_token_adfs,       sr_principals_create, sr_identity_freeze};
	for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
		if (slow[i] == handler) {
			return true;
		}
	}
	return handler == NULL;
}

static void check_told(struct sr_result failure, enum sr_door door)
{
	int status = 0;
	const enum sr_code code = sr_result_code(failure);
	if (code == SR_INTERNAL || code == SR_CORRUPT || !*sr_result_message(failure)) {
		fprintf(stderr, "code %d: %s\n", (int)code, sr_result_message(failure));
		abort();
	}
	if (door == SR_DOOR_METADATA) {
		SR_CLEANUP(sr_json) json_t *body = sr_metadata_error_json(failure, &status);
		require(status >= 400 && json_object_get(body, "error"));
	}
}

static void answer(enum sr_door door, const char *method, char *target, struct sr_bytes body)
{
	char *query = strchr(target, '?');
	if (query) {
		*query++ = 0;
	}
	struct sr_identity_request request = request_at(fixture, "", "", NOW_S);
	const struct sr_route *route = NULL;
	const char *allowed = NULL;
	SR_CLEANUP(sr_result)
	struct sr_result found =
	    sr_identity_route(fixture->arena, door, method, sr_bytes_str(target), &route, request.parts, &allowed);
	SR_CLEANUP(sr_result)
	struct sr_result parsed =
	    sr_parameters_parse(fixture->arena, sr_bytes_str(query ? query : ""), false, &request.query);
	if (!sr_is_ok(found) || !sr_is_ok(parsed) || is_elsewhere(route->handler)) {
		return;
	}
	request.body = body;
	request.path = sr_bytes_str(target);
	request.is_local = door == SR_DOOR_LOCAL;
	request.peer_service = door == SR_DOOR_INTERNAL ? "workspace" : "";
	request.metadata = "true";
	request.identity_header = query ? query : "";
	struct sr_identity_answer given = {0};
	SR_CLEANUP(sr_result) struct sr_result answered = route->handler(&request, &given);
	if (!sr_is_ok(answered)) {
		check_told(answered, door);
	}
	json_decref(given.body);
	sr_buf_free(&given.page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!fixture) {
		set_up();
	}
	if (!len) {
		return 0;
	}
	struct sr_arena *kept = fixture->arena;
	fixture->arena = sr_arena_new();
	const enum sr_door door = data[0] == 'm'   ? SR_DOOR_METADATA
	                          : data[0] == 'i' ? SR_DOOR_INTERNAL
	                          : data[0] == 'p' ? SR_DOOR_PUBLIC
	                                           : SR_DOOR_LOCAL;
	const uint8_t *stop = memchr(data + 1, '\n', len - 1);
	const size_t line_len = stop ? (size_t)(stop - data) : len;
	char *line = sr_arena_text(fixture->arena, sr_bytes_of(data + 1, line_len - 1));
	char *target = strchr(line, ' ');
	if (target && target[1] == '/') {
		*target++ = 0;
		answer(door, line, target, stop ? sr_bytes_of(stop + 1, len - line_len - 1) : sr_bytes_of(data, 0));
	}
	sr_arena_free(fixture->arena);
	fixture->arena = kept;
	return 0;
}
