/*
 * May this caller do this operation in this vault: the vault's firewall, then its permission model, role assignments or
 * access policies. Reading what the database says is one step (a snapshot), judging it by the directory another, since
 * the directory's locks are not taken within a read.
 */
#ifndef SR_VAULT_AUTHORISE_H
#define SR_VAULT_AUTHORISE_H

#include "access/access.h"
#include "seal/database.h"
#include "vault/vault_store.h"

struct sr_vault_route;

/* Who asks for what. Borrowed; `object` is the name in the path or NULL. */
struct sr_vault_request {
	const struct sr_principal *who;
	const char *from; /* the peer's address */
	const struct sr_vault_route *route;
	const char *object;
};

/* What the database says of it. */
struct sr_vault_admission {
	struct sr_vault_record vault;
	bool is_address_listed;    /* a network rule holds the peer's address */
	bool is_granted;           /* a policy of the caller's own grants it */
	const char *const *groups; /* other objects to which policies grant it, ended by NULL */
};

/* Within a read. SR_NOT_FOUND "VaultNotFound". Text goes into the arena. */
SR_MUST struct sr_result sr_vault_admission_read(struct sr_connection *connection, struct sr_arena *arena,
                                                 const char *vault, const struct sr_vault_request *request,
                                                 struct sr_vault_admission *ret_admission);
/*
 * The verdict. SR_DENIED with Key Vault's own texts: "ForbiddenByConnection" and "ForbiddenByFirewall" before anything
 * else, then "ForbiddenByRbac" or "AccessDenied". The local administrator passes everything. *ret_assignment is "" or
 * the role assignment that allowed it, in the arena. SR_UNAVAILABLE where the directory is not there: nobody passes.
 */
SR_MUST struct sr_result sr_vault_admit(struct sr_access *access, struct sr_arena *arena,
                                        const struct sr_vault_request *request,
                                        const struct sr_vault_admission *admission, const char **ret_assignment);

/* The vault's id in the resource manager, in the arena; `subscription` is the installation's. */
const char *sr_vault_resource_id(struct sr_arena *arena, const struct sr_vault_record *vault, const char *subscription);

#endif
