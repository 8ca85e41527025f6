/* Resource providers: which there are (a table), and which the subscription has registered (rows of the database).
 * Functions on a connection run within the caller's transaction. */
#ifndef SR_WORKSPACE_PROVIDER_H
#define SR_WORKSPACE_PROVIDER_H

#include "seal/database.h"

struct sr_provider_type {
	const char *name;        /* "vaults" */
	const char *api_version; /* the newest */
};

struct sr_provider {
	const char *namespace;                /* "Microsoft.KeyVault" */
	bool is_always_registered;            /* Resource Manager's own */
	const char *service;                  /* whose resources they are: "vault"; NULL: Resource Manager's own */
	const struct sr_provider_type *types; /* ended by an empty one */
};

/* By position; NULL past the end. */
const struct sr_provider *sr_provider_at(size_t index);
/* In any case; SR_NOT_FOUND "InvalidResourceNamespace". */
SR_MUST struct sr_result sr_provider_find(const char *namespace, const struct sr_provider **ret_provider);

SR_MUST struct sr_result sr_provider_is_registered(struct sr_connection *connection, const struct sr_provider *provider,
                                                   bool *ret_is_registered);
SR_MUST struct sr_result sr_provider_set_registered(struct sr_connection *connection,
                                                    const struct sr_provider *provider, bool is_registered);

#endif
