/* Resources and scopes. Tokens themselves are made in token.c. */
#include "identity/audience.h"

#include "base/text.h"
#include "identity/oauth_error.h"

#include <string.h>

enum { HTTPS_PORT = 443, ACCOUNT_MIN_LEN = 3, ACCOUNT_MAX_LEN = 24 };

/* Azure's services whose place ours take; a trailing slash does not matter. */
static const char *const services[] = {
    "https://vault.azure.net",      "https://storage.azure.com",
    "https://management.azure.com", "https://management.core.windows.net",
    "https://graph.microsoft.com",
};
/* "https://ACCOUNT" and one of these is a storage account. */
static const char *const account_suffixes[] = {".blob.core.windows.net", ".dfs.core.windows.net"};
/* Scopes that name no resource (OIDC Core 5.4, 11). */
static const char *const oidc_scopes[] = {"openid", "profile", "email", "offline_access"};

static struct sr_bytes without_trailing_slash(struct sr_bytes text)
{
	return text.len && text.data[text.len - 1] == '/' ? sr_bytes_of(text.data, text.len - 1) : text;
}

static bool ends_with(struct sr_bytes text, struct sr_bytes end)
{
	return text.len >= end.len && sr_equal_nocase(sr_bytes_of(text.data + text.len - end.len, end.len), end);
}

static struct sr_bytes without_brackets(struct sr_bytes host)
{
	bool is_bracketed = host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
	return is_bracketed ? sr_bytes_of(host.data + 1, host.len - 2) : host;
}

/* "*.rest" stands for one label before ".rest", as in certificates. */
static bool name_matches(struct sr_bytes name, struct sr_bytes host)
{
	if (!sr_bytes_start_with(name, SR_LITERAL("*."))) {
		return sr_equal_nocase(name, host);
	}
	struct sr_bytes rest = sr_bytes_of(name.data + 1, name.len - 1);
	size_t label_len = host.len > rest.len ? host.len - rest.len : 0;
	return label_len && ends_with(host, rest) && !memchr(host.data, '.', label_len);
}

bool sr_is_own_host(const struct sr_own_origins *own, struct sr_bytes host)
{
	struct sr_bytes bare = without_brackets(host);
	for (const char *const *name = own->dns_names; name && *name; name++) {
		if (name_matches(sr_bytes_str(*name), host)) {
			return true;
		}
	}
	for (const char *const *address = own->addresses; address && *address; address++) {
		if (sr_equal_nocase(sr_bytes_str(*address), bare)) {
			return true;
		}
	}
	return false;
}

static bool is_own_port(const struct sr_own_origins *own, uint16_t port)
{
	for (size_t i = 0; i < SR_OWN_PORTS_MAX && own->ports[i]; i++) {
		if (own->ports[i] == port) {
			return true;
		}
	}
	return false;
}

/* The host's length in "HOST[:PORT][/…]", where HOST may be "[…]". */
static size_t host_len(struct sr_bytes text)
{
	size_t at = 0;
	if (text.len && text.data[0] == '[') {
		while (at < text.len && text.data[at] != ']') {
			at++;
		}
	}
	while (at < text.len && text.data[at] != ':' && text.data[at] != '/') {
		at++;
	}
	return at;
}

bool sr_origin_parse(struct sr_bytes url, struct sr_bytes *ret_host, uint16_t *ret_port, struct sr_bytes *ret_rest)
{
	struct sr_bytes scheme = SR_LITERAL("https://");
	if (url.len < scheme.len || !sr_equal_nocase(sr_bytes_of(url.data, scheme.len), scheme)) {
		return false;
	}
	struct sr_bytes text = sr_bytes_of(url.data + scheme.len, url.len - scheme.len);
	struct sr_bytes host = sr_bytes_of(text.data, host_len(text));
	size_t at = host.len;
	uint64_t port = HTTPS_PORT;
	if (at < text.len && text.data[at] == ':') {
		size_t from = ++at;
		while (at < text.len && text.data[at] != '/') {
			at++;
		}
		SR_CLEANUP(sr_result)
		struct sr_result parsed = sr_parse_u64(sr_bytes_of(text.data + from, at - from), UINT16_MAX, &port);
		if (!sr_is_ok(parsed)) {
			return false;
		}
	}
	if (!host.len) {
		return false;
	}
	*ret_host = host;
	*ret_port = (uint16_t)port;
	*ret_rest = sr_bytes_of(text.data + at, text.len - at);
	return true;
}

static bool is_service(struct sr_bytes resource)
{
	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		if (sr_equal_nocase(resource, sr_bytes_str(services[i]))) {
			return true;
		}
	}
	return false;
}

/* Account names are 3 to 24 lowercase letters and digits. */
static bool is_account_host(struct sr_bytes host)
{
	for (size_t i = 0; i < sizeof account_suffixes / sizeof *account_suffixes; i++) {
		struct sr_bytes suffix = sr_bytes_str(account_suffixes[i]);
		if (!ends_with(host, suffix)) {
			continue;
		}
		size_t len = host.len - suffix.len;
		bool is_account = len >= ACCOUNT_MIN_LEN && len <= ACCOUNT_MAX_LEN;
		for (size_t at = 0; is_account && at < len; at++) {
			is_account =
			    (host.data[at] >= 'a' && host.data[at] <= 'z') || (host.data[at] >= '0' && host.data[at] <= '9');
		}
		return is_account;
	}
	return false;
}

bool sr_is_known_resource(const struct sr_own_origins *own, struct sr_bytes resource)
{
	struct sr_bytes bare = without_trailing_slash(resource);
	if (is_service(bare)) {
		return true;
	}
	struct sr_bytes host;
	struct sr_bytes rest;
	uint16_t port;
	if (!sr_origin_parse(bare, &host, &port, &rest) || rest.len) {
		return false;
	}
	return (port == HTTPS_PORT && is_account_host(host)) || (is_own_port(own, port) && sr_is_own_host(own, host));
}

static bool is_oidc_scope(struct sr_bytes scope)
{
	for (size_t i = 0; i < sizeof oidc_scopes / sizeof *oidc_scopes; i++) {
		if (sr_equal_public(scope, sr_bytes_str(oidc_scopes[i]))) {
			return true;
		}
	}
	return false;
}

/* The next word of a list that is separated by spaces; empty at its end. */
static struct sr_bytes next_word(const char **at)
{
	*at += strspn(*at, " ");
	struct sr_bytes word = sr_bytes_of(*at, strcspn(*at, " "));
	*at += word.len;
	return word;
}

struct sr_result sr_scope_resource(struct sr_arena *arena, const char *scope, const char **ret_resource)
{
	struct sr_bytes suffix = SR_LITERAL("/.default");
	struct sr_bytes found = {0};
	const char *at = scope;
	for (struct sr_bytes word = next_word(&at); word.len; word = next_word(&at)) {
		if (is_oidc_scope(word)) {
			continue;
		}
		if (found.len || word.len == suffix.len || !ends_with(word, suffix)) {
			return sr_fail_as(SR_INVALID, SR_AADSTS_BAD_SCOPE,
			                  "The provided value for the input parameter 'scope' is not valid: '%.200s'. Client "
			                  "credentials need exactly one resource followed by '/.default'.",
			                  scope);
		}
		found = sr_bytes_of(word.data, word.len - suffix.len);
	}
	if (!found.len) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_BAD_SCOPE,
		                  "The provided value for the input parameter 'scope' names no resource: '%.200s'.", scope);
	}
	*ret_resource = sr_arena_text(arena, found);
	return sr_ok();
}

/* The resource of a word for people; empty where it is no such word. */
static struct sr_bytes delegated_resource(struct sr_bytes word)
{
	static const char *const suffixes[] = {"/.default", "/user_impersonation"};
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		struct sr_bytes suffix = sr_bytes_str(suffixes[i]);
		if (word.len > suffix.len && ends_with(word, suffix)) {
			return sr_bytes_of(word.data, word.len - suffix.len);
		}
	}
	return (struct sr_bytes){0};
}

struct sr_result sr_scopes_read(struct sr_arena *arena, const char *scope, struct sr_scopes *ret_scopes)
{
	struct sr_scopes scopes = {0};
	struct sr_bytes found = {0};
	const char *at = scope;
	for (struct sr_bytes word = next_word(&at); word.len; word = next_word(&at)) {
		scopes.openid = scopes.openid || sr_equal_public(word, SR_LITERAL("openid"));
		scopes.offline_access = scopes.offline_access || sr_equal_public(word, SR_LITERAL("offline_access"));
		if (is_oidc_scope(word)) {
			continue;
		}
		struct sr_bytes resource = delegated_resource(word);
		if (!resource.len || (found.len && !sr_equal_public(found, resource))) {
			return sr_fail_as(SR_INVALID, SR_AADSTS_BAD_SCOPE,
			                  "The provided value for the input parameter 'scope' is not valid: '%.200s'. It takes one "
			                  "resource followed by '/.default' or '/user_impersonation', and OIDC's scopes.",
			                  scope);
		}
		found = resource;
	}
	if (!found.len) {
		return sr_fail_as(SR_INVALID, SR_AADSTS_BAD_SCOPE,
		                  "The provided value for the input parameter 'scope' names no resource: '%.200s'.", scope);
	}
	scopes.resource = sr_arena_text(arena, found);
	*ret_scopes = scopes;
	return sr_ok();
}
