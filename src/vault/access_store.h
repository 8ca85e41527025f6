/* A vault's access policies and network rules in the database, within a read or write. */
#ifndef SR_VAULT_ACCESS_STORE_H
#define SR_VAULT_ACCESS_STORE_H

#include "seal/database.h"
#include "vault/access_policy.h"
#include "vault/network_rule.h"

/* Puts these in the place of all that the vault has. */
SR_MUST struct sr_result sr_access_policies_write(struct sr_connection *connection, const char *vault,
                                                  const struct sr_access_policy *policies, size_t count);
/* Puts this in the place of its identity's; where it grants nothing, takes that away. */
SR_MUST struct sr_result sr_access_policy_put(struct sr_connection *connection, const char *vault,
                                              const struct sr_access_policy *policy);
/* All, by identity, in the arena; at most SR_ACCESS_POLICIES_MAX. */
SR_MUST struct sr_result sr_access_policies_list(struct sr_connection *connection, struct sr_arena *arena,
                                                 const char *vault, struct sr_access_policy **ret_policies,
                                                 size_t *ret_count);

/* What is looked for in the policies: `object_id`, by way of `app_id`, any bit of `mask`. */
struct sr_access_question {
	const char *vault, *object_id, *app_id;
	enum sr_policy_collection collection;
	uint64_t mask;
};
/* Does a policy of the object itself grant it? */
SR_MUST struct sr_result sr_access_policy_grants(struct sr_connection *connection,
                                                 const struct sr_access_question *question, bool *ret_is_granted);
/* The other objects to which a policy grants it: groups that the caller may be in. In the arena, ended by NULL. */
SR_MUST struct sr_result sr_access_policy_others(struct sr_connection *connection, struct sr_arena *arena,
                                                 const struct sr_access_question *question,
                                                 const char *const **ret_objects);

SR_MUST struct sr_result sr_network_rules_write(struct sr_connection *connection, const char *vault,
                                                const struct sr_network_range *ranges, size_t count);
/* In the order in which they were written, as texts in the arena. */
SR_MUST struct sr_result sr_network_rules_list(struct sr_connection *connection, struct sr_arena *arena,
                                               const char *vault, const char *const **ret_texts, size_t *ret_count);
/* Does a rule hold this address? */
SR_MUST struct sr_result sr_network_rules_hold(struct sr_connection *connection, const char *vault,
                                               const uint8_t address[static SR_ADDRESS_LEN], bool *ret_holds);

#endif
