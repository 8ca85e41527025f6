/* How long leases may last that earlier starts of this vault have granted: kept across restarts, since the setting may
 * have been made shorter meanwhile, and holders go by what they were told. */
#ifndef SR_VAULT_LEASE_TTL_H
#define SR_VAULT_LEASE_TTL_H

#include "vault/state.h"

/* Before the first grant: notes `ttl_ms` durably where it is longer than what is kept, and gives the longest. */
SR_MUST struct sr_result sr_lease_ttl_begin(struct sr_vault_state *state, uint32_t ttl_ms, uint32_t *ret_longest_ms);
/* Once `ttl_ms` alone has been granted for longer than the longest: forgets longer ones. */
SR_MUST struct sr_result sr_lease_ttl_settle(struct sr_vault_state *state, uint32_t ttl_ms);

#endif
