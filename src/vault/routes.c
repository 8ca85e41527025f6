/* The tables of operations, and the matching of paths to them. */
#include "vault/api.h"

#include <ctype.h>
#include <string.h>

static const struct sr_vault_route *const tables[] = {sr_key_routes, sr_secret_routes, sr_certificate_routes};
enum { TABLE_COUNT = sizeof tables / sizeof tables[0] };

const struct sr_vault_route *sr_vault_route_at(size_t index)
{
	for (size_t table = 0; table < TABLE_COUNT; table++) {
		for (const struct sr_vault_route *route = tables[table]; route->method; route++) {
			if (index-- == 0) {
				return route;
			}
		}
	}
	return NULL;
}

/* What a path yields on its way along a pattern. */
struct match {
	const char *name, *version;
	unsigned literals; /* how many segments were named: "keys/x/create" fits a create before a version */
};

static bool match_segment(struct sr_bytes pattern, struct sr_bytes segment, struct match *match)
{
	const char *text = (const char *)segment.data;
	if (sr_equal_public(pattern, SR_LITERAL("{name}"))) {
		match->name = text;
		return true;
	}
	if (sr_equal_public(pattern, SR_LITERAL("{version}"))) {
		match->version = text;
		return true;
	}
	match->literals++;
	return sr_equal_nocase(pattern, segment);
}

static bool match_path(const char *pattern, const struct sr_segments *path, struct match *ret_match)
{
	*ret_match = (struct match){0};
	size_t i = 0;
	for (const char *rest = pattern; rest; i++) {
		const char *end = strchr(rest, '/');
		const struct sr_bytes part = sr_bytes_of(rest, end ? (size_t)(end - rest) : strlen(rest));
		if (i == path->count || !match_segment(part, path->items[i], ret_match)) {
			return false;
		}
		rest = end ? end + 1 : NULL;
	}
	return i == path->count;
}

struct sr_result sr_vault_route_find(const char *method, const struct sr_segments *path,
                                     const struct sr_vault_route **ret_route, const char **ret_name,
                                     const char **ret_version)
{
	const struct sr_vault_route *best = NULL;
	struct match best_match = {0}, match;
	bool is_path = false;
	for (size_t table = 0; table < TABLE_COUNT; table++) {
		for (const struct sr_vault_route *route = tables[table]; route->method; route++) {
			if (!match_path(route->pattern, path, &match)) {
				continue;
			}
			is_path = true;
			if (strcmp(route->method, method) == 0 && (!best || match.literals > best_match.literals)) {
				best = route;
				best_match = match;
			}
		}
	}
	if (!best && is_path) {
		return sr_fail_as(SR_INVALID, "MethodNotAllowed", "The method %.16s is not allowed here.", method);
	}
	if (!best) {
		return sr_fail_as(SR_NOT_FOUND, "NotFound", "There is nothing of this path in a key vault.");
	}
	*ret_route = best;
	*ret_name = best_match.name;
	*ret_version = best_match.version;
	return sr_ok();
}

/* Nothing, "-preview" or "-preview.2". */
static bool is_version_end(const char *text)
{
	static const char preview[] = "-preview";
	if (!*text) {
		return true;
	}
	if (strncmp(text, preview, sizeof preview - 1) != 0) {
		return false;
	}
	text += sizeof preview - 1;
	const size_t digits = *text == '.' ? strspn(text + 1, "0123456789") : 0;
	return !*text || (digits >= 1 && digits <= 2 && !text[1 + digits]);
}

static unsigned two_digits(const char *text)
{
	return 10U * (unsigned)(text[0] - '0') + (unsigned)(text[1] - '0');
}

/* "2025-07-01", of what is at least ten characters long. */
static bool begins_with_date(const char *text)
{
	static const char form[] = "dddd-dd-dd";
	for (size_t i = 0; i < sizeof form - 1; i++) {
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i]) {
			return false;
		}
	}
	const unsigned month = two_digits(text + 5);
	const unsigned day = two_digits(text + 8);
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* "7.0", "7.4", "8.1"; "2025-07-01"; also as previews. */
bool sr_vault_is_api_version(const char *text)
{
	if (strlen(text) >= 10 && text[4] == '-') {
		return begins_with_date(text) && is_version_end(text + 10);
	}
	const size_t major = strspn(text, "0123456789");
	if (major < 1 || major > 2 || text[major] != '.' || (major == 1 && text[0] < '7') || text[0] == '0') {
		return false;
	}
	const size_t minor = strspn(text + major + 1, "0123456789");
	return minor >= 1 && minor <= 2 && is_version_end(text + major + 1 + minor);
}

bool sr_is_vault_host(const char *host)
{
	const char *dot = strchr(host, '.');
	return dot && dot > host && strncmp(dot, ".vault.", 7) == 0 && dot[7];
}

const char *sr_vault_of_host(struct sr_arena *arena, const char *host)
{
	return sr_is_vault_host(host) ? sr_arena_text(arena, sr_bytes_of(host, strcspn(host, "."))) : SR_DEFAULT_VAULT;
}
