/* The handlers of the certificates API, for the table of routes in certificate_routes.c. One file a group. */
#ifndef SR_VAULT_CERTIFICATE_HANDLERS_H
#define SR_VAULT_CERTIFICATE_HANDLERS_H

#include "vault/call.h"
#include "vault/certificate_json.h"
#include "vault/certificate_make.h"

#define SR_HANDLER(name) SR_MUST struct sr_result name(struct sr_vault_call *call, struct sr_vault_answer *answer)

/* certificate_change.c: new versions by policy or import, updates, policies */
SR_HANDLER(sr_handle_certificate_create);
SR_HANDLER(sr_handle_certificate_import);
SR_HANDLER(sr_handle_certificate_update);
SR_HANDLER(sr_handle_certificate_policy_get);
SR_HANDLER(sr_handle_certificate_policy_update);

/* certificate_pending.c: operations and their end */
SR_HANDLER(sr_handle_certificate_operation_get);
SR_HANDLER(sr_handle_certificate_operation_update);
SR_HANDLER(sr_handle_certificate_operation_delete);
SR_HANDLER(sr_handle_certificate_merge);

/* certificate_lifecycle.c: reading, deleting, recovering, purging */
SR_HANDLER(sr_handle_certificate_get);
SR_HANDLER(sr_handle_certificate_delete);
SR_HANDLER(sr_handle_deleted_certificate_get);
SR_HANDLER(sr_handle_deleted_certificate_recover);
SR_HANDLER(sr_handle_deleted_certificate_purge);

/* certificate_list.c */
SR_HANDLER(sr_handle_certificates_list);
SR_HANDLER(sr_handle_certificate_versions_list);
SR_HANDLER(sr_handle_deleted_certificates_list);

/* certificate_backup.c */
SR_HANDLER(sr_handle_certificate_backup);
SR_HANDLER(sr_handle_certificate_restore);

/* certificate_issuers.c */
SR_HANDLER(sr_handle_issuers_list);
SR_HANDLER(sr_handle_issuer_get);
SR_HANDLER(sr_handle_issuer_set);
SR_HANDLER(sr_handle_issuer_update);
SR_HANDLER(sr_handle_issuer_delete);

/* certificate_contacts.c */
SR_HANDLER(sr_handle_contacts_get);
SR_HANDLER(sr_handle_contacts_set);
SR_HANDLER(sr_handle_contacts_delete);

/* What ids in answers follow from. */
static inline struct sr_certificate_view sr_call_certificate_view(const struct sr_vault_call *call)
{
	return (struct sr_certificate_view){call->base_url, &call->record};
}

/* Within a write: destroys a deleted certificate with its key, its secret and all that the key wraps. */
SR_MUST struct sr_result sr_certificate_destroy(struct sr_connection *connection, const char *vault, const char *name);

/* The name of an issuer of its owner's: SR_INVALID where the vault knows none of the name. Within a read. */
SR_MUST struct sr_result sr_issuer_check(struct sr_connection *connection, const char *vault, const char *name);

#endif
