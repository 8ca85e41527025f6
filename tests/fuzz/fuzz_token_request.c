/* Token requests (form, NUL, Authorization header), the resources that they name, and paths: whole answers or errors.
 */
#include "identity/audience.h"
#include "identity/oauth_error.h"
#include "identity/route.h"
#include "identity/token_request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const names[] = {"localhost", "*.vault.localhost", NULL};
static const char *const addresses[] = {"127.0.0.1", "::1", NULL};
static const struct sr_own_origins own = {.dns_names = names, .addresses = addresses, .ports = {8441, 8442}};

/* A resource that is known starts with https:// and names no user, query or fragment. */
static void check_resource(const char *resource)
{
	if (!sr_is_known_resource(&own, sr_bytes_str(resource))) {
		return;
	}
	if (!sr_equal_nocase(sr_bytes_of(resource, 8), SR_LITERAL("https://")) || strpbrk(resource, "@?#\\ ")) {
		abort();
	}
}

/* Every failure has a row in the table and says something. */
static void check_failure(struct sr_result failure)
{
	const struct sr_oauth_error *row = sr_oauth_error_of(failure);
	if (!row || row->status < 400 || !*sr_result_message(failure)) {
		abort();
	}
}

static void read_request(struct sr_arena *arena, struct sr_bytes form, const char *authorization)
{
	struct sr_token_request request = {0};
	bool takes_resource = form.len & 1;
	SR_CLEANUP(sr_result)
	struct sr_result read =
	    sr_token_request_read(arena, form, authorization, !takes_resource, takes_resource, &request);
	if (!sr_is_ok(read)) {
		check_failure(read);
		return;
	}
	if (!*request.client_id ||
	    (request.grant == SR_GRANT_CLIENT && !request.client_secret == !request.client_assertion)) {
		abort();
	}
	if (request.grant != SR_GRANT_DEVICE) {
		check_resource(request.resource);
	}
}

static void find_route(struct sr_arena *arena, struct sr_bytes path)
{
	static const enum sr_door doors[] = {SR_DOOR_PUBLIC, SR_DOOR_INTERNAL, SR_DOOR_LOCAL};
	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
		const struct sr_route *route = NULL;
		const char *parts[SR_REQUEST_PARTS_MAX] = {0};
		const char *allowed = NULL;
		SR_CLEANUP(sr_result)
		struct sr_result found = sr_identity_route(arena, doors[i], "GET", path, &route, parts, &allowed);
		if (sr_is_ok(found) && (!(route->doors & doors[i]) || !parts[0])) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sr_arena *arena = sr_arena_new();
	const uint8_t *end = len ? memchr(data, 0, len) : NULL;
	struct sr_bytes form = sr_bytes_of(data, end ? (size_t)(end - data) : len);
	const char *authorization = end ? sr_arena_text(arena, sr_bytes_of(end + 1, len - form.len - 1)) : NULL;
	read_request(arena, form, authorization);
	find_route(arena, form);
	check_resource(sr_arena_text(arena, form));
	sr_arena_free(arena);
	return 0;
}
