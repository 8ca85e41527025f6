/* The table of operations, against the specification line by line, and the matching of paths. */
#include "vault/api.h"

#include "vault/key_handlers.h"

#include <ctype.h>
#include <string.h>

enum { SMALL = 128 * 1024, LARGE = 12 * 1024 * 1024 };

static const struct sr_vault_route routes[] = {
    {"POST", "keys/{name}/create", "KeyCreate", "keys/create/action", sr_handle_key_create, 200, SMALL},
    {"PUT", "keys/{name}", "KeyImport", "keys/import/action", sr_handle_key_import, 200, SMALL},
    {"POST", "keys/{name}/rotate", "KeyRotate", "keys/rotate/action", sr_handle_key_rotate, 200, 0},
    {"GET", "keys", "KeyList", "keys/read", sr_handle_keys_list, 200, 0},
    {"GET", "keys/{name}/versions", "KeyListVersions", "keys/read", sr_handle_key_versions_list, 200, 0},
    {"GET", "keys/{name}/rotationpolicy", "KeyRotationPolicyGet", "keyrotationpolicies/read", sr_handle_key_policy_get,
     200, 0},
    {"PUT", "keys/{name}/rotationpolicy", "KeyRotationPolicySet", "keyrotationpolicies/write", sr_handle_key_policy_set,
     200, SMALL},
    {"GET", "keys/{name}", "KeyGet", "keys/read", sr_handle_key_get, 200, 0},
    {"GET", "keys/{name}/{version}", "KeyGet", "keys/read", sr_handle_key_get, 200, 0},
    {"PATCH", "keys/{name}", "KeyUpdate", "keys/update/action", sr_handle_key_update, 200, SMALL},
    {"PATCH", "keys/{name}/{version}", "KeyUpdate", "keys/update/action", sr_handle_key_update, 200, SMALL},
    {"DELETE", "keys/{name}", "KeyDelete", "keys/delete", sr_handle_key_delete, 200, 0},
    {"POST", "keys/{name}/backup", "KeyBackup", "keys/backup/action", sr_handle_key_backup, 200, 0},
    {"POST", "keys/restore", "KeyRestore", "keys/restore/action", sr_handle_key_restore, 200, LARGE},
    /* With the version, and without it for the current one. */
    {"POST", "keys/{name}/{version}/encrypt", "KeyEncrypt", "keys/encrypt/action", sr_handle_key_encrypt, 200, SMALL},
    {"POST", "keys/{name}/encrypt", "KeyEncrypt", "keys/encrypt/action", sr_handle_key_encrypt, 200, SMALL},
    {"POST", "keys/{name}/{version}/decrypt", "KeyDecrypt", "keys/decrypt/action", sr_handle_key_decrypt, 200, SMALL},
    {"POST", "keys/{name}/decrypt", "KeyDecrypt", "keys/decrypt/action", sr_handle_key_decrypt, 200, SMALL},
    {"POST", "keys/{name}/{version}/wrapkey", "KeyWrap", "keys/wrap/action", sr_handle_key_wrap, 200, SMALL},
    {"POST", "keys/{name}/wrapkey", "KeyWrap", "keys/wrap/action", sr_handle_key_wrap, 200, SMALL},
    {"POST", "keys/{name}/{version}/unwrapkey", "KeyUnwrap", "keys/unwrap/action", sr_handle_key_unwrap, 200, SMALL},
    {"POST", "keys/{name}/unwrapkey", "KeyUnwrap", "keys/unwrap/action", sr_handle_key_unwrap, 200, SMALL},
    {"POST", "keys/{name}/{version}/sign", "KeySign", "keys/sign/action", sr_handle_key_sign, 200, SMALL},
    {"POST", "keys/{name}/sign", "KeySign", "keys/sign/action", sr_handle_key_sign, 200, SMALL},
    {"POST", "keys/{name}/{version}/verify", "KeyVerify", "keys/verify/action", sr_handle_key_verify, 200, SMALL},
    {"POST", "keys/{name}/verify", "KeyVerify", "keys/verify/action", sr_handle_key_verify, 200, SMALL},
    {"POST", "keys/{name}/{version}/release", "KeyRelease", "keys/release/action", sr_handle_key_release, 200, SMALL},
    {"GET", "deletedkeys", "KeyListDeleted", "keys/read", sr_handle_deleted_keys_list, 200, 0},
    {"GET", "deletedkeys/{name}", "KeyGetDeleted", "keys/read", sr_handle_deleted_key_get, 200, 0},
    {"POST", "deletedkeys/{name}/recover", "KeyRecover", "keys/recover/action", sr_handle_deleted_key_recover, 200, 0},
    {"DELETE", "deletedkeys/{name}", "KeyPurge", "keys/purge/action", sr_handle_deleted_key_purge, 204, 0},
    {"POST", "rng", "RandomBytes", "keys/rng/action", sr_handle_random, 200, SMALL},
};
enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

const struct sr_vault_route *sr_vault_route_at(size_t index)
{
	return index < ROUTE_COUNT ? &routes[index] : NULL;
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
	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		if (!match_path(routes[i].pattern, path, &match)) {
			continue;
		}
		is_path = true;
		if (strcmp(routes[i].method, method) == 0 && (!best || match.literals > best_match.literals)) {
			best = &routes[i];
			best_match = match;
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

const char *sr_vault_of_host(struct sr_arena *arena, const char *host)
{
	const char *dot = strchr(host, '.');
	if (dot && dot > host && strncmp(dot, ".vault.", 7) == 0 && dot[7]) {
		return sr_arena_text(arena, sr_bytes_of(host, (size_t)(dot - host)));
	}
	return SR_DEFAULT_VAULT;
}
