/*
 * Who is asking, and may they: bearer tokens of our identity service (RFC 6750, RFC 9068) and role
 * assignments, checked in each service against a snapshot of the directory that follows identity's within a second.
 * While identity cannot be reached the last snapshot stays in use, for as long as that lasts: tokens end by themselves,
 * and keys, whose revocation must not wait, are under leases. Thread-safe.
 */
#ifndef SR_ACCESS_ACCESS_H
#define SR_ACCESS_ACCESS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/text.h"
#include "net/tls.h"

/* The claim that names the credential or sign-in by which a token was got; one that was taken back ends the token. */
#define SR_CREDENTIAL_CLAIM "sr_cred"

struct sr_access;

struct sr_access_options {
	struct sr_tls *tls;           /* client configuration with this service's certificate; borrowed */
	const char *identity_address; /* identity's internal listener (mutual TLS): GET /directory */
	uint16_t identity_port;
	const char *authority; /* "https://127.0.0.1:8441": issuers are AUTHORITY/{tenant}/v2.0 and AUTHORITY/{tenant}/ */
};
/* Starts the thread that follows the directory (long poll, new connection after failures); returns before the first
 * snapshot. */
SR_MUST struct sr_result sr_access_start(const struct sr_access_options *options, struct sr_access **ret_access);
/* Ends the following, at once; NULL is allowed. Nobody may ask any more. */
void sr_access_stop(struct sr_access *access);
/* True once a snapshot is there. */
bool sr_access_is_ready(struct sr_access *access);

/* Who asks. Text is borrowed from the arena that was given. */
struct sr_principal {
	const char *object_id; /* GUID; "local" for the Unix socket */
	const char *app_id;    /* GUID; "" for a person */
	const char *tenant;    /* GUID */
	const char *name;      /* display name; for the customer's eyes and the audit log only */
	bool is_local;         /* the machine's administrator on the Unix socket: may do everything, audited as such */
};
/*
 * Checks a token: signature by a key of the directory, alg RS256 or ES256 only (as the key says), iss, aud among
 * `audiences` (ended by NULL; a trailing '/' does not matter), nbf/exp with 5 minutes of skew at nbf and none at exp,
 * tenant known, principal enabled. SR_UNAUTHENTICATED says why; SR_UNAVAILABLE before the first snapshot. Checked
 * tokens are cached by their SHA-256 until they end or the directory changes.
 */
SR_MUST struct sr_result sr_access_authenticate(struct sr_access *access, struct sr_arena *arena, struct sr_bytes token,
                                                const char *const *audiences, struct sr_principal *ret_principal);
/*
 * May the principal do `action` ("Microsoft.KeyVault/vaults/keys/read", with `is_data` for data actions) at `scope`:
 * a management group, a subscription ("/subscriptions/S"), a resource group, a resource
 * ("/subscriptions/S/resourceGroups/G/providers/Microsoft.KeyVault/vaults/V") or what is in it ("…/vaults/V/keys/K")?
 * An assignment to the principal, or to a group that it is in (through others too), at a scope covers all below it;
 * subscriptions and management groups are below the management groups that they were put under. '*' in a role's action
 * matches any run of characters; notActions take away; a deny assignment wins over all. SR_DENIED says why not;
 * *ret_assignment (may be NULL) names the assignment that allows it.
 */
SR_MUST struct sr_result sr_access_check(struct sr_access *access, const struct sr_principal *principal,
                                         const char *action, bool is_data, const char *scope,
                                         struct sr_id *ret_assignment);
/*
 * May the principal give (or, with `is_taken`, take back) the role of this id at the scope? As sr_access_check for
 * roleAssignments/write or /delete, but a role that may give only some roles is asked for this one. SR_DENIED.
 */
SR_MUST struct sr_result sr_access_check_assigning(struct sr_access *access, const struct sr_principal *principal,
                                                   const char *role_id, bool is_taken, const char *scope);
/* Calls `each` for every role that the principal has at the scope, by groups too; the role is borrowed during the
 * call. Nobody's where the principal is not in the directory. */
struct sr_role;
SR_MUST struct sr_result sr_access_each_role(struct sr_access *access, const struct sr_principal *principal,
                                             const char *scope,
                                             struct sr_result (*each)(const struct sr_role *role, void *context),
                                             void *context);
/* Does what is assigned at the scope `above` hold at `scope`: is it the same, or above it, in the tree of management
 * groups too? */
SR_MUST struct sr_result sr_access_covers(struct sr_access *access, const char *above, const char *scope,
                                          bool *ret_covers);
/*
 * Is the object (application, person or group) in the group, directly or through others? False for ids that are not in
 * the directory. SR_UNAVAILABLE before the first snapshot.
 */
SR_MUST struct sr_result sr_access_is_member(struct sr_access *access, const char *object_id, const char *group_id,
                                             bool *ret_is_member);
/* The tenant, subscription and resource group that this installation has by default (from the directory); borrowed,
 * fixed after the first snapshot. */
struct sr_installation {
	char tenant[SR_GUID_TEXT_LEN];
	char subscription[SR_GUID_TEXT_LEN];
};
SR_MUST struct sr_result sr_access_installation(struct sr_access *access, struct sr_installation *ret_installation);

/*
 * "https://AUTHORITY" of a Host header, as an audience, where it names `port`, the service's own; else NULL. The header
 * is the asker's to choose: without the port a token for another service would pass here under that service's name.
 */
const char *sr_access_own_origin(struct sr_arena *arena, const char *authority, uint16_t port);

/* A service's bearer challenge, "Bearer authorization=\"AUTHORITY/TENANT\", resource=\"…\"": the authority's part. */
const char *sr_access_authority(const struct sr_access *access);

#endif
