/* The vault's HTTP face: the table of routes, and the server's two handlers. What is not in the table does not exist.
 */
#ifndef SR_VAULT_API_H
#define SR_VAULT_API_H

#include "vault/call.h"

/* One operation. Patterns are segments; "{name}" and "{version}" stand for one of any content. */
struct sr_vault_route {
	const char *method, *pattern;
	const char *operation;  /* as the audit log names it */
	const char *permission; /* that an access policy must grant: "keys/get"; what is before the '/' is the collection */
	const char *data_action; /* that a role must grant, after "Microsoft.KeyVault/vaults/" */
	sr_vault_handler handler;
	int success;     /* the status of its success */
	size_t body_max; /* 0: no body is read */
};
/* The tables, a collection each, ended by an empty entry. */
extern const struct sr_vault_route sr_key_routes[], sr_secret_routes[], sr_certificate_routes[];
/* All of them by position; NULL past the end. */
const struct sr_vault_route *sr_vault_route_at(size_t index);
/* The route of a method and a path, whose {name} and {version} come back (NULL where it has none). SR_NOT_FOUND
 * "NotFound": no such path; SR_INVALID "MethodNotAllowed": the path exists, the method does not. */
SR_MUST struct sr_result sr_vault_route_find(const char *method, const struct sr_segments *path,
                                             const struct sr_vault_route **ret_route, const char **ret_name,
                                             const char **ret_version);

/* True for an api-version that is answered: 7.0 and later, or a date. */
bool sr_vault_is_api_version(const char *text);
/* True for a host that names a vault: NAME.vault.ANYTHING. */
bool sr_is_vault_host(const char *host);
/* The vault that a host names: NAME of NAME.vault.ANYTHING, else the default one. In the arena. */
const char *sr_vault_of_host(struct sr_arena *arena, const char *host);

/* For sr_server_options; the context is the struct sr_vault. */
SR_MUST struct sr_result sr_vault_api_handle(struct sr_exchange *exchange, void *context);
void sr_vault_api_error(struct sr_exchange *exchange, struct sr_result error, void *context);

#endif
