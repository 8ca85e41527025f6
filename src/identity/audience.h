/*
 * For whom a token may be made: the resources that this installation knows, its own origins among them, and
 * how a scope names one. Pure functions.
 */
#ifndef SR_IDENTITY_AUDIENCE_H
#define SR_IDENTITY_AUDIENCE_H

#include "base/arena.h"
#include "base/bytes.h"

enum { SR_OWN_PORTS_MAX = 8 };

/* Where this installation is reached. Names and addresses are borrowed, ended by NULL; a name may be "*.rest". */
struct sr_own_origins {
	const char *const *dns_names;
	const char *const *addresses;
	uint16_t ports[SR_OWN_PORTS_MAX]; /* of all its services; ended by 0 where there are fewer */
};

/* True if `host` (no port; an IPv6 address with or without brackets) is one of our names or addresses. */
bool sr_is_own_host(const struct sr_own_origins *own, struct sr_bytes host);
/* Takes "https://HOST[:PORT][/…]" apart; false for anything else. The rest is what follows the port. */
bool sr_origin_parse(struct sr_bytes url, struct sr_bytes *ret_host, uint16_t *ret_port, struct sr_bytes *ret_rest);
/* True if a token may be made for the resource: a service of Azure's that we stand for, or an origin of ours. */
bool sr_is_known_resource(const struct sr_own_origins *own, struct sr_bytes resource);

/*
 * The resource that a scope parameter of the v2.0 endpoint names: "RESOURCE/.default", beside OIDC's own scopes, which
 * are passed over. SR_INVALID with AADSTS70011 unless there is exactly one. The text lives in the arena.
 */
SR_MUST struct sr_result sr_scope_resource(struct sr_arena *arena, const char *scope, const char **ret_resource);

/* What a person is asked to let an application do. */
struct sr_scopes {
	const char *resource; /* in the arena */
	bool openid, offline_access;
};
/* The same where a person signs in: "RESOURCE/.default" or "RESOURCE/user_impersonation" of one resource, and OIDC's
 * own scopes, which ask for an id token and a refresh token. SR_INVALID with AADSTS70011. */
SR_MUST struct sr_result sr_scopes_read(struct sr_arena *arena, const char *scope, struct sr_scopes *ret_scopes);

#endif
