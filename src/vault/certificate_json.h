/* Certificates in Key Vault's JSON: bundles, items, policies, operations. The caller owns what these give. Pure. */
#ifndef SR_VAULT_CERTIFICATE_JSON_H
#define SR_VAULT_CERTIFICATE_JSON_H

#include "vault/certificate_store.h"
#include "vault/vault_store.h"
#include "wire/json.h"

/* What ids and recovery levels follow from. */
struct sr_certificate_view {
	const char *base_url;
	const struct sr_vault_record *vault;
};

/* With policy, key and secret ids; a deleted one's with its recovery id and dates; with the pending operation's id
 * where no version was made yet. */
SR_MUST struct sr_result sr_certificate_bundle(const struct sr_certificate_view *view,
                                               const struct sr_certificate_record *certificate, json_t **ret_bundle);
/* `with_version`: the id names the version (lists of versions) or the certificate alone. */
SR_MUST struct sr_result sr_certificate_item(const struct sr_certificate_view *view,
                                             const struct sr_certificate_record *certificate, bool with_version,
                                             json_t **ret_item);
SR_MUST struct sr_result sr_certificate_policy_json(const struct sr_certificate_view *view,
                                                    const struct sr_certificate_head *head, json_t **ret_policy);
SR_MUST struct sr_result sr_certificate_operation_json(const struct sr_certificate_view *view,
                                                       const struct sr_certificate_operation *operation,
                                                       json_t **ret_operation);

#endif
